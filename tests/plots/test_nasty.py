"""Every picture stands what real records have: years of them, hundreds of services, huge values."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.text import Text

from dora import metrics, plots
from dora.windows import Window
from tests.metrics.harness import change, deployed, deployment, question

SECOND = 1_000_000
NAMES = count()


def failure(service: str, failed: datetime, hours: float) -> dict[str, object]:
    end = failed + timedelta(hours=hours)
    return {
        "source": "ci", "deployment": f"f{next(NAMES)}", "environment": "production",
        "service": service, "kind": "rollback", "rule": "rollback", "failed_at": failed,
        "recovered_at": end, "us": int(hours * 3600 * SECOND), "open": False,
    }  # fmt: skip


def shipped(moments: list[tuple[str, datetime]], *, failed: bool = False, hours: float = 5.0):
    """Deployments with a change each, all of them failed or none."""
    given = [
        deployment(f"d{number}", f"{moment:%Y-%m-%d %H:%M}", service, failed=failed)
        for number, (service, moment) in enumerate(moments)
    ]
    changes = [
        change(f"c{number}", f"{moment:%Y-%m-%d %H:%M}", hours, service, repository=service,
               deployment=f"d{number}")
        for number, (service, moment) in enumerate(moments)
    ]  # fmt: skip
    recoveries = [failure(service, moment, 1.5) for service, moment in moments if failed]
    return deployed(*given, delivered_changes=changes, recovered_deployments=recoveries)


def start(year: int = 2026, month: int = 3) -> datetime:
    return datetime(year, month, 2, 10, tzinfo=UTC)


TEN_YEARS = Window(date(2016, 4, 1), date(2026, 4, 1), name="2016-04-01..2026-04-01")
CASES = {
    "one point": (shipped([("shop", start())]), {}),
    "ten years": (
        shipped([("shop", start(2016, 4) + timedelta(days=9 * n)) for n in range(400)]),
        {"window": TEN_YEARS, "by": "week"},
    ),
    "four hundred services": (
        shipped([(f"service-{n:03d}", start() + timedelta(hours=n)) for n in range(400)]),
        {"by": "week"},
    ),
    "all failed": (
        shipped([("shop", start() + timedelta(hours=5 * n)) for n in range(40)], failed=True),
        {"by": "week"},
    ),
    "a huge outlier": (
        {
            **(few := shipped([("shop", start() + timedelta(hours=n)) for n in range(20)])),
            "delivered_changes": [
                *few["delivered_changes"],
                change("stuck", "2026-03-20 10:00", 24 * 365 * 30, deployment="d1"),
            ],
        },
        {"by": "week"},
    ),
    "names of all kinds": (
        shipped(
            [
                (name, start() + timedelta(hours=n))
                for n, name in enumerate(
                    [
                        "a" * 300,
                        "מערכת תשלומים",
                        "خدمة الدفع",
                        "$x^2$",
                        "<script>",
                        "🚀 launch",
                        "\\alpha",
                    ]
                )
            ]
        ),
        {"by": "week"},
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", plots.KINDS)
def test_every_kind_stands_it_within_its_frame(kind, case):
    rows, asked = CASES[case]
    name = (plots.KINDS[kind] or ("lead_time",))[0]
    result = metrics.find(name).ask(question(rows, **asked))
    theme = ("light", "dark")[list(CASES).index(case) % 2]
    drawn = result.plot(kind, theme=theme)
    figure = drawn.get_figure(root=True)
    assert not _outside(figure, drawn)
    pixels = np.asarray(figure.canvas.buffer_rgba())[::3, ::3]
    assert len(np.unique(pixels.reshape(-1, 4), axis=0)) > 10  # more than paper
    assert plots.alt_text(result, kind)


def test_what_has_no_room_is_counted():
    rows, asked = CASES["four hundred services"]
    drawn = metrics.find("time_to_restore").ask(question(rows, **asked)).plot("incidents")
    assert len(drawn.get_yticks()) == 12
    assert "12 of 400 services" in drawn.get_xlabel().replace("\n", " ")


def test_ten_years_of_days_are_seen_as_squares_not_as_the_lines_between_them():
    rows, asked = CASES["ten years"]
    drawn = metrics.find("deployment_frequency").ask(question(rows, **asked)).plot("calendar")
    [squares] = [mesh for mesh in drawn.collections if isinstance(mesh, QuadMesh)]
    assert squares.get_linewidth().max() == 0


def _outside(figure: Figure, ax: Axes) -> list[str]:
    """Words that leave the paper by more than a pixel of rounding."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.canvas.draw()
    marks = [*_within(ax.get_xticklabels(), 0, ax.get_xlim())]
    marks += _within(ax.get_yticklabels(), 1, ax.get_ylim())
    paper = figure.bbox
    found = []
    for word in (ax.title, ax.xaxis.label, *marks):
        box = word.get_window_extent()
        inside = box.x0 >= paper.x0 - 1 and box.x1 <= paper.x1 + 1
        if word.get_text().strip() and not (inside and box.y0 >= -1 and box.y1 <= paper.y1 + 1):
            found.append(word.get_text())
    return found


def _within(labels: Sequence[Text], axis: int, limits: tuple[float, float]) -> list[Text]:
    """The labels that are drawn; those beyond the limits are there all the same."""
    low, high = sorted(limits)
    return [label for label in labels if low <= label.get_position()[axis] <= high]
