-- grain: an incident that is asked for, and one of its services
-- reads: linked_incidents, scope_services, calendar

-- part: counted
with services_of_scope as (
    select distinct service, from_day, until_day from scope_services where scope_id = 0
), told as (
    select
        i.source as incident_source, i.incident, i.service, i.detected_at, i.resolved_at, i.state,
        i.reason, dora_us(i.detected_at) as us, dora_day(i.detected_at) as day, i.url
    from linked_incidents i
    left join services_of_scope s
        on s.service = i.service
        and s.from_day <= dora_day(i.detected_at) and dora_day(i.detected_at) < s.until_day
    where i.service is null or s.service is not null
)

-- part: named
select t.* from told t
where dora_matches(t.incident, $name)
order by t.us, t.incident_source, t.incident, t.service

-- part: within
select t.* from told t
join calendar c on c.day = t.day and c.grain = 'window'
order by t.us, t.incident_source, t.incident, t.service
