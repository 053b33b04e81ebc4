-- metric: deployment_frequency
-- grain: a deployment after another, in a scope
-- Instead of `gaps`: the gaps themselves, ranked in Python; see benchmarks/metrics.py.

-- part: gap_rows
, gaps as (
    select
        scope_id, day,
        finished_us - lag(finished_us) over (partition by scope_id order by finished_us) as us
    from counted
    where succeeded
)
select scope_id, day, us
from gaps
where us is not null
