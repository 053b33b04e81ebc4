-- grain: a successful production deployment of a service, and whether it had been on staging
-- key: source, deployment, service, environment
-- reads: staged_steps
-- rule: It had passed where what it deploys, the same commit or the same digest, was on any staging
--  environment of the service before it started, whatever its version is called, and skipped staging
--  where its commit was on none. Unknown where its commit is, or where staging had something unknown
--  since the production deployment before it; none where the service had no staging by then. It
--  soaked from its first time on staging to its first in production; of several repositories, the
--  one that was there last decides.
with
produced as (
    select
        t.stream as stream, t.position as position, t.repository as repository,
        t.service as service, t.environment as environment, t.source as source,
        t.deployment as deployment, t.start_us as start_us, t.us as us, t.content as content,
        t.certain as certain
    from staged_steps t
    where not t.staging
),
-- What tells a deployment from others: its commit (1) and its digest (2), as far as they are said.
marks as (
    select t.stream as stream, t.position as position, t.repository as repository,
        t.service as service, t.staging as staging, t.us as us, t.finished_at as finished_at,
        1 as kind, t.content as mark
    from staged_steps t
    where t.content is not null
    union all
    select t.stream as stream, t.position as position, t.repository as repository,
        t.service as service, t.staging as staging, t.us as us, t.finished_at as finished_at,
        2 as kind, t.digest as mark
    from staged_steps t
    where t.digest is not null
),
staged as (
    select m.repository as repository, m.service as service, m.kind as kind, m.mark as mark,
        min(m.us) as us, min(m.finished_at) as staged_at
    from marks m
    where m.staging
    group by m.repository, m.service, m.kind, m.mark
),
turns as (
    select m.stream as stream, m.position as position, m.repository as repository,
        m.service as service, m.kind as kind, m.mark as mark,
        cast(row_number() over (
            partition by m.repository, m.service, m.kind, m.mark
            order by m.us, m.stream, m.position
        ) as bigint) as turn
    from marks m
    where not m.staging
),
known as (
    select m.stream as stream, m.position as position, min(f.us) as staged_us,
        min(f.staged_at) as staged_at, max(m.turn) as turn
    from turns m
    left join staged f
        on f.repository = m.repository and f.service = m.service and f.kind = m.kind
        and f.mark = m.mark
    group by m.stream, m.position
),
begun as (
    select t.repository as repository, t.service as service, min(t.us) as us
    from staged_steps t
    where t.staging
    group by t.repository, t.service
),
line as (
    select p.stream as stream, p.position as position, p.repository as repository,
        p.service as service, p.start_us as us, 1 as side,
        cast(null as bigint) as blind_us
    from produced p
    union all
    select t.stream as stream, t.position as position, t.repository as repository,
        t.service as service, t.us as us, 0 as side, t.us as blind_us
    from staged_steps t
    where t.staging and (t.content is null or not t.certain)
),
looked_back as (
    select
        n.stream as stream,
        n.position as position,
        n.side as side,
        max(n.blind_us) over (
            partition by n.repository, n.service order by n.us, n.side
            rows between unbounded preceding and current row
        ) as blind_us
    from line n
),
followed as (
    select
        p.stream as stream,
        p.position as position,
        max(p.start_us) over (
            partition by p.stream order by p.position
            rows between unbounded preceding and 1 preceding
        ) as before_us
    from produced p
),
judged as (
    select
        p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, p.us as us, k.staged_us as staged_us,
        k.staged_at as staged_at, k.turn as turn,
        case
            when k.staged_us <= p.start_us then 0
            when b.us is null or b.us > p.start_us then 1
            when p.content is null or not p.certain then 2
            when l.blind_us > coalesce(w.before_us, 0) then 2
            else 3
        end as state
    from produced p
    join looked_back l on l.stream = p.stream and l.position = p.position and l.side = 1
    join followed w on w.stream = p.stream and w.position = p.position
    left join known k on k.stream = p.stream and k.position = p.position
    left join begun b on b.repository = p.repository and b.service = p.service
)
select
    j.source as source,
    j.deployment as deployment,
    j.service as service,
    j.environment as environment,
    case max(j.state)
        when 0 then 'passed' when 1 then 'none' when 2 then 'unknown' else 'skipped'
    end as state,
    case when max(j.state) = 0 then max(j.staged_at) end as staged_at,
    case when max(j.state) = 0 and min(j.turn) = 1 then max(j.us) - max(j.staged_us) end as soak_us
from judged j
group by j.source, j.deployment, j.service, j.environment
