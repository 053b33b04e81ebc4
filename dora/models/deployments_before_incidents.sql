-- grain: an incident, one of its services, and the deployment of that service it came after
-- key: incident_source, incident, service
-- reads: evidence_rollback, known_incidents, production_sequence, rules, stated_repairs
-- rule: The last successful deployment of the service at or before detection, over all its
--  production environments. If that one is a rollback, the newest deployment it undid; none if
--  that is not known. Only where the rules blame the last of the service alone is a rollback
--  passed over so.
with
incident_line as (
    select k.source as source, k.incident as incident, k.service as service,
        dora_us(k.detected_at) as us
    from known_incidents k
    where k.standing = 'counts' and k.service is not null
),
line as (
    select i.service as service, i.us as us, 1 as side, i.source as source,
        i.incident as incident, cast(null as bigint) as place
    from incident_line i
    union all
    select q.service as service, q.us as us, 0 as side, cast(null as varchar) as source,
        cast(null as varchar) as incident, q.service_place as place
    from production_sequence q
    where q.service in (select i.service from incident_line i)
),
latest as (
    select
        n.service as service,
        n.us as us,
        n.side as side,
        n.source as source,
        n.incident as incident,
        max(n.place) over (
            partition by n.service
            order by n.us, n.side
            rows between unbounded preceding and current row
        ) as place
    from line n
),
undoing as (
    select e.repair_source as source, e.repair_deployment as deployment,
        e.repair_service as service, e.repair_environment as environment, 0 as way,
        e.source as undone_source, e.deployment as undone_deployment,
        e.service as undone_service, e.environment as undone_environment
    from evidence_rollback e
    union all
    select t.repair_source as source, t.repair_deployment as deployment,
        t.repair_service as service, t.repair_environment as environment, 1 as way,
        t.source as undone_source, t.deployment as undone_deployment,
        t.service as undone_service, t.environment as undone_environment
    from stated_repairs t
),
newest_undone as (
    select
        b.service as service,
        b.service_place as service_place,
        f.service_place as undone_place,
        cast(row_number() over (
            partition by b.service, b.service_place order by u.way, f.service_place desc
        ) as bigint) as choice
    from undoing u
    join production_sequence b
        on b.source = u.source and b.deployment = u.deployment
        and b.service = u.service and b.environment = u.environment
    join production_sequence f
        on f.source = u.undone_source and f.deployment = u.undone_deployment
        and f.service = u.undone_service and f.environment = u.undone_environment
    where b.rollback and f.service = b.service
),
blamed as (
    select
        n.source as source,
        n.incident as incident,
        n.service as service,
        n.us as us,
        case
            when q.rollback and r.incident_link = 'last_of_service' then u.undone_place
            else q.service_place
        end as place
    from latest n
    cross join rules r
    join production_sequence q on q.service = n.service and q.service_place = n.place
    left join newest_undone u
        on u.service = q.service and u.service_place = q.service_place and u.choice = 1
    where n.side = 1
)
select
    b.source as incident_source,
    b.incident as incident,
    q.source as source,
    q.deployment as deployment,
    q.service as service,
    q.environment as environment,
    b.us - q.us as gap_us
from blamed b
join production_sequence q on q.service = b.service and q.service_place = b.place
