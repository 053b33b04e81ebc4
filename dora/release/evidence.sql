-- analysis: evidence
-- reads: calendar, ci_runs, commits, delivered_changes, production_deployments,
--  production_steps, pull_requests, reviews, schedules, scope_services, spans, staged_deployments, started_deployments

-- part: counted
with counted as (
    select d.source, d.deployment, d.service, d.environment, d.started_at, d.us, d.rework_kind,
        d.amid_incident, d.labels, d.version, d.url, p.repository,
        coalesce(m.sha, p.sha) as sha,
        p.fixes is not null or p.rolls_back is not null as states_repair,
        p.baseline
    from started_deployments d
    join production_deployments p
        on p.source = d.source and p.deployment = d.deployment
        and p.service = d.service and p.environment = d.environment
    join calendar c on c.day = d.day and c.grain = 'window'
    join scope_services s on s.service = d.service and s.scope_id = 0
    left join production_steps t
        on t.source = d.source and t.deployment = d.deployment and t.service = d.service
        and t.environment = d.environment and t.repository = p.repository
    left join commits m on m.commit_id = t.commit_id
    where s.from_day <= d.day and d.day < s.until_day
)

-- part: deployments
, governed as (
    select distinct p.schedule as schedule from spans p where p.sort = 'window'
), frozen as (
    select distinct p.schedule as schedule from spans p where p.sort = 'closed'
), resolved as (
    select t.source as source, t.deployment as deployment, t.service as service,
        t.environment as environment
    from production_steps t
    group by t.source, t.deployment, t.service, t.environment
    having count(*) = count(t.commit_id)
)
select
    p.source, p.deployment, p.service, p.environment, p.repository, p.sha, p.version, p.started_at,
    p.us, k.deployment is not null as known, p.rework_kind, p.amid_incident, p.labels, p.states_repair, p.baseline, p.url,
    coalesce(t.state, 'unknown') as staged,
    case when g.schedule is not null then 1 else 0 end as has_windows,
    case when w.schedule is not null then 1 else 0 end as inside,
    case when f.schedule is not null then 1 else 0 end as has_freezes,
    case when z.schedule is not null then 1 else 0 end as frozen
from counted p
left join resolved k
    on k.source = p.source and k.deployment = p.deployment
    and k.service = p.service and k.environment = p.environment
left join schedules h on h.service = p.service and h.environment = p.environment
left join governed g on g.schedule = h.schedule
left join frozen f on f.schedule = h.schedule
left join spans w on w.schedule = h.schedule and w.sort = 'window'
    and w.from_us <= p.us and p.us < w.until_us
left join spans z on z.schedule = h.schedule and z.sort = 'closed'
    and z.from_us <= p.us and p.us < z.until_us
left join staged_deployments t
    on t.source = p.source and t.deployment = p.deployment
    and t.service = p.service and t.environment = p.environment
order by p.us, p.service, p.environment, p.deployment

-- part: changes
-- rule: Of what a deployment delivers: which came by a pull request, and which of these another
--  person had approved before it was merged.
, approvals as (
    select v.repository as repository, v.number as number, min(dora_us(v.submitted_at)) as us
    from reviews v
    where v.by = 'person' and v.state = 'approved'
    group by v.repository, v.number
), with_pulls as (
    select distinct q.repository as repository from pull_requests q
), with_reviews as (
    select distinct v.repository as repository from reviews v
)
select
    p.source, p.deployment, p.service, p.environment,
    count(*) as changes,
    sum(case when q.number is not null then 1 else 0 end) as pulled,
    sum(case when a.us <= dora_us(q.merged_at) then 1 else 0 end) as approved,
    sum(case when l.repository is null then 1 else 0 end) as pulls_unknown,
    sum(case when n.repository is null then 1 else 0 end) as reviews_unknown
from counted p
join delivered_changes d
    on d.source = p.source and d.deployment = p.deployment
    and d.service = p.service and d.environment = p.environment
left join pull_requests q on q.repository = d.repository and q.number = d.pull_request
left join approvals a on a.repository = q.repository and a.number = q.number
left join with_pulls l on l.repository = d.repository
left join with_reviews n on n.repository = d.repository
where d.left_out is null or d.left_out <> 'before the record'
group by p.source, p.deployment, p.service, p.environment

-- part: runs
-- rule: What the newest attempt at each check of the deployed commit had said when it started.
, tried as (
    select
        p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, r.name as name,
        case when r.status = 'succeeded' and r.ended_us <= p.us then 1 else 0 end as green,
        row_number() over (
            partition by p.source, p.deployment, p.service, p.environment, r.name
            order by r.attempt desc, r.begun_us desc, r.build
        ) as place
    from counted p
    join ci_runs r on r.repository = p.repository and r.sha = p.sha
    where r.begun_us <= p.us
)
select t.source, t.deployment, t.service, t.environment, t.name, t.green
from tried t
where t.place = 1

-- part: built
select distinct b.repository from ci_runs b
