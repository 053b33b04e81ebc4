-- grain: a commit, and a commit that its message refers to
-- key: kind, commit_id, target_id
-- reads: commits, commit_references
-- rule: A commit may be named by the first seven or more digits of its id; a shortened name that fits several commits of the repository names none.
with
wanted as (
    select distinct
        f.repository as repository,
        f.sha as sha,
        f.kind as kind,
        lower(f.target) as target,
        substr(lower(f.target), 1, 7) as head
    from commit_references f
    where length(f.target) >= 7
),
heads as (
    select c.repository as repository, c.sha as sha, c.commit_id as commit_id,
        substr(c.sha, 1, 7) as head
    from commits c
),
found as (
    select
        w.repository as repository,
        w.sha as sha,
        w.kind as kind,
        w.target as target,
        min(h.commit_id) as target_id
    from wanted w
    join heads h
        on h.repository = w.repository
        and h.head = w.head
        and substr(h.sha, 1, length(w.target)) = w.target
    group by w.repository, w.sha, w.kind, w.target
    having min(h.commit_id) = max(h.commit_id)
)
select distinct
    f.kind as kind,
    c.commit_id as commit_id,
    f.target_id as target_id
from found f
join commits c on c.repository = f.repository and c.sha = f.sha
