-- grain: a commit that is a change marked as a hotfix, or the landing of a pull request marked so
-- key: commit_id
-- reads: cherry_picks, commits, landed_pull_requests, originals, pull_requests, replaced_commits, rules
-- rule: A commit by its subject, a pull request by its title, a label or the branch it comes from.
--  What is no change of its own bears no mark: a commit with several parents, a copy, or one in
--  whose stead the originals of its pull request stand.
with
marked as (
    select p.repository as repository, p.number as number
    from pull_requests p
    cross join rules r
    where dora_matches(p.title, r.hotfix_title)
        or dora_matches(p.labels, r.hotfix_label)
        or dora_matches(p.head_branch, r.hotfix_branch)
),
marks as (
    select c.commit_id as commit_id
    from commits c
    cross join rules r
    left join replaced_commits g on g.commit_id = c.commit_id
    where g.commit_id is null
        and case
            when dora_matches(c.subject, r.hotfix_title) then length(c.parents) <= length(c.sha)
            else false
        end
    union
    select l.landed_id as commit_id
    from marked m
    join landed_pull_requests l on l.repository = m.repository and l.number = m.number
    where l.landed_id is not null
    union
    select o.commit_id as commit_id
    from marked m
    join originals o on o.repository = m.repository and o.number = m.number
    where o.commit_id is not null
),
copied as (
    select c.commit_id as commit_id
    from cherry_picks k
    join commits c on c.repository = k.repository and c.sha = k.sha
)
select m.commit_id as commit_id
from marks m
left join copied k on k.commit_id = m.commit_id
where k.commit_id is null
