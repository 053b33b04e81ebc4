-- grain: an incident that is over, of which is known what ended it
-- key: source, incident
-- reads: deployment_failures, flag_states, known_incidents, production_sequence, rules
-- rule: The last, between detection and end, of the repairs of the deployments it is linked to
--  (rollback, revert, fix forward), and of the flags of its services that were turned off in
--  production no longer before its end than the flag window (flag off).
with
turned_off as (
    select distinct f.service as service, f.us as us
    from flag_states f
    where f.turned_off and f.in_production
),
ended as (
    select
        k.source as source,
        k.incident as incident,
        k.service as service,
        dora_us(k.detected_at) as detected_us,
        dora_us(k.resolved_at) as resolved_us
    from known_incidents k
    where k.resolved_at is not null
),
links as (
    select distinct
        f.incident_source as incident_source,
        f.incident as incident,
        b.repair_kind as kind,
        q.us as us
    from deployment_failures f
    join deployment_failures b
        on b.source = f.source and b.deployment = f.deployment
        and b.service = f.service and b.environment = f.environment
    join production_sequence q
        on q.source = b.repair_source and q.deployment = b.repair_deployment
        and q.service = b.repair_service and q.environment = b.repair_environment
    where f.decides and f.incident is not null and b.decides and b.repair_deployment is not null
),
ends as (
    select o.source as source, o.incident as incident, n.kind as kind, n.us as us
    from ended o
    join links n on n.incident_source = o.source and n.incident = o.incident
    where n.us >= o.detected_us and n.us <= o.resolved_us
    union all
    select o.source as source, o.incident as incident, 'flag off' as kind, t.us as us
    from ended o
    cross join rules r
    join turned_off t on t.service = o.service
    where t.us >= o.detected_us and t.us <= o.resolved_us
        and o.resolved_us - t.us <= r.flag_window_us
),
ordered as (
    select
        e.source as source,
        e.incident as incident,
        e.kind as kind,
        cast(row_number() over (
            partition by e.source, e.incident order by e.us desc, e.kind desc
        ) as bigint) as choice
    from ends e
)
select o.source as source, o.incident as incident, o.kind as kind
from ordered o
where o.choice = 1
