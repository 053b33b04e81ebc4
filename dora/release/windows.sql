-- analysis: windows
-- reads: change_times, started_deployments, scope_services, calendar, schedules, service_schedules,
--  spans

-- part: counted
with counted as (
    select d.source, d.deployment, d.service, d.environment, d.started_at, d.start_known, d.us,
        d.day, d.mature, d.failed, d.covered, d.repair, d.changes, d.version, d.url, h.schedule
    from started_deployments d
    join schedules h on h.service = d.service and h.environment = d.environment
    join calendar c on c.day = d.day and c.grain = 'window'
    join scope_services s on s.service = d.service and s.scope_id = 0
    where s.from_day <= d.day and d.day < s.until_day
), governed as (
    select distinct p.schedule as schedule from spans p where p.sort = 'window'
), placed as (
    select d.source, d.deployment, d.service, d.environment, d.started_at, d.start_known, d.us,
        d.day, d.mature, d.failed, d.covered, d.repair, d.changes, d.version, d.url,
        g.schedule is not null as governed, w.schedule is not null as inside,
        o.schedule is not null as in_hours
    from counted d
    left join governed g on g.schedule = d.schedule
    left join spans w on w.schedule = d.schedule and w.sort = 'window'
        and w.from_us <= d.us and d.us < w.until_us
    left join spans o on o.schedule = d.schedule and o.sort = 'office'
        and o.from_us <= d.us and d.us < o.until_us
)

-- part: strata
select
    p.service, p.governed, p.inside, p.in_hours, p.day, p.repair, p.start_known,
    case when p.changes = 0 then 0 when p.changes = 1 then 1 when p.changes <= 5 then 2
        when p.changes <= 20 then 3 else 4 end as size,
    count(*) as n,
    sum(case when p.mature and p.covered then 1 else 0 end) as judged,
    sum(case when p.mature and p.covered and p.failed then 1 else 0 end) as failed
from placed p
group by p.service, p.governed, p.inside, p.in_hours, p.day, p.repair, p.start_known,
    case when p.changes = 0 then 0 when p.changes = 1 then 1 when p.changes <= 5 then 2
        when p.changes <= 20 then 3 else 4 end

-- part: waits
-- rule: A change is ready when it has landed. The wait is until the next window opens, in any
--  environment of the service that has windows, none inside of one; waits of changes after the
--  last window that is known are unknown. What comes next after a change, the opening or the
--  closing of a window, is the least of twice its time, and one more for an opening.
, driven as (
    select h.service as service, h.schedule as schedule
    from service_schedules h
    join governed g on g.schedule = h.schedule
), line as (
    select v.schedule as schedule, dora_us(coalesce(t.merged_at, t.committed_at)) as us, 1 as side,
        cast(null as bigint) as event
    from change_times t
    join driven v on v.service = t.service
    join calendar c
        on c.day = dora_day(coalesce(t.merged_at, t.committed_at)) and c.grain = 'window'
    join scope_services s on s.service = t.service and s.scope_id = 0
    where (t.left_out is null or t.left_out = 'not delivered')
        and s.from_day <= c.day and c.day < s.until_day
    union all
    select w.schedule as schedule, w.from_us as us, 0 as side, w.from_us * 2 + 1 as event
    from spans w
    where w.sort = 'window'
    union all
    select w.schedule as schedule, w.until_us as us, 0 as side, w.until_us * 2 as event
    from spans w
    where w.sort = 'window'
), looking_ahead as (
    select
        l.us as us,
        l.side as side,
        min(l.event) over (
            partition by l.schedule order by l.us desc, l.side desc
            rows between unbounded preceding and current row
        ) as event
    from line l
)
select case when a.event % 2 = 1 then (a.event - 1) / 2 - a.us else 0 end as us
from looking_ahead a
where a.side = 1 and a.event is not null

-- part: evidence
select
    p.deployment, p.service, p.environment, p.started_at, p.start_known, p.governed, p.inside,
    p.in_hours, p.repair, p.failed, p.changes, p.version, p.url
from placed p
order by p.started_at, p.service, p.environment, p.deployment
