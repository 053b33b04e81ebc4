-- grain: an incident, a cause that it states, and a commit which that may mean
-- key: incident_source, incident, cause, sha
-- reads: landed_pull_requests, originals, pull_requests, stated_causes
-- rule: Seven or more digits may be a commit; repository#number, #number in the incident's own
--  repository or a web address a pull request, which stands for what landed, as its original
--  commits do.
with
said as (
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        lower(s.cause) as sha
    from stated_causes s
    where dora_matches(s.cause, '^[0-9a-f]{7,64}$')
    union
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        l.landed_sha as sha
    from stated_causes s
    join landed_pull_requests l on s.cause = l.repository || '#' || cast(l.number as varchar)
    union
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        l.landed_sha as sha
    from stated_causes s
    join landed_pull_requests l
        on l.repository = s.repository and s.cause = '#' || cast(l.number as varchar)
    union
    select s.incident_source as incident_source, s.incident as incident, s.cause as cause,
        l.landed_sha as sha
    from stated_causes s
    join pull_requests p on p.url = s.cause
    join landed_pull_requests l on l.repository = p.repository and l.number = p.number
)
select n.incident_source as incident_source, n.incident as incident, n.cause as cause,
    n.sha as sha
from said n
union
select n.incident_source as incident_source, n.incident as incident, n.cause as cause,
    o.landed_sha as sha
from said n
join originals o on substr(o.sha, 1, 7) = substr(n.sha, 1, 7)
where substr(o.sha, 1, length(n.sha)) = n.sha
