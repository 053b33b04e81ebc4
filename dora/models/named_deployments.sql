-- grain: an incident, and a production deployment that it names as its cause
-- key: incident_source, incident, source, deployment, service, environment
-- reads: keyed_commits, known_incidents, mentioned_commits, mentioned_deliveries, named_commits,
--  production_deployments, production_sequence, stated_causes, stream_deployments, streams
-- rule: A cause is a deployment's id or url, or else a commit (or a pull request, which stands for
--  one). A commit stands, in each service, for the first successful deployment of exactly it, or
--  else for the one that first delivered it (what a baseline contains counts as delivered by it),
--  or else for the first attempt at it. A key of a tracker stands, in each service, for the last
--  deployment before the incident that first delivered a commit which bears it. Where the
--  incident's own service is among those found, the others are not meant.
with
incident_times as (
    select distinct k.source as source, k.incident as incident, k.detected_at as detected_at
    from known_incidents k
),
found as (
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, 0 as way, 0 as place
    from stated_causes s
    join production_deployments p on p.deployment = s.cause
    union
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, 0 as way, 0 as place
    from stated_causes s
    join production_deployments p on p.url = s.cause
    union
    select n.incident_source as incident_source, n.incident as incident, n.cause as cause,
        q.source as source, q.deployment as deployment, q.service as service,
        q.environment as environment, 1 as way, q.service_place as place
    from named_commits n
    join stream_deployments d
        on substr(d.sha, 1, 7) = substr(n.sha, 1, 7) and substr(d.sha, 1, length(n.sha)) = n.sha
    join streams t on t.stream = d.stream
    join production_sequence q
        on q.source = d.source and q.deployment = d.deployment
        and q.service = t.service and q.environment = t.environment
    union
    select n.incident_source as incident_source, n.incident as incident, n.cause as cause,
        q.source as source, q.deployment as deployment, q.service as service,
        q.environment as environment, 2 as way, q.service_place as place
    from named_commits n
    join mentioned_commits m on m.mention = n.sha
    join mentioned_deliveries l on l.commit_id = m.commit_id
    join production_sequence q
        on q.source = l.source and q.deployment = l.deployment
        and q.service = l.service and q.environment = l.environment
    union
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        q.source as source, q.deployment as deployment, q.service as service,
        q.environment as environment, 2 as way, - q.service_place as place
    from stated_causes s
    join incident_times i on i.source = s.incident_source and i.incident = s.incident
    join keyed_commits m on m.cause = s.cause
    join mentioned_deliveries l on l.commit_id = m.commit_id
    join production_sequence q
        on q.source = l.source and q.deployment = l.deployment
        and q.service = l.service and q.environment = l.environment
    where q.finished_at <= i.detected_at
    union
    select n.incident_source as incident_source, n.incident as incident, n.cause as cause,
        p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, 3 as way,
        coalesce(dora_us(coalesce(p.finished_at, p.started_at)), 0) as place
    from named_commits n
    join production_deployments p
        on substr(p.sha, 1, 7) = substr(n.sha, 1, 7) and substr(p.sha, 1, length(n.sha)) = n.sha
    where not p.succeeded
),
ranked as (
    select
        f.incident_source as incident_source,
        f.incident as incident,
        f.source as source,
        f.deployment as deployment,
        f.service as service,
        f.environment as environment,
        f.way as way,
        min(f.way) over (partition by f.incident_source, f.incident, f.cause) as best_way,
        cast(row_number() over (
            partition by f.incident_source, f.incident, f.cause, f.service
            order by f.way, f.place, f.environment, f.source, f.deployment
        ) as bigint) as choice,
        case when k.incident is null then 0 else 1 end as own,
        max(case when k.incident is null then 0 else 1 end) over (
            partition by f.incident_source, f.incident, f.cause
        ) as any_own
    from found f
    left join known_incidents k
        on k.source = f.incident_source and k.incident = f.incident and k.service = f.service
)
select distinct
    c.incident_source as incident_source,
    c.incident as incident,
    c.source as source,
    c.deployment as deployment,
    c.service as service,
    c.environment as environment
from ranked c
where c.own = c.any_own and (c.way = 0 or (c.best_way > 0 and c.choice = 1))
