-- grain: a successful production deployment of a service, and whether staging ran the same artifact
-- key: source, deployment, service, environment
-- reads: production_deployments, staged_deployments, staged_steps
-- rule: The same digest where its digest was on staging before it started, rebuilt where its commit
--  was there with other digests only. Where digests do not tell, whether its commit was there. What
--  nothing tells is unknown; none where there was no staging. manual and automatic are as stated.
with
produced as (
    select
        t.stream as stream, t.position as position, t.repository as repository,
        t.service as service, t.environment as environment, t.source as source,
        t.deployment as deployment, t.content as content, t.digest as digest,
        t.manual as manual, t.automatic as automatic,
        dora_us(coalesce(p.started_at, p.finished_at)) as start_us
    from staged_steps t
    join production_deployments p
        on p.source = t.source and p.deployment = t.deployment
        and p.service = t.service and p.environment = t.environment
        and p.repository = t.repository
    where not t.staging
),
digests as (
    select t.repository as repository, t.service as service, t.digest as digest,
        min(t.us) as us
    from staged_steps t
    where t.staging and t.digest is not null
    group by t.repository, t.service, t.digest
),
others as (
    select p.stream as stream, p.position as position,
        sum(case when t.digest is null then 1 else 0 end) as blind
    from produced p
    join staged_steps t
        on t.repository = p.repository and t.service = p.service and t.content = p.content
    where t.staging and t.us <= p.start_us and p.digest is not null
    group by p.stream, p.position
)
select
    p.source as source,
    p.deployment as deployment,
    p.service as service,
    p.environment as environment,
    p.digest as digest,
    p.manual as manual,
    p.automatic as automatic,
    case
        when g.us <= p.start_us then 'same digest'
        when o.blind = 0 then 'rebuilt'
        when d.state = 'passed' then 'same commit'
        when d.state = 'skipped' then 'other commit'
        when d.state = 'none' then 'none'
        else 'unknown'
    end as artifact
from produced p
join staged_deployments d
    on d.source = p.source and d.deployment = p.deployment
    and d.service = p.service and d.environment = p.environment
left join digests g
    on g.repository = p.repository and g.service = p.service and g.digest = p.digest
left join others o on o.stream = p.stream and o.position = p.position
