-- analysis: flags
-- reads: calendar, change_times, flag_states, known_incidents, pull_request_times, pull_requests, scope_services

-- part: counted
with scoped as (
    select distinct s.service as service from scope_services s where s.scope_id = 0
), flags as (
    select
        f.source, f.id, f.service, f.flag, f.environment, f.in_production, f.action, f.temporary,
        f.us, f.until_us, f.share, f.turned_off, f.url
    from flag_states f
    join scoped s on s.service = f.service
)

-- part: states
select f.service, f.flag, f.us, f.until_us, f.share, f.action = 'removed' as removed
from flags f
where f.in_production or f.action = 'removed'
order by f.service, f.flag, f.us, f.id

-- part: lives
-- rule: A flag lives from when it was created, or first seen, until it was removed: archived first,
--  where it is deleted later. One that changed after that has been made anew.
, changed as (
    select f.source as source, f.flag as flag, max(f.us) as us
    from flags f
    where f.action <> 'removed'
    group by f.source, f.flag
)
select
    f.source, f.flag, min(f.us) as begun_us,
    min(case when f.action = 'removed' and f.us >= coalesce(c.us, f.us) then f.us end)
        as removed_us,
    max(case when f.temporary then 1 when not f.temporary then 0 end) as temporary,
    max(f.us) as last_us,
    max(case when f.in_production then f.us end) as settled_us,
    max(case when f.in_production and f.until_us is null then f.share end) as most,
    min(case when f.in_production and f.until_us is null then f.share end) as least
from flags f
left join changed c on c.source = f.source and c.flag = f.flag
group by f.source, f.flag
order by f.source, f.flag

-- part: deliveries
-- rule: Changes of pull requests that have labels, delivered in the window of time.
select distinct
    t.change_id, t.service, p.labels, dora_us(t.committed_at) as committed_us,
    dora_us(t.delivered_at) as delivered_us
from change_times t
join calendar k on k.day = dora_day(t.delivered_at) and k.grain = 'window'
join scope_services s on s.service = t.service and s.scope_id = 0
join pull_request_times q on q.pull_request_id = t.pull_request_id
join pull_requests p on p.repository = q.repository and p.number = q.number
where t.left_out is null and p.labels is not null
    and s.from_day <= k.day and k.day < s.until_day
order by t.service, delivered_us, t.change_id

-- part: delivered
select count(*) as n
from (
    select distinct t.change_id as change_id, t.service as service
    from change_times t
    join calendar k on k.day = dora_day(t.delivered_at) and k.grain = 'window'
    join scope_services s on s.service = t.service and s.scope_id = 0
    where t.left_out is null and s.from_day <= k.day and k.day < s.until_day
) d

-- part: recoveries
-- rule: Incidents of the services that were over in the window of time, and how long before its end
--  a flag of its service was last turned off in production while it lasted.
, over_by_then as (
    select distinct
        i.source as source, i.incident as incident, i.service as service,
        dora_us(i.detected_at) as from_us, dora_us(i.resolved_at) as until_us
    from known_incidents i
    join calendar k on k.day = dora_day(i.resolved_at) and k.grain = 'window'
    join scope_services s on s.service = i.service and s.scope_id = 0
    where i.standing = 'counts' and s.from_day <= k.day and k.day < s.until_day
)
select o.source, o.incident, min(o.until_us - f.us) as us
from over_by_then o
left join flags f
    on f.service = o.service and f.turned_off and f.in_production
    and f.us >= o.from_us and f.us <= o.until_us
group by o.source, o.incident
order by o.source, o.incident
