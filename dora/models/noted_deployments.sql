-- grain: a successful production deployment that raises frequency more than it brings
-- key: source, deployment, service, environment
-- reads: production_deployments, production_sequence, repairing_deployments, stream_deployments, streams
-- rule: Made for no repair, it ships the very commit that was there (same commit) or another one
--  with nothing in it that was not there before (nothing new); or it brings something within ten
--  minutes of the one before it, of the same service and environment (soon after).
with
steps as (
    select
        w.stream as stream,
        w.source as source,
        w.deployment as deployment,
        w.outcome as outcome,
        w.commit_id as commit_id,
        lag(w.commit_id) over (partition by w.stream order by w.position) as earlier
    from stream_deployments w
),
brought as (
    select
        w.source as source,
        w.deployment as deployment,
        s.service as service,
        s.environment as environment,
        min(case when w.outcome = 'nothing' then 1 else 0 end) as brings_none,
        min(case when w.commit_id = w.earlier then 1 else 0 end) as repeats
    from steps w
    join streams s on s.stream = w.stream
    group by w.source, w.deployment, s.service, s.environment
),
followed as (
    select
        q.source as source,
        q.deployment as deployment,
        q.service as service,
        q.environment as environment,
        q.finished_at as finished_at,
        q.us - lag(q.us) over (
            partition by q.service, q.environment order by q.place
        ) as since_us
    from production_sequence q
),
told as (
    select
        f.source as source,
        f.deployment as deployment,
        f.service as service,
        f.environment as environment,
        f.finished_at as finished_at,
        case
            when b.brings_none = 1 and b.repeats = 1 then 'same commit'
            when b.brings_none = 1 then 'nothing new'
            when f.since_us <= 600000000 then 'soon after'
        end as note
    from followed f
    join brought b
        on b.source = f.source and b.deployment = f.deployment
        and b.service = f.service and b.environment = f.environment
    left join repairing_deployments r
        on r.source = f.source and r.deployment = f.deployment
        and r.service = f.service and r.environment = f.environment
    where r.deployment is null
)
select
    t.source as source,
    t.deployment as deployment,
    t.service as service,
    t.environment as environment,
    t.finished_at as finished_at,
    dora_day(t.finished_at) as day,
    t.note as note,
    p.sha as sha,
    p.url as url
from told t
join production_deployments p
    on p.source = t.source and p.deployment = t.deployment
    and p.service = t.service and p.environment = t.environment
where t.note is not null
