-- grain: an incident known by now, and a service that it hurt (null where none is mapped to it)
-- key: source, incident, service
-- reads: linked_incidents, rules
-- rule: It counts unless it repeats another, came from outside or was closed as not planned. One
--  that is open after thirty days counts as one whose end nobody wrote down.
select
    i.source as source,
    i.incident as incident,
    i.service as service,
    dora_day(i.detected_at) as day,
    i.state in ('linked', 'unlinked', 'unmapped') as counts,
    i.state = 'invalid' as invalid,
    i.state = 'linked' as linked,
    i.resolved_at is not null
        or dora_us(r.as_of) - dora_us(i.detected_at) <= 2592000000000 as ended
from linked_incidents i
cross join rules r
