-- metric: change_failure_rate
-- grain: cell, a scope in a period: the scope's first cell + the period's number
-- reads: judged_deployments, linked_incidents, rules, scope_services, calendar
-- rule: failed ÷ all successful production deployments that are old enough to be judged, on the day they finished;
--  by other rules incidents, on the day of detection, or links of incidents, and attempts that failed

-- part: counted
with dated as (
    select
        dora_day(j.finished_at) as day, j.source, j.deployment, j.service, j.environment,
        j.finished_at, j.sha, j.version, j.status, j.succeeded, j.mature, j.pending,
        j.failed or (r.failed_attempts = 'failures' and j.status in ('failed', 'cancelled')) as failed,
        case when j.succeeded then j.mature
            else r.failed_attempts <> 'apart' and j.status in ('failed', 'cancelled') end as counts,
        j.covered, j.rule, j.confidence, j.incident, j.links, r.failures_counted, j.url
    from judged_deployments j
    cross join (select failed_attempts, failures_counted from rules) r
    where j.finished_at is not null
), told as (
    select
        d.*,
        case when d.counts then 1 else 0 end as judged,
        case when not d.counts then 0
            when d.failures_counted = 'links' then d.links
            when d.failures_counted = 'deployments' and d.failed then 1
            else 0 end as failures,
        case when d.succeeded and d.pending then 1 else 0 end as too_young,
        case when d.succeeded and d.pending and d.failed then 1 else 0 end as too_young_failed,
        case when d.status = 'failed' then 1 else 0 end as failed_attempts
    from dated d
), counted as (
    select s.scope_id, s.first_cell, s.from_period, d.*
    from told d
    join scope_services s on s.service = d.service
        and s.from_day <= d.day and d.day < s.until_day
), incidents_alone as (
    select s.scope_id, s.first_cell, s.from_period, dora_day(i.detected_at) as day,
        row_number() over (
            partition by s.scope_id, i.source, i.incident order by i.service
        ) as turn
    from linked_incidents i
    cross join (select failures_counted, external_incidents from rules) r
    join scope_services s on s.service = i.service
    where r.failures_counted = 'incidents'
      and (i.state in ('linked', 'unlinked') or (i.state = 'external' and r.external_incidents))
      and s.from_day <= dora_day(i.detected_at) and dora_day(i.detected_at) < s.until_day
)

-- part: cells
, events as (
    select e.first_cell, e.from_period, e.day, e.covered, e.judged, e.failures, e.too_young,
        e.too_young_failed, e.failed_attempts
    from counted e
    union all
    select i.first_cell, i.from_period, i.day, true as covered, 0 as judged, 1 as failures,
        0 as too_young, 0 as too_young_failed, 0 as failed_attempts
    from incidents_alone i
    where i.turn = 1
)
select
    e.first_cell + c.period as cell,
    sum(case when e.covered then e.judged else 0 end) as n,
    sum(case when e.covered then e.failures else 0 end) as hits,
    sum(e.judged) as seen,
    sum(e.failures) as hits_seen,
    sum(e.too_young) as pending,
    sum(e.too_young_failed) as pending_failed,
    sum(e.failed_attempts) as failed_attempts
from events e
join calendar c on c.day = e.day and c.period >= e.from_period
group by e.first_cell + c.period

-- part: sequence
-- rule: what is counted, one after the other, and whether it is a hit
select dora_us(e.finished_at) as us, case when e.failed then 1 else 0 end as hit
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
where e.scope_id = 0 and e.succeeded and e.mature and e.covered
order by us

-- part: evidence
select
    e.deployment, e.service, e.environment, e.finished_at, e.sha, e.version, e.failed, e.pending,
    e.rule, e.confidence, e.incident, e.url
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
where e.scope_id = 0 and (e.succeeded or e.counts)
  and (e.covered or not exists (select 1 from counted x where x.scope_id = 0 and x.covered))
order by e.finished_at, e.service, e.environment, e.deployment

-- part: left_out
select
    e.deployment as record,
    case when e.status = 'failed' then 'the attempt failed'
        when e.status = 'cancelled' then 'the attempt was cancelled'
        when not e.succeeded then 'the attempt had not ended'
        when not e.covered then 'no incident source covers the service'
        else 'pending: too young to be judged' end as reason,
    e.service, e.url, e.environment, e.finished_at as happened_at
from counted e
join calendar c on c.day = e.day and c.grain = 'window'
where e.scope_id = 0
  and ((not e.succeeded and not e.counts) or not e.covered or e.pending)
union all
select distinct
    i.incident as record, 'incident: ' || i.state as reason, i.service as service,
    cast(null as varchar) as url, cast(null as varchar) as environment, i.detected_at as happened_at
from linked_incidents i
cross join (select failures_counted, external_incidents from rules) r
join calendar c on c.day = dora_day(i.detected_at) and c.grain = 'window'
left join scope_services s
    on s.scope_id = 0 and s.service = i.service
    and s.from_day <= c.day and c.day < s.until_day
where i.state <> 'linked' and (i.service is null or s.service is not null)
  and not (r.failures_counted = 'incidents' and (
    i.state = 'unlinked' or (i.state = 'external' and r.external_incidents)))
