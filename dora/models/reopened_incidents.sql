-- grain: an incident that was closed and opened again, and a service that it hurt (null where none
--  is mapped to it)
-- key: source, incident, service
-- reads: incidents, known_incidents, rules
-- rule: Of the incidents that count, those whose first close is known by now and that were opened
--  again. How often is as the source tells it today.
select
    k.source as source,
    k.incident as incident,
    k.service as service,
    dora_day(k.detected_at) as day,
    k.detected_at as detected_at,
    i.first_resolved_at as first_resolved_at,
    k.resolved_at as resolved_at,
    i.reopenings as reopenings,
    k.url as url
from known_incidents k
cross join rules r
join incidents i on i.source = k.source and i.id = k.incident
where k.standing = 'counts' and i.reopenings > 0
    and (i.first_resolved_at is null or i.first_resolved_at <= r.as_of)
