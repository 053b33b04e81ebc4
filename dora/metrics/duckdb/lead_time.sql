-- metric: lead_time
-- grain: a record that counts, of a service (a place in service_places); where a change can be
--  delivered several times, in a scope
-- Instead of `cells`: the records themselves. Ranked in Python, a million cells are there several
-- times sooner (benchmarks/metrics.py); the numbers are the same to the last bit.
-- Days are counted from the window's first, which costs less to hand over than dates.

-- part: rows
select n.place, cast(dora_day(d.delivered_at) - w.first_day as integer) as day, d.us
from change_times d
cross join (select min(day) as first_day, max(day) as last_day from calendar) w
join service_places n on n.service = d.service
where d.left_out is null and not d.shared
  and dora_day(d.delivered_at) between w.first_day and w.last_day

-- part: shared_rows
select e.scope_id, cast(e.day - w.first_day as integer) as day, e.us
from counted e
cross join (select min(day) as first_day, max(day) as last_day from calendar) w
where e.left_out is null and e.shared and e.day between w.first_day and w.last_day
