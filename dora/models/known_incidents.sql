-- grain: an incident known by now, and a service that it hurt (null where no service is mapped
--  to it)
-- key: source, incident, service
-- reads: incidents, incident_services, rules
-- rule: An incident that ends before it begins is invalid. A duplicate follows its original,
--  however long the chain; one whose original is unknown stands for itself, and so does the
--  first of a circle; unless a rule counts duplicates, too. External causes and, unless a rule
--  says otherwise, incidents closed as not planned do not count, nor do those that state a
--  severity below the threshold. Open is what was not resolved by now.
with recursive
present as (
    select
        i.source as source,
        i.id as incident,
        case when r.duplicate_incidents then null else i.duplicate_of end as duplicate_of,
        i.repository as repository,
        i.detected_at as detected_at,
        case
            when r.recovery = 'first_close' then coalesce(i.first_resolved_at, i.resolved_at)
            else i.resolved_at
        end as resolved_at,
        coalesce(dora_us(i.resolved_at) < dora_us(i.detected_at), false)
            or coalesce(dora_us(i.first_resolved_at) < dora_us(i.detected_at), false) as invalid,
        i.external as external,
        i.not_planned and not r.not_planned_incidents as not_planned,
        i.severity is not null and not dora_matches(i.severity, r.counted_severity) as minor,
        r.as_of as as_of,
        i.url as url
    from incidents i
    cross join rules r
    where dora_us(i.detected_at) <= dora_us(r.as_of)
),
repeats as (
    select d.source as source, d.incident as incident, o.incident as original
    from present d
    join present o on o.source = d.source and o.incident = d.duplicate_of
    where o.incident <> d.incident
),
chain as (
    select d.source as source, d.incident as incident, d.original as original
    from repeats d
    union
    select c.source as source, c.incident as incident, d.original as original
    from chain c
    join repeats d on d.source = c.source and d.incident = c.original
),
originals as (
    select
        c.source as source,
        c.incident as incident,
        coalesce(
            min(case when d.incident is null then c.original end), min(c.original)
        ) as original
    from chain c
    left join repeats d on d.source = c.source and d.incident = c.original
    group by c.source, c.incident
)
select
    p.source as source,
    p.incident as incident,
    coalesce(o.original, p.incident) as original,
    s.service as service,
    p.repository as repository,
    p.detected_at as detected_at,
    case
        when dora_us(p.resolved_at) <= dora_us(p.as_of) then p.resolved_at
    end as resolved_at,
    p.resolved_at is null or dora_us(p.resolved_at) > dora_us(p.as_of) as open,
    case
        when p.invalid then 'invalid'
        when o.original <> p.incident then 'duplicate'
        when p.external then 'external'
        when p.not_planned then 'not planned'
        when p.minor then 'less severe'
        else 'counts'
    end as standing,
    p.url as url
from present p
left join originals o on o.source = p.source and o.incident = p.incident
left join incident_services s on s.source = p.source and s.incident = p.incident
