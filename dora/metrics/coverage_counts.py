"""The counts behind the grades, for the window and the first scope of a question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dora import words
from dora.metrics.coverage_checks import READABLE, Count

if TYPE_CHECKING:
    from datetime import date

    from dora.metrics.question import Question

_DAY_US = 86_400_000_000

MODELS = (
    "coverage_changes",
    "coverage_deployments",
    "coverage_environments",
    "coverage_gaps",
    "coverage_incidents",
    "coverage_repositories",
    "coverage_rows",
    "coverage_sources",
    "coverage_unread",
)
"""The derived tables that are counted."""

_IN_SCOPE = """
join calendar c on c.day = t.day and c.grain = 'window'
join scope_services s on s.service = t.service and s.scope_id = 0
where s.from_day <= t.day and t.day < s.until_day"""

_DEPLOYMENTS = f"""
select sum(t.deployments) as deployments, sum(t.of_known_commit) as of_known_commit,
    sum(t.covered) as covered, sum(t.told_once) as told_once, sum(t.in_order) as in_order
from coverage_deployments t{_IN_SCOPE}"""

_CHANGES = f"""
select sum(t.changes) as changes, sum(t.with_pull_request) as with_pull_request,
    sum(t.own_beginning) as own_beginning, sum(t.delivered) as delivered,
    sum(t.in_order) as in_order, sum(t.certain) as certain
from coverage_changes t{_IN_SCOPE}"""

_ENVIRONMENTS = f"""
select sum(t.attempts) as attempts, sum(t.classified) as classified
from coverage_environments t{_IN_SCOPE}"""

_INCIDENTS = """
select sum(x.counts) as counts, sum(x.mapped) as mapped, sum(x.linked) as linked,
    sum(x.ended) as ended, sum(x.invalid) as invalid, sum(x.told_once) as told_once
from (
    select t.source, t.incident,
        max(case when t.counts then 1 else 0 end) as counts,
        max(case when t.counts and t.service is not null then 1 else 0 end) as mapped,
        max(case when t.linked then 1 else 0 end) as linked,
        max(case when t.counts and t.ended then 1 else 0 end) as ended,
        max(case when t.invalid then 1 else 0 end) as invalid,
        min(case when t.counts and t.told_once then 1 else 0 end) as told_once
    from coverage_incidents t
    join calendar c on c.day = t.day and c.grain = 'window'
    left join scope_services s on s.scope_id = 0 and s.service = t.service
        and s.from_day <= t.day and t.day < s.until_day
    where t.service is null or s.service is not null
    group by t.source, t.incident
) x"""

_REPOSITORIES = """
select count(*) as repositories, sum(x.whole) as whole
from (
    select r.repository, max(case when r.whole then 1 else 0 end) as whole
    from coverage_repositories r
    join scope_services s on s.scope_id = 0 and s.service = r.service
    group by r.repository
) x"""

_UNREAD = """
select u.fact, r.repository
from coverage_unread u
join coverage_repositories r on r.repository = u.repository
join scope_services s on s.scope_id = 0 and s.service = r.service
group by u.fact, r.repository
order by u.fact, r.repository"""

_GAPS = """
select distinct g.service, g.since_us, g.until_us, g.usual_us
from coverage_gaps g
join scope_services s on s.scope_id = 0 and s.service = g.service
order by g.service, g.since_us"""

_FACTS = "select t.fact, t.kept, t.set_aside from coverage_rows t order by t.fact"
_SOURCES = "select t.source, t.was_read, t.fresh from coverage_sources t order by t.source"


def counts(question: Question) -> dict[str, Count]:
    """What every check came to, by its name; a check that nothing is known of is left out."""
    asked = question.pooled()
    asked.tables.need(*MODELS)
    return {
        **_of_deployments(asked),
        **_of_changes(asked),
        **_of_incidents(asked),
        **_of_the_record(asked),
        "no_silence": _silence(asked),
    }


def _sums(question: Question, sql: str) -> dict[str, int]:
    """The one row of sums; nothing summed is 0."""
    row = question.query(sql).iloc[0]
    return {str(name): 0 if row[name] != row[name] else int(row[name] or 0) for name in row.index}


def _of_deployments(question: Question) -> dict[str, Count]:
    found = _sums(question, _DEPLOYMENTS)
    total = found["deployments"]
    anywhere = _sums(question, _ENVIRONMENTS)
    return {
        "commit_known": Count(found["of_known_commit"], total),
        "deployments_told_once": Count(found["told_once"], total),
        "deployments_in_order": Count(found["in_order"], total),
        "incidents_covered": Count(found["covered"], total),
        "environments_classified": Count(anywhere["classified"], anywhere["attempts"]),
    }


def _of_changes(question: Question) -> dict[str, Count]:
    found = _sums(question, _CHANGES)
    return {
        "pull_request_known": Count(found["with_pull_request"], found["changes"]),
        "beginning_known": Count(found["own_beginning"], found["changes"]),
        "committed_before_delivered": Count(found["in_order"], found["delivered"]),
        "delivery_certain": Count(found["certain"], found["delivered"]),
    }


def _of_incidents(question: Question) -> dict[str, Count]:
    found = _sums(question, _INCIDENTS)
    total = found["counts"]
    return {
        "incidents_mapped": Count(found["mapped"], total),
        "incidents_linked": Count(found["linked"], total),
        "incidents_ended": Count(found["ended"], total),
        "incidents_told_once": Count(found["told_once"], total),
        "incidents_in_order": Count(total, total + found["invalid"]),
    }


def _of_the_record(question: Question) -> dict[str, Count]:
    rows = question.query(_FACTS).to_dict(orient="records")
    kept = {
        f"{row['fact']}_kept": Count(int(row["kept"]), int(row["kept"] + row["set_aside"]))
        for row in rows
        if row["set_aside"]
    }
    repositories = _sums(question, _REPOSITORIES)
    return {
        **kept,
        **_readable(question, repositories["repositories"]),
        **_of_sources(question.query(_SOURCES).to_dict(orient="records")),
        "history_whole": Count(repositories["whole"], repositories["repositories"]),
    }


def _readable(question: Question, repositories: int) -> dict[str, Count]:
    """Of how many repositories each fact could be read; only of facts where some could not."""
    missing: dict[str, list[str]] = {}
    for row in question.query(_UNREAD).to_dict(orient="records"):
        missing.setdefault(str(row["fact"]), []).append(str(row["repository"]))
    return {
        f"{fact}_readable": Count(repositories - len(names), repositories, tuple(names))
        for fact, names in missing.items()
        if f"{fact}_readable" in READABLE
    }


def _of_sources(rows: list[dict[Any, Any]]) -> dict[str, Count]:
    found = {}
    for name, column in (("sources_read", "was_read"), ("sources_fresh", "fresh")):
        asked = [row for row in rows if name == "sources_read" or row["was_read"]]
        lacking = tuple(str(row["source"]) for row in asked if not row[column])
        found[name] = Count(len(asked) - len(lacking), len(asked), lacking)
    return found


def _silence(question: Question) -> Count:
    """Days of the services in the window, and those that lie in no unusual silence."""
    days = _days_of_services(question)
    silent = 0
    services: dict[str, int] = {}
    for row in question.query(_GAPS).to_dict(orient="records"):
        first = _day(int(row["since_us"]) + _DAY_US)  # the day of a deployment is not silent
        within = _overlap(question, first, _day(int(row["until_us"])))
        silent += within
        if within:
            services[str(row["service"])] = services.get(str(row["service"]), 0) + within
    worst = sorted(services, key=lambda service: (-services[service], service))
    named = tuple(f"{s} silent for {words.count(services[s], 'day')}" for s in worst)
    return Count(max(0, days - silent), days, named)


def _days_of_services(question: Question) -> int:
    """How many days of the window have passed since each service was first deployed, summed."""
    tomorrow = question.today + timedelta(days=1)
    known = question.directory.first_days
    return sum(
        _overlap(question, max(known[m.service], m.from_day), min(tomorrow, m.until_day))
        for m in question.scopes[0].members
        if m.service in known
    )


def _overlap(question: Question, first: date, after: date) -> int:
    """How many days of the window lie from a day on and before another."""
    first = max(first, question.window.start)
    return max(0, (min(after, question.window.end) - first).days)


def _day(us: int) -> date:
    return datetime.fromtimestamp(us / 1_000_000, UTC).date()
