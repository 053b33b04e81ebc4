-- grain: a pull request that landed inside another one, and each one around it
-- key: repository, number, outer_number
-- reads: landed_pull_requests, pull_request_commits
-- rule: One landed inside another where its landed commit is an original of the other; of several
--  that list it, the one merged first. depth counts outwards.
with recursive
lists as (
    select
        i.repository as repository,
        i.number as number,
        o.number as outer_number,
        o.landed_sha as outer_sha,
        o.landed_id as outer_id,
        cast(row_number() over (
            partition by i.repository, i.number
            order by o.merged_us, o.number
        ) as bigint) as choice
    from landed_pull_requests i
    join pull_request_commits p
        on p.repository = i.repository and p.sha = i.landed_sha and p.number <> i.number
    join landed_pull_requests o
        on o.repository = p.repository and o.number = p.number
    where o.landed_sha <> i.landed_sha
),
steps as (
    select
        l.repository as repository,
        l.number as number,
        l.outer_number as outer_number,
        l.outer_sha as outer_sha,
        l.outer_id as outer_id
    from lists l
    where l.choice = 1
),
climb as (
    select
        s.repository as repository,
        s.number as number,
        s.outer_number as outer_number,
        s.outer_sha as outer_sha,
        s.outer_id as outer_id,
        1 as depth
    from steps s
    union all
    select
        c.repository as repository,
        c.number as number,
        s.outer_number as outer_number,
        s.outer_sha as outer_sha,
        s.outer_id as outer_id,
        c.depth + 1 as depth
    from climb c
    join steps s on s.repository = c.repository and s.number = c.outer_number
    where c.depth < 20 and s.outer_number <> c.number
)
select
    c.repository as repository,
    c.number as number,
    c.outer_number as outer_number,
    c.outer_sha as outer_sha,
    c.outer_id as outer_id,
    min(c.depth) as depth
from climb c
group by c.repository, c.number, c.outer_number, c.outer_sha, c.outer_id
