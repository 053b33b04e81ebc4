-- metric: deployment_frequency
-- grain: cell, a scope in a period: the scope's first cell + the period's number
-- reads: production_deployments, scope_services, calendar
-- rule: successful production deployments, one per service and environment, counted on the day they finished

-- part: counted
with dated as (
    select
        d.source, d.deployment, d.service, d.environment, d.finished_at,
        dora_us(d.finished_at) as finished_us, d.succeeded, d.status, d.url,
        dora_day(d.finished_at) as day
    from production_deployments d
    where d.finished_at is not null
), counted as (
    select s.scope_id, s.first_cell, s.from_period, d.*
    from dated d
    join scope_services s on s.service = d.service
        and s.from_day <= d.day and d.day < s.until_day
)

-- part: cells
, daily as (
    select
        scope_id, first_cell, from_period, day,
        sum(case when succeeded then 1 else 0 end) as n,
        sum(case when status = 'failed' then 1 else 0 end) as failed_attempts
    from counted
    group by scope_id, first_cell, from_period, day
)
select
    e.first_cell + c.period as cell,
    sum(e.n) as n,
    sum(case when e.n > 0 then 1 else 0 end) as days_with_deployment,
    sum(e.failed_attempts) as failed_attempts
from daily e
join calendar c on c.day = e.day and c.period >= e.from_period
group by e.first_cell + c.period

-- part: gaps
-- rule: time between deployments of a scope, on the day of the later one; the median, twice it in microseconds
, gaps as (
    select
        scope_id, first_cell, from_period, day,
        finished_us - lag(finished_us) over (partition by scope_id order by finished_us) as us
    from counted
    where succeeded
), placed as (
    select g.first_cell + c.period as cell, g.us
    from gaps g
    join calendar c on c.day = g.day and c.period >= g.from_period
    where g.us is not null
), ranked as (
    select
        cell, us,
        cast(row_number() over (partition by cell order by us) as bigint) - 1 as place,
        cast(count(*) over (partition by cell) as bigint) as n
    from placed
)
select
    cell,
    cast(sum(case when abs(2 * place - (n - 1)) < 2
        then us * (2 - abs(2 * place - (n - 1))) else 0 end) as bigint) as between_x2
from ranked
group by cell

-- part: sequence
-- rule: what is counted, one after the other, and whether it is a hit
select e.finished_us as us, 1 as hit
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
where e.scope_id = 0 and e.succeeded
order by us

-- part: evidence
select
    j.deployment, j.service, j.environment, j.finished_at, j.sha, j.version, j.failed, j.pending,
    j.rule, j.confidence, j.incident, j.url
from judged_deployments j
join counted e
    on e.scope_id = 0 and e.source = j.source and e.deployment = j.deployment
    and e.service = j.service and e.environment = j.environment
join calendar c on c.day = e.day and c.grain = 'window'
where j.succeeded
order by j.finished_at, j.service, j.environment, j.deployment

-- part: left_out
select
    e.deployment as record,
    case when e.status = 'failed' then 'the attempt failed'
        when e.status = 'cancelled' then 'the attempt was cancelled'
        else 'the attempt had not ended' end as reason,
    e.service, e.url, e.environment, e.finished_at as happened_at
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
where e.scope_id = 0 and not e.succeeded
order by e.finished_at, e.service, e.environment, e.deployment
