-- grain: a commit that counts, or counts in, a change known from its pull request
-- key: repository, sha, change_id
-- reads: cherry_picks, commit_paths, commits, landed_pull_requests, listed_originals, originals, rules
-- rule: The originals of pull requests, without merges and copies; with pull requests as changes
--  also what landed where originals are not known. Each original is a change, or each pull
--  request. Their ids are negative, so that they are never those of commits. place orders the
--  members of a change, first authored first. landed_yet: whether what landed is committed by then,
--  told of a change's only member where it is what landed.
with
members as (
    select
        o.repository as repository,
        o.pull_request_id as pull_request_id,
        o.sha as sha,
        o.commit_id as commit_id,
        o.landed_sha as landed_sha,
        o.authored_at as authored_at,
        o.is_bot as is_bot,
        cast(null as boolean) as landed_yet
    from originals o
    left join cherry_picks k on k.repository = o.repository and k.sha = o.sha
    where not o.merges and k.sha is null
    union all
    select
        l.repository as repository,
        l.pull_request_id as pull_request_id,
        l.landed_sha as sha,
        l.landed_id as commit_id,
        l.landed_sha as landed_sha,
        c.authored_at as authored_at,
        c.is_bot as is_bot,
        c.committed_at <= r.as_of as landed_yet
    from landed_pull_requests l
    cross join rules r
    join commits c on c.commit_id = l.landed_id
    left join originals o on o.repository = l.repository and o.sha = l.landed_sha
    left join cherry_picks k on k.repository = l.repository and k.sha = l.landed_sha
    where r.change = 'pull_request' and o.sha is null and k.sha is null
        and not exists (
            select 1 from listed_originals p where p.pull_request_id = l.pull_request_id
        )
),
with_originals as (
    select distinct o.pull_request_id as pull_request_id from originals o
),
crowded as (
    select m.pull_request_id as pull_request_id
    from members m
    join with_originals o on o.pull_request_id = m.pull_request_id
    group by m.pull_request_id
    having count(*) > 1
),
with_paths as (
    select distinct p.repository as repository, p.sha as sha from commit_paths p
),
numbered as (
    select
        -cast(row_number() over (order by m.pull_request_id, m.sha) as bigint) as change_id,
        m.repository as repository,
        m.pull_request_id as pull_request_id,
        m.sha as sha,
        m.commit_id as commit_id,
        m.landed_sha as landed_sha,
        m.authored_at as authored_at,
        m.is_bot as is_bot,
        cast(1 as bigint) as place,
        m.landed_yet as landed_yet
    from members m
    cross join rules r
    where r.change = 'commit'
    union all
    select
        -m.pull_request_id as change_id,
        m.repository as repository,
        m.pull_request_id as pull_request_id,
        m.sha as sha,
        m.commit_id as commit_id,
        m.landed_sha as landed_sha,
        m.authored_at as authored_at,
        m.is_bot as is_bot,
        cast(1 as bigint) as place,
        m.landed_yet as landed_yet
    from members m
    cross join rules r
    left join crowded w on w.pull_request_id = m.pull_request_id
    where r.change = 'pull_request' and w.pull_request_id is null
    union all
    select
        -m.pull_request_id as change_id,
        m.repository as repository,
        m.pull_request_id as pull_request_id,
        m.sha as sha,
        m.commit_id as commit_id,
        m.landed_sha as landed_sha,
        m.authored_at as authored_at,
        m.is_bot as is_bot,
        cast(row_number() over (
            partition by m.pull_request_id
            order by dora_us(m.authored_at), m.sha
        ) as bigint) as place,
        cast(null as boolean) as landed_yet
    from members m
    join crowded w on w.pull_request_id = m.pull_request_id
    cross join rules r
    where r.change = 'pull_request'
)
select
    n.change_id as change_id,
    n.repository as repository,
    n.pull_request_id as pull_request_id,
    n.sha as sha,
    n.commit_id as commit_id,
    n.landed_sha as landed_sha,
    n.authored_at as authored_at,
    n.is_bot as is_bot,
    n.place as place,
    n.landed_yet as landed_yet,
    w.sha is not null as has_paths
from numbered n
left join with_paths w on w.repository = n.repository and w.sha = n.sha
