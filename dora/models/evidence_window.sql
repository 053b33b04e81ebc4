-- grain: an incident, and the deployment that finished shortly before it
-- key: incident_source, incident, service
-- reads: deployments_before_incidents, rules
-- rule: Detection no longer after the finish than the failure window, both ends included; a
--  window of null has no end.
select
    b.source as source,
    b.deployment as deployment,
    b.service as service,
    b.environment as environment,
    b.incident_source as incident_source,
    b.incident as incident,
    b.gap_us as gap_us
from deployments_before_incidents b
cross join rules r
where b.gap_us >= 0 and (r.failure_window_us is null or b.gap_us <= r.failure_window_us)
