"""The page on how releases are managed: what each analysis says, the calendar, trains, freezes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dora import release, words
from dora.report.pictures import Picture
from dora.report.tables import Cell, Table, link
from dora.words import release as text

if TYPE_CHECKING:
    from dora.delivery import Delivery
    from dora.release.base import Answer
    from dora.stats.figure import Figure

_MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """How releases are managed.

    Attributes:
        said: What each analysis says, by its title.
        picture: When we ship, with windows and freezes; None where no calendar is configured.
        departures: The departure board of trains.
        freezes: The balance sheet of freezes.
    """

    said: tuple[tuple[str, str], ...]
    picture: Picture | None
    departures: Table
    freezes: Table


def page(delivery: Delivery) -> ReleasePage:
    """Ask for all that the page says."""
    asked = delivery.release
    answers = {name: asked.ask(name) for name in release.NAMES}
    picture = None
    if asked.planned:
        drawn = asked.plot()
        picture = Picture(drawn, getattr(drawn, "alt_text", ""))
    return ReleasePage(
        tuple((a.analysis.title, a.sentence) for a in answers.values() if a.sentence),
        picture,
        _departures(answers["trains"]),
        _balance(answers["freezes"]),
    )


def _departures(answer: Answer) -> Table:
    told = answer.evidence.iloc[::-1]
    rows = tuple(
        (
            Cell(words.shortened(f"{train}, {service}", most=60), f"{train} {service}"),
            Cell(f"{planned:%Y-%m-%d %H:%M}", planned.timestamp()),
            Cell(state, state),
            Cell(words.DASH if words.missing(name) else str(name), str(name), link(url)),
        )
        for train, service, planned, state, name, url in zip(
            *(
                told[column].head(_MOST_ROWS)
                for column in ("train", "service", "planned_at", "state", "deployment", "url")
            ),
            strict=True,
        )
    )
    columns = ("Train", "Planned (UTC)", "State", "Deployment")
    return Table("Departures", columns, rows, max(len(told) - _MOST_ROWS, 0))


def _balance(answer: Answer) -> Table:
    rows = tuple(_rows(answer)) if answer["freezes"].value else ()
    return Table("What freezes cost and bring", ("What", "Value", "n"), rows)


def _rows(answer: Answer) -> Iterator[tuple[Cell, ...]]:
    for figure in answer.figures:
        name = figure.name.replace("_", " ")
        yield (
            Cell(name, name),
            Cell(text.estimate(figure), _order(figure)),
            Cell(f"{figure.n:,}", figure.n),
        )


def _order(figure: Figure) -> float:
    return -1.0 if figure.value is None else figure.value
