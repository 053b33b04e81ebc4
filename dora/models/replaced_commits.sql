-- grain: a commit in whose stead original commits of a pull request stand
-- key: commit_id
-- reads: commits, landed_pull_requests, listed_originals, originals
-- rule: What the pull request landed as; for a rebase also its first-parent ancestors, back from
--  there for as long as they share an original's author and authored time.
with recursive
listed as (
    select distinct o.pull_request_id as pull_request_id
    from listed_originals o
),
landed as (
    select
        l.pull_request_id as pull_request_id,
        c.commit_id as commit_id,
        c.sha as sha,
        c.author as author,
        c.authored_at as authored_at,
        c.parents as parents
    from landed_pull_requests l
    join listed k on k.pull_request_id = l.pull_request_id
    join commits c on c.commit_id = l.landed_id
),
rebased as (
    select distinct
        l.pull_request_id as pull_request_id,
        l.commit_id as commit_id,
        substr(l.parents, 1, length(l.sha)) as parent
    from landed l
    join listed_originals o
        on o.pull_request_id = l.pull_request_id
        and o.author = l.author and o.authored_at = l.authored_at
    where o.sha <> l.sha and l.parents not like '% %' and l.parents <> ''
),
made as (
    select distinct
        o.pull_request_id as pull_request_id,
        o.repository as repository,
        o.author as author,
        o.authored_at as authored_at
    from listed_originals o
    join rebased r on r.pull_request_id = o.pull_request_id
),
candidates as (
    select
        m.pull_request_id as pull_request_id,
        c.commit_id as commit_id,
        c.sha as sha,
        substr(c.parents, 1, length(c.sha)) as parent
    from made m
    join commits c
        on c.repository = m.repository and c.author = m.author
        and c.authored_at = m.authored_at
    where c.parents not like '% %'
),
chain as (
    select
        r.pull_request_id as pull_request_id,
        r.commit_id as commit_id,
        r.parent as parent
    from rebased r
    union all
    select
        c.pull_request_id as pull_request_id,
        k.commit_id as commit_id,
        k.parent as parent
    from chain c
    join candidates k on k.pull_request_id = c.pull_request_id and k.sha = c.parent
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
