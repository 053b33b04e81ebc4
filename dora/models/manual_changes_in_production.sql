-- grain: a change by hand in production that deploys no commit, and a service that it belongs to
-- key: source, id, service
-- reads: environment_kinds, flag_services, manual_changes, production_kinds, rules
-- rule: Every one known by now whose environment is of a kind that counts as production. What it
--  says of its service leads to services as what a flag says does. It is no deployment: it counts in
--  no metric, only among the changes of which a share is made by hand.
with
in_production as (
    select distinct e.environment as environment
    from environment_kinds e
    join production_kinds k on k.kind = e.kind
    where e.tier = ''
)
select
    c.source as source,
    c.id as id,
    m.service as service,
    c.environment as environment,
    c.changed_at as changed_at,
    dora_day(c.changed_at) as day,
    c.name as name,
    c.url as url
from manual_changes c
cross join rules r
join flag_services m on m.stated = coalesce(c.service, '')
join in_production p on p.environment = c.environment
where dora_us(c.changed_at) <= dora_us(r.as_of)
