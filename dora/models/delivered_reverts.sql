-- grain: a production deployment that delivered a change, and a later one that delivered its revert
-- key: source, deployment, service, environment, repair_source, repair_deployment
-- reads: commits, lineage, originals, production_sequence, resolved_references, reverts, rules, stream_deployments, streams
-- rule: In each service and environment by itself, however long after. A pull request's commit is delivered with what landed, and also by any copy made by cherry-pick. Whether the change was there before the record began is told apart.
with
named as (
    select v.commit_id as commit_id from reverts v
    union
    select v.target_id as commit_id from reverts v
),
landed as (
    select n.commit_id as commit_id, l.commit_id as place_id
    from named n
    join commits c on c.commit_id = n.commit_id
    join originals o on o.repository = c.repository and o.sha = c.sha
    join commits l on l.repository = o.repository and l.sha = o.landed_sha
),
places as (
    select n.commit_id as commit_id, coalesce(l.place_id, n.commit_id) as place_id
    from named n
    left join landed l on l.commit_id = n.commit_id
    union
    select n.commit_id as commit_id, f.commit_id as place_id
    from named n
    join resolved_references f
        on f.target_id = n.commit_id and f.kind = 'cherry_picked_from'
    cross join rules r
    where r.follow_cherry_picks
),
first_deliveries as (
    select p.commit_id as commit_id, l.stream as stream, min(l.position) as position
    from places p
    join lineage l on l.commit_id = p.place_id
    where l.position >= 0
    group by p.commit_id, l.stream
)
select
    f.source as source,
    f.deployment as deployment,
    f.service as service,
    f.environment as environment,
    b.source as repair_source,
    b.deployment as repair_deployment,
    b.service as repair_service,
    b.environment as repair_environment,
    min(case when d.outcome = 'baseline' and r.baseline then 1 else 0 end) = 1 as before_record,
    min(b.us - f.us) as gap_us
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
group by f.source, f.deployment, f.service, f.environment,
    b.source, b.deployment, b.service, b.environment
