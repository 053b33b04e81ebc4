-- grain: a statement that a production deployment failed: an incident's, a repair's, or its own
--  label
-- key: source, deployment, service, environment, incident_source, incident, repair_source,
--  repair_deployment, repair_service, repair_environment
-- reads: known_incidents, named_deployments, production_deployments, stated_repairs
-- rule: An incident names the deployment, a commit or a pull request; or another deployment
--  says that it fixes or rolls back this one; or the deployment carries a failure label.
with
incident_times as (
    select distinct k.source as source, k.incident as incident, k.detected_at as detected_at
    from known_incidents k
)
select
    p.source as source,
    p.deployment as deployment,
    p.service as service,
    p.environment as environment,
    n.incident_source as incident_source,
    n.incident as incident,
    cast(null as varchar) as repair_source,
    cast(null as varchar) as repair_deployment,
    cast(null as varchar) as repair_service,
    cast(null as varchar) as repair_environment,
    cast(null as varchar) as repair_kind,
    dora_us(i.detected_at) - dora_us(p.finished_at) as gap_us
from named_deployments n
join production_deployments p
    on p.source = n.source and p.deployment = n.deployment
    and p.service = n.service and p.environment = n.environment
join incident_times i on i.source = n.incident_source and i.incident = n.incident
union all
select
    p.source as source,
    p.deployment as deployment,
    p.service as service,
    p.environment as environment,
    cast(null as varchar) as incident_source,
    cast(null as varchar) as incident,
    n.repair_source as repair_source,
    n.repair_deployment as repair_deployment,
    n.repair_service as repair_service,
    n.repair_environment as repair_environment,
    case
        when q.rollback or q.rolls_back is not null then 'rollback' else 'fix forward'
    end as repair_kind,
    dora_us(q.finished_at) - dora_us(p.finished_at) as gap_us
from stated_repairs n
join production_deployments p
    on p.source = n.source and p.deployment = n.deployment
    and p.service = n.service and p.environment = n.environment
join production_deployments q
    on q.source = n.repair_source and q.deployment = n.repair_deployment
    and q.service = n.repair_service and q.environment = n.repair_environment
union all
select
    p.source as source,
    p.deployment as deployment,
    p.service as service,
    p.environment as environment,
    cast(null as varchar) as incident_source,
    cast(null as varchar) as incident,
    cast(null as varchar) as repair_source,
    cast(null as varchar) as repair_deployment,
    cast(null as varchar) as repair_service,
    cast(null as varchar) as repair_environment,
    cast(null as varchar) as repair_kind,
    cast(null as bigint) as gap_us
from production_deployments p
where p.failure_label
