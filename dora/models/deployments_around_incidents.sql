-- grain: an incident, and a deployment that other products would put it down to
-- key: incident_source, incident, source, deployment, service, environment
-- reads: known_incidents, production_sequence, rules
-- rule: Where a rule says last_of_any, the last successful deployment of whatever service at or
--  before detection, of several at once that of the last name; where it says while_open, every
--  deployment of the incident's service that finished after detection and before its end.
with
incident_line as (
    select distinct k.source as source, k.incident as incident, dora_us(k.detected_at) as us
    from known_incidents k
    cross join rules r
    where k.standing = 'counts' and r.incident_link = 'last_of_any'
),
deployment_line as (
    select
        q.source as source,
        q.deployment as deployment,
        q.service as service,
        q.environment as environment,
        q.us as us,
        cast(row_number() over (
            order by q.us, q.service, q.service_place, q.environment
        ) as bigint) as place
    from production_sequence q
    cross join rules r
    where r.incident_link = 'last_of_any'
),
line as (
    select i.us as us, 1 as side, i.source as source, i.incident as incident,
        cast(null as bigint) as place
    from incident_line i
    union all
    select d.us as us, 0 as side, cast(null as varchar) as source,
        cast(null as varchar) as incident, d.place as place
    from deployment_line d
),
latest as (
    select
        n.us as us,
        n.side as side,
        n.source as source,
        n.incident as incident,
        max(n.place) over (
            order by n.us, n.side rows between unbounded preceding and current row
        ) as place
    from line n
)
select
    n.source as incident_source,
    n.incident as incident,
    d.source as source,
    d.deployment as deployment,
    d.service as service,
    d.environment as environment,
    n.us - d.us as gap_us
from latest n
join deployment_line d on d.place = n.place
where n.side = 1
union all
select distinct
    k.source as incident_source,
    k.incident as incident,
    q.source as source,
    q.deployment as deployment,
    q.service as service,
    q.environment as environment,
    dora_us(k.detected_at) - q.us as gap_us
from known_incidents k
cross join rules r
join production_sequence q on q.service = k.service
where r.incident_link = 'while_open' and k.standing = 'counts'
    and q.us > dora_us(k.detected_at)
    and (k.resolved_at is null or q.us < dora_us(k.resolved_at))
