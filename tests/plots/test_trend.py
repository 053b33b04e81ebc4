"""Pictures, by what is on them."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from dora import metrics, plots
from dora.errors import UsageError
from dora.plots import scales
from dora.windows import Window
from tests.metrics.harness import at, change, deployed, deployment, question

DAY = 86400


def result(name="lead_time", by="week", **given):
    days = [f"2026-03-{day:02d} 10:00" for day in (2, 3, 9, 10, 11, 24)]
    deployments = [deployment(f"d{i}", day, failed=i == 2) for i, day in enumerate(days)]
    changes = [
        change(f"c{i}.{k}", day, 3 + 9 * k)
        for i, day in enumerate(days)
        for k in range(2 + i)
        if not day.startswith("2026-03-24")
    ]
    rows = deployed(*deployments, delivered_changes=changes)
    window = Window(date(2026, 3, 1), date(2026, 4, 1), name="2026-03")
    q = question(rows, window=window, by=by, as_of=at("2026-03-26 12:00"), **given)
    return metrics.find(name).ask(q)


def dots(ax):
    drawn = [c for c in ax.collections if isinstance(c, PathCollection)]
    return [c for c in drawn if len(c.get_offsets())]


def test_it_draws_on_the_axes_given_and_returns_them():
    ax = Figure().subplots()
    assert result().plot(ax=ax) is ax


def test_it_needs_no_pyplot():
    code = "import sys, dora.plots.trend; print('matplotlib.pyplot' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_dots_stand_only_where_there_is_a_value_and_the_line_breaks():
    ax = result().plot()
    assert sorted(x for c in dots(ax) for x, _ in c.get_offsets().tolist()) == [1.0, 2.0]
    line = ax.lines[0].get_ydata()
    assert np.isnan(line[[0, 3, 4]]).all()


def test_more_behind_it_is_a_larger_dot():
    ax = result("deployment_frequency").plot()
    sizes = np.concatenate([c.get_sizes() for c in dots(ax)])
    counts = [2, 3, 0, 1]  # weeks from 2 March on; the first and the last are not known
    assert np.argsort(sizes).tolist() == np.argsort(counts).tolist()


def test_fewer_than_six_values_are_hollow_dots_without_a_band():
    ax = result().plot()
    hollow = [c for c in dots(ax) if np.allclose(c.get_facecolor(), 1)]
    assert [c.get_offsets().tolist()[0][0] for c in hollow] == [1.0]  # the week with five


def test_partial_periods_are_hatched():
    ax = result().plot()
    hatched = [p.get_x() + 0.5 for p in ax.patches if p.get_gid() == "partial"]
    # cut by the window, holding the first deployment, running, cut and not begun
    assert hatched == [0.0, 1.0, 4.0, 5.0]


def test_lengths_of_time_are_on_a_log_axis_with_human_marks():
    ax = result().plot()
    assert ax.get_yscale() == "log"
    marks = [text.get_text() for text in ax.get_yticklabels()]
    assert "1 d" in marks
    assert all(mark in scales.HUMAN_TICKS.values() for mark in marks)


@pytest.mark.parametrize(
    ("low", "high"), [(1, 5), (60, 61), (0, 0.2), (DAY, DAY), (1, 9e8), (400 * DAY, 500 * DAY)]
)
def test_every_range_of_lengths_has_marks_and_room(low, high):
    ax = Figure().subplots()
    scales.durations(ax, [low, high])
    bottom, top = ax.get_ylim()
    assert bottom <= max(low, 0.5) <= high or high < 0.5
    assert top >= high
    assert len(ax.get_yticks()) >= 2


def test_rates_are_percentages_from_zero():
    ax = result("change_failure_rate").plot()
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylim()[1] <= 1
    assert ax.yaxis.get_major_formatter()(0.25, None) == "25 %"


def test_n_stands_in_the_labels_and_the_caption_says_what_was_asked():
    ax = result("deployment_frequency").plot()
    assert [text.get_text() for text in ax.get_xticklabels()][1] == "2026-W10\nn = 2"
    caption = ax.get_xlabel().replace("\n", " ")
    for part in ("2026-03", "UTC", "n = 6", "failure window 24 h", "Hatched: partial"):
        assert part in caption


def test_nothing_to_draw_says_why():
    ax = result("time_to_restore").plot()
    assert "No failed deployment was recovered from" in ax.texts[0].get_text()


def test_a_lower_bound_is_drawn_as_one():
    rows = deployed(
        *(deployment(f"d{i}", f"2026-03-{i:02d} 10:00", covered=False) for i in range(2, 9)),
        deployment("d9", "2026-03-09 10:00", covered=False, failed=True),
    )
    ax = metrics.find("change_failure_rate").ask(question(rows, by="week")).plot()
    assert any("at least" in text.get_text() for text in ax.texts)
    (bounds,) = (
        dots
        for dots in ax.collections
        if isinstance(dots, PathCollection) and len(dots.get_offsets())
    )
    assert bounds.get_offsets()[0][1] == 0  # a week without a known failure stands on the axis,
    assert not bounds.get_clip_on()  # whole


def test_without_periods_it_is_cut_by_itself():
    ax = result("deployment_frequency", by=()).plot()
    assert len(ax.get_xticks()) == 6


def test_words_say_what_is_seen():
    ax = result("deployment_frequency").plot()
    assert ax.alt_text.startswith("Deployment frequency of all services, 2026-03: ")
    assert "4 of 6 periods have a value" in ax.alt_text
    bundle, metadata = ax._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == ax.alt_text


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_saving_the_same_numbers_gives_the_same_bytes(tmp_path, form):
    paths = [
        plots.save(result("rework_rate").plot(), tmp_path / folder / f"plot.{form}")
        for folder in ("a", "b")
    ]
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert len(first) > 1000


def test_a_picture_is_no_spreadsheet(tmp_path):
    with pytest.raises(UsageError, match="png, svg or pdf"):
        plots.save(result().plot(), tmp_path / "plot.xlsx")
    with pytest.raises(UsageError, match="no plot 'pie'"):
        result().plot("pie")


def test_every_metric_can_be_drawn():
    for name in metrics.names():
        assert result(name).plot().get_title(loc="left")
