-- analysis: windows
-- reads: change_times, started_deployments, scope_services, calendar, schedules, spans

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
-- rule: A change is ready when it has landed. The wait is until the next window opens, none inside
--  of one; waits of changes after the last window that is known are unknown.
, landed as (
    select distinct t.change_id as change_id, t.service as service,
        dora_us(coalesce(t.merged_at, t.committed_at)) as us,
        dora_day(coalesce(t.merged_at, t.committed_at)) as day
    from change_times t
    where t.left_out is null or t.left_out = 'not delivered'
), ready as (
    select l.change_id, l.service, l.us, min(h.schedule) as schedule
    from landed l
    join calendar c on c.day = l.day and c.grain = 'window'
    join scope_services s on s.service = l.service and s.scope_id = 0
    join schedules h on h.service = l.service
    join governed g on g.schedule = h.schedule
    where s.from_day <= l.day and l.day < s.until_day
    group by l.change_id, l.service, l.us
), line as (
    select r.schedule as schedule, r.us as us, 1 as side, r.change_id as change_id,
        cast(null as bigint) as opens, cast(null as bigint) as closes
    from ready r
    union all
    select w.schedule as schedule, w.from_us as us, 0 as side, cast(null as bigint) as change_id,
        w.from_us as opens, w.until_us as closes
    from spans w
    where w.sort = 'window'
), around as (
    select
        l.change_id as change_id, l.us as us,
        max(l.closes) over (
            partition by l.schedule order by l.us, l.side
            rows between unbounded preceding and current row
        ) as closes,
        min(l.opens) over (
            partition by l.schedule order by l.us desc, l.side desc
            rows between unbounded preceding and current row
        ) as opens
    from line l
)
select
    case when a.closes > a.us then cast(0 as bigint) else a.opens - a.us end as us
from around a
where a.change_id is not null and (a.closes > a.us or a.opens is not null)
order by case when a.closes > a.us then cast(0 as bigint) else a.opens - a.us end

-- part: evidence
select
    p.deployment, p.service, p.environment, p.started_at, p.start_known, p.governed, p.inside,
    p.in_hours, p.repair, p.failed, p.changes, p.version, p.url
from placed p
order by p.started_at, p.service, p.environment, p.deployment
