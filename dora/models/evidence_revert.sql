-- grain: a production deployment, and a later one that took back a change it had delivered
-- key: source, deployment, service, environment, repair_source, repair_deployment
-- reads: delivered_reverts
-- rule: The deployment that delivered the reverted change failed. What a baseline contains was
--  delivered before the record, so its revert is linked to nothing.
select
    v.source as source,
    v.deployment as deployment,
    v.service as service,
    v.environment as environment,
    v.repair_source as repair_source,
    v.repair_deployment as repair_deployment,
    v.repair_service as repair_service,
    v.repair_environment as repair_environment,
    'revert' as repair_kind,
    v.gap_us as gap_us
from delivered_reverts v
where not v.before_record
