-- analysis: immutability
-- reads: production_artifacts, recovered_deployments, started_deployments, scope_services, calendar

-- part: counted
with counted as (
    select d.source, d.deployment, d.service, d.environment, d.started_at, d.rework_kind,
        d.version, d.url, coalesce(a.artifact, 'unknown') as artifact, a.digest, a.manual,
        a.automatic
    from started_deployments d
    join calendar c on c.day = d.day and c.grain = 'window'
    join scope_services s on s.service = d.service and s.scope_id = 0
    left join production_artifacts a
        on a.source = d.source and a.deployment = d.deployment
        and a.service = d.service and a.environment = d.environment
    where s.from_day <= d.day and d.day < s.until_day
)

-- part: kinds
select p.artifact, p.manual, p.automatic,
    case when p.rework_kind = 'rollback' then 1 else 0 end as rollback, count(*) as n
from counted p
group by p.artifact, p.manual, p.automatic, case when p.rework_kind = 'rollback' then 1 else 0 end

-- part: recoveries
-- rule: Of the failures that ended in the window, by what ended them.
select coalesce(v.kind, 'incident resolved') as kind, count(*) as n
from recovered_deployments v
join calendar c on c.day = dora_day(v.recovered_at) and c.grain = 'window'
join scope_services s on s.service = v.service and s.scope_id = 0
where v.left_out is null and v.recovered_at is not null
    and s.from_day <= dora_day(v.recovered_at) and dora_day(v.recovered_at) < s.until_day
group by coalesce(v.kind, 'incident resolved')

-- part: evidence
select
    p.deployment, p.service, p.environment, p.started_at, p.artifact, p.digest, p.manual,
    p.automatic, p.rework_kind, p.version, p.url
from counted p
order by p.started_at, p.service, p.environment, p.deployment
