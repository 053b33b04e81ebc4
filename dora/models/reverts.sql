-- grain: a commit, and an earlier one that it takes back
-- key: commit_id, target_id
-- reads: commit_references, commits, landed_pull_requests, pull_requests
-- rule: As the commit's message says, or the pull request with which it landed. The target may be
--  named by seven or more digits of its id; a shortened name that fits several commits of the
--  repository names none. A revert of a revert is left out: it brings the change back.
with
messages as (
    select
        c.commit_id as commit_id,
        f.repository as repository,
        lower(f.target) as target
    from commit_references f
    join commits c on c.repository = f.repository and c.sha = f.sha
    where f.kind = 'reverts'
),
wanted as (
    select distinct
        m.commit_id as commit_id,
        m.repository as repository,
        m.target as target,
        substr(m.target, 1, 7) as head
    from messages m
    where length(m.target) >= 7
),
named as (
    select
        w.commit_id as commit_id,
        w.target as target,
        min(c.commit_id) as target_id
    from wanted w
    join commits c on c.repository = w.repository and substr(c.sha, 1, 7) = w.head
    where substr(c.sha, 1, length(w.target)) = w.target
    group by w.commit_id, w.target
    having min(c.commit_id) = max(c.commit_id)
),
reverting_pull_requests as (
    select
        p.repository as repository,
        p.reverts as target,
        l.landed_id as commit_id
    from pull_requests p
    join landed_pull_requests l on l.repository = p.repository and l.number = p.number
    where p.reverts is not null and l.landed_id is not null
),
pairs as (
    select n.commit_id as commit_id, n.target_id as target_id
    from named n
    union
    select p.commit_id as commit_id, l.landed_id as target_id
    from reverting_pull_requests p
    join landed_pull_requests l on l.repository = p.repository and l.number = p.target
    where l.landed_id is not null
),
reverting as (
    select m.commit_id as commit_id
    from messages m
    union
    select p.commit_id as commit_id
    from reverting_pull_requests p
)
select p.commit_id as commit_id, p.target_id as target_id
from pairs p
left join reverting r on r.commit_id = p.target_id
where r.commit_id is null and p.commit_id <> p.target_id
