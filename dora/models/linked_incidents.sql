-- grain: an incident known by now, and a service that it hurt (null where no service is mapped
--  to it)
-- key: source, incident, service
-- reads: deployment_failures, deployments_before_incidents, known_incidents, rules
-- rule: An incident that no rule links to a deployment is no change failure, and is listed with
--  the reason.
with
links as (
    select f.incident_source as source, f.incident as incident, min(f.rule) as rule
    from deployment_failures f
    where f.decides and f.incident is not null
    group by f.incident_source, f.incident
)
select
    k.source as source,
    k.incident as incident,
    k.service as service,
    k.detected_at as detected_at,
    k.resolved_at as resolved_at,
    k.open as open,
    case
        when k.standing <> 'counts' then k.standing
        when n.incident is not null then 'linked'
        when k.service is null then 'unmapped'
        else 'unlinked'
    end as state,
    case
        when k.standing = 'invalid' then 'resolved before it was detected'
        when k.standing = 'duplicate' then 'repeats ' || k.original
        when k.standing = 'external' then 'caused outside'
        when k.standing = 'not planned' then 'closed as not planned'
        when k.standing = 'less severe' then 'its severity is below the threshold'
        when n.incident is not null then n.rule
        when k.service is null then 'no service is mapped to it'
        when not r.rule_window then 'it states no deployment'
        when r.incident_link = 'last_of_any' then 'no deployment finished shortly enough before it'
        when b.incident is null then 'no deployment of its service came before it'
        else 'the last deployment of its service finished too long before it'
    end as reason,
    k.url as url
from known_incidents k
cross join rules r
left join links n on n.source = k.source and n.incident = k.incident
left join deployments_before_incidents b
    on b.incident_source = k.source and b.incident = k.incident and b.service = k.service
