-- grain: a successful production deployment in its stream (repository, service, environment)
-- key: step
-- reads: production_deployments, rules, stream_deployments, streams
-- rule: Numbered by finish over all streams; what the first one of a stream contains is before the
--  record, unless the rules ask to count it.
select
    cast(row_number() over (
        order by dora_us(w.finished_at), w.deployment, w.source, s.environment, w.stream, w.position
    ) as bigint) as step,
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
join production_deployments p
    on p.source = w.source and p.deployment = w.deployment
    and p.service = s.service and p.environment = s.environment
cross join rules r
where p.succeeded
