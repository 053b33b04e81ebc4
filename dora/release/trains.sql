-- analysis: trains
-- reads: boarding, change_authors, change_times, started_deployments, scope_services, schedules, spans

-- part: counted
-- rule: A line is a train of a service; lines are numbered, so that millions of changes need not say
--  whose they are.
with driven as (
    select distinct p.schedule as schedule, p.name as name from spans p where p.sort = 'train'
), named as (
    select distinct h.service as service, d.name as name
    from schedules h
    join driven d on d.schedule = h.schedule
), whose as (
    select n.service as service, n.name as name,
        cast(row_number() over (order by n.service, n.name) - 1 as bigint) as place
    from named n
), departed as (
    select w.place as place, d.us as us, d.deployment as deployment, d.version as version,
        d.url as url
    from started_deployments d
    join schedules h on h.service = d.service and h.environment = d.environment
    join driven t on t.schedule = h.schedule
    join whose w on w.service = d.service and w.name = t.name
    join scope_services s on s.service = d.service and s.scope_id = 0
    where not d.repair and s.from_day <= d.day and d.day < s.until_day
), landed as (
    select t.change_id as change_id, w.place as place,
        dora_us(coalesce(t.merged_at, t.committed_at)) as landed_us,
        dora_us(t.delivered_at) as delivered_us
    from change_times t
    join whose w on w.service = t.service
    join scope_services s on s.service = t.service and s.scope_id = 0
    join boarding b on b.name = w.name
    where (t.left_out is null or t.left_out = 'not delivered')
      and dora_us(coalesce(t.merged_at, t.committed_at)) > b.after_us
      and dora_us(coalesce(t.merged_at, t.committed_at)) <= b.until_us
      and (t.delivered_at is null or dora_us(t.delivered_at) >= b.opens_us)
      and s.from_day <= dora_day(coalesce(t.merged_at, t.committed_at))
      and dora_day(coalesce(t.merged_at, t.committed_at)) < s.until_day
)

-- part: lines
select w.service, w.name
from whose w
order by w.place

-- part: departures
-- rule: Repairs ride on no train, and a train leaves to the environments that it goes to.
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
