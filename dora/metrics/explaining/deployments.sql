-- grain: an attempt to deploy to production, and a piece of evidence that it failed
-- reads: deployment_failures, judged_deployments, scope_services, calendar
-- rule: An attempt that nothing speaks against has one row, without evidence

-- part: counted
with services_of_scope as (
    select distinct service, from_day, until_day from scope_services where scope_id = 0
), attempts as (
    select j.*, dora_day(coalesce(j.finished_at, j.started_at)) as day
    from judged_deployments j
    join services_of_scope s
        on s.service = j.service
        and (coalesce(j.finished_at, j.started_at) is null
            or (s.from_day <= dora_day(coalesce(j.finished_at, j.started_at))
                and dora_day(coalesce(j.finished_at, j.started_at)) < s.until_day))
), told as (
    select
        j.deployment, j.service, j.environment, j.finished_at,
        case
            when not j.succeeded or not j.covered then 'not judged'
            when j.pending then 'pending'
            when j.failed then 'failed'
            else 'fine'
        end as standing,
        case when j.succeeded then 'succeeded' else j.status end as status,
        f.rule, f.confidence, f.incident, f.repair_deployment as repaired_by, f.gap_us as seconds,
        f.decides, j.url, j.day, f.strength
    from attempts j
    left join deployment_failures f
        on f.source = j.source and f.deployment = j.deployment
        and f.service = j.service and f.environment = j.environment
)

-- part: named
select t.* from told t
where dora_matches(t.deployment, $name)
order by t.finished_at, t.service, t.environment, t.deployment, t.strength, t.incident, t.repaired_by

-- part: within
select t.* from told t
join calendar c on c.day = t.day and c.grain = 'window'
order by t.finished_at, t.service, t.environment, t.deployment, t.strength, t.incident, t.repaired_by
