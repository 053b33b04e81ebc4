-- grain: a key of a tracker that incidents state as their cause, and a commit that bears it
-- key: cause, commit_id
-- reads: commits, landed_pull_requests, pull_requests, reverts, stated_causes
-- rule: A key is capital letters, a hyphen and a number, as CHG-7. A commit bears it whose subject
--  has it as a word of its own, whatever its case, or as which a pull request landed whose title
--  or branch has it; not what reverts another, as it takes back what the key stands for.
with
keys as (
    select distinct s.cause as cause
    from stated_causes s
    where dora_matches(s.cause, '^[a-z][a-z0-9_]+-[0-9]+$') and s.cause = upper(s.cause)
),
landed as (
    select c.commit_id as commit_id, p.title as title, p.head_branch as head_branch
    from pull_requests p
    join landed_pull_requests l on l.repository = p.repository and l.number = p.number
    join commits c on c.repository = l.repository and c.sha = l.landed_sha
),
texts as (
    select c.commit_id as commit_id, c.subject as words
    from commits c
    where c.subject is not null
    union all
    select l.commit_id as commit_id, l.title as words
    from landed l
    where l.title is not null
    union all
    select l.commit_id as commit_id, l.head_branch as words
    from landed l
    where l.head_branch is not null
),
bearing as (
    select distinct k.cause as cause, t.commit_id as commit_id
    from texts t
    join keys k on lower(t.words) like '%' || lower(k.cause) || '%'
    where dora_matches(t.words, '(^|[^a-z0-9_])' || k.cause || '([^a-z0-9_]|$)')
)
select b.cause as cause, b.commit_id as commit_id
from bearing b
left join reverts v on v.commit_id = b.commit_id
where v.commit_id is null
