-- grain: a change and a service that has it or will
-- key: change, repository, service
-- reads: change_times, commit_references, commits, production_steps, pull_request_times, repositories, requested_members, rules
-- rule: Its stages run between the boundaries that are known: committed, ready, first review, merged,
--  delivered; one earlier than its predecessor moves up to it. They add up to the whole. From the
--  merge on, only the last stage is told.
with
reverting as (
    select distinct f.repository as repository, f.sha as sha
    from commit_references f
    where f.kind = 'reverts'
),
reverting_commits as (
    select c.commit_id as commit_id
    from reverting f
    join commits c on c.repository = f.repository and c.sha = f.sha
),
changes as (
    select
        d.change_id as change_id,
        d.route as route,
        c.repository as repository,
        c.sha as sha,
        c.sha as landed_sha,
        dora_matches(c.subject, r.hotfix_title) as is_hotfix,
        v.commit_id is not null as reverts_change
    from change_times d
    join commits c on c.commit_id = d.change_id
    cross join rules r
    left join reverting_commits v on v.commit_id = d.change_id
    union all
    select
        d.change_id as change_id,
        d.route as route,
        m.repository as repository,
        m.sha as sha,
        m.landed_sha as landed_sha,
        dora_matches(c.subject, r.hotfix_title) as is_hotfix,
        v.sha is not null as reverts_change
    from change_times d
    join requested_members m on m.change_id = d.change_id and m.place = 1
    cross join rules r
    left join commits c on c.commit_id = m.commit_id
    left join reverting v on v.repository = m.repository and v.sha = m.sha
),
told as (
    select
        d.change_id as change_id,
        d.route as route,
        case
            when r.change = 'pull_request'
                then c.repository || '#' || cast(t.number as varchar)
            else c.sha
        end as change,
        c.repository as repository,
        d.service as service,
        c.sha as sha,
        c.landed_sha as landed_sha,
        t.number as pull_request,
        p.source as source,
        p.deployment as deployment,
        p.environment as environment,
        p.version as version,
        d.committed_at as committed_at,
        t.ready_at as ready_at,
        t.first_review_at as first_review_at,
        d.merged_at as merged_at,
        d.delivered_at as delivered_at,
        d.us as us,
        dora_us(d.committed_at) as committed_us,
        dora_us(t.ready_at) as ready_us,
        dora_us(t.first_review_at) as reviewed_us,
        dora_us(d.merged_at) as merged_us,
        p.us as delivered_us,
        r.clock_start = 'merge' as from_merge,
        d.is_bot as is_bot,
        c.is_hotfix or coalesce(t.is_hotfix, false) as is_hotfix,
        c.reverts_change or coalesce(t.reverts_change, false) as reverts_change,
        d.left_out as left_out,
        coalesce(t.url, y.url || '/commit/' || c.sha) as url
    from change_times d
    join changes c on c.change_id = d.change_id and c.route = d.route
    cross join rules r
    left join production_steps p on p.step = d.step
    left join pull_request_times t on t.pull_request_id = d.pull_request_id
    left join repositories y on y.repository = c.repository
),
at_ready as (
    select d.*, case when d.ready_us > d.committed_us then d.ready_us else d.committed_us end
        as by_ready
    from told d
),
at_review as (
    select d.*, case when d.reviewed_us > d.by_ready then d.reviewed_us else d.by_ready end
        as by_review
    from at_ready d
),
at_merge as (
    select d.*, case when d.merged_us > d.by_review then d.merged_us else d.by_review end
        as by_merge
    from at_review d
)
select
    d.change_id as change_id,
    d.route as route,
    d.change as change,
    d.repository as repository,
    d.service as service,
    d.sha as sha,
    d.landed_sha as landed_sha,
    d.pull_request as pull_request,
    d.source as source,
    d.deployment as deployment,
    d.environment as environment,
    d.version as version,
    d.committed_at as committed_at,
    d.ready_at as ready_at,
    d.first_review_at as first_review_at,
    d.merged_at as merged_at,
    d.delivered_at as delivered_at,
    d.us as us,
    case when d.ready_us is not null and not d.from_merge
        then d.by_ready - d.committed_us end as coding_us,
    case when d.reviewed_us is not null and not d.from_merge
        then d.by_review - d.by_ready end as pickup_us,
    case when d.merged_us is not null and not d.from_merge
        then d.by_merge - d.by_review end as review_us,
    case when d.from_merge then d.us else d.delivered_us - d.by_merge end as merge_to_deploy_us,
    d.is_bot as is_bot,
    d.is_hotfix as is_hotfix,
    d.reverts_change as reverts_change,
    d.left_out as left_out,
    d.url as url
from at_merge d
