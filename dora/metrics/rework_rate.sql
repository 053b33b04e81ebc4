-- metric: rework_rate
-- grain: cell, a scope in a period: the scope's first cell + the period's number
-- reads: judged_deployments, scope_services, calendar
-- rule: deployments made to repair (rollback, hotfix, revert) ÷ successful production deployments, on the day they finished

-- part: counted
with told as (
    select
        dora_day(j.finished_at) as day, j.source, j.deployment, j.service, j.environment,
        j.finished_at, j.status, j.succeeded, j.covered, j.rework_kind, j.repairs, j.url,
        case when j.succeeded then 1 else 0 end as seen,
        case when j.succeeded and j.rework_kind is not null then 1 else 0 end as hits_seen,
        case when j.succeeded and j.rework_kind = 'rollback' then 1 else 0 end as rollbacks,
        case when j.succeeded and j.rework_kind = 'hotfix' then 1 else 0 end as hotfixes,
        case when j.succeeded and j.rework_kind = 'revert' then 1 else 0 end as reverts
    from judged_deployments j
    where j.finished_at is not null
), counted as (
    select s.scope_id, s.first_cell, s.from_period, t.*
    from told t
    join scope_services s on s.service = t.service
        and s.from_day <= t.day and t.day < s.until_day
)

-- part: cells
select
    e.first_cell + c.period as cell,
    sum(case when e.covered then e.seen else 0 end) as n,
    sum(case when e.covered then e.hits_seen else 0 end) as hits,
    sum(e.seen) as seen,
    sum(e.hits_seen) as hits_seen,
    sum(e.rollbacks) as rollbacks,
    sum(e.hotfixes) as hotfixes,
    sum(e.reverts) as reverts
from counted e
join calendar c on c.day = e.day and c.period >= e.from_period
group by e.first_cell + c.period

-- part: sequence
-- rule: what is counted, one after the other, and whether it is a hit
select dora_us(e.finished_at) as us, case when e.rework_kind is not null then 1 else 0 end as hit
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
where e.scope_id = 0 and e.succeeded and e.covered
order by us

-- part: evidence
select e.deployment, e.service, e.finished_at, e.rework_kind as kind, e.repairs, e.url
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
where e.scope_id = 0 and e.succeeded and e.rework_kind is not null
  and (e.covered or not exists (select 1 from counted x where x.scope_id = 0 and x.covered))
order by e.finished_at, e.service, e.environment, e.deployment

-- part: left_out
select
    e.deployment as record,
    case when e.status = 'failed' then 'the attempt failed'
        when e.status = 'cancelled' then 'the attempt was cancelled'
        when not e.succeeded then 'the attempt had not ended'
        else 'no incident source covers the service' end as reason,
    e.service, e.url, e.environment, e.finished_at as happened_at
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
where e.scope_id = 0 and (not e.succeeded or not e.covered)
order by e.finished_at, e.service, e.environment, e.deployment
