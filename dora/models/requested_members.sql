-- grain: a commit that counts, or counts in, a change known from its pull request
-- key: repository, sha, change_id
-- reads: cherry_picks, commit_paths, commits, landed_pull_requests, originals, pull_request_commits, rules
-- rule: The originals of pull requests, without merges and copies; with pull requests as changes
--  also what landed where originals are not known. Each original is a change, or each pull
--  request. Their ids are negative, so that they are never those of commits.
with
members as (
    select
        o.repository as repository,
        o.pull_request_id as pull_request_id,
        o.sha as sha,
        o.commit_id as commit_id,
        o.landed_sha as landed_sha,
        o.authored_at as authored_at,
        o.is_bot as is_bot
    from originals o
    left join cherry_picks k on k.repository = o.repository and k.sha = o.sha
    where not o.merges and k.sha is null
    union all
    select
        l.repository as repository,
        l.pull_request_id as pull_request_id,
        l.landed_sha as sha,
        l.landed_id as commit_id,
        l.landed_sha as landed_sha,
        c.authored_at as authored_at,
        c.is_bot as is_bot
    from landed_pull_requests l
    cross join rules r
    join commits c on c.commit_id = l.landed_id
    left join originals o on o.repository = l.repository and o.sha = l.landed_sha
    left join cherry_picks k on k.repository = l.repository and k.sha = l.landed_sha
    where r.change = 'pull_request' and o.sha is null and k.sha is null
        and not exists (
            select 1 from pull_request_commits p
            where p.repository = l.repository and p.number = l.number
        )
),
with_paths as (
    select distinct p.repository as repository, p.sha as sha from commit_paths p
)
select
    case
        when r.change = 'pull_request' then -m.pull_request_id
        else -cast(row_number() over (order by m.repository, m.sha) as bigint)
    end as change_id,
    m.repository as repository,
    m.pull_request_id as pull_request_id,
    m.sha as sha,
    m.commit_id as commit_id,
    m.landed_sha as landed_sha,
    m.authored_at as authored_at,
    m.is_bot as is_bot,
    w.sha is not null as has_paths
from members m
cross join rules r
left join with_paths w on w.repository = m.repository and w.sha = m.sha
