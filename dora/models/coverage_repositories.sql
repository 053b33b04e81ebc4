-- grain: a repository and a service that is built from it
-- key: repository, service
-- reads: repositories, service_map
-- rule: Its history is whole unless it is cut short, as in a shallow clone.
select distinct
    m.repository as repository,
    m.service as service,
    not coalesce(y.incomplete, false) as whole
from service_map m
left join repositories y on y.repository = m.repository
