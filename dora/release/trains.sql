-- analysis: trains
-- reads: boarding, change_authors, change_times, started_deployments, scope_services, schedules, spans

-- part: counted
-- rule: Services are numbered, so that millions of changes need not say their service's name.
with driven as (
    select distinct p.schedule as schedule from spans p where p.sort = 'train'
), whose as (
    select h.service as service, min(h.schedule) as schedule,
        cast(row_number() over (order by h.service) - 1 as bigint) as place
    from schedules h
    join driven d on d.schedule = h.schedule
    group by h.service
), departed as (
    select w.place as place, d.us as us, d.deployment as deployment, d.version as version,
        d.url as url
    from started_deployments d
    join whose w on w.service = d.service
    join scope_services s on s.service = d.service and s.scope_id = 0
    where not d.repair and s.from_day <= d.day and d.day < s.until_day
), landed as (
    select t.change_id as change_id, w.place as place,
        dora_us(coalesce(t.merged_at, t.committed_at)) as landed_us,
        dora_us(t.delivered_at) as delivered_us
    from change_times t
    join whose w on w.service = t.service
    join scope_services s on s.service = t.service and s.scope_id = 0
    join boarding b on b.schedule = w.schedule
    where (t.left_out is null or t.left_out = 'not delivered')
      and dora_us(coalesce(t.merged_at, t.committed_at)) > b.after_us
      and dora_us(coalesce(t.merged_at, t.committed_at)) <= b.until_us
      and (t.delivered_at is null or dora_us(t.delivered_at) >= b.opens_us)
      and s.from_day <= dora_day(coalesce(t.merged_at, t.committed_at))
      and dora_day(coalesce(t.merged_at, t.committed_at)) < s.until_day
)

-- part: services
select w.service, w.schedule
from whose w
order by w.place

-- part: planned
select p.schedule, p.name, p.from_us as us
from spans p
where p.sort = 'train'
order by p.schedule, p.name, p.from_us

-- part: departures
-- rule: Repairs ride on no train.
select d.place, d.us
from departed d
order by d.place, d.us, d.deployment

-- part: departed
select d.deployment, d.version, d.url
from departed d
order by d.place, d.us, d.deployment

-- part: changes
select l.change_id, l.place, l.landed_us, l.delivered_us
from landed l
order by l.place, l.landed_us, l.change_id

-- part: authors
-- rule: Counted, never shown: how many people are behind a team's numbers.
select distinct l.change_id, l.place, a.author
from landed l
join change_authors a on a.change_id = l.change_id
