-- grain: a successful production deployment of a service to an environment
-- key: source, deployment, service, environment
-- reads: hotfix_commits, mentioned_deliveries, production_deployments, stream_deployments, streams
-- rule: In the order finish, ancestor first, id: numbered within a service and environment
--  (place) and over all production environments of the service (service_place). A rollback is
--  what the commit graph shows or the deployment states; a hotfix is one that delivers a change
--  marked so.
with
positions as (
    select
        d.source as source,
        d.deployment as deployment,
        s.service as service,
        s.environment as environment,
        max(d.position) as position
    from stream_deployments d
    join streams s on s.stream = d.stream
    group by d.source, d.deployment, s.service, s.environment
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
)
select
    p.source as source,
    p.deployment as deployment,
    p.service as service,
    p.environment as environment,
    p.finished_at as finished_at,
    dora_us(p.finished_at) as us,
    cast(row_number() over (
        partition by p.service, p.environment
        order by dora_us(p.finished_at), coalesce(o.position, -1), p.source, p.deployment
    ) as bigint) as place,
    cast(row_number() over (
        partition by p.service
        order by dora_us(p.finished_at), coalesce(o.position, -1), p.source, p.deployment,
            p.environment
    ) as bigint) as service_place,
    p.rollback or p.rolls_back is not null as rollback,
    h.deployment is not null as hotfix
from production_deployments p
left join positions o
    on o.source = p.source and o.deployment = p.deployment
    and o.service = p.service and o.environment = p.environment
left join hotfixes h
    on h.source = p.source and h.deployment = p.deployment
    and h.service = p.service and h.environment = p.environment
where p.succeeded
