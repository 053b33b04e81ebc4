-- metric: lead_time
-- grain: cell, a scope in a period: the scope's first cell + the period's number
-- reads: change_times, rules, scope_services, calendar, order_statistics; delivered_changes for the records;
--  unlanded_changes and production_deployments for what is not over
-- rule: delivered − first committed of every change, counted once at its first delivery to any service of the scope, on the day of delivery

-- part: counted
-- Only where services share a repository can a change be delivered twice: `repeats` are those later turns.
with repeats as (
    select scope_id, change_id, route
    from (
        select
            s.scope_id, d.change_id, d.route,
            row_number() over (
                partition by s.scope_id, d.change_id
                order by case when d.delivered_at is null then 1 else 0 end, d.delivered_at,
                    d.service
            ) as turn
        from change_times d
        cross join (select as_of from rules) u
        join scope_services s on s.service = d.service
        where d.shared
          and s.from_day <= dora_day(coalesce(d.delivered_at, u.as_of))
          and dora_day(coalesce(d.delivered_at, u.as_of)) < s.until_day
    ) x
    where turn > 1
), counted as (
    select
        s.scope_id, s.first_cell, s.from_period, d.change_id, d.route, d.service, d.us, d.step,
        d.left_out, d.shared,
        dora_day(coalesce(d.delivered_at, d.merged_at, d.committed_at)) as day
    from change_times d
    cross join (select as_of from rules) u
    join scope_services s on s.service = d.service
    left join repeats r on r.scope_id = s.scope_id and r.change_id = d.change_id
        and r.route = d.route
    where s.from_day <= dora_day(coalesce(d.delivered_at, u.as_of))
      and dora_day(coalesce(d.delivered_at, u.as_of)) < s.until_day
      and r.change_id is null
)

-- part: cells
-- Quantiles are linear and exact: a tent of whole-number weights around each place.
, placed as (
    select e.first_cell + c.period as cell, e.us
    from counted e
    join calendar c on c.day = e.day and c.period >= e.from_period
    where e.left_out is null
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
    where e.left_out is null
    group by e.first_cell + c.period
) x

-- part: open
-- rule: merged (or committed to the deployed branch) by then and not delivered, by the period they were merged in
, waiting as (
    select e.first_cell, e.from_period, e.day, count(*) as n
    from counted e
    where e.left_out = 'not delivered'
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
select e.service, e.day, e.us, e.step as together
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
where e.scope_id = 0 and e.left_out is null

-- part: spells
-- rule: how long each change that was begun in the window took, or has waited, or lasted until it was
--  given up; from the day after a service's first deployment on, as before that its record is not whole
, since as (
    select service, min(dora_day(finished_at)) as first_day
    from production_deployments
    where succeeded and finished_at is not null
    group by service
), pulled as (
    select
        p.started_at, p.us, p.given_up, p.service,
        cast(row_number() over (partition by p.repository, p.number, p.sha order by p.service)
            as bigint) as turn
    from unlanded_changes p
    cross join (select as_of from rules) u
    join scope_services s on s.scope_id = 0 and s.service = p.service
        and s.from_day <= dora_day(u.as_of) and dora_day(u.as_of) < s.until_day
    where p.left_out is null
), begun as (
    select
        e.service, dora_day(d.committed_at) as day,
        case when e.left_out is null then e.us else dora_us(u.as_of) - dora_us(d.committed_at) end
            as us,
        case when e.left_out is null then 1 else 0 end as outcome
    from counted e
    join change_times d on d.change_id = e.change_id and d.route = e.route
    cross join (select as_of from rules) u
    where e.scope_id = 0 and coalesce(e.left_out, 'not delivered') = 'not delivered'
    union all
    select p.service, dora_day(p.started_at) as day, p.us,
        case when p.given_up then 2 else 0 end as outcome
    from pulled p
    where p.turn = 1
)
select b.us, b.outcome
from begun b
join since f on f.service = b.service and f.first_day < b.day
join calendar c on c.day = b.day and c.grain = 'window'
where b.us >= 0

-- part: evidence
select
    d.change, d.repository, d.service, d.sha, d.landed_sha, d.pull_request, d.deployment,
    d.version, d.committed_at, d.merged_at, d.delivered_at, d.us as seconds,
    d.coding_us as coding, d.pickup_us as pickup, d.review_us as review,
    d.merge_to_deploy_us as merge_to_deploy, d.is_bot, d.url
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
join delivered_changes d on d.change_id = e.change_id and d.route = e.route
where e.scope_id = 0 and e.left_out is null
order by d.delivered_at, d.repository, d.change

-- part: left_out
select
    d.change as record, e.left_out as reason, d.service, d.url, d.repository,
    coalesce(d.delivered_at, d.merged_at, d.committed_at) as happened_at
from counted e
join delivered_changes d on d.change_id = e.change_id and d.route = e.route
where e.scope_id = 0 and e.left_out is not null
  and e.day <= (select max(day) from calendar)
  and (d.delivered_at is null or e.day >= (select min(day) from calendar))
order by happened_at, d.repository, d.change
