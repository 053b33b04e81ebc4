-- grain: a pull request that landed inside another one, and each one around it
-- key: pull_request_id, outer_id
-- reads: inner_landings
-- rule: Of several that it may have landed in, the one merged first. depth counts outwards.
with recursive
firsts as (
    select i.pull_request_id as pull_request_id, min(i.outer_id) as outer_id
    from inner_landings i
    where i.outer_landed_sha <> i.landed_sha
    group by i.pull_request_id
),
climb as (
    select f.pull_request_id as pull_request_id, f.outer_id as outer_id, 1 as depth
    from firsts f
    union all
    select c.pull_request_id as pull_request_id, f.outer_id as outer_id, c.depth + 1 as depth
    from climb c
    join firsts f on f.pull_request_id = c.outer_id
    where c.depth < 20 and f.outer_id <> c.pull_request_id
),
around as (
    select c.pull_request_id as pull_request_id, c.outer_id as outer_id, min(c.depth) as depth
    from climb c
    group by c.pull_request_id, c.outer_id
)
select distinct
    a.pull_request_id as pull_request_id,
    a.outer_id as outer_id,
    i.outer_landed_sha as landed_sha,
    i.outer_landed_id as landed_id,
    a.depth as depth
from around a
join inner_landings i on i.outer_id = a.outer_id
