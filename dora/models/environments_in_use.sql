-- grain: a production deployment, and an environment of the same route that was in use by then
-- key: step, stream
-- reads: production_steps, production_streams, rules
-- rule: In use by a deployment in the 90 days before; asked for only where a change counts when it
--  is fully delivered.
with
deployed as (
    select p.step as step, p.stream as stream, p.us as us, s.route as route
    from production_steps p
    join production_streams s on s.stream = p.stream
    cross join rules r
    where r.delivered = 'fully' and s.several
),
line as (
    select d.step as step, s.stream as stream, d.us as us,
        cast(null as bigint) as used_us, 0 as side
    from deployed d
    join production_streams s on s.route = d.route
    union all
    select d.step as step, d.stream as stream, d.us as us, d.us as used_us, 1 as side
    from deployed d
),
looked_back as (
    select
        n.step as step,
        n.stream as stream,
        n.us as us,
        n.side as side,
        max(n.used_us) over (
            partition by n.stream order by n.us, n.side
            rows between unbounded preceding and current row
        ) as used_us
    from line n
)
select b.step as step, b.stream as stream
from looked_back b
where b.side = 0 and b.us - b.used_us <= 7776000000000
