"""The statements of `cells_in_postgres.py`."""

LINKS = """
{settings}
create unlogged table merged as
select l.stream, d.position, d.finished_at, p.merged_at,
    p.labels in ('hotfix', 'emergency') as hotfix,
    date_part('epoch', d.finished_at - c.authored_at) as seconds
from pull_requests p
join commits c on c.repository = p.repository and c.sha = p.merge_sha
join lineage l using (commit_id)
left join stream_deployments d on d.stream = l.stream and d.position = l.position
where d.stream is null or d.position > 0 or d.commit_id = c.commit_id;
create unlogged table hotfixes as
select distinct stream, position, finished_at from merged where hotfix and position is not null;
alter table hotfixes add primary key (stream, position);
analyze hotfixes;
create unlogged table spells as
with linked as (
    select d.stream, d.position, min(i.detected_at) as begun,
        case when bool_and(coalesce(i.resolved_at <= '{now}', false)) then max(i.resolved_at) end
            as over
    from incidents i
    join streams s using (repository)
    cross join lateral (
        select stream, position, finished_at from stream_deployments
        where stream = s.stream and finished_at <= i.detected_at
        order by finished_at desc limit 1
    ) d
    where i.detected_at <= '{now}' and i.detected_at - d.finished_at <= interval '24 hours'
    group by d.stream, d.position
), repaired as (
    select b.stream, b.position, b.finished_at as begun, min(h.finished_at) as over
    from hotfixes h
    cross join lateral (
        select o.stream, o.position, o.finished_at from stream_deployments o
        where o.stream = h.stream and o.position < h.position and not exists (
            select from hotfixes x where x.stream = o.stream and x.position = o.position
        )
        order by o.position desc limit 1
    ) b
    where h.finished_at - b.finished_at <= interval '7 days'
    group by b.stream, b.position, b.finished_at
)
select stream, position, coalesce(l.begun, r.begun) as begun,
    case when l.begun is null then r.over else l.over end as over
from linked l full join repaired r using (stream, position);
create unlogged table judged as
select d.stream, d.finished_at, d.finished_at <= timestamp '{now}' - interval '24 hours' as mature,
    p.stream is not null as failed, h.stream is not null as hotfix
from stream_deployments d
left join spells p using (stream, position)
left join hotfixes h using (stream, position);
analyze merged, spells, judged;
"""

COUNTS = """
{settings}
create unlogged table scopes as
select (row_number() over (order by place, service, team))::int - 1 as scope_id, scope, service,
    team
from (
    select 0 as place, 'all' as scope, null as service, null as team
    union all select 1, 'service', service, null from streams
    union all select distinct 2, 'team', null, team from team_services
) x;
create unlogged table members as
select s.scope_id, t.stream from streams t
left join team_services o using (service)
join scopes s on s.scope = 'all' or s.service = t.service or s.team = o.team;
create unlogged table days as
select '{start}'::date + n as day from generate_series(0, {days} - 1) n;
create unlogged table periods as
select (row_number() over (order by grain desc, period_start))::int - 1 as period, grain,
    period_start, period_end,
    period_start < '{start}' or period_end > date '{start}' + {days} as cut
from (
    select 'window' as grain, date '{start}' as period_start, date '{start}' + {days} as period_end
    union all
    select distinct 'week', date_trunc('week', day)::date, date_trunc('week', day)::date + 7
    from days
    union all
    select distinct 'month', date_trunc('month', day)::date,
        (date_trunc('month', day) + interval '1 month')::date
    from days
) x;
create unlogged table calendar as
select day, period, grain = 'window' as whole from days
join periods on period_start <= day and day < period_end;
create unlogged table grid as
select s.scope_id * 256 + p.period as cell, s.scope_id, p.grain, s.scope, s.service, s.team,
    p.period_start, p.period_end,
    p.cut or (p.period_start <= f.first_day and f.first_day < p.period_end) as partial,
    p.period_end <= f.first_day as early
from scopes s
join (
    select scope_id, min(finished_at)::date as first_day
    from judged join members using (stream) group by scope_id
) f using (scope_id)
cross join periods p
where p.grain <> 'window' or s.scope_id = 0;
analyze members, calendar, grid;
create unlogged table counted as
with events as (
    select stream, finished_at, 1 as n, mature::int as mature, (mature and failed)::int as hits,
        (not mature)::int as pending, (not mature and failed)::int as pending_failed,
        hotfix::int as hotfix, 0 as attempt
    from judged
    union all
    select stream, finished_at, 0, 0, 0, 0, 0, 0, 1
    from deployments join streams using (repository) where status = 'failed'
), daily as (
    select scope_id, finished_at::date as day, sum(n)::int as n, sum(mature)::int as mature,
        sum(hits)::int as hits, sum(pending)::int as pending,
        sum(pending_failed)::int as pending_failed, sum(hotfix)::int as hotfixes,
        sum(attempt)::int as attempts
    from events join members using (stream)
    group by scope_id, day
)
select scope_id * 256 + period as cell, sum(n) as n, count(*) filter (where n > 0) as days,
    sum(mature) as mature, sum(hits) as hits, sum(pending) as pending,
    sum(pending_failed) as pending_failed, sum(hotfixes) as hotfixes, sum(attempts) as attempts
from daily join calendar using (day)
where not whole or scope_id = 0
group by cell;
create unlogged table between_deployments as
select scope_id * 256 + period as cell, percentile_cont(0.5) within group (order by gap) as between
from (
    select scope_id, finished_at::date as day,
        date_part('epoch', finished_at - lag(finished_at) over (
            partition by scope_id order by finished_at
        )) as gap
    from judged join members using (stream)
) g
join calendar using (day)
where gap is not null and (not whole or scope_id = 0)
group by cell;
create unlogged table waiting as
select scope_id * 256 + period as cell, count(*) as n
from merged join members using (stream) join calendar on day = merged_at::date
where position is null and (not whole or scope_id = 0)
group by cell;
create unlogged table suffering as
select scope_id * 256 + period as cell, count(*) as n
from spells join members using (stream) join calendar on day = begun::date
where over is null and (not whole or scope_id = 0)
group by cell;
"""

_PLACES = "scope, service, team, grain, period_start, period_end, partial"
_BEFORE = "before the first known deployment"

_FREQUENCY = f"""
create unlogged table cells_deployment_frequency as
select 'deployment_frequency' as metric, {_PLACES},
    case when not early then n * factor end as value,
    case when grain = 'window' then 'per week' else 'deployments' end as unit, n,
    case when not early then p.low * factor end as low,
    case when not early then p.high * factor end as high,
    case when early then '{_BEFORE}' end as reason, days_with_deployment, failed_attempts, between
from (
    select g.*, coalesce(c.n, 0) as n, coalesce(c.days, 0) as days_with_deployment,
        coalesce(c.attempts, 0) as failed_attempts, b.between,
        case when grain = 'window' then 7.0::float / {{days}} else 1 end as factor
    from grid g
    left join counted c using (cell)
    left join between_deployments b using (cell)
) x
join poisson p on p.k = x.n;
"""


def _rate(name: str, n: str, hits: str, further: str, young: str) -> str:
    """A share with Wilson's interval, z = 1.96."""
    z2 = "3.841458820694124::float"
    return f"""
create unlogged table cells_{name} as
select '{name}' as metric, {_PLACES}, share as value, 'share' as unit, coalesce(n, 0) as n,
    case when hits = 0 and n > 0 then 0
        else (share + {z2} / (2 * n) - half) / (1 + {z2} / n) end as low,
    case when hits = n then 1 else (share + {z2} / (2 * n) + half) / (1 + {z2} / n) end as high,
    case when early then '{_BEFORE}' when n > 0 then null
        when {young} > 0 then 'no deployment is old enough to be judged'
        else 'nothing was deployed' end as reason,
    coalesce(hits, 0) as hits, {further}
from (
    select *, sqrt({z2} * (share * (1 - share) / n + {z2} / (4 * n * n))) as half
    from (
        select g.*, c.pending, c.pending_failed, c.attempts, c.hotfixes, c.{hits} as hits,
            nullif(c.{n}, 0)::float as n, c.{hits}::float / nullif(c.{n}, 0) as share
        from grid g
        left join counted c using (cell)
    ) y
) x;
"""


def _at(share: str) -> str:
    """A linear quantile of a sorted array."""
    below = f"floor({share} * (n - 1))"
    lower, upper = (f"sorted[{below}::int + {place}]" for place in (1, 2))
    rest = f"({share} * (n - 1) - {below})"
    return f"{lower} + case when {rest} > 0 then {rest} * ({upper} - {lower}) else 0 end"


def _duration(name: str, lengths: str, still: str, nothing: str) -> str:
    """Quantiles and the order-statistic interval of a median, from sorted arrays."""
    return f"""
create unlogged table cells_{name} as
select '{name}' as metric, {_PLACES}, {_at("0.5::float")} as value, 'seconds' as unit,
    coalesce(n, 0) as n,
    case when rank > 0 then sorted[rank] end as low,
    case when rank > 0 then sorted[n + 1 - rank] end as high,
    case when n is null then '{nothing}' end as reason, {_at("0.75::float")} as p75,
    {_at("0.9::float")} as p90, {_at("0.95::float")} as p95, open
from (
    select g.*, l.n, l.sorted, r.rank, s.open
    from grid g
    join (
        select cell,
            sum(coalesce(n, 0)::int) over (partition by scope_id, grain order by cell) as open
        from grid left join {still} using (cell)
    ) s using (cell)
    left join (
        select scope_id * 256 + period as cell, count(*)::int as n,
            array_agg(seconds order by seconds) as sorted
        from ({lengths}) y join members using (stream) join calendar using (day)
        where not whole or scope_id = 0
        group by cell
    ) l using (cell)
    left join ranks r on r.n = l.n
) x;
"""


_TOOK = "select stream, finished_at::date as day, seconds from merged where position is not null"
_LASTED = """
    select stream, over::date as day, date_part('epoch', over - begun) as seconds
    from spells where over is not null
"""
METRICS = "\n".join(
    [
        "{settings}",
        _FREQUENCY,
        _duration("lead_time", _TOOK, "waiting", "no change was delivered"),
        _duration(
            "time_to_restore", _LASTED, "suffering", "no failed deployment was recovered from"
        ),
        _rate(
            "change_failure_rate",
            "mature",
            "hits",
            "coalesce(pending, 0) as pending, coalesce(pending_failed, 0) as pending_failed,"
            " coalesce(attempts, 0) as failed_attempts",
            "pending",
        ),
        _rate(
            "rework_rate",
            "n",
            "hotfixes",
            "0 as rollbacks, coalesce(hotfixes, 0) as hotfixes, 0 as reverts",
            "0",
        ),
    ]
)
