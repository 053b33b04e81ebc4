-- grain: an incident, and a production deployment that it names as its cause
-- key: incident_source, incident, source, deployment, service, environment
-- reads: commits, incident_causes, known_incidents, landed_pull_requests, lineage, originals, production_deployments, production_sequence, pull_requests, resolved_references, rules, stream_deployments, streams
-- rule: A cause is a deployment's id or url, or else a commit (seven digits or more) or a pull request. A commit stands, in each service, for the first successful deployment of exactly it, or else for the one that first delivered it (what a baseline contains counts as delivered by it), or else for the first attempt at it; a pull request's commit also for what landed. Where the incident's own service is among those found, the others are not meant. What a duplicate names, its original names.
with
counted as (
    select distinct k.source as source, k.incident as incident
    from known_incidents k
    where k.standing = 'counts'
),
stated as (
    select distinct
        o.source as incident_source,
        o.incident as incident,
        k.repository as repository,
        c.cause as cause
    from incident_causes c
    join known_incidents k on k.source = c.source and k.incident = c.incident
    join counted o on o.source = k.source and o.incident = k.original
    where k.standing in ('counts', 'duplicate')
),
said as (
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        lower(s.cause) as sha
    from stated s
    where dora_matches(s.cause, '^[0-9a-f]{7,64}$')
    union
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        l.landed_sha as sha
    from stated s
    join landed_pull_requests l on s.cause = l.repository || '#' || cast(l.number as varchar)
    union
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        l.landed_sha as sha
    from stated s
    join landed_pull_requests l
        on l.repository = s.repository and s.cause = '#' || cast(l.number as varchar)
    union
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        l.landed_sha as sha
    from stated s
    join pull_requests p on p.url = s.cause
    join landed_pull_requests l on l.repository = p.repository and l.number = p.number
),
named_commits as (
    select n.incident_source as incident_source, n.incident as incident, n.cause as cause,
        n.sha as sha
    from said n
    union
    select n.incident_source as incident_source, n.incident as incident, n.cause as cause,
        o.landed_sha as sha
    from said n
    join originals o
        on substr(o.sha, 1, 7) = substr(n.sha, 1, 7) and substr(o.sha, 1, length(n.sha)) = n.sha
),
commit_ids as (
    select n.incident_source as incident_source, n.incident as incident, n.cause as cause,
        c.commit_id as commit_id
    from named_commits n
    join commits c
        on substr(c.sha, 1, 7) = substr(n.sha, 1, 7) and substr(c.sha, 1, length(n.sha)) = n.sha
),
with_copies as (
    select i.incident_source as incident_source, i.incident as incident, i.cause as cause,
        i.commit_id as commit_id
    from commit_ids i
    union
    select i.incident_source as incident_source, i.incident as incident, i.cause as cause,
        f.commit_id as commit_id
    from commit_ids i
    join resolved_references f
        on f.target_id = i.commit_id and f.kind = 'cherry_picked_from'
    cross join rules r
    where r.follow_cherry_picks
),
found as (
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, 0 as way, 0 as place
    from stated s
    join production_deployments p on p.deployment = s.cause
    union
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        p.source as source, p.deployment as deployment, p.service as service,
        p.environment as environment, 0 as way, 0 as place
    from stated s
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
    from with_copies n
    join lineage l on l.commit_id = n.commit_id
    join streams t on t.stream = l.stream
    join stream_deployments d on d.stream = l.stream and d.position = l.position
    join production_sequence q
        on q.source = d.source and q.deployment = d.deployment
        and q.service = t.service and q.environment = t.environment
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
