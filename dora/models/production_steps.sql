-- grain: a successful production deployment in its stream (repository, service, environment)
-- key: step
-- reads: production_deployments, rules, stream_deployments, streams
-- rule: Numbered by finish over the streams of a repository and service, one after the other; what
--  the first one of a stream contains is before the record, unless the rules ask to count it.
with
sizes as (
    select w.stream as stream, max(w.position) + 1 as size
    from stream_deployments w
    group by w.stream
),
routes as (
    select
        s.repository as repository,
        s.service as service,
        count(*) as streams,
        sum(z.size) as size
    from sizes z
    join streams s on s.stream = z.stream
    group by s.repository, s.service
),
begun as (
    select
        r.repository as repository,
        r.service as service,
        r.streams > 1 as several,
        cast(sum(r.size) over (
            order by r.repository, r.service
            rows between unbounded preceding and current row
        ) - r.size as bigint) as steps_before
    from routes r
),
numbered as (
    select
        w.stream as stream,
        w.position as position,
        cast(row_number() over (
            partition by s.repository, s.service
            order by dora_us(w.finished_at), w.deployment, w.source, s.environment, w.stream,
                w.position
        ) as bigint) as place
    from stream_deployments w
    join streams s on s.stream = w.stream
    join begun b on b.repository = s.repository and b.service = s.service
    where b.several
)
select
    b.steps_before + coalesce(n.place, w.position + 1) as step,
    w.stream as stream,
    w.position as position,
    s.repository as repository,
    s.service as service,
    s.environment as environment,
    w.source as source,
    w.deployment as deployment,
    p.version as version,
    w.finished_at as finished_at,
    dora_us(w.finished_at) as us,
    w.commit_id as commit_id,
    w.outcome = 'baseline' and r.baseline as baseline,
    w.uncertain as uncertain
from stream_deployments w
join streams s on s.stream = w.stream
join begun b on b.repository = s.repository and b.service = s.service
join production_deployments p
    on p.source = w.source and p.deployment = w.deployment
    and p.service = s.service and p.environment = s.environment
cross join rules r
left join numbered n on n.stream = w.stream and n.position = w.position
where p.succeeded
