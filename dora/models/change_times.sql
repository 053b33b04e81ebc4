-- grain: a change and a service that has it or will, in numbers alone
-- key: change_id, route
-- reads: change_deliveries, commits, production_steps, production_streams, pull_request_times, requested_members, rules
-- rule: Lead time runs from the change's first commit, or where a rule says so from its merge, to its
--  delivery; only the whole is checked for being negative. left_out is null where it counts. What a change is called stands in
--  delivered_changes, which a number does not wait for.
with
pull_request_landings as (
    select
        t.landed_id as commit_id,
        t.pull_request_id as pull_request_id,
        t.merged_at as merged_at,
        t.is_bot as is_bot
    from pull_request_times t
    where t.lands_alone
),
changes as (
    select
        d.change_id as change_id,
        d.route as route,
        d.step as step,
        d.baseline as baseline,
        c.authored_at as committed_at,
        c.is_bot as is_bot,
        l.pull_request_id as pull_request_id,
        l.merged_at as merged_at,
        l.is_bot as pull_request_is_bot
    from change_deliveries d
    join commits c on c.commit_id = d.change_id
    cross join rules r
    left join pull_request_landings l on l.commit_id = d.change_id
    where case when d.change_id > 0 then c.parents not like '% %' else false end
        and (d.step is not null or c.committed_at <= r.as_of)
    union all
    select
        d.change_id as change_id,
        d.route as route,
        d.step as step,
        d.baseline as baseline,
        m.authored_at as committed_at,
        m.is_bot as is_bot,
        m.pull_request_id as pull_request_id,
        t.merged_at as merged_at,
        t.is_bot as pull_request_is_bot
    from change_deliveries d
    join requested_members m on m.change_id = d.change_id and m.place = 1
    left join pull_request_times t on t.pull_request_id = m.pull_request_id
    where d.change_id < 0
),
routes as (
    select distinct s.route as route, s.repository as repository, s.service as service
    from production_streams s
),
shared as (
    select o.repository as repository
    from routes o
    group by o.repository
    having min(o.service) <> max(o.service)
),
timed as (
    select
        c.change_id as change_id,
        c.route as route,
        o.service as service,
        h.repository is not null as shared,
        c.step as step,
        c.pull_request_id as pull_request_id,
        c.committed_at as committed_at,
        c.merged_at as merged_at,
        p.finished_at as delivered_at,
        p.us - dora_us(
            case when r.clock_start = 'merge' then c.merged_at else c.committed_at end
        ) as us,
        case
            when r.change = 'pull_request' then coalesce(c.pull_request_is_bot, c.is_bot) else c.is_bot
        end as is_bot,
        c.baseline as baseline,
        coalesce(p.uncertain, false) as uncertain,
        r.bot_changes as bot_changes
    from changes c
    cross join rules r
    join routes o on o.route = c.route
    left join shared h on h.repository = o.repository
    left join production_steps p on p.step = c.step
)
select
    d.change_id as change_id,
    d.route as route,
    d.service as service,
    d.shared as shared,
    d.step as step,
    d.pull_request_id as pull_request_id,
    d.committed_at as committed_at,
    d.merged_at as merged_at,
    d.delivered_at as delivered_at,
    d.us as us,
    d.is_bot as is_bot,
    case
        when d.baseline then 'before the record'
        when d.uncertain then 'uncertain delivery'
        when d.is_bot and not d.bot_changes then 'bot'
        when d.delivered_at is null then 'not delivered'
        when d.us is null then 'no merge is known'
        when d.us < 0 then 'negative duration'
    end as left_out
from timed d
