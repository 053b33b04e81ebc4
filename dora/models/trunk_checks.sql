-- grain: a span in which a check of a default branch stood at what its newest run had said
-- key: repository, name, source, build
-- reads: ci_runs
-- rule: Of the runs that were over by then, the newest is the last attempt at the newest commit,
--  which is the one that was first built last: an older commit's run that ends late says nothing.
--  The span ends with the next such run, or when another check runs that a month has passed since:
--  a check that is gone is not red for good.
with
ran as (
    select
        c.repository as repository,
        c.name as name,
        c.source as source,
        c.build as build,
        c.sha as sha,
        c.attempt as attempt,
        c.status = 'failed' as red,
        c.begun_us as begun_us,
        c.ended_us as ended_us,
        min(c.begun_us) over (partition by c.repository, c.sha) as first_us,
        c.url as url
    from ci_runs c
    where c.on_trunk and c.ended_us is not null
),
numbered as (
    select
        r.repository as repository,
        r.name as name,
        r.source as source,
        r.build as build,
        r.sha as sha,
        r.red as red,
        r.begun_us as begun_us,
        r.ended_us as ended_us,
        r.url as url,
        cast(row_number() over (
            partition by r.repository, r.name
            order by r.first_us, r.sha, r.attempt, r.begun_us, r.source, r.build
        ) as bigint) as place
    from ran r
),
newest as (
    select
        n.repository as repository,
        n.name as name,
        n.source as source,
        n.build as build,
        n.sha as sha,
        n.red as red,
        n.begun_us as begun_us,
        n.ended_us as ended_us,
        n.url as url,
        n.place as place,
        max(n.place) over (
            partition by n.repository, n.name order by n.ended_us, n.place
            rows between unbounded preceding and current row
        ) as newest
    from numbered n
),
spans as (
    select
        n.repository as repository,
        n.name as name,
        n.source as source,
        n.build as build,
        n.sha as sha,
        n.red as red,
        n.begun_us as begun_us,
        n.ended_us as from_us,
        lead(n.ended_us) over (
            partition by n.repository, n.name order by n.ended_us, n.place
        ) as next_us,
        min(n.ended_us) over (
            partition by n.repository order by n.ended_us
            range between 2592000000000 following and unbounded following
        ) as gone_us,
        n.url as url
    from newest n
    where n.place = n.newest
)
select
    s.repository as repository,
    s.name as name,
    s.source as source,
    s.build as build,
    s.sha as sha,
    s.red as red,
    s.begun_us as begun_us,
    s.from_us as from_us,
    case
        when s.next_us is null or s.gone_us < s.next_us then s.gone_us
        else s.next_us
    end as until_us,
    s.url as url
from spans s
