-- grain: a service and a day on which it was deployed to production
-- key: service, day
-- reads: covered_services, production_deployments, stream_deployments, streams
-- rule: Of its successful deployments, how many have a commit that is known here, how many are of a
--  service whose incidents are known, how many did not end before they began, and how many are
--  told by one source alone: the same commit told by another source within five minutes is taken
--  for the same deployment told twice.
with
walked as (
    select
        w.source as source,
        w.deployment as deployment,
        s.service as service,
        s.environment as environment,
        max(case when w.outcome = 'unknown' then 1 else 0 end) as unknown
    from stream_deployments w
    join streams s on s.stream = w.stream
    group by w.source, w.deployment, s.service, s.environment
),
covered as (
    select distinct c.service as service from covered_services c
),
told as (
    select
        p.service as service,
        dora_day(p.finished_at) as day,
        dora_us(p.finished_at) as us,
        p.source as source,
        p.sha as sha,
        p.deployment as deployment,
        lag(dora_us(p.finished_at)) over (
            partition by p.service, p.environment, p.sha
            order by dora_us(p.finished_at), p.source, p.deployment
        ) as earlier_us,
        lag(p.source) over (
            partition by p.service, p.environment, p.sha
            order by dora_us(p.finished_at), p.source, p.deployment
        ) as earlier_source,
        p.environment as environment,
        coalesce(dora_us(p.started_at) > dora_us(p.finished_at), false) as backwards
    from production_deployments p
    where p.succeeded
)
select
    t.service as service,
    t.day as day,
    count(*) as deployments,
    sum(case when coalesce(w.unknown, 1) = 0 then 1 else 0 end) as of_known_commit,
    sum(case when c.service is not null then 1 else 0 end) as covered,
    sum(case when t.backwards then 0 else 1 end) as in_order,
    sum(case
        when t.sha is not null and t.earlier_source <> t.source
            and t.us - t.earlier_us <= 300000000 then 0
        else 1
    end) as told_once
from told t
left join walked w
    on w.source = t.source and w.deployment = t.deployment
    and w.service = t.service and w.environment = t.environment
left join covered c on c.service = t.service
group by t.service, t.day
