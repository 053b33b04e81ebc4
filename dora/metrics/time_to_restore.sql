-- metric: time_to_restore
-- grain: cell, a scope in a period: the scope's first cell + the period's number
-- reads: recovered_deployments, covered_services, rules, scope_services, calendar, order_statistics
-- rule: recovered − failed of failed deployments (or of incidents), counted on the day of recovery; open ones are kept apart, from the day they failed

-- part: counted
-- An incident of several services is one incident in a roll-up: the row of its first service counts.
with dated as (
    select r.*, u.caused_by, dora_day(case when r.open then r.failed_at else r.recovered_at end) as day,
        dora_day(coalesce(r.recovered_at, u.as_of)) as owned_day
    from recovered_deployments r
    cross join (select as_of, caused_by from rules) u
), in_scope as (
    select
        s.scope_id, s.first_cell, s.from_period, d.*,
        case when v.service is null then 0 else 1 end as is_covered,
        case when d.caused_by = 'deployment' then 1 else cast(row_number() over (
            partition by s.scope_id, d.incident_source, d.incident order by d.service
        ) as bigint) end as turn
    from dated d
    join scope_services s on s.service = d.service
        and s.from_day <= d.owned_day and d.owned_day < s.until_day
    left join (select distinct service from covered_services) v on v.service = d.service
), counted as (
    select * from in_scope where turn = 1
)

-- part: cells
-- Quantiles are linear and exact: a tent of whole-number weights around each place.
, placed as (
    select e.first_cell + c.period as cell, e.us
    from counted e
    join calendar c on c.day = e.day and c.period >= e.from_period
    where e.left_out is null and not e.open and e.is_covered = 1
), ranked as (
    select
        cell, us,
        cast(row_number() over (partition by cell order by us) as bigint) - 1 as place,
        cast(count(*) over (partition by cell) as bigint) as n
    from placed
)
select
    r.cell, max(r.n) as n,
    cast(sum(case when abs(2 * r.place - (r.n - 1)) < 2
        then r.us * (2 - abs(2 * r.place - (r.n - 1))) else 0 end) as bigint) as p50_x2,
    cast(sum(case when abs(4 * r.place - 3 * (r.n - 1)) < 4
        then r.us * (4 - abs(4 * r.place - 3 * (r.n - 1))) else 0 end) as bigint) as p75_x4,
    cast(sum(case when abs(10 * r.place - 9 * (r.n - 1)) < 10
        then r.us * (10 - abs(10 * r.place - 9 * (r.n - 1))) else 0 end) as bigint) as p90_x10,
    cast(sum(case when abs(20 * r.place - 19 * (r.n - 1)) < 20
        then r.us * (20 - abs(20 * r.place - 19 * (r.n - 1))) else 0 end) as bigint) as p95_x20,
    max(case when 2 * r.place = r.n - 1 or 2 * r.place = r.n - 2 then r.us end) as lower_us,
    avg(r.us) as mean_us,
    max(case when r.place + 1 = o.low_rank then r.us end) as low_us,
    max(case when r.place + 1 = o.high_rank then r.us end) as high_us
from ranked r
left join order_statistics o on o.n = r.n
group by r.cell

-- part: sizes
select distinct n
from (
    select count(*) as n
    from counted e
    join calendar c on c.day = e.day and c.period >= e.from_period
    where e.left_out is null and not e.open and e.is_covered = 1
    group by e.first_cell + c.period
) x

-- part: open
-- rule: failed on or before the period's days and still not recovered from, by the period they failed in
, waiting as (
    select e.first_cell, e.from_period, e.day, count(*) as n
    from counted e
    where e.left_out is null and e.open and e.is_covered = 1
    group by e.first_cell, e.from_period, e.day
), clipped as (
    select d.first_cell, d.from_period, d.n,
        case when d.day < f.first_day then f.first_day else d.day end as day
    from waiting d
    cross join (select min(day) as first_day from calendar) f
)
select d.first_cell + c.period as cell, sum(d.n) as open
from clipped d
join calendar c on c.day = d.day and c.period >= d.from_period
group by d.first_cell + c.period

-- part: lengths
-- rule: how long each took, of the window and the first scope
select e.service, e.owned_day as day, e.us
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
where e.scope_id = 0 and e.left_out is null and not e.open and e.is_covered = 1

-- part: spells
-- rule: how long each failure that began in the window lasted, or has lasted so far
select
    case when e.open then dora_us(u.as_of) - dora_us(e.failed_at) else e.us end as us,
    case when e.open then 0 else 1 end as outcome
from counted e
cross join (select as_of from rules) u
join calendar c on c.day = dora_day(e.failed_at) and c.grain = 'window'
where e.scope_id = 0 and e.left_out is null and e.is_covered = 1
  and (not e.open or dora_us(u.as_of) >= dora_us(e.failed_at))

-- part: evidence
select
    e.deployment, e.incident, e.service, e.failed_at, e.recovered_at, e.us as seconds, e.open,
    e.kind, e.rule, e.url
from counted e
where e.scope_id = 0 and e.left_out is null and e.is_covered = 1
  and e.day <= (select max(day) from calendar)
  and (e.open or e.day >= (select min(day) from calendar))
order by e.failed_at, e.service, e.deployment, e.incident

-- part: left_out
select
    coalesce(e.deployment, e.incident) as record,
    case when e.left_out is not null then e.left_out
        when e.is_covered = 0 then 'no incident source covers the service'
        else 'still open' end as reason,
    e.service, e.url, e.environment, e.failed_at as happened_at
from counted e
where e.scope_id = 0 and (e.left_out is not null or e.is_covered = 0 or e.open)
  and e.day <= (select max(day) from calendar)
  and (e.open or e.day >= (select min(day) from calendar))
order by e.failed_at, e.service, e.deployment, e.incident
