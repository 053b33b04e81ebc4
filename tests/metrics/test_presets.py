"""The formulas of every preset on one data set, each number worked out by hand.

Hours are counted from Monday, 20 April 2026, midnight. Successful production deployments:

    D1 10 a   D2 34 b   D3 50 c   D4 100 d   D5 106 e   D6 120 f   D7 130 e again   (shop)
    M1 60 m   M2 101 n                                                              (mail)

`D6x`, an attempt at f at 110, failed. Staging had a at 5 and b at 32. Pull requests, each with one
original commit: authored, merged, delivered, so lead time from the commit and from the merge:

    1 b   15  30  D2  34   19   4         4 e   99 105  D5 106    7   1   (reverts 3)
    2 c   25  40  D3  50   25  10         5 f  103 109  D6 120   17  11
    3 d   55  66  D4 100   45  34         mail 1 n   85  95  M2 101   16   6

Incidents, of shop but for the last:

    I1  35- 37 names D2      I3  80- 81          I5 103-104 repeats I4
    I2  36- 40 names D2      I4 102-108          I6  51- 52 external
    I7 125-    of mail, open
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dora import metrics, plots
from dora.engines.duckdb import DuckDB
from dora.engines.sqlite import SQLite
from dora.errors import ConfigError
from dora.metrics.fan import YOURS, Fan
from dora.metrics.question import Question
from dora.models import Workspace
from dora.rules import Rules
from dora.rules.presets import PRESETS
from tests.oracle.loading import duckdb_with, sqlite_with
from tests.oracle.metrics import Asked
from tests.oracle.questions import question
from tests.oracle.scenes import KINDS, Scene, at
from tests.oracle.world import World

HOUR = 3600.0
ASKED = Asked(date(2026, 4, 20), date(2026, 5, 18), (), "UTC", (frozenset({"shop", "mail"}),))
"""Four weeks."""


def shop(world: World) -> None:
    s = Scene(world, "shop")
    s.commit("a", "", 0)
    for name, before, hour in zip("bcdef", "abcde", (30, 40, 66, 105, 109), strict=True):
        s.commit(name, before, hour)
    s.head("f")
    s.pull(1, 20, 30, "b", "o1")
    s.pull(2, 30, 40, "c", "o2")
    s.pull(3, 60, 66, "d", "o3")
    s.pull(4, 104, 105, "e", "o4", title='Revert "Change 3"', reverts=3)
    s.pull(5, 108, 109, "f", "o5")
    s.deploy("S0", "a", 5, "staging")
    s.deploy("S1", "b", 32, "staging")
    for number, (sha, hour) in enumerate(
        zip("abcdefe", (10, 34, 50, 100, 106, 120, 130), strict=True)
    ):
        s.deploy(f"D{number + 1}", sha, hour)
    s.deploy("D6x", "f", 110, status="failed")
    s.incident("I1", 35, 37)
    s.cause("I1", s.id("D2"))
    s.incident("I2", 36, 40)
    s.cause("I2", s.id("D2"))
    s.incident("I3", 80, 81)
    s.incident("I4", 102, 108)
    s.incident("I5", 103, 104, duplicate_of="I4")
    s.incident("I6", 51, 52, external=True)


def mail(world: World) -> None:
    s = Scene(world, "mail")
    s.commit("m", "", 0)
    s.commit("n", "m", 95)
    s.head("n")
    s.pull(1, 90, 95, "n", "o1")
    s.deploy("M1", "m", 60)
    s.deploy("M2", "n", 101)
    s.incident("I7", 125, None)


@pytest.fixture(scope="module", params=["duckdb", "sqlite"])
def asked(request: pytest.FixtureRequest) -> Question:
    world = World(kinds=dict(KINDS))
    shop(world)
    mail(world)
    connection = duckdb_with(world)
    engine: Any = DuckDB(connection)
    if request.param == "sqlite":
        engine = SQLite(sqlite_with(connection))
    return question(Workspace(engine, rules=Rules(), as_of=at(24 * 60)), ASKED)


def by(asked: Question, preset: str, metric: str) -> Any:
    return metrics.find(metric).ask(asked.under(Rules.preset(preset)))


CHANGE_FAILURE_RATE = {
    # D2 is named by I1 and I2, D4 reverted, D6 rolled back, M2 24 h before I7; I3 is 30 h away.
    "dora": (4, 9),
    # I1 to I7, the duplicate and the external one too, over D1 to D7, M1 and M2.
    "gitlab": (7, 9),
    # The last of any service: I1 and I2 D2, I3 M1, I4 and I5 M2, I7 D6.
    "devlake": (4, 9),
    # D4 reverted; e comes again after f, so that D6, the first after it, failed.
    "datadog": (2, 9),
    # I1 and I2 D2; I3 D3, however old; I4 D4, and D5 while it was open; I7 M2; D6 rolled back.
    "sleuth": (6, 9),
    # All but the duplicate.
    "linearb": (6, 9),
    # D4 came before the revert; D6x is an attempt as well.
    "middleware": (1, 10),
    # Two incidents name D2; S0 and S1 are deployments as well.
    "fourkeys": (2, 11),
}


@pytest.mark.parametrize("preset", CHANGE_FAILURE_RATE)
def test_change_failure_rate(asked: Question, preset: str) -> None:
    hits, n = CHANGE_FAILURE_RATE[preset]
    result = by(asked, preset, "change_failure_rate")
    assert (result.counts["hits"], result.n) == (hits, n)
    assert result.value == pytest.approx(hits / n)
    assert result.low <= result.value <= result.high


TIME_TO_RESTORE = {
    # D2 35-40, D4 102-108, D6 from its finish to D7: 5, 6, 10; M2 is open.
    "dora": (6, 3),
    # 2, 4, 1, 6, 1, 1: between 1 and 2.
    "gitlab": (1.5, 6),
    # From the blamed deployment: I1 3, I2 6, I3 21 (M1), I4 7 (M2), I5 3.
    "devlake": (6, 5),
    # D4 to D5 6, D6 to D7 10.
    "datadog": (8, 2),
    # D2 5, D3 1, D4 6, D5 6 (both I4), D6 10: the mean of 28 hours.
    "sleuth": (5.6, 5),
    # 2, 4, 1, 6 and 1: the mean of 14 hours.
    "linearb": (2.8, 5),
    # D4 to D5.
    "middleware": (6, 1),
    # I1 and I2 from D2 on, 3 and 6; else from detection, 1, 6, 1, 1: between 1 and 3.
    "fourkeys": (2, 6),
}


@pytest.mark.parametrize("preset", TIME_TO_RESTORE)
def test_time_to_restore(asked: Question, preset: str) -> None:
    hours, n = TIME_TO_RESTORE[preset]
    result = by(asked, preset, "time_to_restore")
    assert (result.value, result.n) == (pytest.approx(hours * HOUR), n)


LEAD_TIME = {
    # a and m, which the first deployments are exactly of, took 10 and 60 hours and have no pull
    # request: 7 10 16 17 19 25 45 60, between 17 and 19.
    "dora": (18, 8),
    # From the merge 1 4 6 10 11 34: between 6 and 10.
    "gitlab": (8, 6),
    # 7 16 17 19 25 45: the lower of 17 and 19.
    "devlake": (17, 6),
    "datadog": (18, 8),
    # The mean of 129 hours.
    "sleuth": (21.5, 6),
    "linearb": (21.5, 6),
    "middleware": (21.5, 6),
    # In staging a was after 5 hours, b after 17: 5 7 16 17 17 25 45 60.
    "fourkeys": (17, 8),
}


@pytest.mark.parametrize("preset", LEAD_TIME)
def test_lead_time(asked: Question, preset: str) -> None:
    hours, n = LEAD_TIME[preset]
    result = by(asked, preset, "lead_time")
    assert (result.value, result.n) == (pytest.approx(hours * HOUR), n)
    has_interval = Rules.preset(preset).average != "mean"
    assert (result.low is not None) is has_interval


@pytest.mark.parametrize("preset", [preset.name for preset in PRESETS])
def test_deployment_frequency(asked: Question, preset: str) -> None:
    """Nine in four weeks; where every environment counts, eleven."""
    n = 11 if preset == "fourkeys" else 9
    result = by(asked, preset, "deployment_frequency")
    assert (result.value, result.n) == (pytest.approx(n / 4), n)


def test_rework_is_told_by_dora_alone(asked: Question) -> None:
    """D5 carries a revert, D7 is a rollback."""
    fan = metrics.find("rework_rate").ask(asked).fan()
    (row,) = [r for _, r in fan.frame.iterrows() if r["reason"] is None]
    assert (row["preset"], row["value"]) == ("dora", pytest.approx(2 / 9))
    assert set(fan.frame["reason"].dropna()) == {
        f"{preset.title} has no such metric" for preset in PRESETS if preset.name != "dora"
    }


COLUMNS = [
    *("metric", "preset", "product", "value", "unit", "n", "low", "high", "reason"),
    *("definition", "not_reproduced", "source"),
]


def test_the_fan_has_every_preset_with_definition_and_source(asked: Question) -> None:
    frame = metrics.find("change_failure_rate").ask(asked).fan().frame
    assert list(frame) == COLUMNS
    shown = {row["preset"]: (row["value"], row["n"]) for _, row in frame.iterrows()}
    expected = {p: (pytest.approx(hits / n), n) for p, (hits, n) in CHANGE_FAILURE_RATE.items()}
    assert shown == expected
    assert frame["definition"].str.endswith((".", "%.")).all()
    assert frame["source"].str.startswith("https://").all()


def test_rules_that_no_preset_has_stand_first_in_the_fan(asked: Question) -> None:
    """Without the window M2 is fine, D2, D4 and D6 are not."""
    own = asked.under(Rules(failure_rules=("stated", "rollback", "revert")))
    fan = Fan.of(metrics.find("change_failure_rate").ask(own))
    assert [blade.preset for blade in fan.blades] == [YOURS, *(p.name for p in PRESETS)]
    first = fan.frame.iloc[0]
    assert (first["value"], first["source"]) == (pytest.approx(3 / 9), None)
    assert "failure rules: stated, rollback and revert" in first["definition"]
    assert "<table>" in fan._repr_html_()
    assert repr(fan).splitlines()[1].startswith("yours: 33 %")


def test_sensitivity_moves_with_the_window(asked: Question) -> None:
    """I7 came 24 h after M2, I3 30 h after D3; D2 is named, D4 and D6 are repaired."""
    moved = metrics.find("change_failure_rate").ask(asked).sensitivity()
    shown = dict(zip(moved.frame["links"], moved.frame["value"] * 9, strict=True))
    assert shown == {
        "as it is (window 24 h)": 4,
        "window of 1 h": 3,
        "window of 6 h": 3,
        "window of 24 h": 4,
        "window of 72 h": 5,
        "stated links only": 1,
    }
    assert moved.frame["difference"].iloc[4] == pytest.approx(1 / 9)
    assert "<td>window of 72 h</td><td>56 % (27–81), n = 9</td><td>+11 points</td>" in (
        moved._repr_html_()
    )
    recovery = metrics.find("time_to_restore").ask(asked).sensitivity()
    assert recovery.results["stated links only"].value == pytest.approx(5 * HOUR)


def test_ours_never_passes_one_where_others_do() -> None:
    """Seven incidents after the one deployment of a service, each counted by GitLab and LinearB."""
    world = World(kinds=dict(KINDS))
    s = Scene(world, "busy")
    s.commit("a", "", 0)
    s.deploy("D1", "a", 10)
    for number in range(7):
        s.incident(f"I{number}", 11 + number, 12 + number)
        s.cause(f"I{number}", s.id("D1"))
    space = Workspace(DuckDB(duckdb_with(world)), rules=Rules(), as_of=at(24 * 60))
    one = Asked(ASKED.start, ASKED.end, (), "UTC", (frozenset({"busy"}),))
    asked = question(space, one)
    values = {p.name: by(asked, p.name, "change_failure_rate").value for p in PRESETS}
    assert values == {
        "dora": 1, "gitlab": 7, "devlake": 1, "datadog": 0,
        "sleuth": 1, "linearb": 7, "middleware": 0, "fourkeys": 7,
    }  # fmt: skip
    beyond = by(asked, "gitlab", "change_failure_rate")
    # Garwood's interval of 7 events: 2.81 to 14.42
    assert (beyond.low, beyond.high) == (
        pytest.approx(2.814, abs=1e-3),
        pytest.approx(14.42, abs=1e-2),
    )


def test_comparing_rates_beyond_one_gives_a_ratio(asked: Question) -> None:
    result = by(asked, "gitlab", "change_failure_rate")
    assert result.metric.change(result, result).kind == "ratio"
    ours = by(asked, "dora", "change_failure_rate")
    assert ours.metric.change(ours, ours).kind == "difference"


def test_presets_are_found_by_name_and_wrong_names_are_said() -> None:
    assert Rules.preset("dora") == Rules()
    assert Rules.preset(" GitLab ") == Rules.preset("gitlab")
    with pytest.raises(ConfigError) as caught:
        Rules.preset("devlak")
    assert caught.value.hint == "Did you mean 'devlake'?"
    with pytest.raises(ConfigError) as caught:
        Rules().but(preset="nobody", change="line")
    assert [fault.split(":")[0] for fault in caught.value.faults] == ["preset", "change"]


def test_a_preset_is_where_changes_begin() -> None:
    changed = Rules().but(preset="gitlab", failure_window="2h")
    assert (changed.failures_counted, changed.clock_start) == ("incidents", "merge")
    assert changed.failure_window == Rules().but(failure_window="2h").failure_window


def busy_weeks() -> Question:
    """A deployment a week, and after it one to four incidents, over twenty weeks."""
    world = World(kinds=dict(KINDS))
    s = Scene(world, "busy")
    s.commit("a", "", 0)
    for week in range(20):
        s.deploy(f"D{week}", "a", 10 + 168 * week)
        for number in range(1 + week % 4):
            begun = 11 + 168 * week + number
            s.incident(f"I{week}-{number}", begun, begun + 3)
    space = Workspace(DuckDB(duckdb_with(world)), rules=Rules.preset("gitlab"), as_of=at(24 * 400))
    weeks = Asked(date(2026, 4, 20), date(2026, 9, 7), ("week",), "UTC", (frozenset({"busy"}),))
    return question(space, weeks)


@pytest.mark.parametrize("kind", plots.kinds_of("change_failure_rate"))
def test_rates_past_one_can_be_drawn_and_told(kind: str) -> None:
    """50 incidents of 20 deployments: five times each of one, two, three and four."""
    result = metrics.find("change_failure_rate").ask(busy_weeks())
    assert (result.value, result.n, result.counts["hits"]) == (2.5, 20, 50)
    assert plots.alt_text(result, kind)
    ax = result.plot(kind)
    if kind == "trend":
        assert ax.get_ylim()[1] > 4


def test_rates_past_one_have_limits_of_counts() -> None:
    """The first week is cut by the first deployment: 49 incidents of the other 19."""
    told = metrics.find("change_failure_rate").ask(busy_weeks()).signals()
    assert told.frame["centre"].dropna().unique().tolist() == pytest.approx([49 / 19])
