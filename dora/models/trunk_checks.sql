-- grain: a span in which a check of a default branch stood at what its newest run had said
-- key: repository, name, source, build
-- reads: ci_runs
-- rule: Of the runs that were over by then, the newest is the last attempt at the newest commit,
--  which is the one that was first built last, to whatever end: an older commit's run that ends
--  late says nothing, and neither does one that was cancelled for a newer commit and run again.
--  The span ends with the next such run, or when another check runs that a month has passed since:
--  a check that is gone is not red for good.
with
trunk as (
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
        c.url as url
    from ci_runs c
    where c.on_trunk and c.ended_us is not null
),
built as (
    select c.repository as repository, c.sha as sha, min(c.begun_us) as first_us
    from ci_runs c
    where c.on_trunk
    group by c.repository, c.sha
),
-- A run is passed by the first of all newer ones to end; where that ended before, it never counted.
passed as (
    select
        t.repository as repository,
        t.name as name,
        t.source as source,
        t.build as build,
        t.sha as sha,
        t.red as red,
        t.begun_us as begun_us,
        t.ended_us as ended_us,
        t.url as url,
        min(t.ended_us) over (
            partition by t.repository, t.name
            order by b.first_us, t.sha, t.attempt, t.begun_us, t.source, t.build
            rows between 1 following and unbounded following
        ) as next_us
    from trunk t
    join built b on b.repository = t.repository and b.sha = t.sha
),
spans as (
    select
        p.repository as repository,
        p.name as name,
        p.source as source,
        p.build as build,
        p.sha as sha,
        p.red as red,
        p.begun_us as begun_us,
        p.ended_us as from_us,
        p.ended_us - p.ended_us % 2592000000000 as month_us,
        p.next_us as next_us,
        p.url as url
    from passed p
    where p.next_us is null or p.next_us >= p.ended_us
),
months as (
    select s.repository as repository, s.month_us as month_us, min(s.from_us) as from_us
    from spans s
    group by s.repository, s.month_us
),
lasting as (
    select distinct
        s.repository as repository,
        s.from_us + 2592000000000 as after_us,
        s.from_us + 2592000000000 - (s.from_us + 2592000000000) % 2592000000000 as month_us
    from spans s
    where s.next_us is null or s.next_us > s.from_us + 2592000000000
),
others as (
    select l.repository as repository, l.after_us as after_us, s.from_us as from_us
    from lasting l
    join spans s on s.repository = l.repository and s.month_us = l.month_us
    where s.from_us >= l.after_us
    union all
    select l.repository as repository, l.after_us as after_us, m.from_us as from_us
    from lasting l
    join months m on m.repository = l.repository and m.month_us > l.month_us
),
gone as (
    select o.repository as repository, o.after_us as after_us, min(o.from_us) as us
    from others o
    group by o.repository, o.after_us
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
    case when g.us < s.next_us or s.next_us is null then g.us else s.next_us end as until_us,
    s.url as url
from spans s
left join gone g on g.repository = s.repository and g.after_us = s.from_us + 2592000000000
