"""How fresh and how complete the record is: what `dora status` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dora import store, words
from dora.metrics.goals import is_named

if TYPE_CHECKING:
    import pandas as pd

    from dora.delivery import Delivery


_Row = tuple[str, str, str, str | None]
_COLUMNS = ["area", "item", "state", "remark"]


class _Share(NamedTuple):
    """A part of the record that a number rests on: how much of it there is."""

    item: str
    query: str
    otherwise: str


class _Gap(NamedTuple):
    """What the record lacks: what to call it, how to find it, what to do about it."""

    item: str
    query: str
    remark: str


_COVERAGE = (
    _Share(
        "deployments whose commit is known",
        "select count(*) filter (outcome <> 'unknown'), count(*) from stream_deployments, rules"
        " where finished_at <= as_of",
        "What an unknown commit ships is in no lead time.",
    ),
    _Share(
        "delivered changes with a pull request",
        "select count(pull_request), count(*) from delivered_changes where left_out is null",
        "Without one, lead time has no stages, and a squash hides its first commit.",
    ),
    _Share(
        "incidents with an end",
        "select count(*) filter (resolved_at <= as_of), count(*) from incidents, rules"
        " where detected_at <= as_of",
        "Open ones are counted apart.",
    ),
    _Share(
        "incidents mapped to a service",
        "select count(distinct (s.source, s.incident)), count(distinct (i.source, i.id)) from"
        " incidents i left join incident_services s on s.source = i.source and s.incident = i.id"
        " where i.detected_at <= (select as_of from rules)",
        "The others are in no metric; name their service, or map it in [[services]].",
    ),
    _Share(
        "incidents linked to a deployment",
        "select count(*) filter (state = 'linked'), count(*) from linked_incidents",
        "Unlinked ones are no change failures.",
    ),
    _Share(
        "services with an incident source",
        "select count(distinct c.service), count(distinct m.service) from service_map m"
        " left join covered_services c on c.service = m.service",
        'Failure rates of the others are lower bounds; add a source, or say covers = ["…"].',
    ),
)

_GAPS = (
    _Gap(
        "environments that nothing classifies",
        "select distinct environment from environment_kinds where kind = 'other' order by 1",
        "They count nowhere; name them in [environments].",
    ),
    _Gap(
        "deployments whose repository is not known",
        "select id from deployments, rules where repository = ''"
        " and coalesce(finished_at, started_at, as_of) <= as_of order by 1",
        "They are in no lead time; let them name it, or read the repository with their commits.",
    ),
    _Gap(
        "incidents that no service is mapped to",
        "select distinct i.id from incidents i left join incident_services s"
        " on s.source = i.source and s.incident = i.id, rules"
        " where s.incident is null and i.detected_at <= as_of order by 1",
        "They are in no metric; let them name a service, or map their repository in [[services]].",
    ),
    _Gap(
        "services that incidents name and nothing is deployed to",
        "select distinct s.service from incident_services s"
        " where s.service not in (select service from service_map) order by 1",
        "No deployment can be linked to them; if they are other names of a service, make them its"
        " aliases in [[services]].",
    ),
    _Gap(
        "commits that touch no service's paths",
        "select substr(c.sha, 1, 10) from commits c join (select repository from service_map"
        " group by repository having bool_and(by_paths)) m on m.repository = c.repository"
        " left join commit_services p on p.commit_id = c.commit_id, rules"
        " where p.commit_id is null and c.parents not like '% %' and c.committed_at <= as_of"
        " order by c.committed_at desc, c.sha",
        "They are in no lead time; widen the paths of a service in [[services]].",
    ),
    _Gap(
        "services that no team owns",
        "select distinct s.service from services s join service_map m on m.service = s.service"
        " where s.team is null and exists (from team_services) order by 1",
        "They are in no team's numbers; name their team in [[services]].",
    ),
    _Gap(
        "flags that no service is mapped to",
        "select distinct f.flag from flag_changes f left join flag_services s"
        " on s.stated = coalesce(f.service, '') where s.service is null order by 1",
        "Turning them off ends no failure; let them name a service.",
    ),
    _Gap(
        "manual changes that no service is mapped to",
        "select coalesce(m.name, m.id) from manual_changes m left join flag_services s"
        " on s.stated = coalesce(m.service, '') where s.service is null order by m.changed_at, 1",
        "They are in no share of manual changes; let them name a service.",
    ),
    _Gap(
        "repositories whose history is cut short",
        "select repository from repositories where incomplete order by 1",
        "Fetch the whole of it: git fetch --unshallow.",
    ),
    _Gap(
        "rows set aside as no facts",
        "select source || ' ' || location || ': ' || reason from quarantine order by 1",
        "Mend them at their source; the next sync reads them again.",
    ),
    _Gap(
        "changes delivered before they were committed",
        "select sha from delivered_changes where left_out = 'negative duration' order by 1",
        "A clock ran backwards; they are in no lead time.",
    ),
)


def status(delivery: Delivery) -> pd.DataFrame:
    """The state of the record, a row for each thing worth knowing, and what follows from it.

    Returns:
        A frame with the columns `area` (source, grade, coverage, gap, note), `item`, `state` and
        `remark`. Grades and notes are those of the delivery's window.
    """
    import pandas as pd

    graded = pd.DataFrame(_grades(delivery), columns=_COLUMNS, dtype=object)
    noted = pd.DataFrame(_notes(delivery), columns=_COLUMNS, dtype=object)
    return pd.concat([record(delivery), graded, noted], ignore_index=True)


def record(delivery: Delivery) -> pd.DataFrame:
    """The state of the record alone: sources, coverage and gaps, in the same columns."""
    import pandas as pd

    rows = [*_sources(delivery), *_coverage(delivery), *_gaps(delivery)]
    return pd.DataFrame(rows, columns=_COLUMNS, dtype=object)


def _grades(delivery: Delivery) -> list[_Row]:
    return [
        ("grade", metric, grade.letter or words.DASH, "; ".join(grade.reasons) or None)
        for metric, grade in delivery.coverage().grades.items()
    ]


def _notes(delivery: Delivery) -> list[_Row]:
    return [("note", words.listed(note.metrics), note.sentence, None) for note in delivery.notes()]


def _sources(delivery: Delivery) -> list[_Row]:
    connection = delivery.connect()
    try:
        synced = store.freshness(connection)
    finally:
        connection.close()
    return [
        ("source", name, f"synced {words.instant(moment)}", None)
        for name, moment in sorted(synced.items())
    ]


def _coverage(delivery: Delivery) -> list[_Row]:
    rows: list[_Row] = []
    for share in _COVERAGE:
        have, total = (int(n) for n in delivery.sql(share.query).iloc[0])
        state = f"{have:,} of {total:,}" if total else "none yet"
        rows.append(("coverage", share.item, state, share.otherwise if have < total else None))
    return rows


def _unmapped(configured: tuple[str, ...]) -> _Gap:
    """What is deployed and in no configured service, where there are any."""
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in configured)
    return _Gap(
        "deployments that no rule of [[services]] maps",
        "select distinct m.service from service_map m"
        " where m.repository in (select repository from deployments)"
        f" and m.service not in ({listed}) order by 1"
        if configured
        else "select service from services where false",
        "Each is a service by its own name; if it is another's, widen that one's rules.",
    )


def _gaps(delivery: Delivery) -> list[_Row]:
    rows: list[_Row] = []
    for item, query, remark in (_unmapped(delivery.configured_services), *_GAPS):
        found = [str(value) for value in delivery.sql(query).iloc[:, 0]]
        if found:
            rows.append(("gap", item, f"{len(found):,}: {words.listed(found)}", remark))
    return rows + _goals_of_nobody(delivery)


def _goals_of_nobody(delivery: Delivery) -> list[_Row]:
    """Goals of services and teams that there are not, as after a slip of the pen."""
    known = {"service": delivery.services, "team": delivery.teams}
    lost = [
        wanted
        for goal in delivery.goals
        for kind, wanted in (("service", goal.service), ("team", goal.team))
        if wanted is not None and not any(is_named(wanted, name) for name in known[kind])
    ]
    if not lost:
        return []
    found = f"{len(lost):,}: {words.listed(lost)}"
    remark = "Nothing is held against them; write the names in [goals] as they are known here."
    return [("gap", "goals of services or teams that there are not", found, remark)]
