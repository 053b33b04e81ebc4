-- metric: change_failure_rate
-- grain: a deployment, of a service (a place in service_places); an incident, in a scope
-- Instead of `cells`: the records themselves, counted in Python; see benchmarks/metrics.py. Days are
-- counted from the window's first, which costs less to hand over than dates.

-- part: counts
select
    n.place, cast(d.day - w.first_day as integer) as day,
    case when d.covered then d.judged else 0 end as n,
    case when d.covered then d.failures else 0 end as hits,
    d.judged as seen, d.failures as hits_seen, d.too_young as pending,
    d.too_young_failed as pending_failed, d.failed_attempts
from told d
cross join (select min(day) as first_day, max(day) as last_day from calendar) w
join service_places n on n.service = d.service
where d.day between w.first_day and w.last_day

-- part: scope_counts
select
    i.scope_id, cast(i.day - w.first_day as integer) as day, 0 as n, 1 as hits, 0 as seen,
    1 as hits_seen, 0 as pending, 0 as pending_failed, 0 as failed_attempts
from incidents_alone i
cross join (select min(day) as first_day, max(day) as last_day from calendar) w
where i.turn = 1 and i.day between w.first_day and w.last_day
