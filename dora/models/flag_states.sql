-- grain: a change of a flag in an environment, and a service that it belongs to
-- key: source, id, service
-- reads: environment_kinds, flag_changes, flag_services, production_kinds, rules
-- rule: The share holds until the next change in the same environment. A flag is turned off where a
--  change takes its share to nothing; that it is created or removed turns nothing off. A share
--  before the first change is not known, and taken for more than nothing.
with
line as (
    select
        f.source as source,
        f.id as id,
        f.flag as flag,
        f.environment as environment,
        coalesce(f.service, '') as stated,
        coalesce(f.action, 'changed') as action,
        f.temporary as temporary,
        dora_us(f.changed_at) as us,
        f.share as share,
        lag(f.share) over (
            partition by f.source, f.flag, f.environment
            order by dora_us(f.changed_at), f.id
        ) as share_before,
        lead(dora_us(f.changed_at)) over (
            partition by f.source, f.flag, f.environment
            order by dora_us(f.changed_at), f.id
        ) as until_us,
        f.url as url
    from flag_changes f
    cross join rules r
    where dora_us(f.changed_at) <= dora_us(r.as_of)
),
in_production as (
    select distinct e.environment as environment
    from environment_kinds e
    join production_kinds k on k.kind = e.kind
    where e.tier = ''
)
select
    l.source as source,
    l.id as id,
    m.service as service,
    l.flag as flag,
    l.environment as environment,
    p.environment is not null as in_production,
    l.action as action,
    l.temporary as temporary,
    l.us as us,
    l.until_us as until_us,
    l.share as share,
    l.action = 'changed' and l.share = 0 and coalesce(l.share_before, 1) > 0 as turned_off,
    l.url as url
from line l
join flag_services m on m.stated = l.stated
left join in_production p on p.environment = l.environment
