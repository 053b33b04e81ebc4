-- grain: an incident, and a cause that it states
-- key: incident_source, incident, repository, cause
-- reads: incident_causes, known_incidents
-- rule: Of the incidents that count. What a duplicate states, its original states; repository is
--  that of whichever said so.
with
counted as (
    select distinct k.source as source, k.incident as incident
    from known_incidents k
    where k.standing = 'counts'
)
select distinct
    o.source as incident_source,
    o.incident as incident,
    k.repository as repository,
    c.cause as cause
from incident_causes c
join known_incidents k on k.source = c.source and k.incident = c.incident
join counted o on o.source = k.source and o.incident = k.original
where k.standing in ('counts', 'duplicate')
