-- grain: a successful deployment of a service to a production environment, by when it started
-- key: source, deployment, service, environment
-- reads: change_times, deployments, judged_deployments, known_incidents, production_steps
-- rule: Where no start is known, the finish stands for it. It is a repair, which goes out when
--  something is broken, if it is a rollback or a hotfix; one that carries a revert among other
--  changes has its time like any other. Changes are those it delivers that count in lead time.
--  It went out amid an incident if one of its service was open when it started.
with
counted as (
    select t.step as step, count(*) as changes
    from change_times t
    where t.left_out is null and t.step is not null
    group by t.step
),
sizes as (
    select
        p.source as source,
        p.deployment as deployment,
        p.service as service,
        p.environment as environment,
        cast(sum(c.changes) as bigint) as changes
    from counted c
    join production_steps p on p.step = c.step
    group by p.source, p.deployment, p.service, p.environment
),
labelled as (
    select
        d.source as source,
        d.id as deployment,
        d.environment as environment,
        max(d.labels) as labels
    from deployments d
    where d.labels is not null
    group by d.source, d.id, d.environment
),
started as (
    select
        j.source as source,
        j.deployment as deployment,
        j.service as service,
        j.environment as environment,
        coalesce(j.started_at, j.finished_at) as started_at,
        j.started_at is not null as start_known,
        j.mature as mature,
        j.failed as failed,
        j.covered as covered,
        j.rework_kind as rework_kind,
        j.version as version,
        j.url as url
    from judged_deployments j
    where j.succeeded
),
amid as (
    select distinct
        s.source as source,
        s.deployment as deployment,
        s.service as service,
        s.environment as environment
    from started s
    join known_incidents k on k.service = s.service
    where k.standing = 'counts'
        and dora_us(k.detected_at) <= dora_us(s.started_at)
        and (k.resolved_at is null or dora_us(k.resolved_at) > dora_us(s.started_at))
)
select
    s.source as source,
    s.deployment as deployment,
    s.service as service,
    s.environment as environment,
    s.started_at as started_at,
    dora_us(s.started_at) as us,
    dora_day(s.started_at) as day,
    s.start_known as start_known,
    s.mature as mature,
    s.failed as failed,
    s.covered as covered,
    s.rework_kind as rework_kind,
    coalesce(s.rework_kind in ('rollback', 'hotfix'), false) as repair,
    coalesce(z.changes, 0) as changes,
    a.deployment is not null as amid_incident,
    l.labels as labels,
    s.version as version,
    s.url as url
from started s
left join sizes z
    on z.source = s.source and z.deployment = s.deployment
    and z.service = s.service and z.environment = s.environment
left join labelled l
    on l.source = s.source and l.deployment = s.deployment and l.environment = s.environment
left join amid a
    on a.source = s.source and a.deployment = s.deployment
    and a.service = s.service and a.environment = s.environment
