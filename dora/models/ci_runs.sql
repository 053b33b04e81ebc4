-- grain: an attempt of a CI run of a commit, as it stands now
-- key: source, build
-- reads: builds, repositories, rules
-- rule: Where no start is known, the finish stands for it; what has neither is left out. It ran on
--  the trunk if it says that its branch is the default branch. A run that ends before it begins
--  has no length.
with
present as (
    select
        b.source as source,
        b.id as build,
        b.repository as repository,
        b.sha as sha,
        b.name as name,
        b.attempt as attempt,
        case
            when b.finished_at is not null and dora_us(b.finished_at) > dora_us(r.as_of)
                then 'running'
            else b.status
        end as status,
        coalesce(b.started_at, b.finished_at) as begun_at,
        dora_us(b.started_at) as started_us,
        dora_us(b.finished_at) as finished_us,
        coalesce(b.branch = p.default_branch, false) as on_trunk,
        dora_us(r.as_of) as now_us,
        b.url as url
    from builds b
    cross join rules r
    left join repositories p on p.repository = b.repository
)
select
    p.source as source,
    p.build as build,
    p.repository as repository,
    p.sha as sha,
    p.name as name,
    p.attempt as attempt,
    p.status as status,
    p.on_trunk as on_trunk,
    dora_us(p.begun_at) as begun_us,
    dora_day(p.begun_at) as day,
    case when p.status in ('succeeded', 'failed') then p.finished_us end as ended_us,
    case
        when p.status in ('succeeded', 'failed') and p.finished_us >= p.started_us
            then p.finished_us - p.started_us
    end as us,
    p.url as url
from present p
where dora_us(p.begun_at) <= p.now_us
