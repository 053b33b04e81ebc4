-- grain: a production deployment that was undone, and the rollback that undid it
-- key: source, deployment, service, environment, repair_source, repair_deployment
-- reads: production_sequence, stream_deployments, streams, undone
-- rule: A rollback deploys a proper ancestor of what it replaces. Undone, and so failed, are
--  the deployments directly before it, back to but excluding the newest one whose commit it
--  contains; rollbacks among them are not.
select distinct
    f.source as source,
    f.deployment as deployment,
    f.service as service,
    f.environment as environment,
    b.source as repair_source,
    b.deployment as repair_deployment,
    b.service as repair_service,
    b.environment as repair_environment,
    'rollback' as repair_kind,
    b.us - f.us as gap_us
from undone u
join streams s on s.stream = u.stream
join stream_deployments d on d.stream = u.stream and d.position = u.position
join stream_deployments e on e.stream = u.stream and e.position = u.rollback_position
join production_sequence f
    on f.source = d.source and f.deployment = d.deployment
    and f.service = s.service and f.environment = s.environment
join production_sequence b
    on b.source = e.source and b.deployment = e.deployment
    and b.service = s.service and b.environment = s.environment
