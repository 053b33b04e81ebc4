-- grain: a commit that is a copy, and what it is a copy of
-- key: repository, sha, original
-- reads: commit_references, commits, pull_request_commits, rules
-- rule: As the commit's trailer says (or its patch, where that was asked for). The original may be
--  named by seven or more digits of its id and must be known: a shortened name that fits several
--  commits of the repository names none.
with
wanted as (
    select distinct
        f.repository as repository,
        f.sha as sha,
        lower(f.target) as target,
        substr(lower(f.target), 1, 7) as head
    from commit_references f
    cross join rules r
    where f.kind = 'cherry_picked_from' and length(f.target) >= 7 and r.follow_cherry_picks
),
found as (
    select w.repository as repository, w.sha as sha, w.target as target, c.sha as original
    from wanted w
    join commits c on c.repository = w.repository and substr(c.sha, 1, 7) = w.head
    where substr(c.sha, 1, length(w.target)) = w.target
    union
    select w.repository as repository, w.sha as sha, w.target as target, p.sha as original
    from wanted w
    join pull_request_commits p on p.repository = w.repository and substr(p.sha, 1, 7) = w.head
    where substr(p.sha, 1, length(w.target)) = w.target
),
named as (
    select
        f.repository as repository,
        f.sha as sha,
        f.target as target,
        min(f.original) as original
    from found f
    group by f.repository, f.sha, f.target
    having min(f.original) = max(f.original)
)
select distinct n.repository as repository, n.sha as sha, n.original as original
from named n
where n.original <> n.sha
