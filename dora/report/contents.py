"""What a report says: everything worked out, nothing laid out yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dora import status, words
from dora.errors import UsageError
from dora.metrics.levels import standings
from dora.plots import ages
from dora.report import releases, sources
from dora.report.pictures import Picture, gallery
from dora.report.releases import ReleasePage
from dora.report.tables import Cell, Table, link
from dora.stats.levels import NEWEST
from dora.words import compared

if TYPE_CHECKING:
    import pandas as pd

    from dora.delivery import Delivery
    from dora.metrics.comparison import Comparison
    from dora.metrics.overview import Overview
    from dora.metrics.result import Result
    from dora.windows import Window

STALE_AFTER = timedelta(days=2)
"""How long ago a source may have been read before the report says that it is out of date."""

_MOST_ROWS = 20
_YEAR = 364
"""Days in 52 whole weeks: a year ago with the same weekdays."""
_LONG_ENOUGH = timedelta(weeks=26)
"""Of fewer weeks hardly anything could be told from noise."""


@dataclass(frozen=True, slots=True)
class Held:
    """A metric held against another window.

    Attributes:
        against: That window.
        verdict: better, worse, no evidence, too little data, or withheld.
        change: The difference with its interval; empty where there is none.
        sentence: Both values and the verdict in a sentence.
    """

    against: str
    verdict: str
    change: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Card:
    """One metric on page one.

    Attributes:
        name: The metric.
        title: What dora.dev calls it.
        definition: What it is, in a sentence.
        value: The value with its unit, or `unknown`.
        interval: Its 95 % interval; empty where there is none.
        n: How many records are behind it, in words.
        asides: What is not over yet or set apart.
        reason: Why there is no value.
        grade: How far it can be trusted, A to E.
        doubts: What is below A, in numbers.
        before: Held against the window before.
        last_year: Held against the same window a year ago; None where it is a year or longer.
        answer: What the value is among the answers of DORA's survey; empty where it is none.
        goal: Whether its goal is met, in a sentence; empty where it has none.
        lately: What stands out in the last half year, and when the level changed.
    """

    name: str
    title: str
    definition: str
    value: str
    interval: str
    n: str
    asides: tuple[str, ...]
    reason: str
    grade: str
    doubts: tuple[str, ...]
    before: Held
    last_year: Held | None
    answer: str
    goal: str
    lately: str


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a report says.

    Attributes:
        scope: Whom it is about.
        window: The window, with its days.
        zone: The reporting time zone.
        as_of: What stands for now.
        warnings: Sources that failed or were not read lately; the report is out of date then.
        headline: Ahead or behind, in a sentence.
        cards: The metrics.
        pictures: What the numbers look like, by their names.
        services: The metrics of every service.
        waiting: The changes that wait for production, oldest first.
        failures: Deployments that failed, newest first.
        coverage: How complete the record is.
        rules: The rules that all numbers were made with.
        levels: The nearest of DORA's levels, the Quick Check score, and where they are from.
        notes: What to mind when reading the numbers.
        unseen: What no note can tell of.
        release: How releases are managed.
    """

    scope: str
    window: str
    zone: str
    as_of: str
    warnings: tuple[str, ...]
    headline: str
    cards: tuple[Card, ...]
    pictures: dict[str, Picture]
    services: Table
    waiting: Table
    failures: Table
    coverage: Table
    rules: str
    levels: tuple[str, ...]
    notes: tuple[str, ...]
    unseen: str
    release: ReleasePage


def gather(
    delivery: Delivery, *, now: datetime | None = None, stale_after: timedelta = STALE_AFTER
) -> Contents:
    """Ask for all that a report says.

    Args:
        delivery: Whom and which window it is about.
        now: The time by the clock on the wall, which tells how old the sources are.
        stale_after: How long ago a source may have been read.
    """
    overview = delivery.overview()
    comparisons = overview.comparisons
    results = {c.now.name: c.now for c in comparisons}
    first = comparisons[0].now
    by_week = {name: _half_a_year(result) for name, result in results.items()}
    return Contents(
        scope=first.question.scopes[0].label,
        window=words.window(first.window),
        zone=first.window.zone,
        as_of=words.instant(first.question.as_of),
        warnings=tuple(sources.warnings(delivery, now or datetime.now(UTC), stale_after)),
        headline=_headline(comparisons),
        cards=tuple(_cards(overview, by_week)),
        pictures=gallery(results, by_week),
        services=_services(delivery.window(first.window)),
        waiting=_waiting(results["lead_time"]),
        failures=_failures(results["change_failure_rate"]),
        coverage=_coverage(delivery),
        rules=words.rules_text(first.rules),
        levels=_levels(overview),
        notes=tuple(note.sentence for note in overview.notes),
        unseen=overview.notes.unseen,
        release=releases.page(delivery),
    )


def _headline(comparisons: Sequence[Comparison]) -> str:
    def titles(verdict: str) -> list[str]:
        return [c.now.metric.title.lower() for c in comparisons if c.verdict == verdict]

    before = comparisons[0].before.window
    return compared.headline(
        titles("better"),
        titles("worse"),
        len(titles("no evidence")),
        words.span(before),
        withheld=len(titles("withheld")),
    )


def _levels(overview: Overview) -> tuple[str, ...]:
    level = overview.level()
    return (level.sentence, overview.quick_check().sentence, f"Levels: {level.source}.")


def _cards(overview: Overview, by_week: Mapping[str, Result]) -> Iterator[Card]:
    answers = {s.result.name: s.answer(s.value, NEWEST) for s in standings(overview.results)}
    goals = {j.goal.metric: j.sentence for j in overview.judgements}
    for comparison in overview.comparisons:
        name = comparison.now.name
        lately = by_week[name].signals().sentence
        yield _card(comparison, answers.get(name) or "", goals.get(name, ""), lately)


def _card(comparison: Comparison, answer: str, goal: str, lately: str) -> Card:
    now = comparison.now
    grade = now.question.coverage.grade(now.name)
    return Card(
        name=now.name,
        title=now.metric.title,
        definition=now.metric.definition,
        value=words.quantity(now.value, now.unit),
        interval=words.interval(now.low, now.high, now.unit, like=now.value),
        n=words.count(now.n, now.metric.noun),
        asides=tuple(now.asides),
        reason=now.reason or "",
        grade=grade.letter or words.DASH,
        doubts=grade.reasons,
        before=_held(comparison),
        last_year=_held(now.compare(_year_before(now.window))) if _shorter(now.window) else None,
        answer=answer,
        goal=goal,
        lately=lately,
    )


def _half_a_year(now: Result) -> Result:
    """The same number week by week for as long as a change of level takes to be seen."""
    from dora.windows import Window

    end, question = now.window.end, now.question.pooled()
    if now.window.days < _LONG_ENOUGH.days:
        question = question.over(Window(end - _LONG_ENOUGH, end, now.window.zone))
    return now.metric.ask(question.by("week"))


def _held(comparison: Comparison) -> Held:
    change = "" if comparison.change is None else comparison.difference
    before = words.span(comparison.before.window)
    return Held(before, comparison.verdict, change, comparison.sentence)


def _year_before(window: Window) -> Window:
    """The window a year ago: the same dates where it is made of months, else the same weekdays."""
    from dora.windows import Window

    start, end = window.start, window.end
    if start.day == end.day == 1:
        return Window(
            start.replace(year=start.year - 1), end.replace(year=end.year - 1), window.zone
        )
    back = timedelta(days=_YEAR)
    return Window(start - back, end - back, window.zone)


def _shorter(window: Window) -> bool:
    """Whether a year ago is another window than the one before."""
    return window.days <= _YEAR // 2


def _services(delivery: Delivery) -> Table:
    """A row a service, a column a metric: for going through, not for ranking."""
    frames = {
        name: delivery.each("service").metric(name).frame.query("scope == 'service'")
        for name in delivery.metrics
    }
    names = frames["deployment_frequency"]["service"].tolist() if frames else []
    rows = tuple((_named(name), *_row(frames, name)) for name in names)
    titles = tuple(_title(name) for name in frames)
    return Table("Services", ("Service", *titles), rows, empty="No service is known.")


def _named(service: str) -> Cell:
    return Cell(words.shortened(service, most=60), service.casefold())


def _title(name: str) -> str:
    from dora import metrics

    return metrics.find(name).title


def _row(frames: dict[str, pd.DataFrame], service: str) -> Iterator[Cell]:
    for frame in frames.values():
        row = frame[frame["service"] == service].iloc[0]
        value, low, high = (
            None if words.missing(row[c]) else float(row[c]) for c in ("value", "low", "high")
        )
        text = words.estimate(value, low, high, row["unit"])
        yield Cell(f"{text}, {words.size(row['n'])}", -1.0 if value is None else value)


def _waiting(result: Result) -> Table:
    still = ages.waiting(result)
    rows = tuple(
        (
            Cell(_short(change), change, link(url)),
            _named(service),
            Cell(words.duration(age), age),
            Cell(f"{since:%Y-%m-%d %H:%M}", since.timestamp()),
        )
        for change, service, age, since, url in zip(
            *(
                still[c].head(_MOST_ROWS)
                for c in ("record", "service", "age", "happened_at", "url")
            ),
            strict=True,
        )
    )
    return Table(
        "Waiting for production",
        ("Change", "Service", "Age", "Landed (UTC)"),
        rows,
        max(len(still) - _MOST_ROWS, 0),
        "Every change that has landed is in production.",
    )


def _failures(result: Result) -> Table:
    evidence = result.evidence
    failed = evidence[evidence["failed"].fillna(False).astype(bool)].iloc[::-1]
    columns = ("deployment", "service", "finished_at", "rule", "confidence", "incident", "url")
    rows = tuple(
        (
            Cell(words.shortened(str(name), most=60), str(name), link(url)),
            _named(service),
            Cell(f"{finished:%Y-%m-%d %H:%M}", finished.timestamp()),
            Cell(rule if rule == confidence else f"{rule}, {confidence}", rule),
            Cell(str(incident or words.DASH), str(incident or "")),
        )
        for name, service, finished, rule, confidence, incident, url in zip(
            *(failed[c].head(_MOST_ROWS) for c in columns), strict=True
        )
    )
    return Table(
        "Deployments that failed",
        ("Deployment", "Service", "Finished (UTC)", "Known by", "Incident"),
        rows,
        max(len(failed) - _MOST_ROWS, 0),
        "No deployment is known to have failed.",
    )


def _coverage(delivery: Delivery) -> Table:
    frame = status.record(delivery)
    rows = tuple(
        tuple(Cell(text, text) for text in ("" if words.missing(c) else str(c) for c in row))
        for row in frame[["item", "state", "remark"]].itertuples(index=False)
    )
    return Table("How complete the record is", ("What", "State", "What to do"), rows)


def _short(change: str) -> str:
    plain = len(change) >= 40 and "#" not in change
    return change[:10] if plain else words.shortened(change, most=60)


def split(delivery: Delivery, by: str) -> Iterator[tuple[str, Delivery]]:
    """A delivery for each team or service, with its name.

    Raises:
        UsageError: It can be split by team and by service only, or there is no team.
    """
    if by not in ("team", "service"):
        raise UsageError(f"A report cannot be split by {by!r}.", hint="By team or by service.")
    names = delivery.teams if by == "team" else delivery.services
    if not names:
        raise UsageError(
            f"There is no {by} to split by.", hint="Name teams in [[services]]: team = …"
        )
    for name in names:
        yield name, delivery.team(name) if by == "team" else delivery.service(name)
