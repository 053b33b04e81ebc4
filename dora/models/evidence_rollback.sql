-- grain: a production deployment that was undone, and the rollback that undid it
-- key: source, deployment, service, environment, repair_source, repair_deployment
-- reads: production_sequence, rules, stream_deployments, streams, undone
-- rule: A rollback deploys a proper ancestor of what it replaces. Undone, and so failed, are
--  the deployments directly before it, back to but excluding the newest one whose commit it
--  contains; rollbacks among them are not. Where a rule goes by the same commit deployed again,
--  they are those between the two; where it blames the first alone, the earliest of them.
with
by_ancestry as (
    select distinct
        f.source as source,
        f.deployment as deployment,
        f.service as service,
        f.environment as environment,
        b.source as repair_source,
        b.deployment as repair_deployment,
        f.place as place,
        b.place as repair_place,
        b.us - f.us as gap_us
    from undone u
    join streams s on s.stream = u.stream
    join stream_deployments d on d.stream = u.stream and d.position = u.position
    join stream_deployments e on e.stream = u.stream and e.position = u.rollback_position
    join production_sequence f
        on f.source = d.source and f.deployment = d.deployment
        and f.service = s.service and f.environment = s.environment
    join production_sequence b
        on b.source = e.source and b.deployment = e.deployment
        and b.service = s.service and b.environment = s.environment
    cross join rules r
    where r.rollback_by = 'ancestry'
),
again as (
    select
        q.source as source,
        q.deployment as deployment,
        q.service as service,
        q.environment as environment,
        q.us as us,
        q.place as place,
        q.rollback as rollback,
        lag(q.place) over (
            partition by q.service, q.environment, q.sha order by q.place
        ) as place_before
    from production_sequence q
    where q.sha is not null
),
undone_between as (
    select
        f.source as source,
        f.deployment as deployment,
        f.service as service,
        f.environment as environment,
        b.source as repair_source,
        b.deployment as repair_deployment,
        f.place as place,
        b.place as repair_place,
        b.us - f.us as gap_us
    from again b
    join production_sequence f
        on f.service = b.service and f.environment = b.environment
        and f.place > b.place_before and f.place < b.place
    where b.rollback and not f.rollback
),
pairs as (
    select a.source as source, a.deployment as deployment, a.service as service,
        a.environment as environment, a.repair_source as repair_source,
        a.repair_deployment as repair_deployment, a.place as place,
        a.repair_place as repair_place, a.gap_us as gap_us
    from by_ancestry a
    union all
    select n.source as source, n.deployment as deployment, n.service as service,
        n.environment as environment, n.repair_source as repair_source,
        n.repair_deployment as repair_deployment, n.place as place,
        n.repair_place as repair_place, n.gap_us as gap_us
    from undone_between n
),
ordered as (
    select
        p.source as source,
        p.deployment as deployment,
        p.service as service,
        p.environment as environment,
        p.repair_source as repair_source,
        p.repair_deployment as repair_deployment,
        p.place as place,
        p.gap_us as gap_us,
        min(p.place) over (
            partition by p.service, p.environment, p.repair_place
        ) as first_place
    from pairs p
)
select
    o.source as source,
    o.deployment as deployment,
    o.service as service,
    o.environment as environment,
    o.repair_source as repair_source,
    o.repair_deployment as repair_deployment,
    o.service as repair_service,
    o.environment as repair_environment,
    'rollback' as repair_kind,
    o.gap_us as gap_us
from ordered o
cross join rules r
where r.rollback_blames = 'all' or o.place = o.first_place
