-- grain: a commit in whose stead original commits of a pull request stand
-- key: commit_id
-- reads: commits, landed_pull_requests, originals, pull_request_commits
-- rule: What the pull request landed as; for a rebase also its first-parent ancestors, back from
--  there for as long as they share an original's author and authored time.
with recursive
listed as (
    select distinct p.repository as repository, p.number as number
    from pull_request_commits p
),
landed as (
    select
        l.repository as repository,
        l.number as number,
        l.landed_id as commit_id
    from landed_pull_requests l
    join listed k on k.repository = l.repository and k.number = l.number
    where l.landed_id is not null
),
rebased as (
    select
        l.repository as repository,
        l.number as number,
        c.commit_id as commit_id,
        substr(c.parents, 1, length(c.sha)) as parent
    from landed l
    join commits c on c.commit_id = l.commit_id
    join pull_request_commits p
        on p.repository = l.repository and p.number = l.number
        and p.author = c.author and p.authored_at = c.authored_at and p.sha <> c.sha
    where length(c.parents) = length(c.sha)
),
made as (
    select distinct
        p.repository as repository,
        p.number as number,
        p.author as author,
        p.authored_at as authored_at
    from pull_request_commits p
    join rebased r on r.repository = p.repository and r.number = p.number
),
candidates as (
    select
        m.repository as repository,
        m.number as number,
        c.commit_id as commit_id,
        c.sha as sha,
        substr(c.parents, 1, length(c.sha)) as parent
    from made m
    join commits c
        on c.repository = m.repository and c.author = m.author
        and c.authored_at = m.authored_at
    where length(c.parents) <= length(c.sha)
),
chain as (
    select
        r.repository as repository,
        r.number as number,
        r.commit_id as commit_id,
        r.parent as parent
    from rebased r
    union
    select
        c.repository as repository,
        c.number as number,
        k.commit_id as commit_id,
        k.parent as parent
    from chain c
    join candidates k
        on k.repository = c.repository and k.number = c.number and k.sha = c.parent
),
gone as (
    select l.commit_id as commit_id from landed l
    union
    select c.commit_id as commit_id from chain c
)
select g.commit_id as commit_id
from gone g
left join originals o on o.commit_id = g.commit_id
where o.commit_id is null
