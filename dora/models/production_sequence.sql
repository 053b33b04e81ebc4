-- grain: a successful production deployment of a service to an environment
-- key: source, deployment, service, environment
-- reads: hotfix_commits, mentioned_deliveries, production_deployments, rules, stream_deployments,
--  streams
-- rule: In the order finish, ancestor first, id: numbered within a service and environment (place
--  in an area) and over all production environments of the service (service_place). Ancestry is
--  asked only where several finished at once. A rollback is what the deployment states, or what the
--  commit graph shows; or, where a rule goes by that, a commit that was deployed before and replaces
--  another. A hotfix is one that delivers a change marked so. The sha is told only where a rule goes
--  by it.
with
tied as (
    select p.service as service, p.finished_at as finished_at
    from production_deployments p
    where p.succeeded
    group by p.service, p.finished_at
    having count(*) > 1
),
positions as (
    select
        p.source as source,
        p.deployment as deployment,
        p.service as service,
        p.environment as environment,
        max(d.position) as position
    from tied t
    join production_deployments p on p.service = t.service and p.finished_at = t.finished_at
    join stream_deployments d on d.source = p.source and d.deployment = p.deployment
    join streams s on s.stream = d.stream
        and s.service = p.service and s.environment = p.environment
    where p.succeeded
    group by p.source, p.deployment, p.service, p.environment
),
hotfixes as (
    select distinct
        m.source as source,
        m.deployment as deployment,
        m.service as service,
        m.environment as environment
    from hotfix_commits h
    join mentioned_deliveries m on m.commit_id = h.commit_id
    where m.delivered
),
used as (
    select p.service as service, p.environment as environment
    from production_deployments p
    where p.succeeded
    group by p.service, p.environment
),
busy as (
    select u.service as service, count(*) as environments
    from used u
    group by u.service
),
areas as (
    select
        u.service as service,
        u.environment as environment,
        b.environments > 1 as several,
        cast(row_number() over (order by u.service, u.environment) as bigint) as area
    from used u
    join busy b on b.service = u.service
),
placed as (
    select
        p.source as source,
        p.deployment as deployment,
        p.service as service,
        p.environment as environment,
        p.finished_at as finished_at,
        dora_us(p.finished_at) as us,
        coalesce(o.position, -1) as position,
        a.several as several,
        a.area as area,
        case when r.rollback_by = 'same_sha' and not p.inferred then p.sha end as sha,
        cast(row_number() over (
            partition by a.area
            order by dora_us(p.finished_at), coalesce(o.position, -1), p.source, p.deployment
        ) as bigint) as place,
        p.rollback as rollback,
        p.rolls_back is not null as states_rollback,
        h.deployment is not null as hotfix
    from production_deployments p
    cross join rules r
    join areas a on a.service = p.service and a.environment = p.environment
    left join positions o
        on o.source = p.source and o.deployment = p.deployment
        and o.service = p.service and o.environment = p.environment
    left join hotfixes h
        on h.source = p.source and h.deployment = p.deployment
        and h.service = p.service and h.environment = p.environment
    where p.succeeded
),
again as (
    select
        p.area as area,
        p.place as place,
        p.sha as sha,
        lag(p.sha) over (partition by p.area order by p.place) as sha_before,
        cast(row_number() over (partition by p.area, p.sha order by p.place) as bigint) as turn
    from placed p
    cross join rules r
    where r.rollback_by = 'same_sha'
),
back as (
    select a.area as area, a.place as place
    from again a
    where a.sha is not null and a.turn > 1 and coalesce(a.sha_before, '') <> a.sha
),
told as (
    select
        n.source as source,
        n.deployment as deployment,
        n.service as service,
        n.environment as environment,
        n.finished_at as finished_at,
        n.us as us,
        n.position as position,
        n.several as several,
        n.area as area,
        n.place as place,
        n.states_rollback or case
            when r.rollback_by = 'same_sha' then t.place is not null
            else n.rollback
        end as rollback,
        n.hotfix as hotfix,
        n.sha as sha
    from placed n
    cross join rules r
    left join back t on t.area = n.area and t.place = n.place
)
select
    n.source as source,
    n.deployment as deployment,
    n.service as service,
    n.environment as environment,
    n.finished_at as finished_at,
    n.us as us,
    n.area as area,
    n.place as place,
    n.place as service_place,
    n.rollback as rollback,
    n.hotfix as hotfix,
    n.sha as sha
from told n
where not n.several
union all
select
    n.source as source,
    n.deployment as deployment,
    n.service as service,
    n.environment as environment,
    n.finished_at as finished_at,
    n.us as us,
    n.area as area,
    n.place as place,
    cast(row_number() over (
        partition by n.service
        order by n.us, n.position, n.source, n.deployment, n.environment
    ) as bigint) as service_place,
    n.rollback as rollback,
    n.hotfix as hotfix,
    n.sha as sha
from told n
where n.several
