-- grain: a change and a person, under a pseudonym, who wrote part of it
-- key: change_id, author
-- reads: commits, pull_request_commits, requested_members
-- rule: The authors of a change's commits, machines left out: only ever counted, to tell a group
--  from a few people.
with
original_authors as (
    select
        m.change_id as change_id,
        p.author as author
    from requested_members m
    join pull_request_commits p on p.repository = m.repository and p.sha = m.sha
    where p.author is not null and not p.is_bot
),
landed_authors as (
    select
        m.change_id as change_id,
        c.author as author
    from requested_members m
    join commits c on c.commit_id = m.commit_id
    where c.author is not null and not c.is_bot
)
select
    c.commit_id as change_id,
    c.author as author
from commits c
where c.author is not null and not c.is_bot
union
select
    o.change_id as change_id,
    o.author as author
from original_authors o
union
select
    l.change_id as change_id,
    l.author as author
from landed_authors l
