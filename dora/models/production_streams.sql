-- grain: a repository's deployments of a service to a production environment
-- key: stream
-- reads: production_steps, service_map
-- rule: A route is one repository and service, over all its production environments.
with
used as (
    select distinct
        p.stream as stream,
        p.repository as repository,
        p.service as service,
        p.environment as environment
    from production_steps p
),
mapped as (
    select
        m.repository as repository,
        m.service as service,
        max(case when m.by_paths then 1 else 0 end) as by_paths
    from service_map m
    group by m.repository, m.service
),
routes as (
    select
        u.repository as repository,
        u.service as service,
        cast(row_number() over (order by u.repository, u.service) as bigint) as route,
        count(*) as environments
    from used u
    group by u.repository, u.service
)
select
    u.stream as stream,
    u.repository as repository,
    u.service as service,
    u.environment as environment,
    r.route as route,
    r.environments > 1 as several,
    coalesce(m.by_paths, 0) = 1 as by_paths
from used u
join routes r on r.repository = u.repository and r.service = u.service
left join mapped m on m.repository = u.repository and m.service = u.service
