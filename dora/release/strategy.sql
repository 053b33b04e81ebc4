-- analysis: strategy
-- reads: started_deployments, scope_services, calendar

-- part: counted
with counted as (
    select d.deployment, d.service, d.environment, d.started_at, d.us, d.day, d.version, d.repair,
        d.mature, d.failed, d.covered, d.url
    from started_deployments d
    join calendar c on c.day = d.day and c.grain = 'window'
    join scope_services s on s.service = d.service and s.scope_id = 0
    where s.from_day <= d.day and d.day < s.until_day
)

-- part: deployments
select service, us, version, repair, mature and covered as judged,
    mature and covered and failed as failed
from counted
order by service, us
