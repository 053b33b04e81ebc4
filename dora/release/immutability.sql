-- analysis: immutability
-- reads: production_artifacts, recovered_deployments, started_deployments,
--  manual_changes_in_production, scope_services, calendar

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

-- part: changes
-- rule: Changes by hand that deploy no commit: whether any is known of the services at all, and how
--  many of them, one for each service, were made in the window.
select count(*) as ever,
    coalesce(sum(
        case when c.day is not null and s.from_day <= m.day and m.day < s.until_day then 1 else 0 end
    ), 0) as n
from manual_changes_in_production m
join scope_services s on s.service = m.service and s.scope_id = 0
left join calendar c on c.day = m.day and c.grain = 'window'

-- part: recoveries
-- rule: Of the failures that ended in the window, by what ended them.
select coalesce(v.kind, 'incident resolved') as kind, count(*) as n
from recovered_deployments v
join calendar c on c.day = dora_day(v.recovered_at) and c.grain = 'window'
join scope_services s on s.service = v.service and s.scope_id = 0
where v.left_out is null and v.recovered_at is not null
    and s.from_day <= dora_day(v.recovered_at) and dora_day(v.recovered_at) < s.until_day
group by coalesce(v.kind, 'incident resolved')

-- part: lengths
-- rule: The failures that began in the window: how long each lasted and what ended it; of one that
--  goes on, since when.
select
    case when v.recovered_at is not null then coalesce(v.kind, 'incident resolved') end as kind,
    dora_us(v.failed_at) as from_us, v.us
from recovered_deployments v
join calendar c on c.day = dora_day(v.failed_at) and c.grain = 'window'
join scope_services s on s.service = v.service and s.scope_id = 0
where v.left_out is null
    and s.from_day <= dora_day(v.failed_at) and dora_day(v.failed_at) < s.until_day
order by from_us, v.us

-- part: evidence
select
    p.deployment, p.service, p.environment, p.started_at, p.artifact, p.digest, p.manual,
    p.automatic, p.rework_kind, p.version, p.url, 'deployment' as change,
    cast(null as varchar) as name
from counted p
union all
select
    m.id, m.service, m.environment, m.changed_at, cast(null as varchar), cast(null as varchar),
    true, cast(null as boolean), cast(null as varchar), cast(null as varchar), m.url,
    'manual change', m.name
from manual_changes_in_production m
join calendar k on k.day = m.day and k.grain = 'window'
join scope_services s on s.service = m.service and s.scope_id = 0
where s.from_day <= m.day and m.day < s.until_day
order by started_at, service, environment, deployment
