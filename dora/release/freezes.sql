-- analysis: freezes
-- reads: calendar, change_times, covered_services, known_incidents, schedules, scope_services,
--  service_schedules, spans, started_deployments

-- part: counted
-- rule: Successful production deployments in frozen time, in as much time before it, in the thaw
--  after it, or otherwise in the window of time asked for.
with scoped as (
    select d.source, d.deployment, d.service, d.environment, d.started_at, d.us, d.day, d.mature,
        d.failed, d.covered, d.rework_kind, d.changes, d.amid_incident, d.labels, d.version, d.url,
        h.schedule
    from started_deployments d
    join schedules h on h.service = d.service and h.environment = d.environment
    join scope_services s on s.service = d.service and s.scope_id = 0
    where s.from_day <= d.day and d.day < s.until_day
), placed as (
    select d.source, d.deployment, d.service, d.environment, d.mature, d.failed, d.covered,
        d.rework_kind, d.changes,
        max(case when p.sort = 'frozen' then 1 else 0 end) as frozen,
        max(case when p.sort = 'thaw' then 1 else 0 end) as thaw,
        max(case when c.day is null then 0 else 1 end) as asked
    from scoped d
    left join spans p on p.schedule = d.schedule and p.sort in ('frozen', 'thaw')
        and p.from_us <= d.us and d.us < p.until_us
    left join calendar c on c.day = d.day and c.grain = 'window'
    group by d.source, d.deployment, d.service, d.environment, d.mature, d.failed, d.covered,
        d.rework_kind, d.changes
)

-- part: phases
select
    case when frozen = 1 then 'frozen' when thaw = 1 then 'thaw' else 'otherwise' end as phase,
    changes,
    count(*) as n,
    sum(case when mature and covered then 1 else 0 end) as judged,
    sum(case when mature and covered and failed then 1 else 0 end) as failed
from placed
where frozen = 1 or thaw = 1 or asked = 1
group by case when frozen = 1 then 'frozen' when thaw = 1 then 'thaw' else 'otherwise' end, changes
order by 1, 2

-- part: evidence
-- rule: What went out in a freeze, and what may excuse it: its labels, that it repaired, or that an
--  incident of its service was open.
select
    p.name as freeze, d.deployment, d.service, d.environment, d.started_at, d.rework_kind,
    d.amid_incident, d.labels, d.failed, d.changes, d.version, d.url
from scoped d
join spans p on p.schedule = d.schedule and p.sort = 'freeze'
    and p.from_us <= d.us and d.us < p.until_us
order by d.started_at, d.service, d.environment, d.deployment, p.name

-- part: incidents
-- rule: A service as a whole is frozen while all of its environments are.
, hurt as (
    select distinct k.source, k.incident, k.service, dora_us(k.detected_at) as us,
        dora_day(k.detected_at) as day
    from known_incidents k
    where k.standing = 'counts'
)
select
    p.sort as phase, count(*) as n
from hurt k
join service_schedules w on w.service = k.service
join scope_services s on s.service = k.service and s.scope_id = 0
join spans p on p.schedule = w.schedule and p.sort in ('frozen', 'before')
    and p.from_us <= k.us and k.us < p.until_us
where s.from_day <= k.day and k.day < s.until_day
group by p.sort

-- part: exposure
-- rule: Of services whose incidents would be known.
select p.sort as phase, sum(p.until_us - p.from_us) as us
from service_schedules w
join covered_services v on v.service = w.service
join scope_services s on s.service = w.service and s.scope_id = 0
join spans p on p.schedule = w.schedule and p.sort in ('frozen', 'before')
group by p.sort

-- part: waits
-- rule: Of each change that landed while all environments of its service were frozen, how long it
--  then waited for the freeze to end, or until it was delivered all the same.
, landed as (
    select t.change_id, t.service, dora_us(coalesce(t.merged_at, t.committed_at)) as us,
        dora_day(coalesce(t.merged_at, t.committed_at)) as day, dora_us(t.delivered_at) as delivered_us
    from change_times t
    where t.left_out is null or t.left_out = 'not delivered'
)
select
    sum(case when l.delivered_us < p.until_us then l.delivered_us else p.until_us end - l.us) as us,
    count(*) as n
from landed l
join service_schedules w on w.service = l.service
join scope_services s on s.service = l.service and s.scope_id = 0
join spans p on p.schedule = w.schedule and p.sort = 'frozen'
    and p.from_us <= l.us and l.us < p.until_us
where s.from_day <= l.day and l.day < s.until_day

-- part: spans
-- rule: The freezes of any service in scope, each once.
select distinct p.name, p.from_us, p.until_us
from spans p
join schedules h on h.schedule = p.schedule
where p.sort = 'freeze'
order by p.from_us, p.name
