-- grain: a production deployment that delivered a change, and a later one that delivered its revert
-- key: source, deployment, service, environment, repair_source, repair_deployment
-- reads: lineage, production_sequence, resolved_references, reverts, rules, stream_deployments, streams
-- rule: In each service and environment by itself, however long after. A copy made by cherry-pick delivers the change it copies. What a baseline contains was delivered before the record, so its revert is linked to nothing.
with
versions as (
    select v.commit_id as commit_id, v.commit_id as copy_id
    from reverts v
    union
    select v.target_id as commit_id, v.target_id as copy_id
    from reverts v
    union
    select f.target_id as commit_id, f.commit_id as copy_id
    from resolved_references f
    join (
        select v.commit_id as commit_id from reverts v
        union
        select v.target_id as commit_id from reverts v
    ) w on w.commit_id = f.target_id
    cross join rules r
    where f.kind = 'cherry_picked_from' and r.follow_cherry_picks
),
first_deliveries as (
    select v.commit_id as commit_id, l.stream as stream, min(l.position) as position
    from versions v
    join lineage l on l.commit_id = v.copy_id
    where l.position >= 0
    group by v.commit_id, l.stream
)
select distinct
    f.source as source,
    f.deployment as deployment,
    f.service as service,
    f.environment as environment,
    b.source as repair_source,
    b.deployment as repair_deployment,
    b.service as repair_service,
    b.environment as repair_environment,
    'revert' as repair_kind,
    b.us - f.us as gap_us
from reverts v
join first_deliveries t on t.commit_id = v.target_id
join first_deliveries c
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
cross join rules r
where d.outcome <> 'baseline' or not r.baseline
