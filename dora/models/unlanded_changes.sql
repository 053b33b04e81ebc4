-- grain: a change of a pull request that has not landed, and a service it would be delivered to
-- key: repository, number, sha, service
-- reads: commits, landed_pull_requests, lineage, originals, production_streams, pull_request_commits, pull_requests, repositories, rules
-- rule: Pull requests to the default branch that are open, or were closed without landing, counted
--  as changes are: by their original commits, as long as none of these landed elsewhere, or as one.
--  Of a service with paths nothing is known of what has not landed.
with
unlanded as (
    select
        p.repository as repository,
        p.number as number,
        p.head_sha as head_sha,
        p.opened_at as opened_at,
        case when p.state = 'closed' and p.closed_at <= r.as_of then p.closed_at end as ended_at,
        p.is_bot as is_bot,
        p.url as url
    from pull_requests p
    cross join rules r
    left join landed_pull_requests l on l.repository = p.repository and l.number = p.number
    left join repositories y on y.repository = p.repository
    where l.number is null and p.opened_at <= r.as_of
        and coalesce(p.base_branch, y.default_branch, '')
            = coalesce(y.default_branch, p.base_branch, '')
        and (p.state <> 'merged' or p.merged_at > r.as_of)
        and (p.state <> 'closed' or p.closed_at is not null)
),
listed as (
    select
        u.repository as repository,
        u.number as number,
        o.sha as sha,
        o.author as author,
        o.authored_at as authored_at,
        o.is_bot as is_bot,
        o.merges as merges,
        cast(row_number() over (
            partition by u.repository, o.sha
            order by case when u.ended_at is null then 0 else 1 end, u.number
        ) as bigint) as choice
    from unlanded u
    join pull_request_commits o on o.repository = u.repository and o.number = u.number
),
shipped as (
    select distinct l.commit_id as commit_id from lineage l
),
counted as (
    select m.repository as repository, m.sha as sha
    from listed m
    join originals o on o.repository = m.repository and o.sha = m.sha
    union
    select m.repository as repository, m.sha as sha
    from listed m
    join commits c on c.repository = m.repository and c.sha = m.sha
    join shipped k on k.commit_id = c.commit_id
    union
    select m.repository as repository, m.sha as sha
    from listed m
    join commits c on c.repository = m.repository
        and c.author = m.author and c.authored_at = m.authored_at
    join shipped k on k.commit_id = c.commit_id
),
members as (
    select
        m.repository as repository,
        m.number as number,
        m.sha as sha,
        m.authored_at as authored_at,
        m.is_bot as is_bot
    from listed m
    left join counted c on c.repository = m.repository and c.sha = m.sha
    where m.choice = 1 and not m.merges and c.sha is null
),
unlisted as (
    select
        u.repository as repository,
        u.number as number,
        coalesce(u.head_sha, '') as sha,
        u.opened_at as opened_at,
        u.is_bot as is_bot
    from unlanded u
    left join (select distinct m.repository as repository, m.number as number from listed m) n
        on n.repository = u.repository and n.number = u.number
    left join commits c on c.repository = u.repository and c.sha = u.head_sha
    left join shipped k on k.commit_id = c.commit_id
    where n.number is null and k.commit_id is null
),
firsts as (
    select m.repository as repository, m.number as number, min(m.authored_at) as started_at
    from members m
    group by m.repository, m.number
),
begun as (
    select m.repository as repository, m.number as number, m.sha as sha,
        m.authored_at as started_at, m.is_bot as is_bot
    from members m
    cross join rules r
    where r.change = 'commit'
    union all
    select f.repository as repository, f.number as number, coalesce(u.head_sha, '') as sha,
        f.started_at as started_at, u.is_bot as is_bot
    from firsts f
    join unlanded u on u.repository = f.repository and u.number = f.number
    cross join rules r
    where r.change = 'pull_request'
    union all
    select n.repository as repository, n.number as number, n.sha as sha,
        n.opened_at as started_at, n.is_bot as is_bot
    from unlisted n
),
homes as (
    select distinct s.repository as repository, s.service as service
    from production_streams s
    where not s.by_paths
)
select
    b.repository as repository,
    b.number as number,
    b.sha as sha,
    h.service as service,
    b.started_at as started_at,
    u.ended_at as ended_at,
    u.ended_at is not null as given_up,
    dora_us(coalesce(u.ended_at, r.as_of)) - dora_us(b.started_at) as us,
    case
        when b.is_bot and not r.bot_changes then 'bot'
        when dora_us(coalesce(u.ended_at, r.as_of)) < dora_us(b.started_at)
            then 'negative duration'
    end as left_out,
    u.url as url
from begun b
join unlanded u on u.repository = b.repository and u.number = b.number
join homes h on h.repository = b.repository
cross join rules r
