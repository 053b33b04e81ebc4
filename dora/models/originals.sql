-- grain: an original commit of a pull request that has landed
-- key: repository, sha
-- reads: commits, inner_landings, landed_pull_requests, listed_originals, outer_pull_requests
-- rule: It belongs to the pull request merged first of those that have it; landed_sha is where that
--  one landed, or the outermost around it. What an inner pull request landed as inside an outer one
--  is none of the outer one's originals where its own are known: they stand for it.
with
inner_squashes as (
    select
        i.pull_request_id as inner_id,
        i.outer_id as pull_request_id,
        i.landed_sha as sha,
        max(case when o.sha = i.landed_sha then 1 else 0 end) as keeps_it
    from inner_landings i
    join listed_originals o on o.pull_request_id = i.pull_request_id
    where i.outer_landed_sha <> i.landed_sha
    group by i.pull_request_id, i.outer_id, i.landed_sha
),
inner_originals as (
    select
        s.pull_request_id as pull_request_id,
        o.sha as sha,
        o.author as author,
        o.authored_at as authored_at
    from inner_squashes s
    join listed_originals o on o.pull_request_id = s.inner_id
    where s.keeps_it = 0
),
inner_copies as (
    select distinct c.pull_request_id as pull_request_id, c.sha as sha
    from inner_originals o
    join listed_originals c
        on c.pull_request_id = o.pull_request_id
        and c.author = o.author and c.authored_at = o.authored_at
),
landed_inside as (
    select s.pull_request_id as pull_request_id, s.sha as sha
    from inner_squashes s
    where s.keeps_it = 0
    union
    select c.pull_request_id as pull_request_id, c.sha as sha
    from inner_copies c
    left join inner_originals k on k.pull_request_id = c.pull_request_id and k.sha = c.sha
    where k.sha is null
),
claims as (
    select
        o.pull_request_id as pull_request_id,
        o.repository as repository,
        o.sha as sha,
        o.authored_at as authored_at,
        o.is_bot as is_bot,
        o.merges as merges
    from listed_originals o
    left join landed_inside i on i.pull_request_id = o.pull_request_id and i.sha = o.sha
    where i.sha is null
),
unlisted as (
    select i.pull_request_id as pull_request_id, i.repository as repository,
        i.landed_sha as sha
    from inner_landings i
    left join listed_originals o on o.pull_request_id = i.pull_request_id
    where o.sha is null
),
all_claims as (
    select
        c.pull_request_id as pull_request_id, c.repository as repository, c.sha as sha,
        c.authored_at as authored_at, c.is_bot as is_bot, c.merges as merges
    from claims c
    union all
    select
        u.pull_request_id as pull_request_id, c.repository as repository, c.sha as sha,
        c.authored_at as authored_at, c.is_bot as is_bot, c.merges as merges
    from unlisted u
    join claims c on c.repository = u.repository and c.sha = u.sha
),
owned as (
    select
        c.repository as repository,
        c.sha as sha,
        min(c.pull_request_id) as pull_request_id,
        min(c.authored_at) as authored_at,
        max(case when c.is_bot then 1 else 0 end) as is_bot,
        max(case when c.merges then 1 else 0 end) as merges
    from all_claims c
    group by c.repository, c.sha
),
outermost as (
    select o.pull_request_id as pull_request_id, o.landed_sha as landed_sha,
        cast(row_number() over (
            partition by o.pull_request_id
            order by o.depth desc, o.outer_id
        ) as bigint) as choice
    from outer_pull_requests o
)
select
    o.repository as repository,
    l.number as number,
    o.sha as sha,
    c.commit_id as commit_id,
    o.pull_request_id as pull_request_id,
    coalesce(t.landed_sha, l.landed_sha) as landed_sha,
    o.authored_at as authored_at,
    o.is_bot = 1 as is_bot,
    o.merges = 1 or coalesce(c.parents like '% %', false) as merges
from owned o
join landed_pull_requests l on l.pull_request_id = o.pull_request_id
left join outermost t on t.pull_request_id = o.pull_request_id and t.choice = 1
left join commits c on c.repository = o.repository and c.sha = o.sha
