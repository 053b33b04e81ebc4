"""The other pictures, by what is on them, worked out by hand from a few records."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from dora import metrics, plots, words
from dora.errors import UsageError
from dora.plots import ages, hours, quadrant, sizes, stages
from dora.plots.palette import DARK, LIGHT, THEMES
from dora.windows import Window
from tests.metrics.harness import at, change, deployed, deployment, question

HOUR, DAY = 3600.0, 86400.0
SECOND = 1_000_000


def failure(name, failed, recovered, service="shop"):
    end = at(recovered) if recovered else None
    return {
        "source": "ci",
        "deployment": name,
        "environment": "production",
        "service": service,
        "kind": "rollback",
        "rule": "rollback",
        "failed_at": at(failed),
        "recovered_at": end,
        "us": (end - at(failed)) // timedelta(microseconds=1) if end else None,
        "open": end is None,
    }


def ask(name, rows, **given):
    return metrics.find(name).ask(question(rows, **given))


def march(**tables):
    days = ["02 10:00", "02 15:00", "04 10:00", "14 23:30"]
    given = [deployment(f"d{i}", f"2026-03-{day}", failed=i == 2) for i, day in enumerate(days)]
    return deployed(*given, **tables)


def staged(name, coding, pickup, review, deploying):
    parts = {
        f"{stage}_us": None if hours is None else int(hours * HOUR * SECOND)
        for stage, hours in zip(
            ("coding", "pickup", "review", "merge_to_deploy"),
            (coding, pickup, review, deploying),
            strict=True,
        )
    }
    whole = sum(value for value in parts.values() if value)
    return {**change(name, "2026-03-20 10:00", 1), "us": whole, **parts}


@pytest.mark.parametrize("kind", plots.KINDS)
def test_every_kind_is_drawn_on_the_axes_given_described_and_titled(kind):
    rows = march(
        delivered_changes=[change("a", "2026-03-02 10:00", 5), change("b", None, 9)],
        recovered_deployments=[failure("d2", "2026-03-04 10:00", "2026-03-04 12:00")],
    )
    for name in plots.KINDS[kind] or metrics.names():
        result = ask(name, rows)
        ax = Figure().subplots()
        assert result.plot(kind, ax) is ax
        assert result.question.scopes[0].label in ax.get_title(loc="left")
        assert "2026-03" in ax.get_xlabel()
        assert plots.alt_text(result, kind)
        assert result.plot(kind).alt_text == plots.alt_text(result, kind)


@pytest.mark.parametrize("kind", plots.KINDS)
def test_every_kind_stands_an_empty_record(kind):
    for name in plots.KINDS[kind] or metrics.names():
        ax = ask(name, {}).plot(kind)
        assert ax.texts, f"{kind} of {name} is empty and does not say why"
        assert ax.alt_text


@pytest.mark.parametrize("kind", plots.KINDS)
def test_every_kind_stands_long_and_right_to_left_names(kind, tmp_path):
    names = ["a" * 200, "خدمة الدفع", "<script>alert(1)</script>", "x$_^y$", "🚀" * 5]
    given = [deployment(f"d{i}", "2026-03-02 10:00", service=n) for i, n in enumerate(names)]
    rows = deployed(
        *given,
        delivered_changes=[change(f"c{i}", None, 9, service=n) for i, n in enumerate(names)],
        recovered_deployments=[failure("d0", "2026-03-04 10:00", None, n) for n in names],
    )
    for name in plots.KINDS[kind] or ("lead_time",):
        for service in names[3:]:
            ax = ask(name, rows, services=[service]).plot(kind)
            assert plots.save(ax, tmp_path / "p.png").stat().st_size > 1000
        plots.save(ask(name, rows).plot(kind), tmp_path / "p.png")


def test_a_kind_is_refused_for_a_metric_it_says_nothing_of():
    result = ask("lead_time", march())
    with pytest.raises(UsageError, match="no plot 'calendar' of lead_time") as refused:
        result.plot("calendar")
    assert "distribution" in refused.value.hint


def test_the_calendar_has_a_square_a_day_and_a_dot_where_one_failed():
    ax = ask("deployment_frequency", march()).plot("calendar")
    (mesh,) = (c for c in ax.collections if isinstance(c, QuadMesh))
    squares = np.ma.filled(mesh.get_array().reshape(7, -1).astype(float), np.nan)
    # 1 March 2026 is a Sunday: the first week has one day, the second begins with Monday 2 March
    assert squares[:, 0].tolist()[6] == 0
    assert np.isnan(squares[:6, 0]).all()
    assert squares[:, 1].tolist() == [2, 0, 1, 0, 0, 0, 0]
    (dots,) = (c for c in ax.collections if c.get_gid() == "failed")
    assert dots.get_offsets().tolist() == [[1.5, 2.5]]


def test_days_that_have_not_come_are_no_days_without_deployments():
    ax = ask("deployment_frequency", march(), as_of=at("2026-03-20 12:00")).plot("calendar")
    (mesh,) = (c for c in ax.collections if isinstance(c, QuadMesh))
    squares = np.ma.filled(mesh.get_array().reshape(7, -1).astype(float), np.nan).T.ravel()
    # 6 days before the window, 20 days that have begun, the rest unknown
    assert np.isnan(squares[:6]).all()
    assert not np.isnan(squares[6:26]).any()
    assert np.isnan(squares[26:]).all()


def test_hours_are_those_of_the_reporting_zone():
    window = Window(date(2026, 3, 1), date(2026, 4, 1), zone="Asia/Tokyo")
    counts, _ = hours.by_hour(ask("deployment_frequency", march(), window=window))
    # 10:00 UTC on Monday is 19:00 in Tokyo; 23:30 UTC on Saturday 14 March is Sunday 08:30
    assert {place: int(n) for place, n in np.ndenumerate(counts) if n} == {
        (0, 19): 1,
        (1, 0): 1,
        (2, 19): 1,
        (6, 8): 1,
    }


def test_a_failure_rate_is_written_only_into_busy_hours():
    many = [
        deployment(f"m{i}", "2026-03-02 10:00", failed=i < 5) for i in range(hours.LEAST)
    ]  # 5 of 20
    few = [deployment(f"f{i}", "2026-03-03 10:00", failed=True) for i in range(hours.LEAST - 1)]
    ax = ask("deployment_frequency", deployed(*many, *few)).plot("hours")
    assert sorted(text.get_text() for text in ax.texts) == ["19", "20\n25 %"]


def test_stages_partition_the_time_of_all_changes_together():
    rows = march(delivered_changes=[staged("a", 1, 2, 3, 4), staged("b", 7, None, None, 3)])
    found = stages.partition(ask("lead_time", rows))
    # 10 h + 10 h: coding 8, pickup 2, review 3, merge to deploy 7
    assert [s.share for s in found] == pytest.approx([0.4, 0.1, 0.15, 0.35])
    assert [s.median for s in found] == [4 * HOUR, 2 * HOUR, 3 * HOUR, 3.5 * HOUR]
    assert [s.n for s in found] == [2, 1, 1, 2]
    bars = ask("lead_time", rows).plot("stages").patches
    assert [b.get_x() for b in bars] == pytest.approx([0, 0.4, 0.5, 0.65])


def test_a_stage_that_no_change_has_is_said_to_be_unknown():
    rows = march(delivered_changes=[staged("a", None, None, None, 4)])
    ax = ask("lead_time", rows).plot("stages")
    assert [text.get_text() for text in ax.texts][:3] == ["not known: no change has it"] * 3


def test_waiting_changes_stand_at_their_age_since_they_landed():
    rows = march(
        delivered_changes=[
            change("slow", "2026-03-02 10:00", 10),
            change("quick", "2026-03-04 10:00", 2),
            change("old", None, 24),  # landed on 2 March
            change("new", None, 24 * 9),
        ]
    )
    result = ask("lead_time", rows, as_of=at("2026-03-12 00:00"))
    still = ages.waiting(result)
    assert still["record"].tolist() == ["old", "new"]
    assert still["age"].tolist() == [10 * DAY, 2 * DAY]
    assert ages.usual(result)[0.5] == 6 * HOUR
    ax = result.plot("ages")
    (dots,) = (c for c in ax.collections if len(c.get_offsets()) == 2)
    assert dots.get_offsets()[:, 0].tolist() == [10 * DAY, 2 * DAY]
    assert "the oldest 10 d" in ax.alt_text


def test_many_services_share_a_last_row():
    rows = march(
        delivered_changes=[change(f"c{i}", None, 9, service=f"s{i:03}") for i in range(400)]
    )
    rows["judged_deployments"] = rows["production_deployments"] = [
        deployment(f"d{i}", "2026-03-02 10:00", service=f"s{i:03}") for i in range(400)
    ]
    labels = [text.get_text() for text in ask("lead_time", rows).plot("ages").get_yticklabels()]
    assert len(labels) == 12
    assert labels[-1] == "389 others"


def test_the_distribution_steps_through_the_share_that_took_so_long():
    now = [change(f"n{i}", "2026-03-02 10:00", hours) for i, hours in enumerate((1, 2, 3, 4))]
    before = [change("b", "2026-02-10 10:00", 8)]
    ax = ask("lead_time", march(delivered_changes=[*now, *before])).plot("distribution")
    drawn = {line.get_label(): line for line in ax.lines}
    line = drawn["2026-03, n = 4"]
    assert line.get_xdata().tolist() == [h * HOUR for h in (1, 1, 2, 3, 4)]
    assert line.get_ydata().tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert drawn["before, n = 1"].get_xdata().tolist() == [8 * HOUR] * 2


def test_failures_are_bars_from_failure_to_recovery_and_open_ones_arrows():
    rows = march(
        recovered_deployments=[
            failure("d2", "2026-03-04 10:00", "2026-03-06 10:00"),
            failure("d3", "2026-03-14 23:30", None),
        ]
    )
    ax = ask("time_to_restore", rows).plot("incidents")
    first = [bar for bar in ax.patches if bar.get_width() == pytest.approx(2)]
    assert len(first) == 1  # two days
    assert [line for line in ax.lines if line.get_gid() == "open"]
    assert "1 not over" in ax.alt_text


def test_failure_rates_by_size_count_what_a_deployment_delivered():
    given = [deployment(f"d{i}", f"2026-03-{i + 2:02} 10:00", failed=i in (1, 2)) for i in range(4)]
    sized = {"d1": 1, "d2": 3, "d3": 4}
    changes = [
        {**change(f"{name}.{k}", "2026-03-20 10:00", 5), "deployment": name}
        for name, size in sized.items()
        for k in range(size)
    ]
    found = sizes.by_size(ask("change_failure_rate", deployed(*given, delivered_changes=changes)))
    rows = found[["changes", "n", "failed", "value"]].to_numpy().tolist()
    assert rows == [["no", 1, 0, 0.0], ["1", 1, 1, 1.0], ["2–5", 2, 1, 0.5]]


def test_names_are_cut_in_their_middle():
    assert words.shortened("short") == "short"
    assert words.shortened("abcdefghij", most=7) == "abc…hij"


def test_one_page_has_every_metric_with_its_value_and_the_calendar():
    rows = march(delivered_changes=[change("a", "2026-03-02 10:00", 5)])
    results = [ask(name, rows, by="week") for name in metrics.names()]
    axes = plots.page(results).figure.axes
    titles = [ax.get_title(loc="left") for ax in axes]
    for result in results:
        assert any(t.startswith(result.metric.title) for t in titles)
    assert any("Deployments by day" in title for title in titles)
    assert all(result.metric.title in axes[0].alt_text for result in results)


def test_services_stand_where_their_two_numbers_are_and_came_from():
    def month(number, hours):
        days = [f"2026-{number:02}-{day:02} 10:00" for day in range(1, 11)]
        given = [deployment(f"{number}.{i}", day, failed=i < 2) for i, day in enumerate(days)]
        return given, [change(f"{number}.{i}", day, hours) for i, day in enumerate(days)]

    (early, before), (late, now) = month(2, 40), month(3, 10)
    result = ask("change_failure_rate", deployed(*early, *late, delivered_changes=[*before, *now]))
    place = quadrant.places(result.question)["shop"]
    assert place.speed == (10 * HOUR, 10 * HOUR, 10 * HOUR)
    assert place.stability[0] == 0.2
    assert place.stability[1:] == pytest.approx((0.0567, 0.5098), abs=5e-5)  # Wilson, 2 of 10
    ax = result.plot("quadrant")
    (mark,) = (c for c in ax.collections if c.get_gid() == "service")
    assert mark.get_offsets().tolist() == [[10 * HOUR, 0.2]]
    arrow = next(t for t in ax.texts if t.get_text() == "")
    assert (arrow.xy, arrow.xyann) == ((10 * HOUR, 0.2), (40 * HOUR, 0.2))


# Machado, Oliveira and Fernandes (2009), severity 1.0: what readers with a missing cone see
MISSING = {
    "long": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "middle": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "short": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def _lab(linear):
    """CIE 1976 L*a*b* of linear sRGB, D65."""
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    ratios = to_xyz @ linear / np.array([0.9505, 1.0, 1.089])
    small = 216 / 24389
    f = np.where(ratios > small, np.cbrt(ratios), (24389 / 27 * ratios + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("cone", MISSING)
def test_readers_with_a_missing_cone_can_tell_the_metrics_apart(cone, theme):
    """Just noticeable is about 2.3; far more is asked for, as marks are small."""
    seen = []
    for colour in THEMES[theme].hues.values():
        channels = np.array(to_rgb(colour))
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        seen.append(_lab(np.clip(np.array(MISSING[cone]) @ linear, 0, 1)))
    apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(apart) > 10


def _contrast(one, other):
    """WCAG 2's contrast ratio, from 1 to 21."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    lights = []
    for colour in (one, other):
        channels = np.array(to_rgb(colour))
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        lights.append(float(weights @ linear))
    return (max(lights) + 0.05) / (min(lights) + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_words_and_marks_stand_out_from_the_paper(theme):
    """WCAG 2.2 AA: 4.5 for words, 3 for what a picture is made of."""
    colours = THEMES[theme]
    assert _contrast(colours.ink, colours.paper) >= 7
    assert _contrast(colours.grey, colours.paper) >= 4.5
    for hue in (*colours.hues.values(), colours.other):
        assert _contrast(hue, colours.paper) >= 2.9  # reddish purple on white: 2.96


@pytest.mark.parametrize("kind", plots.KINDS)
def test_every_kind_is_drawn_dark_with_nothing_black_on_it(kind):
    rows = march(
        delivered_changes=[change("a", "2026-03-02 10:00", 5), change("b", None, 9)],
        recovered_deployments=[failure("d2", "2026-03-04 10:00", "2026-03-04 12:00")],
    )
    for name in plots.KINDS[kind] or metrics.names():
        for ax in (None, Figure().subplots()):
            drawn = ask(name, rows).plot(kind, ax, theme="dark")
            assert to_rgb(drawn.get_facecolor()) == to_rgb(DARK.paper)
            for text in drawn.findobj(Text):
                if text.get_text().strip() and text.get_visible():
                    on = DARK.hues["deployment_frequency"] if kind == "hours" else DARK.paper
                    assert max(_contrast(text.get_color(), c) for c in (DARK.paper, on)) > 3, text


def test_the_next_picture_is_light_again():
    result = ask("deployment_frequency", march())
    result.plot(theme="dark")
    assert to_rgb(result.plot().get_facecolor()) == to_rgb(LIGHT.paper)
    with pytest.raises(UsageError, match="light, dark"):
        result.plot(theme="sepia")


def test_hours_are_not_drawn_where_they_would_tell_when_a_few_people_work():
    rows = march(delivered_changes=[change("a", "2026-03-02 10:00", 5, authors=("ada", "ben"))])
    of_shop = {"services": ("shop",), "least_authors": 3}
    few = ask("deployment_frequency", rows, **of_shop)
    assert not [m for m in few.plot("hours").collections if isinstance(m, QuadMesh)]
    assert words.few_people(3) in plots.alt_text(few, "hours")
    enough = ask("deployment_frequency", rows, services=("shop",), least_authors=2)
    assert [m for m in enough.plot("hours").collections if isinstance(m, QuadMesh)]
