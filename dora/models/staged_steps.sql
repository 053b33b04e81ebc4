-- grain: a successful deployment to a staging or a production environment, in its stream
-- key: stream, position
-- reads: deployments, environment_kinds, production_kinds, rules, stream_deployments, streams
-- rule: What it deploys is told by the commit that the store knows, else by the id as stated; an id
--  that is short and unknown tells nothing for certain. A kind that counts as production is not
--  staging.
select
    w.stream as stream,
    w.position as position,
    s.repository as repository,
    s.service as service,
    s.environment as environment,
    k.kind is null as staging,
    w.source as source,
    w.deployment as deployment,
    w.finished_at as finished_at,
    dora_us(coalesce(d.started_at, w.finished_at)) as start_us,
    dora_us(w.finished_at) as us,
    w.commit_id as commit_id,
    case
        when w.commit_id is not null then '#' || cast(w.commit_id as varchar)
        else lower(w.sha)
    end as content,
    w.commit_id is not null or length(w.sha) >= 40 as certain,
    lower(d.digest) as digest,
    d.manual as manual,
    d.automatic as automatic
from stream_deployments w
join streams s on s.stream = w.stream
join deployments d
    on d.source = w.source and d.id = w.deployment
    and d.repository = s.repository and d.environment = s.environment
join environment_kinds e
    on e.environment = s.environment and e.tier = coalesce(d.tier, '')
cross join rules r
left join production_kinds k on k.kind = e.kind
where w.finished_at <= r.as_of and (k.kind is not null or e.kind = 'staging')
