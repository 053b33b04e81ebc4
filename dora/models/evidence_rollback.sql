-- grain: a production deployment that was undone, and the rollback that undid it
-- key: source, deployment, service, environment, repair_source, repair_deployment
-- reads: production_deployments, production_sequence, rules, stream_deployments, streams, undone
-- rule: A rollback deploys a proper ancestor of what it replaces. Undone, and so failed, are
--  the deployments directly before it, back to but excluding the newest one whose commit it
--  contains; rollbacks among them are not. Where a rule goes by the same commit deployed again,
--  they are those between the two; where it blames the first alone, the earliest of them.
with
by_ancestry as (
    select distinct
        f.service as service,
        f.environment as environment,
        f.place as place,
        b.place as repair_place
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
shas as (
    select
        q.service as service,
        q.environment as environment,
        q.place as place,
        q.rollback as rollback,
        p.sha as sha,
        lag(q.place) over (
            partition by q.service, q.environment, p.sha order by q.place
        ) as place_before
    from production_sequence q
    join production_deployments p
        on p.source = q.source and p.deployment = q.deployment
        and p.service = q.service and p.environment = q.environment
    cross join rules r
    where r.rollback_by = 'same_sha'
),
by_same_sha as (
    select f.service as service, f.environment as environment, f.place as place,
        b.place as repair_place
    from shas b
    join shas f
        on f.service = b.service and f.environment = b.environment
        and f.place > b.place_before and f.place < b.place
    where b.rollback and b.sha is not null and not f.rollback
),
pairs as (
    select a.service as service, a.environment as environment, a.place as place,
        a.repair_place as repair_place
    from by_ancestry a
    union all
    select s.service as service, s.environment as environment, s.place as place,
        s.repair_place as repair_place
    from by_same_sha s
),
ordered as (
    select
        p.service as service,
        p.environment as environment,
        p.place as place,
        p.repair_place as repair_place,
        min(p.place) over (
            partition by p.service, p.environment, p.repair_place
        ) as first_place
    from pairs p
)
select
    f.source as source,
    f.deployment as deployment,
    f.service as service,
    f.environment as environment,
    b.source as repair_source,
    b.deployment as repair_deployment,
    b.service as repair_service,
    b.environment as repair_environment,
    'rollback' as repair_kind,
    b.us - f.us as gap_us
from ordered o
cross join rules r
join production_sequence f
    on f.service = o.service and f.environment = o.environment and f.place = o.place
join production_sequence b
    on b.service = o.service and b.environment = o.environment and b.place = o.repair_place
where r.rollback_blames = 'all' or o.place = o.first_place
