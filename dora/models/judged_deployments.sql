-- grain: an attempt to deploy a service to a production environment
-- key: source, deployment, service, environment
-- reads: covered_services, deployment_failures, known_incidents, production_deployments,
--  production_sequence, repairing_deployments, rules
-- rule: Failed if any evidence decides so; it shows the strongest, of equals the incident
--  noticed first; links counts the incidents that decide. Mature at the age the rules ask for, pending before; whether younger ones
--  have evidence already is shown, not counted.
with
incident_times as (
    select distinct k.source as source, k.incident as incident, dora_us(k.detected_at) as us
    from known_incidents k
),
strongest as (
    select
        f.source as source,
        f.deployment as deployment,
        f.service as service,
        f.environment as environment,
        f.rule as rule,
        f.confidence as confidence,
        f.incident_source as incident_source,
        f.incident as incident,
        sum(case when f.incident is null then 0 else 1 end) over (
            partition by f.source, f.deployment, f.service, f.environment
        ) as links,
        cast(row_number() over (
            partition by f.source, f.deployment, f.service, f.environment
            order by f.strength, case when f.incident is null then 1 else 0 end,
                coalesce(i.us, 0), coalesce(f.incident_source, ''), coalesce(f.incident, '')
        ) as bigint) as choice
    from deployment_failures f
    left join incident_times i on i.source = f.incident_source and i.incident = f.incident
    where f.decides
),
covered as (
    select distinct c.service as service from covered_services c
),
rollbacks as (
    select q.source as source, q.deployment as deployment, q.service as service,
        q.environment as environment
    from production_sequence q
    where q.rollback
)
select
    p.source as source,
    p.deployment as deployment,
    p.service as service,
    p.environment as environment,
    p.repository as repository,
    p.version as version,
    p.sha as sha,
    p.status as status,
    p.succeeded as succeeded,
    p.started_at as started_at,
    p.finished_at as finished_at,
    p.baseline as baseline,
    b.deployment is not null or p.rolls_back is not null as rollback,
    p.inferred as inferred,
    p.unplanned as unplanned,
    p.fixes as fixes,
    p.rolls_back as rolls_back,
    p.failure_label as failure_label,
    p.url as url,
    p.succeeded and dora_us(r.as_of) - dora_us(p.finished_at) >= r.maturity_us as mature,
    p.succeeded and dora_us(r.as_of) - dora_us(p.finished_at) < r.maturity_us as pending,
    f.deployment is not null as failed,
    f.rule as rule,
    f.confidence as confidence,
    f.incident_source as incident_source,
    f.incident as incident,
    cast(coalesce(f.links, 0) as bigint) as links,
    c.service is not null as covered,
    w.kind as rework_kind,
    w.repairs as repairs
from production_deployments p
cross join rules r
left join strongest f
    on f.source = p.source and f.deployment = p.deployment
    and f.service = p.service and f.environment = p.environment and f.choice = 1
left join covered c on c.service = p.service
left join rollbacks b
    on b.source = p.source and b.deployment = p.deployment
    and b.service = p.service and b.environment = p.environment
left join repairing_deployments w
    on w.source = p.source and w.deployment = p.deployment
    and w.service = p.service and w.environment = p.environment
