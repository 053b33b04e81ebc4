-- grain: an incident that is asked for, and a deployment that it could be put down to
-- reads: asked_incidents, deployment_failures, deployments_before_incidents, production_deployments, production_sequence, rules
-- rule: All that any rule finds, and whether it decides; then of each of its services the three last
--  deployments before it, within the failure window or else the last alone, and the first after it

-- part: rows
with found as (
    select f.incident_source, f.incident, f.source, f.deployment, f.service, f.environment,
        f.rule, f.confidence, f.gap_us,
        case when f.decides then 'linked' else 'a stronger rule decides' end as outcome
    from deployment_failures f
    join (select distinct source, incident from asked_incidents) a
        on a.source = f.incident_source and a.incident = f.incident
), around as (
    select a.source as incident_source, a.incident, q.source, q.deployment, q.service,
        q.environment, q.rollback, a.us - q.us as gap_us,
        row_number() over (
            partition by a.source, a.incident, a.service, case when q.us <= a.us then 1 else 0 end
            order by abs(a.us - q.us), case when q.us <= a.us then -q.service_place else q.service_place end
        ) as turn
    from asked_incidents a
    join production_sequence q on q.service = a.service
), near as (
    select n.*, r.failure_window_us, r.rule_window, r.incident_link
    from around n
    cross join rules r
    where n.turn = 1
        or (n.turn <= 3 and n.gap_us >= 0
            and (r.failure_window_us is null or n.gap_us <= r.failure_window_us))
), others as (
    select n.incident_source, n.incident, n.source, n.deployment, n.service, n.environment,
        n.gap_us,
        case
            when n.gap_us < 0 then 'finished only after it was detected'
            when n.turn > 1 then 'not the last one before it'
            when n.rollback and n.incident_link = 'last_of_service'
                then 'a rollback: what it undid is meant'
            when n.gap_us > n.failure_window_us then 'finished too long before it'
            when not n.rule_window then 'the window is not asked'
            else 'another one is meant'
        end as outcome
    from near n
    left join found f
        on f.incident_source = n.incident_source and f.incident = n.incident
        and f.source = n.source and f.deployment = n.deployment
        and f.service = n.service and f.environment = n.environment
    where f.incident is null
), undone as (
    select b.incident_source, b.incident, b.source, b.deployment, b.service, b.environment,
        b.gap_us, 'finished too long before it' as outcome
    from deployments_before_incidents b
    join (select distinct source, incident from asked_incidents) a
        on a.source = b.incident_source and a.incident = b.incident
    left join found f
        on f.incident_source = b.incident_source and f.incident = b.incident
        and f.source = b.source and f.deployment = b.deployment
        and f.service = b.service and f.environment = b.environment
    left join others o
        on o.incident_source = b.incident_source and o.incident = b.incident
        and o.source = b.source and o.deployment = b.deployment
        and o.service = b.service and o.environment = b.environment
    cross join rules r
    where f.incident is null and o.incident is null
        and b.gap_us > r.failure_window_us
), every as (
    select incident_source, incident, source, deployment, service, environment, rule, confidence,
        gap_us, outcome
    from found
    union all
    select incident_source, incident, source, deployment, service, environment,
        cast(null as varchar) as rule, cast(null as varchar) as confidence, gap_us, outcome
    from others
    union all
    select incident_source, incident, source, deployment, service, environment,
        cast(null as varchar) as rule, cast(null as varchar) as confidence, gap_us, outcome
    from undone
)
select
    e.incident_source, e.incident, e.deployment, e.service as deployment_service, e.environment,
    p.finished_at, e.rule, e.confidence, e.gap_us as seconds, e.outcome
from every e
join production_deployments p
    on p.source = e.source and p.deployment = e.deployment
    and p.service = e.service and p.environment = e.environment
order by e.incident_source, e.incident, case when e.outcome = 'linked' then 0 else 1 end,
    abs(e.gap_us), e.deployment, e.service, e.environment, e.rule
