-- analysis: trains
-- reads: change_authors, change_times, started_deployments, scope_services, schedules, spans

-- part: counted
with driven as (
    select distinct p.schedule as schedule from spans p where p.sort = 'train'
), whose as (
    select h.service as service, min(h.schedule) as schedule
    from schedules h
    join driven d on d.schedule = h.schedule
    group by h.service
)

-- part: planned
select w.service, p.name, p.from_us as us
from whose w
join spans p on p.schedule = w.schedule and p.sort = 'train'
order by w.service, p.name, p.from_us

-- part: departures
-- rule: Repairs ride on no train.
select d.service, d.us, d.deployment, d.version, d.url
from started_deployments d
join whose w on w.service = d.service
join scope_services s on s.service = d.service and s.scope_id = 0
where not d.repair and s.from_day <= d.day and d.day < s.until_day
order by d.service, d.us, d.deployment

-- part: changes
select distinct t.change_id, t.service, dora_us(coalesce(t.merged_at, t.committed_at)) as landed_us,
    dora_us(t.delivered_at) as delivered_us
from change_times t
join whose w on w.service = t.service
join scope_services s on s.service = t.service and s.scope_id = 0
where (t.left_out is null or t.left_out = 'not delivered')
  and s.from_day <= dora_day(coalesce(t.merged_at, t.committed_at))
  and dora_day(coalesce(t.merged_at, t.committed_at)) < s.until_day
order by t.service, landed_us, t.change_id

-- part: authors
-- rule: Counted, never shown: how many people are behind a team's numbers.
select distinct t.change_id, a.author
from change_times t
join whose w on w.service = t.service
join change_authors a on a.change_id = t.change_id
