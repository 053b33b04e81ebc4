-- analysis: staging
-- reads: cherry_picks, commit_services, commits, copies, service_map, staged_deployments,
--  staged_steps, started_deployments, scope_services, calendar

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
    select t.repository as repository, t.service as service
    from scoped t
    group by t.repository, t.service
    having min(case when t.staging then 1 else 0 end) < max(case when t.staging then 1 else 0 end)
), homes as (
    select distinct o.repository as repository from compared o
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
-- rule: Of repositories whose services have both, in the order in which they were finished.
select t.stream, t.repository, t.service, t.staging, t.us, t.commit_id
from scoped t
join compared o on o.repository = t.repository and o.service = t.service
order by t.repository, t.service, t.us, t.stream, t.position

-- part: commits
select c.repository, c.commit_id, c.sha, c.parents, dora_us(c.committed_at) as us
from commits c
join homes o on o.repository = c.repository
order by c.repository, c.commit_id

-- part: kin
-- rule: A copy counts as what it copies, and what is copied as each of its copies.
select k.repository, k.sha, k.carrier as other
from copies k
join homes o on o.repository = k.repository
union
select k.repository, k.sha, k.original as other
from cherry_picks k
join homes o on o.repository = k.repository
union
select k.repository, k.sha, c.carrier as other
from cherry_picks k
join homes o on o.repository = k.repository
join copies c on c.repository = k.repository and c.sha = k.original

-- part: paths
-- rule: Of services that are a part of a repository, the commits that touch it.
select distinct o.repository, o.service, p.commit_id
from compared o
join service_map m on m.repository = o.repository and m.service = o.service and m.by_paths
left join commit_services p on p.service = o.service

-- part: environments
select count(*) as n
from scoped t
where t.staging
