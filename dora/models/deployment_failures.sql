-- grain: a piece of evidence that a production deployment failed
-- key: source, deployment, service, environment, rule, incident_source, incident,
--  repair_source, repair_deployment, repair_service, repair_environment
-- reads: evidence_hotfix, evidence_revert, evidence_rollback, evidence_stated, evidence_window,
--  rules
-- rule: Of the evidence from one incident, and of that from one repair, only the strongest kind
--  decides; the rest are candidates. Made over all data, whatever period is asked for.
with
evidence as (
    select e.source as source, e.deployment as deployment, e.service as service,
        e.environment as environment, 'stated' as rule, 1 as strength,
        'stated' as confidence, e.incident_source as incident_source, e.incident as incident,
        e.repair_source as repair_source, e.repair_deployment as repair_deployment,
        e.repair_service as repair_service, e.repair_environment as repair_environment,
        e.repair_kind as repair_kind, e.gap_us as gap_us
    from evidence_stated e
    cross join rules r
    where r.rule_stated
    union all
    select e.source as source, e.deployment as deployment, e.service as service,
        e.environment as environment, 'rollback' as rule, 2 as strength,
        'high' as confidence, null as incident_source, null as incident,
        e.repair_source as repair_source, e.repair_deployment as repair_deployment,
        e.repair_service as repair_service, e.repair_environment as repair_environment,
        e.repair_kind as repair_kind, e.gap_us as gap_us
    from evidence_rollback e
    cross join rules r
    where r.rule_rollback
    union all
    select e.source as source, e.deployment as deployment, e.service as service,
        e.environment as environment, 'revert' as rule, 3 as strength,
        'high' as confidence, null as incident_source, null as incident,
        e.repair_source as repair_source, e.repair_deployment as repair_deployment,
        e.repair_service as repair_service, e.repair_environment as repair_environment,
        e.repair_kind as repair_kind, e.gap_us as gap_us
    from evidence_revert e
    cross join rules r
    where r.rule_revert
    union all
    select e.source as source, e.deployment as deployment, e.service as service,
        e.environment as environment, 'hotfix' as rule, 4 as strength,
        'medium' as confidence, null as incident_source, null as incident,
        e.repair_source as repair_source, e.repair_deployment as repair_deployment,
        e.repair_service as repair_service, e.repair_environment as repair_environment,
        e.repair_kind as repair_kind, e.gap_us as gap_us
    from evidence_hotfix e
    cross join rules r
    where r.rule_hotfix
    union all
    select e.source as source, e.deployment as deployment, e.service as service,
        e.environment as environment, 'window' as rule, 5 as strength,
        'low' as confidence, e.incident_source as incident_source, e.incident as incident,
        null as repair_source, null as repair_deployment, null as repair_service,
        null as repair_environment, null as repair_kind, e.gap_us as gap_us
    from evidence_window e
    cross join rules r
    where r.rule_window
)
select
    e.source as source,
    e.deployment as deployment,
    e.service as service,
    e.environment as environment,
    e.rule as rule,
    e.strength as strength,
    e.confidence as confidence,
    e.incident_source as incident_source,
    e.incident as incident,
    e.repair_source as repair_source,
    e.repair_deployment as repair_deployment,
    e.repair_service as repair_service,
    e.repair_environment as repair_environment,
    e.repair_kind as repair_kind,
    e.gap_us as gap_us,
    case
        when e.incident is not null then e.strength = min(e.strength) over (
            partition by e.incident_source, e.incident
        )
        when e.repair_deployment is not null then e.strength = min(e.strength) over (
            partition by e.repair_source, e.repair_deployment, e.repair_service,
                e.repair_environment
        )
        else true
    end as decides
from evidence e
