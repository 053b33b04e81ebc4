-- grain: a deployment of a service that begins a record or goes back
-- key: source, deployment, service, environment
-- reads: stream_deployments, streams
-- rule: Of several repositories, it is a baseline where it is one for all of them, a rollback where
--  it is one for any. A table of its own, as they are few among many.
with
marked as (
    select distinct w.source as source, w.deployment as deployment
    from stream_deployments w
    where w.outcome = 'baseline' or w.rollback
)
select
    w.source as source,
    w.deployment as deployment,
    s.service as service,
    s.environment as environment,
    min(case when w.outcome = 'baseline' then 1 else 0 end) = 1 as baseline,
    max(case when w.rollback then 1 else 0 end) = 1 as rollback
from stream_deployments w
join marked m on m.source = w.source and m.deployment = w.deployment
join streams s on s.stream = w.stream
group by w.source, w.deployment, s.service, s.environment
