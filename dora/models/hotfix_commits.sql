-- grain: a commit that is marked as a hotfix, or with which a pull request marked so landed
-- key: commit_id
-- reads: commits, landed_pull_requests, pull_requests, rules
-- rule: A commit by its subject, a pull request by its title, a label or the branch it comes from. A commit with several parents is no change of its own.
select c.commit_id as commit_id
from commits c
cross join rules r
where c.parents not like '% %' and dora_matches(c.subject, r.hotfix_title)
union
select c.commit_id as commit_id
from pull_requests p
join landed_pull_requests l on l.repository = p.repository and l.number = p.number
join commits c on c.repository = l.repository and c.sha = l.landed_sha
cross join rules r
where dora_matches(p.title, r.hotfix_title)
    or dora_matches(p.labels, r.hotfix_label)
    or dora_matches(p.head_branch, r.hotfix_branch)
