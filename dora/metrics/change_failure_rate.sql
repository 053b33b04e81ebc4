-- metric: change_failure_rate
-- grain: cell, a scope in a period: the scope's first cell + the period's number
-- reads: judged_deployments, linked_incidents, scope_services, calendar
-- rule: failed ÷ all successful production deployments that are old enough to be judged, on the day they finished

-- part: counted
with counted as (
    select
        s.scope_id, s.first_cell, s.from_period, dora_day(j.finished_at) as day, j.source,
        j.deployment, j.service, j.environment, j.finished_at, j.sha, j.version, j.status, j.succeeded, j.mature, j.pending,
        j.failed, j.covered, j.rule, j.confidence, j.incident, j.url
    from judged_deployments j
    join scope_services s on s.service = j.service
    where j.finished_at is not null
      and s.from_day <= dora_day(j.finished_at) and dora_day(j.finished_at) < s.until_day
)

-- part: cells
select
    e.first_cell + c.period as cell,
    sum(case when e.succeeded and e.mature and e.covered then 1 else 0 end) as n,
    sum(case when e.succeeded and e.mature and e.covered and e.failed then 1 else 0 end) as hits,
    sum(case when e.succeeded and e.mature then 1 else 0 end) as seen,
    sum(case when e.succeeded and e.mature and e.failed then 1 else 0 end) as hits_seen,
    sum(case when e.succeeded and e.pending then 1 else 0 end) as pending,
    sum(case when e.succeeded and e.pending and e.failed then 1 else 0 end) as pending_failed,
    sum(case when e.status = 'failed' then 1 else 0 end) as failed_attempts
from counted e
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
where e.scope_id = 0 and e.succeeded
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
where e.scope_id = 0 and (not e.succeeded or not e.covered or e.pending)
union all
select distinct
    i.incident as record, 'incident: ' || i.state as reason, i.service as service,
    cast(null as varchar) as url, cast(null as varchar) as environment, i.detected_at as happened_at
from linked_incidents i
join calendar c on c.day = dora_day(i.detected_at) and c.grain = 'window'
left join scope_services s
    on s.scope_id = 0 and s.service = i.service
    and s.from_day <= c.day and c.day < s.until_day
where i.state <> 'linked' and (i.service is null or s.service is not null)
