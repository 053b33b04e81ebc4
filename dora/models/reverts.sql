-- grain: a commit, and an earlier one that it takes back
-- key: commit_id, target_id
-- reads: commit_references, commits, landed_pull_requests, pull_requests, resolved_references
-- rule: As the commit's message says, or the pull request with which it landed. A revert of a revert is left out: it brings the change back.
with
reverting_pull_requests as (
    select
        p.repository as repository,
        p.reverts as target,
        l.landed_sha as sha
    from pull_requests p
    join landed_pull_requests l on l.repository = p.repository and l.number = p.number
    where p.reverts is not null
),
pairs as (
    select f.commit_id as commit_id, f.target_id as target_id
    from resolved_references f
    where f.kind = 'reverts'
    union
    select c.commit_id as commit_id, t.commit_id as target_id
    from reverting_pull_requests p
    join landed_pull_requests l on l.repository = p.repository and l.number = p.target
    join commits c on c.repository = p.repository and c.sha = p.sha
    join commits t on t.repository = l.repository and t.sha = l.landed_sha
),
reverting as (
    select c.commit_id as commit_id
    from commit_references f
    join commits c on c.repository = f.repository and c.sha = f.sha
    where f.kind = 'reverts'
    union
    select c.commit_id as commit_id
    from reverting_pull_requests p
    join commits c on c.repository = p.repository and c.sha = p.sha
)
select p.commit_id as commit_id, p.target_id as target_id
from pairs p
left join reverting r on r.commit_id = p.target_id
where r.commit_id is null and p.commit_id <> p.target_id
