-- grain: a production deployment that delivered a change, and a later one that delivered its revert
-- key: source, deployment, service, environment, repair_source, repair_deployment
-- reads: mentioned_deliveries, production_sequence, reverts
-- rule: In each service and environment by itself, however long after. Whether the change was there
--  before the record began is told apart.
select
    f.source as source,
    f.deployment as deployment,
    f.service as service,
    f.environment as environment,
    b.source as repair_source,
    b.deployment as repair_deployment,
    b.service as repair_service,
    b.environment as repair_environment,
    min(case when t.before_record then 1 else 0 end) = 1 as before_record,
    min(b.us - f.us) as gap_us
from reverts v
join mentioned_deliveries t on t.commit_id = v.target_id
join mentioned_deliveries c
    on c.commit_id = v.commit_id and c.stream = t.stream and c.position > t.position
join production_sequence f
    on f.source = t.source and f.deployment = t.deployment
    and f.service = t.service and f.environment = t.environment
join production_sequence b
    on b.source = c.source and b.deployment = c.deployment
    and b.service = c.service and b.environment = c.environment
group by f.source, f.deployment, f.service, f.environment,
    b.source, b.deployment, b.service, b.environment
