-- grain: an attempt to deploy a service to a production environment
-- key: source, deployment, service, environment
-- reads: deployments, environment_kinds, production_kinds, rules, service_map, stream_deployments, streams
-- rule: Every attempt whose environment is of a kind that counts as production, for each service
--  it counts for; a deployment of several repositories is one row, told by the first of them. It
--  is a baseline where it is one for all of them, a rollback where it is one for any.
with
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
        cast(row_number() over (
            partition by d.source, d.id, m.service, d.environment
            order by d.repository
        ) as bigint) as choice
    from deployments d
    cross join rules r
    join service_map m
        on m.repository = d.repository and m.stated = coalesce(d.service, '')
    join environment_kinds e
        on e.environment = d.environment and e.tier = coalesce(d.tier, '')
    join production_kinds k on k.kind = e.kind
    where coalesce(d.finished_at, d.started_at, r.as_of) <= r.as_of
),
walked as (
    select
        w.source as source,
        w.deployment as deployment,
        s.service as service,
        s.environment as environment,
        min(case when w.outcome = 'baseline' then 1 else 0 end) as baseline,
        max(case when w.rollback then 1 else 0 end) as rollback
    from stream_deployments w
    join streams s on s.stream = w.stream
    group by w.source, w.deployment, s.service, s.environment
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
    coalesce(w.baseline, 0) = 1 as baseline,
    coalesce(w.rollback, 0) = 1 as rollback,
    d.inferred as inferred,
    d.unplanned as unplanned,
    d.fixes as fixes,
    d.rolls_back as rolls_back,
    d.failure_label as failure_label,
    d.url as url
from known d
left join walked w
    on w.source = d.source and w.deployment = d.deployment
    and w.service = d.service and w.environment = d.environment
where d.choice = 1
