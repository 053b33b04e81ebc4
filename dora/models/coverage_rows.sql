-- grain: a fact table that metrics are made from
-- key: fact
-- reads: commits, deployments, incidents, pull_requests, quarantine
-- rule: How many facts there are, and how many rows were set aside as none.
with
facts as (
    select 'commits' as fact, count(*) as kept from commits c
    union all
    select 'pull_requests' as fact, count(*) as kept from pull_requests p
    union all
    select 'deployments' as fact, count(*) as kept from deployments d
    union all
    select 'incidents' as fact, count(*) as kept from incidents i
)
select
    f.fact as fact,
    f.kept as kept,
    sum(case when q.stream is null then 0 else 1 end) as set_aside
from facts f
left join quarantine q on q.stream = f.fact or q.stream like f.fact || ':%'
group by f.fact, f.kept
