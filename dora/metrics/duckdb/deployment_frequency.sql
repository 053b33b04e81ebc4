-- metric: deployment_frequency
-- grain: a deployment, of a service (a place in service_places)
-- Instead of `cells` and `gaps`: the records themselves, counted and ranked in Python; see
-- benchmarks/metrics.py. Days are counted from the window's first, which costs less to hand over
-- than dates.

-- part: counts
select
    n.place, cast(d.day - w.first_day as integer) as day,
    cast(d.succeeded as tinyint) as n,
    cast(d.status = 'failed' as tinyint) as failed_attempts
from dated d
cross join (select min(day) as first_day, max(day) as last_day from calendar) w
join service_places n on n.service = d.service
where d.day between w.first_day and w.last_day

-- part: gap_rows
select n.place, cast(d.day - w.first_day as integer) as day, d.finished_us as us
from dated d
cross join (select min(day) as first_day, max(day) as last_day from calendar) w
join service_places n on n.service = d.service
where d.succeeded and d.day <= w.last_day
