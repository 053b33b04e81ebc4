-- grain: a service and a day on which it was deployed anywhere
-- key: service, day
-- reads: deployments, environment_kinds, rules, service_map
-- rule: Of all attempts in any environment, how many are of an environment that a tier, a rule or
--  its own name tells the kind of; the others count nowhere.
select
    m.service as service,
    dora_day(coalesce(d.finished_at, d.started_at)) as day,
    count(*) as attempts,
    sum(case when e.kind = 'other' then 0 else 1 end) as classified
from deployments d
cross join rules r
join service_map m on m.repository = d.repository and m.stated = coalesce(d.service, '')
    and m.name in ('*', coalesce(d.name, '')) and m.environment in ('*', d.environment)
join environment_kinds e on e.environment = d.environment and e.tier = coalesce(d.tier, '')
where coalesce(d.finished_at, d.started_at) <= r.as_of
group by m.service, dora_day(coalesce(d.finished_at, d.started_at))
