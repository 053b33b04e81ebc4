-- metric: rework_rate
-- grain: a deployment, of a service (a place in service_places)
-- Instead of `cells`: the records themselves, counted in Python; see benchmarks/metrics.py. Days are
-- counted from the window's first, which costs less to hand over than dates.

-- part: counts
select
    n.place, cast(t.day - w.first_day as integer) as day,
    case when t.covered then t.seen else 0 end as n,
    case when t.covered then t.hits_seen else 0 end as hits,
    t.seen, t.hits_seen, t.rollbacks, t.hotfixes, t.reverts
from told t
cross join (select min(day) as first_day, max(day) as last_day from calendar) w
join service_places n on n.service = t.service
where t.day between w.first_day and w.last_day
