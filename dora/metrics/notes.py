"""What to mind when reading the numbers: what may have moved a number without anything improving.

A metric that becomes a target invites this, and most of it happens without intent. So these are
notes, not blame: each says what was seen, what it does to which number, and has its records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from dora import words
from dora.metrics.comparison import Comparison
from dora.metrics.result import Result
from dora.metrics.tidying import tidy
from dora.words import notes as text

if TYPE_CHECKING:
    import pandas as pd

    from dora.metrics.question import Question

LEAST, LEAST_SHARE = 3, 0.05
"""Fewer deployments, or a smaller part of all, move a frequency by less than chance does."""

OLD, OLD_SHARE = 5, 0.1
"""As few changes, or as small a part of the delivered ones, are no tail worth a note."""

FAMILIES = (
    ("deployment_frequency", "lead_time", "time_to_restore"),
    ("change_failure_rate", "rework_rate"),
)
"""Throughput and instability: what gets better in one may be paid for in the other."""

_IN_SCOPE = """
join calendar c on c.day = t.day and c.grain = 'window'
join scope_services s on s.service = t.service and s.scope_id = 0
where s.from_day <= t.day and t.day < s.until_day"""

_DEPLOYMENTS = f"""
select t.deployment, t.service, t.environment, t.finished_at, t.note, t.sha, t.url
from noted_deployments t{_IN_SCOPE}
order by t.finished_at, t.service, t.environment, t.deployment"""

_REOPENED = f"""
select t.source, t.incident, t.service, t.detected_at, t.first_resolved_at, t.resolved_at,
    t.reopenings, t.url
from reopened_incidents t{_IN_SCOPE}
order by t.detected_at, t.incident, t.service"""

_INCIDENTS = f"""
select distinct t.source, t.incident
from (
    select k.source, k.incident, k.service, dora_day(k.detected_at) as day
    from known_incidents k
    where k.standing = 'counts'
) t{_IN_SCOPE}"""

# Of changes that several services share, the first delivery counts, as in lead time.
_TAIL = """
select x.place, count(*) as old
from (
    select i.place, i.us, i.long_us, d.change_id,
        min(dora_us(d.committed_at)) as committed_us,
        min(dora_us(coalesce(d.merged_at, d.committed_at))) as landed_us,
        min(dora_us(d.delivered_at)) as delivered_us
    from change_times d
    cross join instants i
    join scope_services s on s.service = d.service and s.scope_id = 0
        and s.from_day <= i.day and i.day < s.until_day
    where d.left_out is null or d.left_out = 'not delivered'
    group by i.place, i.us, i.long_us, d.change_id
) x
where x.landed_us < x.us and (x.delivered_us is null or x.delivered_us >= x.us)
    and x.us - x.committed_us > x.long_us
group by x.place"""


@dataclass(frozen=True, eq=False)
class Note:
    """One thing to mind.

    Attributes:
        name: What it is called: redeployed, bursts, reopened, tail, partner or mix.
        metrics: The metrics it bears on.
        sentence: What was seen, and what it does to the number.
        records: What it was seen in; empty where it was told from the numbers themselves.
    """

    name: str
    metrics: tuple[str, ...]
    sentence: str
    records: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, eq=False, repr=False)
class Notes:
    """All that there is to mind in a window and scope.

    Attributes:
        notes: The notes.
        unseen: What no note can tell of.
    """

    notes: tuple[Note, ...]
    unseen: str = text.UNSEEN

    @classmethod
    def of(cls, comparisons: Sequence[Comparison]) -> Notes:
        """Look for them in the window and scope of some comparisons, one a metric."""
        told = {c.now.name: c for c in comparisons}
        if not told or any(c.now.veiled for c in comparisons):
            return cls(())
        looked = (_deployments, _incidents, _tail, _partner, _mix)
        return cls(tuple(note for look in looked for note in look(told)))

    @property
    def frame(self) -> pd.DataFrame:
        """One row a note: note, metrics, records (how many) and what it says."""
        import pandas as pd

        rows = [(n.name, ", ".join(n.metrics), len(n.records), n.sentence) for n in self.notes]
        columns = ["note", "metrics", "records", "sentence"]
        return pd.DataFrame(rows, columns=columns, dtype=object).astype({"records": "int64"})

    def __iter__(self) -> Iterator[Note]:
        return iter(self.notes)

    def __len__(self) -> int:
        return len(self.notes)

    def __repr__(self) -> str:
        return "\n".join([*(f"- {note.sentence}" for note in self.notes), self.unseen])

    def _repr_html_(self) -> str:
        listed = "".join(f"<li>{escape(note.sentence)}</li>" for note in self.notes)
        return f"<ul>{listed}</ul><p><small>{escape(self.unseen)}</small></p>"


def _deployments(told: Mapping[str, Comparison]) -> Iterator[Note]:
    """Deployments that bring nothing, and those that come in bursts."""
    result = told["deployment_frequency"].now
    found = _records(result.question, _DEPLOYMENTS, "noted_deployments")
    soon = found[found["note"] == "soon after"]
    nothing = found[found["note"] != "soon after"]
    if _many(len(nothing), result.n):
        same = int((nothing["note"] == "same commit").sum())
        said = text.redeployed(same, len(nothing) - same, result.n, _without(result, len(nothing)))
        yield Note("redeployed", (result.name,), said, nothing.reset_index(drop=True))
    if _many(len(soon), result.n):
        said = text.bursts(len(soon), result.n, _without(result, len(soon)))
        yield Note("bursts", (result.name,), said, soon.reset_index(drop=True))


def _many(part: int, total: int) -> bool:
    return part >= LEAST and part >= LEAST_SHARE * total


def _without(result: Result, fewer: int) -> str:
    value = None if result.value is None else result.value * (result.n - fewer) / result.n
    return words.quantity(value, result.unit)


def _incidents(told: Mapping[str, Comparison]) -> Iterator[Note]:
    """Incidents that were closed and opened again."""
    result = told["time_to_restore"].now
    found = _records(result.question, _REOPENED, "reopened_incidents")
    if found.empty:
        return
    part = len(found.drop_duplicates(["source", "incident"]))
    total = len(_records(result.question, _INCIDENTS, "known_incidents"))
    said = text.reopened(part, total, last_close=result.rules.recovery == "last_close")
    yield Note("reopened", (result.name,), said, found)


def _tail(told: Mapping[str, Comparison]) -> Iterator[Note]:
    """A median that fell while old changes wait."""
    now, before = told["lead_time"].now, told["lead_time"].before
    if now.value is None or before.value is None or now.value >= before.value:
        return
    usual = float(before.frame["p90"].iloc[0])
    waiting, earlier = _old(now.question, before.question, usual)
    if waiting <= earlier or waiting < max(OLD, OLD_SHARE * now.n):
        return
    values = (words.duration(value) for value in (now.value, before.value, usual))
    said = text.tail(next(values), next(values), waiting, earlier, next(values))
    left = now.left_out
    still = left[left["reason"] == "not delivered"].reset_index(drop=True)
    yield Note("tail", (now.name,), said, still)


def _old(now: Question, before: Question, usual: float) -> tuple[int, int]:
    """How many changes were waiting for longer than usual when each window ended."""
    import pandas as pd

    ends = [min(question.window.end_at, now.as_of) for question in (now, before)]
    instants = pd.DataFrame(
        {
            "place": [0, 1],
            "us": [int(end.timestamp() * 1_000_000) for end in ends],
            "long_us": [int(usual * 1_000_000)] * 2,
            "day": [min(q.window.end, now.today) for q in (now, before)],
        }
    )
    types = {"place": "INTEGER", "us": "BIGINT", "long_us": "BIGINT", "day": "DATE"}
    now.tables.load("instants", instants.astype(object), types)
    found = now.pooled().query(_TAIL).set_index("place")["old"]
    return int(found.get(0, 0)), int(found.get(1, 0))


def _partner(told: Mapping[str, Comparison]) -> Iterator[Note]:
    """Speed and stability that went opposite ways."""
    for family, other in (FAMILIES, FAMILIES[::-1]):
        better = [name for name in family if name in told and told[name].verdict == "better"]
        worse = [name for name in other if name in told and told[name].verdict == "worse"]
        if better and worse:
            titles = (
                [told[n].now.metric.title.lower() for n in names] for names in (better, worse)
            )
            yield Note("partner", (*better, *worse), text.partner(*titles), _none())


def _mix(told: Mapping[str, Comparison]) -> Iterator[Note]:
    """Changes that come from the mix of services more than from the services."""
    from dora.metrics.rollup import RollUp

    for name, comparison in told.items():
        if comparison.verdict in ("better", "worse"):
            rolled = RollUp.of(comparison.now, comparison.before, "service")
            if rolled.misleads:
                yield Note("mix", (name,), rolled.sentence, rolled.frame)


def _records(question: Question, sql: str, *models: str) -> pd.DataFrame:
    question.tables.need(*models)
    return tidy(question.pooled().query(sql))


def _none() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame()
