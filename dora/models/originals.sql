-- grain: an original commit of a pull request that has landed
-- key: repository, sha
-- reads: commits, landed_pull_requests, outer_pull_requests, pull_request_commits
-- rule: It belongs to the pull request merged first of those that have it; landed_sha is where that
--  one landed, or the outermost around it. What an inner pull request landed as inside an outer one
--  is none of the outer one's originals where its own are known: they stand for it.
with
claims as (
    select
        p.repository as repository,
        p.number as number,
        p.sha as sha,
        p.author as author,
        p.authored_at as authored_at,
        p.is_bot as is_bot,
        p.merges as merges,
        l.landed_sha as landed_sha,
        l.merged_us as merged_us
    from pull_request_commits p
    join landed_pull_requests l on l.repository = p.repository and l.number = p.number
),
inner_landings as (
    select
        i.repository as repository,
        i.number as inner_number,
        i.landed_sha as landed_sha,
        c.number as number
    from landed_pull_requests i
    join claims c
        on c.repository = i.repository and c.sha = i.landed_sha
        and c.number <> i.number and c.landed_sha <> i.landed_sha
    where exists (
            select 1 from claims k where k.repository = i.repository and k.number = i.number
        )
        and not exists (
            select 1 from claims k
            where k.repository = i.repository and k.number = i.number and k.sha = i.landed_sha
        )
),
inner_originals as (
    select
        i.repository as repository,
        i.number as number,
        c.sha as sha,
        c.author as author,
        c.authored_at as authored_at
    from inner_landings i
    join claims c on c.repository = i.repository and c.number = i.inner_number
),
landed_inside as (
    select i.repository as repository, i.number as number, i.landed_sha as sha
    from inner_landings i
    union
    select c.repository as repository, c.number as number, c.sha as sha
    from claims c
    join inner_originals o
        on o.repository = c.repository and o.number = c.number
        and o.author = c.author and o.authored_at = c.authored_at
    where not exists (
        select 1 from inner_originals k
        where k.repository = c.repository and k.number = c.number and k.sha = c.sha
    )
),
kept as (
    select
        c.repository as repository,
        c.number as number,
        c.sha as sha,
        c.authored_at as authored_at,
        c.is_bot as is_bot,
        c.merges as merges,
        c.merged_us as merged_us
    from claims c
    left join landed_inside i
        on i.repository = c.repository and i.number = c.number and i.sha = c.sha
    where i.sha is null
    union all
    select
        k.repository as repository,
        l.number as number,
        k.sha as sha,
        k.authored_at as authored_at,
        k.is_bot as is_bot,
        k.merges as merges,
        l.merged_us as merged_us
    from landed_pull_requests l
    join claims k on k.repository = l.repository and k.sha = l.landed_sha
    left join landed_inside i
        on i.repository = k.repository and i.number = k.number and i.sha = k.sha
    where i.sha is null
        and not exists (
            select 1 from claims o where o.repository = l.repository and o.number = l.number
        )
),
owned as (
    select
        k.repository as repository,
        k.number as number,
        k.sha as sha,
        k.authored_at as authored_at,
        k.is_bot as is_bot,
        k.merges as merges,
        cast(row_number() over (
            partition by k.repository, k.sha
            order by k.merged_us, k.number
        ) as bigint) as choice
    from kept k
),
outermost as (
    select
        o.repository as repository,
        o.number as number,
        o.outer_sha as outer_sha,
        o.outer_id as outer_id,
        cast(row_number() over (
            partition by o.repository, o.number
            order by o.depth desc, o.outer_number
        ) as bigint) as choice
    from outer_pull_requests o
)
select
    o.repository as repository,
    o.number as number,
    o.sha as sha,
    c.commit_id as commit_id,
    l.pull_request_id as pull_request_id,
    coalesce(t.outer_sha, l.landed_sha) as landed_sha,
    o.authored_at as authored_at,
    o.is_bot as is_bot,
    o.merges or coalesce(length(c.parents) > length(c.sha), false) as merges
from owned o
join landed_pull_requests l on l.repository = o.repository and l.number = o.number
left join outermost t
    on t.repository = o.repository and t.number = o.number and t.choice = 1
left join commits c on c.repository = o.repository and c.sha = o.sha
where o.choice = 1
