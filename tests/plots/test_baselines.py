"""A few pictures against what was looked at once and found good.

A difference is no fault by itself: look at both, and where the new one is right, run
`python -m tests.plots.test_baselines`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.testing.compare import compare_images

from dora import metrics, plots
from tests.metrics.harness import change, deployed, deployment, question

FOLDER = Path(__file__).parent / "baselines"
TOLERANCE = 12
"""Root mean square of colour values, 0 to 255: another edition of the fonts stays below it, a line
that is missing or a title elsewhere does not."""

RISING = deployed(
    *(
        deployment(f"d{day}-{n}", f"2026-03-{day:02d} {10 + n}:00", failed=(day, n) == (11, 0))
        for day in range(2, 28, 3)
        for n in range(1 + day // 9)
    ),
    delivered_changes=[
        change(f"c{day}-{n}", f"2026-03-{day:02d} 12:00", 4 + 3 * n + day / 2)
        for day in range(2, 28, 3)
        for n in range(7)
    ],
)
PICTURES = {
    "trend-light": ("lead_time", "trend", "light"),
    "trend-dark": ("lead_time", "trend", "dark"),
    "calendar-light": ("deployment_frequency", "calendar", "light"),
    "distribution-dark": ("lead_time", "distribution", "dark"),
}


def draw(name: str, path: Path) -> Path:
    metric, kind, theme = PICTURES[name]
    result = metrics.find(metric).ask(question(RISING, by="week"))
    return plots.save(result.plot(kind, theme=theme), path)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_as_it_was_when_it_was_looked_at(name, tmp_path):
    drawn = draw(name, tmp_path / f"{name}.png")
    difference = compare_images(FOLDER / f"{name}.png", drawn, tol=TOLERANCE)
    assert difference is None, difference


def test_a_picture_that_lacks_its_line_is_another_picture(tmp_path):
    metric, kind, theme = PICTURES["trend-light"]
    ax = metrics.find(metric).ask(question(RISING, by="week")).plot(kind, theme=theme)
    ax.set_title("", loc="left")
    for drawn in (*ax.lines, *ax.collections):
        drawn.set_visible(False)
    path = plots.save(ax, tmp_path / "bare.png")
    assert compare_images(FOLDER / "trend-light.png", path, tol=TOLERANCE) is not None


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for picture in PICTURES:
        draw(picture, FOLDER / f"{picture}.png")
