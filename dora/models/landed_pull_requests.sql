-- grain: a pull request that has landed
-- key: repository, number
-- reads: commits, numbered_commits, pull_request_commits, pull_requests, rules
-- rule: Found by its merge sha, else by the earliest commit whose subject names its number, else by
--  its head. A number that commits name and no known pull request has is one seen by git alone.
--  Ids follow the order of merging, those seen by git alone come last.
with
merged as (
    select
        p.repository as repository,
        p.number as number,
        p.merge_sha as merge_sha,
        p.head_sha as head_sha,
        dora_us(p.merged_at) as merged_us
    from pull_requests p
    cross join rules r
    where p.state = 'merged' and p.merged_at <= r.as_of
),
merge_shas as (
    select
        m.repository as repository,
        m.number as number,
        m.merge_sha as landed_sha,
        c.commit_id as landed_id,
        m.head_sha as head_sha,
        m.merged_us as merged_us
    from merged m
    left join commits c on c.repository = m.repository and c.sha = m.merge_sha
),
unknown_shas as (
    select
        k.repository as repository, k.number as number, k.landed_sha as landed_sha,
        k.head_sha as head_sha, k.merged_us as merged_us,
        exists (
            select 1 from pull_request_commits o
            where o.repository = k.repository and o.sha = k.landed_sha
        ) as listed
    from merge_shas k
    where k.landed_id is null
),
by_merge_sha as (
    select
        k.repository as repository, k.number as number, k.landed_sha as landed_sha,
        k.landed_id as landed_id, k.merged_us as merged_us
    from merge_shas k
    where k.landed_id is not null
    union all
    select
        u.repository as repository, u.number as number, u.landed_sha as landed_sha,
        cast(null as bigint) as landed_id, u.merged_us as merged_us
    from unknown_shas u
    where u.listed
),
numbers as (
    select distinct c.repository as repository, c.number as number from numbered_commits c
),
settled as (
    select b.repository as repository, b.number as number
    from numbers n
    join by_merge_sha b on b.repository = n.repository and b.number = n.number
    union all
    select p.repository as repository, p.number as number
    from numbers n
    join pull_requests p on p.repository = n.repository and p.number = n.number
    cross join rules r
    left join merged m on m.repository = p.repository and m.number = p.number
    where p.opened_at <= r.as_of and m.number is null
),
named as (
    select
        c.repository as repository,
        c.number as number,
        c.sha as landed_sha,
        c.commit_id as landed_id,
        cast(row_number() over (
            partition by c.repository, c.number order by c.us, c.sha
        ) as bigint) as choice
    from numbered_commits c
    left join settled s on s.repository = c.repository and s.number = c.number
    where s.number is null
),
by_subject as (
    select
        n.repository as repository,
        n.number as number,
        n.landed_sha as landed_sha,
        n.landed_id as landed_id,
        m.merged_us as merged_us
    from named n
    left join merged m on m.repository = n.repository and m.number = n.number
    where n.choice = 1
),
heads as (
    select
        u.repository as repository,
        u.number as number,
        u.head_sha as landed_sha,
        c.commit_id as landed_id,
        u.merged_us as merged_us
    from unknown_shas u
    left join by_subject s on s.repository = u.repository and s.number = u.number
    left join commits c on c.repository = u.repository and c.sha = u.head_sha
    where not u.listed and s.number is null and u.head_sha is not null
),
by_head as (
    select
        k.repository as repository, k.number as number, k.landed_sha as landed_sha,
        k.landed_id as landed_id, k.merged_us as merged_us
    from heads k
    where k.landed_id is not null
    union all
    select
        u.repository as repository, u.number as number, u.landed_sha as landed_sha,
        u.landed_id as landed_id, u.merged_us as merged_us
    from heads u
    where u.landed_id is null
        and exists (
            select 1 from pull_request_commits o
            where o.repository = u.repository and o.sha = u.landed_sha
        )
),
landed as (
    select
        b.repository as repository, b.number as number, b.landed_sha as landed_sha,
        b.landed_id as landed_id, b.merged_us as merged_us, 'merge sha' as rule
    from by_merge_sha b
    union all
    select
        s.repository as repository, s.number as number, s.landed_sha as landed_sha,
        s.landed_id as landed_id, s.merged_us as merged_us, 'subject' as rule
    from by_subject s
    union all
    select
        h.repository as repository, h.number as number, h.landed_sha as landed_sha,
        h.landed_id as landed_id, h.merged_us as merged_us, 'head' as rule
    from by_head h
),
homes as (
    select distinct l.repository as repository from landed l
),
places as (
    select o.repository as repository,
        cast(row_number() over (order by o.repository) as bigint) as place
    from homes o
)
select
    cast(row_number() over (
        order by coalesce(l.merged_us, 9223372036854775807), l.number, o.place
    ) as bigint) as pull_request_id,
    l.repository as repository,
    l.number as number,
    l.landed_sha as landed_sha,
    l.landed_id as landed_id,
    l.rule as rule
from landed l
join places o on o.repository = l.repository
