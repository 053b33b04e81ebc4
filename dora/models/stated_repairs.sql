-- grain: a production deployment, and one that it says it fixes or rolls back
-- key: repair_source, repair_deployment, repair_service, repair_environment, source,
--  deployment, service, environment
-- reads: production_deployments
-- rule: By id or url. Where several deployments bear that name, the nearest is meant: of the
--  same source, then service, then environment. Naming an incident is not naming a deployment.
with
statements as (
    select p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, p.rolls_back as named
    from production_deployments p
    where p.rolls_back is not null
    union
    select p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, p.fixes as named
    from production_deployments p
    where p.fixes is not null
),
names as (
    select p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, p.deployment as name
    from production_deployments p
    union
    select p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, p.url as name
    from production_deployments p
    where p.url is not null
),
matches as (
    select
        s.source as repair_source,
        s.deployment as repair_deployment,
        s.service as repair_service,
        s.environment as repair_environment,
        s.named as named,
        n.source as source,
        n.deployment as deployment,
        n.service as service,
        n.environment as environment,
        case when n.source = s.source then 0 else 4 end
            + case when n.service = s.service then 0 else 2 end
            + case when n.environment = s.environment then 0 else 1 end as distance
    from statements s
    join names n on n.name = s.named
    where n.source <> s.source or n.deployment <> s.deployment
),
nearest as (
    select
        m.repair_source as repair_source,
        m.repair_deployment as repair_deployment,
        m.repair_service as repair_service,
        m.repair_environment as repair_environment,
        m.source as source,
        m.deployment as deployment,
        m.service as service,
        m.environment as environment,
        m.distance as distance,
        min(m.distance) over (
            partition by m.repair_source, m.repair_deployment, m.repair_service,
                m.repair_environment, m.named
        ) as least
    from matches m
)
select distinct
    n.repair_source as repair_source,
    n.repair_deployment as repair_deployment,
    n.repair_service as repair_service,
    n.repair_environment as repair_environment,
    n.source as source,
    n.deployment as deployment,
    n.service as service,
    n.environment as environment
from nearest n
where n.distance = n.least
