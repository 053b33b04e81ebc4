"""How fresh and how complete the record is: what `dora status` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dora import store, words

if TYPE_CHECKING:
    import pandas as pd

    from dora.delivery import Delivery


_Row = tuple[str, str, str, str | None]


class _Share(NamedTuple):
    """A part of the record that a number rests on: how much of it there is."""

    item: str
    query: str
    otherwise: str


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
    (
        "environments that nothing classifies",
        "select distinct environment from environment_kinds where kind = 'other' order by 1",
        "They count nowhere; name them in [environments].",
    ),
    (
        "repositories whose history is cut short",
        "select repository from repositories where incomplete order by 1",
        "Fetch the whole of it: git fetch --unshallow.",
    ),
    (
        "rows set aside as no facts",
        "select source || ' ' || location || ': ' || reason from quarantine order by 1",
        "Mend them at their source; the next sync reads them again.",
    ),
    (
        "changes delivered before they were committed",
        "select sha from delivered_changes where left_out = 'negative duration' order by 1",
        "A clock ran backwards; they are in no lead time.",
    ),
)


def status(delivery: Delivery) -> pd.DataFrame:
    """The state of the record, a row for each thing worth knowing.

    Returns:
        A frame with the columns `area` (source, coverage, gap), `item`, `state` and `remark`.
    """
    import pandas as pd

    rows = [*_sources(delivery), *_coverage(delivery), *_gaps(delivery)]
    return pd.DataFrame(rows, columns=["area", "item", "state", "remark"], dtype=object)


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


def _gaps(delivery: Delivery) -> list[_Row]:
    rows: list[_Row] = []
    for item, query, remark in _GAPS:
        found = [str(value) for value in delivery.sql(query).iloc[:, 0]]
        if found:
            rows.append(("gap", item, f"{len(found):,}: {words.listed(found)}", remark))
    return rows
