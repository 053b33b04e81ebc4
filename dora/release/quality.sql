-- analysis: quality
-- reads: calendar, ci_runs, deployments, environment_kinds, production_kinds, required_checks, reviews,
--  rules, scope_services, service_map, started_deployments, trunk_checks

-- part: counted
-- rule: The commits that were first built in the window of time, and what each required check said
--  of each. The first word is that of the first attempt that was neither cancelled nor skipped; it
--  is not known where no first attempt is.
with scoped as (
    select distinct m.repository as repository, s.from_day as from_day, s.until_day as until_day
    from service_map m
    join scope_services s on s.service = m.service and s.scope_id = 0
), built as (
    select c.repository as repository, c.sha as sha, min(c.begun_us) as begun_us, min(c.day) as day
    from ci_runs c
    group by c.repository, c.sha
), counted as (
    select distinct b.repository as repository, b.sha as sha, b.begun_us as begun_us
    from built b
    join calendar k on k.day = b.day and k.grain = 'window'
    join scoped s on s.repository = b.repository
    where s.from_day <= b.day and b.day < s.until_day
), runs as (
    select
        r.repository as repository, r.sha as sha, r.name as name, r.attempt as attempt,
        r.status as status, r.ended_us as ended_us, r.us as us, r.url as url, b.begun_us as begun_us,
        row_number() over (
            partition by r.repository, r.sha, r.name
            order by case when r.status in ('succeeded', 'failed', 'running') then 0 else 1 end,
                r.attempt, r.begun_us, r.source, r.build
        ) as place
    from ci_runs r
    join counted b on b.repository = r.repository and b.sha = r.sha
    join required_checks q on q.name = r.name
), checks as (
    select
        r.repository as repository, r.sha as sha, r.name as name,
        min(r.attempt) as first_attempt,
        max(case when r.place = 1 then r.status end) as first_said,
        max(case when r.status = 'succeeded' then 1 else 0 end) as passed,
        max(case when r.status = 'failed' then 1 else 0 end) as failed,
        count(*) as runs,
        sum(case when r.status in ('succeeded', 'failed', 'running') then 0 else 1 end) as cancelled,
        sum(case when r.status = 'running' then 1 else 0 end) as running,
        sum(case when r.status = 'failed' then r.us else 0 end) as failed_us,
        sum(case when r.status = 'failed' and r.us is not null then 1 else 0 end) as timed,
        max(case when r.place = 1 then r.url end) as url
    from runs r
    group by r.repository, r.sha, r.name
)

-- part: commits
, judged as (
    select
        c.repository as repository, c.sha as sha,
        max(case when c.first_attempt = 1 and c.first_said = 'failed' then 1 else 0 end) as failed,
        max(case when c.first_said = 'running' then 1 else 0 end) as running,
        max(case when c.first_attempt > 1 then 1 else 0 end) as unknown,
        max(case when c.first_said in ('succeeded', 'failed') then 1 else 0 end) as said,
        max(case when c.passed + c.failed > 0 then 1 else 0 end) as heard,
        max(case when c.failed = 1 and c.passed = 0 then 1 else 0 end) as stopped
    from checks c
    group by c.repository, c.sha
)
select
    case
        when j.failed = 1 then 'failed'
        when j.running = 1 then 'running'
        when j.unknown = 1 then 'unknown'
        when j.said = 1 then 'passed'
        else 'cancelled'
    end as state,
    count(*) as n,
    sum(j.heard) as heard,
    sum(j.stopped) as stopped
from judged j
group by case
        when j.failed = 1 then 'failed'
        when j.running = 1 then 'running'
        when j.unknown = 1 then 'unknown'
        when j.said = 1 then 'passed'
        else 'cancelled'
    end

-- part: signals
-- rule: From when a commit's first run began until the first required check said something.
select min(r.ended_us) - r.begun_us as us
from runs r
where r.ended_us >= r.begun_us
group by r.repository, r.sha, r.begun_us
order by 1

-- part: flakes
select
    c.name, sum(case when c.passed = 1 then c.failed else 0 end) as flaky,
    sum(case when c.passed + c.failed > 0 then 1 else 0 end) as judged,
    sum(case when c.passed = 1 and c.failed = 1 then c.timed else 0 end) as timed,
    sum(case when c.passed = 1 and c.failed = 1 then c.failed_us else 0 end) as lost_us,
    sum(c.cancelled) as cancelled, sum(c.running) as running
from checks c
group by c.name
order by c.name

-- part: trunk
, homes as (
    select distinct s.repository as repository from scoped s
)
select t.repository, t.from_us, t.until_us, t.red
from trunk_checks t
join required_checks q on q.name = t.name
join homes h on h.repository = t.repository
where t.from_us < $until_us and (t.until_us is null or t.until_us > $since_us)

-- part: reviewed
-- rule: Pull requests that another person reviewed in the window of time.
, asked_for as (
    select
        v.repository as repository, v.number as number,
        max(case when v.state = 'changes_requested' then 1 else 0 end) as stopped
    from reviews v
    cross join rules r
    join calendar k on k.day = dora_day(v.submitted_at) and k.grain = 'window'
    join scoped s on s.repository = v.repository
    where v.by = 'person' and dora_us(v.submitted_at) <= dora_us(r.as_of)
        and s.from_day <= dora_day(v.submitted_at) and dora_day(v.submitted_at) < s.until_day
    group by v.repository, v.number
)
select count(*) as n, coalesce(sum(a.stopped), 0) as stopped
from asked_for a

-- part: before
-- rule: Deployments to staging, and to what is called canary, that did not get through. What counts as
--  production is not staging; of a canary that does, those that got through are judged as such.
, tried as (
    select distinct
        d.source as source, d.id as deployment, d.environment as environment,
        case when lower(d.environment) like '%canary%' then 'canary' else 'staging' end as place,
        d.status = 'failed' as stopped
    from deployments d
    cross join rules r
    join environment_kinds e on e.environment = d.environment and e.tier = coalesce(d.tier, '')
    join service_map m
        on m.repository = d.repository and m.stated = coalesce(d.service, '')
        and m.name in ('*', coalesce(d.name, '')) and m.environment in ('*', d.environment)
    join scope_services s on s.service = m.service and s.scope_id = 0
    join calendar k
        on k.day = dora_day(coalesce(d.finished_at, d.started_at)) and k.grain = 'window'
    left join production_kinds p on p.kind = e.kind
    where case
            when p.kind is null then e.kind = 'staging' or lower(d.environment) like '%canary%'
            else d.status = 'failed' and lower(d.environment) like '%canary%'
        end
        and d.status in ('succeeded', 'failed')
        and dora_us(coalesce(d.finished_at, d.started_at)) <= dora_us(r.as_of)
        and s.from_day <= k.day and k.day < s.until_day
)
select t.place, count(*) as n, sum(case when t.stopped then 1 else 0 end) as stopped
from tried t
group by t.place

-- part: after
select
    case when lower(d.environment) like '%canary%' then 'canary' else 'production' end as place,
    count(*) as n, sum(case when d.failed then 1 else 0 end) as stopped
from started_deployments d
join calendar k on k.day = d.day and k.grain = 'window'
join scope_services s on s.service = d.service and s.scope_id = 0
where s.from_day <= d.day and d.day < s.until_day and d.mature and d.covered
group by case when lower(d.environment) like '%canary%' then 'canary' else 'production' end

-- part: evidence
select
    c.repository, c.name, c.sha, c.first_said, c.failed = 1 and c.passed = 1 as flaky, c.runs,
    c.cancelled, c.running, c.failed_us as seconds, c.url
from checks c
order by c.repository, c.sha, c.name
