-- grain: a pull request that has landed, and what its change takes from it
-- key: pull_request_id
-- reads: commit_references, landed_pull_requests, pull_requests, reviews, rules
-- rule: Ready is when it last left draft, else when it was opened; its first review is by another
--  person who is no bot. lands_alone is false where one merged earlier landed as the same commit.
with
reviewed as (
    select v.repository as repository, v.number as number, min(v.submitted_at) as first_review_at
    from reviews v
    cross join rules r
    where v.by = 'person' and v.submitted_at <= r.as_of
    group by v.repository, v.number
),
together as (
    select l.landed_id as landed_id, min(l.pull_request_id) as first_id
    from landed_pull_requests l
    where l.landed_id is not null
    group by l.landed_id
    having count(*) > 1
),
reverting as (
    select distinct f.repository as repository, f.sha as sha
    from commit_references f
    where f.kind = 'reverts'
)
select
    l.pull_request_id as pull_request_id,
    l.repository as repository,
    l.number as number,
    l.landed_sha as landed_sha,
    l.landed_id as landed_id,
    l.landed_id is not null and coalesce(g.first_id = l.pull_request_id, true) as lands_alone,
    p.number is not null as known,
    coalesce(p.ready_at, p.opened_at) as ready_at,
    v.first_review_at as first_review_at,
    p.merged_at as merged_at,
    p.is_bot as is_bot,
    dora_matches(p.title, r.hotfix_title)
        or dora_matches(p.labels, r.hotfix_label)
        or dora_matches(p.head_branch, r.hotfix_branch) as is_hotfix,
    p.reverts is not null or k.sha is not null as reverts_change,
    p.url as url
from landed_pull_requests l
cross join rules r
left join pull_requests p
    on p.repository = l.repository and p.number = l.number and p.opened_at <= r.as_of
left join together g on g.landed_id = l.landed_id
left join reviewed v on v.repository = l.repository and v.number = l.number
left join reverting k on k.repository = l.repository and k.sha = l.landed_sha
