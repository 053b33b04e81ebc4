-- analysis: evidence
-- reads: calendar, change_times, ci_runs, commits, excused, production_deployments, production_steps, pull_request_times,
--  pull_requests, reviews, schedules, scope_services, spans, staged_deployments, started_deployments, wanted_checks

-- part: counted
-- rule: What each control says of each deployment: passed, exception, unknown, or none where there
--  is nothing to control.
with numbered as (
    select
        cast(row_number() over (
            order by d.us, d.service, d.environment, d.deployment, d.source
        ) as bigint) as place,
        d.source as source, d.deployment as deployment, d.service as service,
        d.environment as environment, d.started_at as started_at, d.us as us,
        d.rework_kind as rework_kind, d.amid_incident as amid_incident, d.labels as labels,
        d.version as version, d.url as url
    from started_deployments d
    join calendar c on c.day = d.day and c.grain = 'window'
    join scope_services s on s.service = d.service and s.scope_id = 0
    where s.from_day <= d.day and d.day < s.until_day
), steps as (
    select n.place as place, t.step as step, t.repository as repository, t.commit_id as commit_id
    from numbered n
    join production_steps t
        on t.source = n.source and t.deployment = n.deployment
        and t.service = n.service and t.environment = n.environment
), resolved as (
    select t.place as place
    from steps t
    group by t.place
    having count(*) = count(t.commit_id)
), deployed as (
    select
        n.place as place, n.source as source, n.deployment as deployment, n.service as service,
        n.environment as environment, n.started_at as started_at, n.us as us,
        dora_us(p.finished_at) as finished_us, n.rework_kind as rework_kind,
        n.amid_incident as amid_incident, n.labels as labels,
        n.version as version, n.url as url, p.repository as repository,
        coalesce(m.sha, p.sha) as sha, k.place is not null as known, p.baseline as baseline,
        p.fixes is not null or p.rolls_back is not null as states_repair
    from numbered n
    join production_deployments p
        on p.source = n.source and p.deployment = n.deployment
        and p.service = n.service and p.environment = n.environment
    left join steps t on t.place = n.place and t.repository = p.repository
    left join commits m on m.commit_id = t.commit_id
    left join resolved k on k.place = n.place
),
-- Of what a deployment delivers: which came by a pull request, and which of these another person
-- had approved before it was merged.
approvals as (
    select q.pull_request_id as pull_request_id, min(dora_us(v.submitted_at)) as us
    from reviews v
    join pull_request_times q on q.repository = v.repository and q.number = v.number
    where v.by = 'person' and v.state = 'approved'
    group by q.pull_request_id
), with_pulls as (
    select distinct q.repository as repository from pull_requests q
), with_reviews as (
    select distinct v.repository as repository from reviews v
), delivering as (
    select
        t.place as place, t.step as step, l.repository is null as pulls_unknown,
        n.repository is null as reviews_unknown
    from steps t
    left join with_pulls l on l.repository = t.repository
    left join with_reviews n on n.repository = t.repository
), delivered as (
    select
        d.place as place,
        count(*) as changes,
        sum(case when q.known then 1 else 0 end) as pulled,
        sum(case when a.us <= dora_us(q.merged_at) then 1 else 0 end) as approved,
        max(case when d.pulls_unknown then 1 else 0 end) as pulls_unknown,
        max(case when d.reviews_unknown then 1 else 0 end) as reviews_unknown
    from change_times t
    join delivering d on d.step = t.step
    left join pull_request_times q on q.pull_request_id = t.pull_request_id
    left join approvals a on a.pull_request_id = t.pull_request_id
    where t.left_out is null or t.left_out <> 'before the record'
    group by d.place
),
-- What the newest attempt at each check of the deployed commit had said when it started. One that
-- was under way for all of the deployment may be what made it, and then says nothing of it.
tried as (
    select
        p.place as place, w.pattern as pattern,
        case when r.status = 'succeeded' and r.ended_us <= p.us then 1 else 0 end as green,
        case
            when r.status = 'running' then 1
            when r.status = 'succeeded' and r.ended_us >= p.finished_us then 1
            else 0
        end as around,
        row_number() over (
            partition by p.place, w.pattern, r.name
            order by r.attempt desc, r.begun_us desc, r.build
        ) as turn
    from deployed p
    join ci_runs r on r.repository = p.repository and r.sha = p.sha
    join wanted_checks w on w.name = r.name
    where r.begun_us <= p.us
), checked as (
    select t.place as place, t.pattern as pattern, min(t.green) as green,
        min(case when t.green + t.around > 0 then 1 else 0 end) as open
    from tried t
    where t.turn = 1
    group by t.place, t.pattern
), passed as (
    select c.place as place, sum(c.green) as green, sum(c.open) as open
    from checked c
    group by c.place
), wanted as (
    select count(distinct w.pattern) as patterns, max(w.stated) as stated from wanted_checks w
), built as (
    select distinct r.repository as repository from ci_runs r
), governed as (
    select distinct p.schedule as schedule from spans p where p.sort = 'window'
), frozen as (
    select distinct p.schedule as schedule from spans p where p.sort = 'closed'
), controlled as (
    select
        p.place as place, p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, p.started_at as started_at, p.version as version,
        p.repository as repository, p.sha as sha, p.url as url,
        case
            when d.changes is null
                then case when p.known and not p.baseline then 'none' else 'unknown' end
            when d.approved = d.changes then 'passed'
            when d.pulls_unknown + d.reviews_unknown > 0 then 'unknown'
            else 'exception'
        end as reviewed,
        case
            when c.green = a.patterns then 'passed'
            when c.open = a.patterns then 'unknown'
            when c.place is null and (a.stated = 0 or b.repository is null) then 'unknown'
            when p.known then 'exception'
            else 'unknown'
        end as checks,
        case coalesce(t.state, 'unknown')
            when 'skipped' then 'exception' else coalesce(t.state, 'unknown')
        end as staging,
        case
            when g.schedule is null then 'none'
            when w.schedule is not null then 'passed'
            else 'exception'
        end as "window",
        case
            when f.schedule is null then 'none'
            when z.schedule is null or p.amid_incident or p.rework_kind is not null then 'passed'
            when e.excused = 1 then 'passed'
            -- Of a freeze that began before the window it is not known which labels it exempts.
            when e.excused is null and p.labels is not null then 'unknown'
            else 'exception'
        end as freeze,
        case
            when p.states_repair then 'passed'
            when d.changes is null
                then case when p.known and not p.baseline then 'none' else 'unknown' end
            when d.pulled = d.changes then 'passed'
            when d.pulls_unknown > 0 then 'unknown'
            else 'exception'
        end as linked
    from deployed p
    cross join wanted a
    left join delivered d on d.place = p.place
    left join passed c on c.place = p.place
    left join built b on b.repository = p.repository
    left join schedules h on h.service = p.service and h.environment = p.environment
    left join governed g on g.schedule = h.schedule
    left join frozen f on f.schedule = h.schedule
    left join spans w on w.schedule = h.schedule and w.sort = 'window'
        and w.from_us <= p.us and p.us < w.until_us
    left join spans z on z.schedule = h.schedule and z.sort = 'closed'
        and z.from_us <= p.us and p.us < z.until_us
    left join excused e
        on e.deployment = p.deployment and e.service = p.service and e.environment = p.environment
    left join staged_deployments t
        on t.source = p.source and t.deployment = p.deployment
        and t.service = p.service and t.environment = p.environment
)

-- part: counts
select
    c.reviewed, c.checks, c.staging, c."window", c.freeze, c.linked, count(*) as n
from controlled c
group by c.reviewed, c.checks, c.staging, c."window", c.freeze, c.linked

-- part: evidence
select
    c.deployment, c.service, c.environment, c.started_at, c.version, c.repository, c.sha,
    c.reviewed, c.checks, c.staging, c."window", c.freeze, c.linked,
    substr(
        case c.reviewed when 'exception' then ', reviewed'
            when 'unknown' then ', reviewed: unknown' else '' end
        || case c.checks when 'exception' then ', checks'
            when 'unknown' then ', checks: unknown' else '' end
        || case c.staging when 'exception' then ', staging'
            when 'unknown' then ', staging: unknown' else '' end
        || case c."window" when 'exception' then ', window'
            when 'unknown' then ', window: unknown' else '' end
        || case c.freeze when 'exception' then ', freeze'
            when 'unknown' then ', freeze: unknown' else '' end
        || case c.linked when 'exception' then ', linked'
            when 'unknown' then ', linked: unknown' else '' end,
        3
    ) as exceptions,
    c.url
from controlled c
order by c.place
