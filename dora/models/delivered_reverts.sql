-- grain: a production deployment that delivered a change, and a later one that delivered its revert
-- key: source, deployment, service, environment, repair_source, repair_deployment
-- reads: mentioned_deliveries, production_sequence, reverts, stream_deployments, streams
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
join streams s on s.stream = t.stream
join stream_deployments d on d.stream = t.stream and d.position = t.position
join stream_deployments e on e.stream = c.stream and e.position = c.position
join production_sequence f
    on f.source = d.source and f.deployment = d.deployment
    and f.service = s.service and f.environment = s.environment
join production_sequence b
    on b.source = e.source and b.deployment = e.deployment
    and b.service = s.service and b.environment = s.environment
group by f.source, f.deployment, f.service, f.environment,
    b.source, b.deployment, b.service, b.environment
