-- analysis: staging
-- reads: commit_services, commits, kindred_commits, lineage, service_map, staged_contents,
--  staged_deployments, staged_steps, started_deployments, scope_services, calendar, drift_commits,
--  drift_kin, drift_places, drift_streams, drift_walked

-- part: counted
with counted as (
    select d.source, d.deployment, d.service, d.environment, d.started_at, d.us, d.mature, d.failed,
        d.covered, d.rework_kind, d.repair, d.changes, d.version, d.url,
        coalesce(t.state, 'unknown') as state, t.staged_at, t.soak_us
    from started_deployments d
    join calendar c on c.day = d.day and c.grain = 'window'
    join scope_services s on s.service = d.service and s.scope_id = 0
    left join staged_deployments t
        on t.source = d.source and t.deployment = d.deployment
        and t.service = d.service and t.environment = d.environment
    where s.from_day <= d.day and d.day < s.until_day
), scoped as (
    select distinct t.stream, t.position, t.repository, t.service, t.environment, t.staging, t.us,
        t.commit_id
    from staged_steps t
    join scope_services s on s.service = t.service and s.scope_id = 0
), compared as (
    select t.repository as repository, t.service as service, min(t.stream) as place
    from scoped t
    group by t.repository, t.service
    having min(case when t.staging then 1 else 0 end) < max(case when t.staging then 1 else 0 end)
)

-- part: strata
select
    p.service, p.state, p.repair, p.soak_us,
    case when p.changes = 0 then 0 when p.changes = 1 then 1 when p.changes <= 5 then 2
        when p.changes <= 20 then 3 else 4 end as size,
    case when p.mature and p.covered then 1 else 0 end as judged,
    case when p.mature and p.covered and p.failed then 1 else 0 end as failed
from counted p

-- part: evidence
select
    p.deployment, p.service, p.environment, p.started_at, p.staged_at, p.state, p.soak_us,
    p.rework_kind, p.failed, p.changes, p.version, p.url
from counted p
order by p.started_at, p.service, p.environment, p.deployment

-- part: steps
-- rule: Of services that have both: what is there when the window begins and what comes in it, in
--  the order in which it was finished; and what lineage says that it contains.
, followed as (
    select o.place, t.stream, t.position, t.staging, t.us, t.commit_id,
        lead(t.us) over (partition by t.stream order by t.position) as next_us
    from scoped t
    join compared o on o.repository = t.repository and o.service = t.service
)
select f.place, f.stream, f.staging, f.us, f.commit_id, n.told_stream, n.told_position
from followed f
left join staged_contents n on n.stream = f.stream and n.position = f.position
where f.us < $until_us and (f.next_us is null or f.next_us > $since_us)
order by f.place, f.us, f.stream, f.position

-- part: places
select o.place, o.repository, o.service,
    case when sum(case when m.by_paths then 1 else 0 end) > 0 then 1 else 0 end as by_paths
from compared o
left join service_map m on m.repository = o.repository and m.service = o.service
group by o.place, o.repository, o.service
order by o.repository, o.service

-- part: labels
-- rule: Of the commits that are not everywhere, and of their kin, the deployments that delivered
--  them. Everywhere is what a deployment contains that all the streams compared begin with.
, shared as (
    select u.stream, d.position
    from drift_streams u
    join stream_deployments d on d.stream = u.stream and d.position <= u.above and d.cumulative
    join drift_streams o on o.place = u.place
    join lineage l on l.stream = o.stream and l.commit_id = d.commit_id
    where 0 <= l.position and l.position <= o.above
    group by u.stream, d.position, u.streams
    having count(*) = u.streams
), everywhere as (
    select s.stream, max(s.position) as position
    from shared s
    group by s.stream
), near as (
    select distinct u.place, l.commit_id
    from drift_streams u
    join lineage l on l.stream = u.stream
    left join everywhere e on e.stream = u.stream
    where coalesce(e.position, -1) < l.position and l.position <= u.until
), nearest as (
    select n.place, n.commit_id from near n
    union
    select n.place, k.other_id as commit_id
    from near n
    join drift_kin k on k.commit_id = n.commit_id
)
select n.place, n.commit_id, u.place_stream, l.position,
    case when c.parents like '% %' then 0 when p.by_paths = 0 then 1
        when o.commit_id is null then 0 else 1 end as counted
from nearest n
join drift_places p on p.place = n.place
join commits c on c.commit_id = n.commit_id
join drift_streams u on u.place = n.place
join lineage l on l.stream = u.stream and l.commit_id = n.commit_id
left join commit_services o on o.commit_id = n.commit_id and o.service = p.service
where l.position >= 0
order by n.place, n.commit_id

-- part: commits
select c.repository, c.commit_id, c.sha, c.parents
from commits c
join (select distinct w.repository from drift_walked w) o on o.repository = c.repository
order by c.repository, c.commit_id

-- part: own
-- rule: Of services that are a part of a repository, the commits that touch it.
select p.place, o.commit_id
from drift_walked p
join commits c on c.repository = p.repository
join commit_services o on o.commit_id = c.commit_id and o.service = p.service
where p.by_paths = 1

-- part: kin
select a.commit_id, b.commit_id as other_id, k.repository
from kindred_commits k
join (select distinct o.repository from compared o) o on o.repository = k.repository
join commits a on a.repository = k.repository and a.sha = k.sha
join commits b on b.repository = k.repository and b.sha = k.other

-- part: alone
select p.repository, p.service, c.sha, a.state, dora_us(c.committed_at) as us
from drift_commits a
join drift_places p on p.place = a.place
join commits c on c.commit_id = a.commit_id
order by p.repository, p.service, a.state, c.committed_at desc, c.sha

-- part: environments
select count(*) as n
from scoped t
where t.staging
