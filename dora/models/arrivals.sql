-- grain: a change with a place of its own choosing, and a production stream that has it or will
-- key: change_id, stream
-- reads: change_places, commit_services, lineage, production_steps, production_streams, requested_members
-- rule: It arrives with the first deployment that delivers one of its places; step is null while
--  none has. By the baseline it is before the record, unless exactly that commit was deployed.
with
seen as (
    select
        s.stream as stream,
        s.route as route,
        s.service as service,
        s.by_paths as by_paths,
        c.change_id as change_id,
        c.by_itself as by_itself,
        c.alone and not s.by_paths as alone,
        c.exists_yet as exists_yet,
        p.step as step,
        coalesce(p.baseline, false) as baseline,
        coalesce(p.baseline and p.commit_id = c.commit_id, false) as exactly
    from change_places c
    join lineage l on l.commit_id = c.commit_id
    join production_streams s on s.stream = l.stream
    left join production_steps p on p.stream = l.stream and p.position = l.position
),
own_places as (
    select distinct c.change_id as change_id
    from change_places c
    where c.by_itself
),
landed as (
    select distinct n.change_id as change_id, n.route as route
    from seen n
    join own_places o on o.change_id = n.change_id
    where not n.by_itself
),
counted as (
    select
        n.change_id as change_id,
        n.stream as stream,
        n.route as route,
        n.service as service,
        n.by_paths as by_paths,
        n.exists_yet as exists_yet,
        n.step as step,
        n.baseline as baseline,
        n.exactly as exactly
    from seen n
    where not n.by_itself and not n.alone
    union all
    select
        n.change_id as change_id,
        n.stream as stream,
        n.route as route,
        n.service as service,
        n.by_paths as by_paths,
        n.exists_yet as exists_yet,
        n.step as step,
        n.baseline as baseline,
        n.exactly as exactly
    from seen n
    left join landed d on d.change_id = n.change_id and d.route = n.route
    where n.by_itself and d.change_id is null
),
told_by_paths as (
    select distinct n.change_id as change_id
    from counted n
    where n.by_paths and n.change_id < 0
),
everywhere as (
    select distinct m.change_id as change_id
    from requested_members m
    join told_by_paths t on t.change_id = m.change_id
    where not m.has_paths
),
somewhere as (
    select distinct m.change_id as change_id, v.service as service
    from requested_members m
    join told_by_paths t on t.change_id = m.change_id
    join commit_services v on v.commit_id = m.commit_id
)
select
    n.change_id as change_id,
    n.stream as stream,
    n.route as route,
    min(n.step) as step,
    max(case when n.baseline then 1 else 0 end) - max(case when n.exactly then 1 else 0 end)
        as baseline
from counted n
left join everywhere e on e.change_id = n.change_id
left join somewhere w on w.change_id = n.change_id and w.service = n.service
where not n.by_paths or n.change_id > 0 or e.change_id is not null or w.change_id is not null
group by n.change_id, n.stream, n.route
having max(case when n.step is not null or n.exists_yet then 1 else 0 end) = 1
union all
select
    n.change_id as change_id,
    n.stream as stream,
    n.route as route,
    n.step as step,
    case when n.baseline and not n.exactly then 1 else 0 end as baseline
from seen n
where n.alone and (n.step is not null or n.exists_yet)
