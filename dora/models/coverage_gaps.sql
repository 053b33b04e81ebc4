-- grain: a time in which a service was not deployed for unusually long
-- key: service, since_us
-- reads: production_deployments, rules
-- rule: Usual is what nine in ten of its gaps between days with a deployment do not exceed, told
--  from ten gaps on; unusual is more than three times that. The last one lasts until now.
with
days as (
    select
        p.service as service,
        dora_day(p.finished_at) as day,
        min(dora_us(p.finished_at)) as first_us,
        max(dora_us(p.finished_at)) as last_us
    from production_deployments p
    where p.succeeded
    group by p.service, dora_day(p.finished_at)
),
followed as (
    select
        d.service as service,
        d.last_us as since_us,
        lead(d.first_us) over (partition by d.service order by d.day) as until_us
    from days d
),
ranked as (
    select
        f.service as service,
        f.until_us - f.since_us as us,
        cast(row_number() over (
            partition by f.service order by f.until_us - f.since_us
        ) as bigint) as place,
        cast(count(*) over (partition by f.service) as bigint) as n
    from followed f
    where f.until_us is not null
),
usual as (
    select k.service as service, k.us as us
    from ranked k
    where k.n >= 10 and 10 * k.place >= 9 * k.n and 10 * (k.place - 1) < 9 * k.n
),
gaps as (
    select
        f.service as service,
        f.since_us as since_us,
        coalesce(f.until_us, dora_us(r.as_of)) as until_us
    from followed f
    cross join rules r
)
select
    g.service as service,
    g.since_us as since_us,
    g.until_us as until_us,
    u.us as usual_us
from gaps g
join usual u on u.service = g.service
where g.until_us - g.since_us > 3 * u.us
