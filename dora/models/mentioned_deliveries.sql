-- grain: a mentioned commit, and a stream (repository, service, environment) it was deployed in
-- key: commit_id, stream
-- reads: commit_paths, commit_services, commits, copies, lineage, mentioned_commits, originals, rules, service_map, stream_deployments, streams
-- rule: By the first deployment that delivers it or a copy of it; a pull request's commit where
--  that landed. before_record: inside a baseline; delivered: not so, or it is exactly what the
--  baseline deployed. Where a service is defined by paths, only commits that touch them.
with
mentioned as (
    select distinct c.commit_id as commit_id, c.repository as repository, c.sha as sha
    from mentioned_commits m
    join commits c on c.commit_id = m.commit_id
),
relatives as (
    select m.commit_id as commit_id, m.repository as repository, m.sha as sha
    from mentioned m
    union
    select m.commit_id as commit_id, k.repository as repository, k.sha as sha
    from mentioned m
    join copies k on k.repository = m.repository and k.carrier = m.sha
),
standing as (
    select v.commit_id as commit_id, v.repository as repository, v.sha as sha,
        case when o.sha is null then 0 else 1 end as by_itself
    from relatives v
    left join originals o on o.repository = v.repository and o.sha = v.sha
    union
    select v.commit_id as commit_id, v.repository as repository, o.landed_sha as sha,
        0 as by_itself
    from relatives v
    join originals o on o.repository = v.repository and o.sha = v.sha
),
places as (
    select n.commit_id as commit_id, n.repository as repository, n.sha as sha,
        n.by_itself as by_itself
    from standing n
    union
    select n.commit_id as commit_id, k.repository as repository, k.carrier as sha,
        0 as by_itself
    from standing n
    join copies k on k.repository = n.repository and k.sha = n.sha
),
found as (
    select p.commit_id as commit_id, p.by_itself as by_itself, m.commit_id as place_id
    from places p
    join mentioned m on m.commit_id = p.commit_id and m.sha = p.sha
    union all
    select p.commit_id as commit_id, p.by_itself as by_itself, c.commit_id as place_id
    from places p
    join mentioned m on m.commit_id = p.commit_id and m.sha <> p.sha
    join commits c on c.repository = p.repository and c.sha = p.sha
),
seen as (
    select
        p.commit_id as commit_id,
        l.stream as stream,
        l.position as position,
        min(p.by_itself) as by_itself,
        max(case when d.commit_id = l.commit_id then 1 else 0 end) as exactly,
        max(case when d.outcome = 'baseline' and r.baseline then 1 else 0 end) as baseline
    from found p
    join lineage l on l.commit_id = p.place_id
    join stream_deployments d on d.stream = l.stream and d.position = l.position
    cross join rules r
    group by p.commit_id, l.stream, l.position
),
ordered as (
    select
        s.commit_id as commit_id,
        s.stream as stream,
        s.position as position,
        s.exactly as exactly,
        s.baseline as baseline,
        cast(row_number() over (
            partition by s.commit_id, s.stream order by s.by_itself, s.position
        ) as bigint) as choice
    from seen s
),
told_by_paths as (
    select distinct s.stream as stream, s.service as service
    from streams s
    join service_map v on v.repository = s.repository and v.service = s.service
    where v.by_paths
),
strangers as (
    select distinct m.commit_id as commit_id, t.stream as stream
    from mentioned m
    join commit_paths p on p.repository = m.repository and p.sha = m.sha
    cross join told_by_paths t
    left join commit_services c on c.commit_id = m.commit_id and c.service = t.service
    where c.commit_id is null
)
select
    o.commit_id as commit_id,
    o.stream as stream,
    o.position as position,
    d.source as source,
    d.deployment as deployment,
    s.service as service,
    s.environment as environment,
    o.baseline = 1 as before_record,
    o.baseline = 0 or o.exactly = 1 as delivered
from ordered o
join stream_deployments d on d.stream = o.stream and d.position = o.position
join streams s on s.stream = o.stream
left join strangers x on x.commit_id = o.commit_id and x.stream = o.stream
where o.choice = 1 and x.commit_id is null
