-- grain: a failed production deployment; where the rules ask for recovery of incidents, an
--  incident and its service
-- key: source, deployment, service, environment, incident_source, incident
-- reads: deployment_failures, incident_ends, judged_deployments, known_incidents,
--  production_deployments, production_sequence, rules
-- rule: With incidents linked, from the earliest detection to the latest resolution, open while
--  one is open; it ended by what ended the incident resolved last, as far as that is known.
--  Without, from the deployment's finish to the finish of its first repair, open while there is
--  none. Of incidents: from detection to resolution, of any, or of those that are linked. Where a
--  rule says so, from the finish of the deployment, or from whichever was earlier.
with
incident_times as (
    select distinct k.source as source, k.incident as incident, k.detected_at as detected_at,
        k.resolved_at as resolved_at, k.open as open, e.kind as kind, k.url as url
    from known_incidents k
    left join incident_ends e on e.source = k.source and e.incident = k.incident
),
incident_links as (
    select
        f.source as source,
        f.deployment as deployment,
        f.service as service,
        f.environment as environment,
        f.incident_source as incident_source,
        f.incident as incident,
        i.kind as kind,
        i.url as url,
        min(i.detected_at) over (
            partition by f.source, f.deployment, f.service, f.environment
        ) as failed_at,
        max(i.resolved_at) over (
            partition by f.source, f.deployment, f.service, f.environment
        ) as resolved_at,
        max(case when i.open then 1 else 0 end) over (
            partition by f.source, f.deployment, f.service, f.environment
        ) as still_open,
        cast(row_number() over (
            partition by f.source, f.deployment, f.service, f.environment
            order by dora_us(i.detected_at), f.incident_source, f.incident
        ) as bigint) as choice,
        cast(row_number() over (
            partition by f.source, f.deployment, f.service, f.environment
            order by coalesce(dora_us(i.resolved_at), 0) desc, f.incident_source, f.incident
        ) as bigint) as last_choice
    from deployment_failures f
    join incident_times i on i.source = f.incident_source and i.incident = f.incident
    where f.decides
),
repairs as (
    select
        f.source as source,
        f.deployment as deployment,
        f.service as service,
        f.environment as environment,
        f.repair_kind as kind,
        q.finished_at as finished_at,
        cast(row_number() over (
            partition by f.source, f.deployment, f.service, f.environment
            order by q.us, f.strength, f.repair_kind desc
        ) as bigint) as choice
    from deployment_failures f
    join production_sequence q
        on q.source = f.repair_source and q.deployment = f.repair_deployment
        and q.service = f.repair_service and q.environment = f.repair_environment
    where f.decides
),
failed as (
    select
        j.source as source,
        j.deployment as deployment,
        j.environment as environment,
        i.incident_source as incident_source,
        i.incident as incident,
        j.service as service,
        case
            when i.incident is null or r.recovery_start = 'deployment'
                then coalesce(j.finished_at, j.started_at)
            when r.recovery_start = 'earlier' and dora_us(j.finished_at) < dora_us(i.failed_at)
                then j.finished_at
            else i.failed_at
        end as failed_at,
        case
            when i.still_open = 1 then null
            when i.incident is not null then i.resolved_at
            else b.finished_at
        end as recovered_at,
        case
            when i.incident is not null then coalesce(n.kind, 'incident resolved')
            else b.kind
        end as kind,
        j.rule as rule,
        cast(null as varchar) as standing,
        case when i.incident is not null then coalesce(i.url, j.url) else j.url end as url
    from judged_deployments j
    cross join rules r
    left join incident_links i
        on i.source = j.source and i.deployment = j.deployment
        and i.service = j.service and i.environment = j.environment and i.choice = 1
    left join incident_links n
        on n.source = j.source and n.deployment = j.deployment
        and n.service = j.service and n.environment = j.environment and n.last_choice = 1
    left join repairs b
        on b.source = j.source and b.deployment = j.deployment
        and b.service = j.service and b.environment = j.environment and b.choice = 1
    where r.caused_by = 'deployment' and j.failed
),
blamed as (
    select
        f.source as source,
        f.deployment as deployment,
        f.service as service,
        f.environment as environment,
        f.incident_source as incident_source,
        f.incident as incident,
        f.rule as rule,
        k.service as incident_service,
        cast(row_number() over (
            partition by k.source, k.incident, k.service
            order by case when f.service = k.service then 0 else 1 end,
                coalesce(q.us, 0) desc, f.service, f.environment, f.source, f.deployment
        ) as bigint) as choice
    from deployment_failures f
    join known_incidents k on k.source = f.incident_source and k.incident = f.incident
    left join production_sequence q
        on q.source = f.source and q.deployment = f.deployment
        and q.service = f.service and q.environment = f.environment
    where f.decides
),
every as (
    select
        f.source as source,
        f.deployment as deployment,
        f.environment as environment,
        k.source as incident_source,
        k.incident as incident,
        coalesce(k.service, f.service) as service,
        case
            when r.recovery_start = 'deployment' then coalesce(p.finished_at, k.detected_at)
            when r.recovery_start = 'earlier' and dora_us(p.finished_at) < dora_us(k.detected_at)
                then p.finished_at
            else k.detected_at
        end as failed_at,
        k.resolved_at as recovered_at,
        coalesce(n.kind, 'incident resolved') as kind,
        f.rule as rule,
        case
            when k.standing = 'counts' then null
            when k.standing = 'external' and r.external_incidents then null
            else k.standing
        end as standing,
        k.url as url
    from known_incidents k
    cross join rules r
    left join blamed f
        on f.incident_source = k.source and f.incident = k.incident
        and coalesce(f.incident_service, '') = coalesce(k.service, '') and f.choice = 1
    left join production_deployments p
        on p.source = f.source and p.deployment = f.deployment
        and p.service = f.service and p.environment = f.environment
    left join incident_ends n on n.source = k.source and n.incident = k.incident
    where r.caused_by = 'any' or (r.caused_by = 'linked' and f.incident is not null)
),
either as (
    select f.source as source, f.deployment as deployment, f.environment as environment,
        f.incident_source as incident_source, f.incident as incident, f.service as service,
        f.failed_at as failed_at, f.recovered_at as recovered_at, f.kind as kind,
        f.rule as rule, f.standing as standing, f.url as url
    from failed f
    union all
    select e.source as source, e.deployment as deployment, e.environment as environment,
        e.incident_source as incident_source, e.incident as incident, e.service as service,
        e.failed_at as failed_at, e.recovered_at as recovered_at, e.kind as kind,
        e.rule as rule, e.standing as standing, e.url as url
    from every e
)
select
    e.source as source,
    e.deployment as deployment,
    e.environment as environment,
    e.incident_source as incident_source,
    e.incident as incident,
    e.service as service,
    e.failed_at as failed_at,
    e.recovered_at as recovered_at,
    dora_us(e.recovered_at) - dora_us(e.failed_at) as us,
    e.recovered_at is null as open,
    case when e.recovered_at is not null then e.kind end as kind,
    e.rule as rule,
    case
        when e.standing is not null then e.standing
        when e.failed_at is null then 'no time of failure'
        when dora_us(e.recovered_at) < dora_us(e.failed_at) then 'negative duration'
    end as left_out,
    e.url as url
from either e
