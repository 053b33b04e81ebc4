-- grain: a change, and a route (repository and service) that has it or will
-- key: change_id, route
-- reads: arrivals, environments_in_use, lineage, production_steps, production_streams, represented_commits, rules
-- rule: Delivered by the first of the route's production environments that has it or, if the rules
--  say so, fully by the last of those in use; a change in the baseline of any is before the record.
with
plain as (
    select
        l.commit_id as change_id,
        s.stream as stream,
        s.route as route,
        s.several as several,
        p.step as step,
        case when p.baseline and p.commit_id <> l.commit_id then 1 else 0 end as baseline
    from lineage l
    join production_streams s on s.stream = l.stream
    cross join rules r
    left join production_steps p on p.stream = l.stream and p.position = l.position
    left join represented_commits g on g.commit_id = l.commit_id
    where r.change = 'commit' and g.commit_id is null
),
arrived as (
    select a.change_id as change_id, a.stream as stream, a.route as route,
        a.step as step, a.baseline as baseline, s.several as several
    from arrivals a
    join production_streams s on s.stream = a.stream
),
in_streams as (
    select a.change_id as change_id, a.stream as stream, a.route as route,
        a.step as step, a.baseline as baseline
    from arrived a
    where a.several
    union all
    select n.change_id as change_id, n.stream as stream, n.route as route,
        n.step as step, n.baseline as baseline
    from plain n
    where n.several
),
firsts as (
    select
        i.change_id as change_id,
        i.route as route,
        min(i.step) as step,
        max(i.baseline) as baseline
    from in_streams i
    group by i.change_id, i.route
),
fully as (
    select
        f.change_id as change_id,
        f.route as route,
        case
            when min(case when i.step is null then 0 else 1 end) = 1 then max(i.step)
        end as step
    from firsts f
    join environments_in_use u on u.step = f.step
    left join in_streams i on i.change_id = f.change_id and i.stream = u.stream
    group by f.change_id, f.route
)
select
    n.change_id as change_id,
    n.route as route,
    n.step as step,
    n.baseline = 1 as baseline
from plain n
where not n.several
union all
select
    a.change_id as change_id,
    a.route as route,
    a.step as step,
    a.baseline = 1 as baseline
from arrived a
where not a.several
union all
select
    f.change_id as change_id,
    f.route as route,
    case
        when a.change_id is null or f.baseline = 1 or a.step < f.step then f.step
        else a.step
    end
        as step,
    f.baseline = 1 as baseline
from firsts f
left join fully a on a.change_id = f.change_id and a.route = f.route
