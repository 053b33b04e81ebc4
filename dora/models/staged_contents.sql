-- grain: a successful deployment to staging or production of which lineage tells what it contains
-- key: stream, position
-- reads: staged_steps, stream_deployments, streams
-- rule: It contains what the deployments of `told_stream` delivered up to `told_position` and
--  nothing else: the one there is of the same commit and contained all that was deployed there
--  before it. Its own stream is asked first, then the others of the service.
with
told as (
    select w.stream as stream, w.commit_id as commit_id, min(w.position) as position
    from stream_deployments w
    where w.cumulative and w.commit_id is not null
    group by w.stream, w.commit_id
),
first_hand as (
    select t.stream as stream, t.position as position, t.repository as repository,
        t.service as service, t.commit_id as commit_id, h.position as told_position
    from staged_steps t
    left join told h on h.stream = t.stream and h.commit_id = t.commit_id
    where t.commit_id is not null
),
asked_on as (
    select f.stream as stream, f.position as position, f.commit_id as commit_id,
        min(o.stream) as told_stream
    from first_hand f
    join streams s on s.repository = f.repository and s.service = f.service
    join told o on o.stream = s.stream and o.commit_id = f.commit_id
    where f.told_position is null
    group by f.stream, f.position, f.commit_id
)
select f.stream as stream, f.position as position, f.stream as told_stream,
    f.told_position as told_position
from first_hand f
where f.told_position is not null
union all
select a.stream as stream, a.position as position, a.told_stream as told_stream,
    o.position as told_position
from asked_on a
join told o on o.stream = a.told_stream and o.commit_id = a.commit_id
