-- grain: an attempt to deploy a service to a production environment
-- key: source, deployment, service, environment
-- reads: deployments, environment_kinds, marked_deployments, production_kinds, rules, service_map
-- rule: Every attempt whose environment is of a kind that counts as production, for each service
--  it counts for; a deployment of several repositories is one row, told by the first of them.
with
of_several as (
    select d.source as source, d.id as deployment, d.environment as environment
    from deployments d
    group by d.source, d.id, d.environment
    having count(*) > 1
),
known as (
    select
        d.source as source,
        d.id as deployment,
        m.service as service,
        d.environment as environment,
        d.repository as repository,
        d.version as version,
        d.sha as sha,
        d.status as status,
        d.started_at as started_at,
        d.finished_at as finished_at,
        d.inferred as inferred,
        d.unplanned as unplanned,
        d.fixes as fixes,
        d.rolls_back as rolls_back,
        dora_matches(d.labels, r.failure_label) as failure_label,
        d.url as url,
        o.deployment is not null as of_several
    from deployments d
    cross join rules r
    join service_map m
        on m.repository = d.repository and m.stated = coalesce(d.service, '')
        and (m.name = '*' or m.name = coalesce(d.name, ''))
        and (m.environment = '*' or m.environment = d.environment)
    join environment_kinds e
        on e.environment = d.environment and e.tier = coalesce(d.tier, '')
    join production_kinds k on k.kind = e.kind
    left join of_several o
        on o.source = d.source and o.deployment = d.id and o.environment = d.environment
    where coalesce(d.finished_at, d.started_at, r.as_of) <= r.as_of
),
firsts as (
    select
        k.source as source,
        k.deployment as deployment,
        k.service as service,
        k.environment as environment,
        min(k.repository) as repository
    from known k
    where k.of_several
    group by k.source, k.deployment, k.service, k.environment
)
select
    d.source as source,
    d.deployment as deployment,
    d.service as service,
    d.environment as environment,
    d.repository as repository,
    d.version as version,
    d.sha as sha,
    d.status as status,
    d.status = 'succeeded' and d.finished_at is not null as succeeded,
    d.started_at as started_at,
    d.finished_at as finished_at,
    coalesce(w.baseline, false) as baseline,
    coalesce(w.rollback, false) as rollback,
    d.inferred as inferred,
    d.unplanned as unplanned,
    d.fixes as fixes,
    d.rolls_back as rolls_back,
    d.failure_label as failure_label,
    d.url as url
from known d
left join marked_deployments w
    on w.source = d.source and w.deployment = d.deployment
    and w.service = d.service and w.environment = d.environment
left join firsts f
    on f.source = d.source and f.deployment = d.deployment
    and f.service = d.service and f.environment = d.environment
where not d.of_several or f.repository = d.repository
