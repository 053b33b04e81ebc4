-- grain: an incident known by now, and a service that it hurt (null where none is mapped to it)
-- key: source, incident, service
-- reads: linked_incidents, rules
-- rule: It counts unless it repeats another, came from outside or was closed as not planned. One
--  that is open after thirty days counts as one whose end nobody wrote down. One of the same
--  service that another source detected within five minutes before is taken for it told twice.
with
counting as (
    select
        i.source as source,
        i.incident as incident,
        i.service as service,
        dora_us(i.detected_at) - lag(dora_us(i.detected_at)) over (
            partition by i.service order by dora_us(i.detected_at), i.source, i.incident
        ) as since_us,
        lag(i.source) over (
            partition by i.service order by dora_us(i.detected_at), i.source, i.incident
        ) as earlier_source
    from linked_incidents i
    where i.state in ('linked', 'unlinked') and i.service is not null
),
repeated as (
    select c.source as source, c.incident as incident, c.service as service
    from counting c
    where c.earlier_source <> c.source and c.since_us <= 300000000
)
select
    i.source as source,
    i.incident as incident,
    i.service as service,
    dora_day(i.detected_at) as day,
    i.state in ('linked', 'unlinked', 'unmapped') as counts,
    i.state = 'invalid' as invalid,
    i.state = 'linked' as linked,
    i.resolved_at is not null
        or dora_us(r.as_of) - dora_us(i.detected_at) <= 2592000000000 as ended,
    t.incident is null as told_once
from linked_incidents i
cross join rules r
left join repeated t
    on t.source = i.source and t.incident = i.incident and t.service = i.service
