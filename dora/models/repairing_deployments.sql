-- grain: a successful production deployment made to repair an earlier one
-- key: source, deployment, service, environment
-- reads: delivered_reverts, evidence_hotfix, evidence_revert, evidence_rollback,
--  production_deployments, production_sequence, stated_repairs
-- rule: A rollback; or a hotfix, by its changes, by saying that it fixes something, or by being
--  stated as unplanned; or one that delivers the revert of a change delivered before, be it
--  before the record. Which kinds of evidence make a failure plays no part. It repairs the
--  newest deployment among those its strongest evidence names.
with
links as (
    select t.repair_source as source, t.repair_deployment as deployment,
        t.repair_service as service, t.repair_environment as environment, 1 as strength,
        t.source as repaired_source, t.deployment as repaired,
        t.service as repaired_service, t.environment as repaired_environment
    from stated_repairs t
    union all
    select e.repair_source as source, e.repair_deployment as deployment,
        e.repair_service as service, e.repair_environment as environment, 2 as strength,
        e.source as repaired_source, e.deployment as repaired,
        e.service as repaired_service, e.environment as repaired_environment
    from evidence_rollback e
    union all
    select e.repair_source as source, e.repair_deployment as deployment,
        e.repair_service as service, e.repair_environment as environment, 3 as strength,
        e.source as repaired_source, e.deployment as repaired,
        e.service as repaired_service, e.environment as repaired_environment
    from evidence_revert e
    union all
    select e.repair_source as source, e.repair_deployment as deployment,
        e.repair_service as service, e.repair_environment as environment, 4 as strength,
        e.source as repaired_source, e.deployment as repaired,
        e.service as repaired_service, e.environment as repaired_environment
    from evidence_hotfix e
),
ranked as (
    select
        n.source as source,
        n.deployment as deployment,
        n.service as service,
        n.environment as environment,
        n.repaired as repaired,
        cast(row_number() over (
            partition by n.source, n.deployment, n.service, n.environment
            order by n.strength, coalesce(q.service_place, 0) desc, n.repaired desc,
                n.repaired_source, n.repaired_service, n.repaired_environment
        ) as bigint) as choice
    from links n
    left join production_sequence q
        on q.source = n.repaired_source and q.deployment = n.repaired
        and q.service = n.repaired_service and q.environment = n.repaired_environment
),
reverting as (
    select distinct v.repair_source as source, v.repair_deployment as deployment,
        v.repair_service as service, v.repair_environment as environment
    from delivered_reverts v
),
unplanned as (
    select p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment
    from production_deployments p
    where p.fixes is not null or p.unplanned
),
kinds as (
    select
        q.source as source,
        q.deployment as deployment,
        q.service as service,
        q.environment as environment,
        case
            when q.rollback then 'rollback'
            when q.hotfix or p.deployment is not null then 'hotfix'
            when v.deployment is not null then 'revert'
        end as kind,
        n.repaired as repairs
    from production_sequence q
    left join unplanned p
        on p.source = q.source and p.deployment = q.deployment
        and p.service = q.service and p.environment = q.environment
    left join reverting v
        on v.source = q.source and v.deployment = q.deployment
        and v.service = q.service and v.environment = q.environment
    left join ranked n
        on n.source = q.source and n.deployment = q.deployment
        and n.service = q.service and n.environment = q.environment and n.choice = 1
)
select
    k.source as source,
    k.deployment as deployment,
    k.service as service,
    k.environment as environment,
    k.kind as kind,
    k.repairs as repairs
from kinds k
where k.kind is not null
