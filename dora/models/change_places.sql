-- grain: a change, and a commit whose delivery delivers it
-- key: change_id, commit_id
-- reads: commits, copies, landed_pull_requests, originals, outer_pull_requests, replaced_commits, requested_members, rules
-- rule: A change known from its pull request is where that landed, and where each one around it
--  did; every change also where copies of it, or of what landed, are. by_itself marks the original
--  commit's own place, which counts only where none of the others is. alone: it has no other place.
with
landed_apart as (
    select m.change_id as change_id, m.repository as repository, l.landed_sha as sha,
        l.landed_id as commit_id
    from requested_members m
    join landed_pull_requests l on l.pull_request_id = m.pull_request_id
    where m.landed_yet is null
    union all
    select m.change_id as change_id, m.repository as repository, o.landed_sha as sha,
        o.landed_id as commit_id
    from requested_members m
    join outer_pull_requests o on o.pull_request_id = m.pull_request_id
),
carried as (
    select g.change_id as change_id, k.repository as repository, k.carrier as carrier
    from landed_apart g
    join copies k on k.repository = g.repository and k.sha = g.sha
    union
    select m.change_id as change_id, k.repository as repository, k.carrier as carrier
    from requested_members m
    join copies k on k.repository = m.repository and k.sha = m.sha
    union
    select c.commit_id as change_id, k.repository as repository, k.carrier as carrier
    from copies k
    join commits c on c.repository = k.repository and c.sha = k.sha
    cross join rules r
    left join originals o on o.repository = k.repository and o.sha = k.sha
    left join replaced_commits g on g.commit_id = c.commit_id
    left join copies f on f.repository = k.repository and f.carrier = k.sha
    where r.change = 'commit' and o.sha is null and g.commit_id is null and f.sha is null
),
spread as (
    select g.change_id as change_id from landed_apart g
    union
    select k.change_id as change_id from carried k
),
placed as (
    select g.change_id as change_id, g.commit_id as commit_id
    from landed_apart g
    where g.commit_id is not null
    union
    select m.change_id as change_id, m.commit_id as commit_id
    from spread s
    join requested_members m on m.change_id = s.change_id
    where m.landed_yet is not null
    union
    select k.change_id as change_id, c.commit_id as commit_id
    from carried k
    join commits c on c.repository = k.repository and c.sha = k.carrier
    union
    select k.change_id as change_id, k.change_id as commit_id
    from carried k
    where k.change_id > 0
),
places as (
    select p.change_id as change_id, p.commit_id as commit_id, false as by_itself
    from placed p
    union all
    select m.change_id as change_id, m.commit_id as commit_id, true as by_itself
    from requested_members m
    left join placed p on p.change_id = m.change_id and p.commit_id = m.commit_id
    where m.landed_yet is null and m.commit_id is not null and p.commit_id is null
)
select
    p.change_id as change_id,
    p.commit_id as commit_id,
    p.by_itself as by_itself,
    false as alone,
    c.committed_at <= r.as_of as exists_yet
from places p
cross join rules r
join commits c on c.commit_id = p.commit_id
union all
select
    m.change_id as change_id,
    m.commit_id as commit_id,
    false as by_itself,
    true as alone,
    m.landed_yet as exists_yet
from requested_members m
left join spread s on s.change_id = m.change_id
where m.landed_yet is not null and s.change_id is null
