-- analysis: availability
-- reads: calendar, change_times, known_incidents, production_streams, required_checks, rules, schedules, scope_services, service_map, spans, trunk_checks

-- part: counted
with mapped as (
    select distinct m.service as service, m.repository as repository
    from service_map m
    join scope_services s on s.service = m.service and s.scope_id = 0
)

-- part: repositories
select m.service, m.repository
from mapped m
order by m.service, m.repository

-- part: trunk
-- rule: As far back as it says something of the window of time, or of a change that waited in it.
, required as (
    select distinct m.repository as repository from mapped m
)
select t.repository, t.begun_us, t.from_us, t.until_us, t.red
from trunk_checks t
join required_checks q on q.name = t.name
join required m on m.repository = t.repository
where t.until_us is null or t.until_us > $since_us

-- part: environments
select h.service, h.environment, p.from_us, p.until_us
from schedules h
left join spans p on p.schedule = h.schedule and p.sort = 'closed'
order by h.service, h.environment, p.from_us

-- part: blocked
-- rule: An incident blocks its service from its detection until it is resolved.
select distinct k.service, dora_us(k.detected_at) as from_us, dora_us(k.resolved_at) as until_us
from known_incidents k
join scope_services s on s.service = k.service and s.scope_id = 0
where k.standing = 'counts'
order by 1, 2

-- part: routes
select distinct p.route, p.service, p.repository
from production_streams p
order by p.route

-- part: changes
-- rule: Changes that had not been delivered when the window of time began, and had landed by its
--  end. A change that is not merged by a pull request landed when it was committed.
select
    t.route, dora_us(coalesce(t.merged_at, t.committed_at)) as landed_us,
    dora_us(t.delivered_at) as delivered_us
from change_times t
join scope_services s on s.service = t.service and s.scope_id = 0
cross join rules r
where (t.left_out is null or t.left_out = 'not delivered')
    and dora_us(coalesce(t.merged_at, t.committed_at)) <= dora_us(r.as_of)
    and dora_day(coalesce(t.merged_at, t.committed_at)) <= (select max(k.day) from calendar k)
    and (
        t.delivered_at is null
        or dora_day(t.delivered_at) >= (select min(k.day) from calendar k)
    )
    and s.from_day <= dora_day(coalesce(t.merged_at, t.committed_at))
    and dora_day(coalesce(t.merged_at, t.committed_at)) < s.until_day
