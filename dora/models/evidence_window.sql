-- grain: an incident, and the deployment that finished shortly before it
-- key: incident_source, incident, source, deployment, service, environment
-- reads: deployments_around_incidents, deployments_before_incidents, rules
-- rule: Detection no longer after the finish than the failure window, both ends included; a
--  window of null has no end. Which deployment is meant, a rule says: by default the last of the
--  incident's service.
with
found as (
    select b.source as source, b.deployment as deployment, b.service as service,
        b.environment as environment, b.incident_source as incident_source,
        b.incident as incident, b.gap_us as gap_us
    from deployments_before_incidents b
    cross join rules r
    where r.incident_link <> 'last_of_any'
    union all
    select a.source as source, a.deployment as deployment, a.service as service,
        a.environment as environment, a.incident_source as incident_source,
        a.incident as incident, a.gap_us as gap_us
    from deployments_around_incidents a
)
select
    f.source as source,
    f.deployment as deployment,
    f.service as service,
    f.environment as environment,
    f.incident_source as incident_source,
    f.incident as incident,
    f.gap_us as gap_us
from found f
cross join rules r
where (f.gap_us >= 0 or r.incident_link = 'while_open')
    and (r.failure_window_us is null or f.gap_us <= r.failure_window_us)
