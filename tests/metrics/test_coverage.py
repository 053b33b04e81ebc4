"""Grades, by counts worked out by hand from records with planted faults."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import duckdb
import pytest

import dora
from dora import config, sync
from dora.metrics.coverage import Coverage, Finding
from dora.metrics.coverage_checks import CHECKS, FAULTS, PARTS, Count

BY_NAME = {check.name: check for check in CHECKS}
MISSING = "f" * 40


def sha(name):
    return name.encode().hex().ljust(40, "0")


def table(folder: Path, name: str, columns: str, *rows: str) -> None:
    with (folder / f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.split())
        writer.writerows(row.split() for row in rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Service a: ten daily deployments, two of unknown commits, one to a nameless environment;
    service b: one deployment; four incidents with one fault each."""
    folder = tmp_path_factory.mktemp("coverage")
    commits = [f"a {sha(f'c{i}')} {sha(f'c{i - 1}') if i > 1 else '-'}" for i in range(1, 11)]
    times = [f"2026-01-{i:02}T00:00:00Z" for i in range(1, 11)]
    rows = [f"{commit} {at} {at}" for commit, at in zip(commits, times, strict=True)]
    rows.append(f"b {sha('d1')} - 2026-01-05T00:00:00Z 2026-01-05T00:00:00Z")
    names = "repository sha parents authored_at committed_at"
    table(folder, "commits", names, *(row.replace(" - ", " ¦ ") for row in rows))
    text = (folder / "commits.csv").read_text()
    (folder / "commits.csv").write_text(text.replace("¦", ""))
    table(folder, "repositories", "repository default_branch head_sha",
          f"a main {sha('c10')}", f"b main {sha('d1')}")  # fmt: skip
    shipped = {i: MISSING if i in (3, 7) else sha(f"c{i}") for i in range(1, 11)}
    table(
        folder,
        "deployments",
        "id repository environment status finished_at sha",
        *(
            f"a{i} a production succeeded 2026-01-{i:02}T12:00:00Z {what}"
            for i, what in shipped.items()
        ),
        f"b1 b production succeeded 2026-01-05T12:00:00Z {sha('d1')}",
        f"w1 a weird succeeded 2026-01-06T13:00:00Z {sha('c6')}",
    )
    (folder / "incidents.csv").write_text(
        "id,detected_at,resolved_at,repository\n"
        "ended,2026-01-02T13:00:00Z,2026-01-02T14:00:00Z,a\n"
        "nobody's,2026-01-04T13:00:00Z,2026-01-04T14:00:00Z,\n"
        "open,2026-01-05T20:00:00Z,,a\n"
        "backwards,2026-01-08T13:00:00Z,2026-01-08T11:00:00Z,a\n"
    )
    (folder / "dora.toml").write_text(
        '[[sources]]\nname = "files"\nkind = "files"\npath = "*.csv"\ncovers = ["*"]\n'
    )
    sync.sync(config.load(folder / "dora.toml"))
    return folder


@pytest.fixture(scope="module")
def organisation(folder):
    """Its January, as of the first of March."""
    return dora.open(folder / "dora.toml").as_of("2026-03-01").window("2026-01")


# What is to be seen in January, as of 1 March:
#   deployments to production: a1 … a10 and b1, 11; commits known: all but a3 and a7, 9
#   changes: c1 and d1, as the very commits that a baseline deployed, and c2, c5, c6, c9 and c10 are
#   delivered for certain; c3, c4, c7 and c8 come with a deployment that follows one of an unknown
#   commit. None has a pull request.
#   attempts anywhere: these 11 and w1, whose environment nothing classifies
#   incidents: three count, of which one names no service; two are linked by time; one of the three
#   is open for 55 days; the fourth was resolved before it was detected
#   days: 31 of a, 27 of b (from the 5th on); nine gaps are too few to call one unusual
EXPECTED = {
    "commit_known": (9, 11),
    "delivery_certain": (7, 11),
    "committed_before_delivered": (11, 11),
    "pull_request_known": (0, 7),
    "beginning_known": (7, 7),
    "environments_classified": (11, 12),
    "deployments_told_once": (11, 11),
    "deployments_in_order": (11, 11),
    "incidents_covered": (11, 11),
    "incidents_mapped": (2, 3),
    "incidents_linked": (2, 3),
    "incidents_ended": (2, 3),
    "incidents_told_once": (3, 3),
    "incidents_in_order": (3, 4),
    "history_whole": (2, 2),
    "no_silence": (58, 58),
    "sources_read": (1, 1),
    "sources_fresh": (1, 1),
}


def test_every_count_is_as_worked_out_by_hand(organisation):
    found = {f.check.name: (f.count.good, f.count.total) for f in organisation.coverage().findings}
    assert found == EXPECTED


def test_a_metric_has_the_worst_letter_of_what_bears_on_it(organisation):
    grades = {name: grade.letter for name, grade in organisation.coverage().grades.items()}
    assert grades == {
        "deployment_frequency": "B",  # 92 % of environments
        "lead_time": "D",  # 64 % delivered for certain
        "change_failure_rate": "E",  # 75 % of incidents in order, where 90 is the least
        "time_to_restore": "E",
        "rework_rate": "C",  # 82 % of commits known
    }


def test_the_reasons_are_numbers_worst_first(organisation):
    reasons = organisation.coverage().grade("lead_time").reasons
    assert reasons[0] == (
        "7 of 11 delivered changes were surely delivered by that deployment (64 %)"
    )
    assert "0 of 7 changes have a pull request (0 %)" in reasons


def test_from_d_on_no_verdict_may_be_given(organisation):
    coverage = organisation.coverage()
    withheld = {name for name, grade in coverage.grades.items() if grade.withholds}
    assert withheld == {"lead_time", "change_failure_rate", "time_to_restore"}


def test_one_service_is_graded_by_its_own_records(organisation):
    found = {f.check.name: f.count for f in organisation.service("b").coverage().findings}
    assert (found["commit_known"].good, found["commit_known"].total) == (1, 1)
    assert (found["environments_classified"].total, found["no_silence"].total) == (1, 27)
    assert organisation.service("b").coverage().grade("deployment_frequency").letter == "A"


def test_another_window_has_its_own_counts(organisation):
    early = organisation.window("2026-01-01..2026-01-03").coverage()
    found = {f.check.name: (f.count.good, f.count.total) for f in early.findings}
    assert found["commit_known"] == (2, 2)
    assert found["no_silence"] == (2, 2)


def test_what_a_source_lets_nobody_read_lowers_the_grades_it_bears_on(folder, tmp_path):
    # Deployments of b, and builds of both, which no metric is made from: 1 of 2 repositories is
    # 50 %, the least for D.
    store = tmp_path / "dora.duckdb"
    shutil.copy(folder / "dora.duckdb", store)
    with duckdb.connect(str(store)) as connection:
        for fact, repository in (("deployments", "b"), ("builds", "a"), ("builds", "b")):
            connection.execute(
                "insert into unread (source, stream, record_type, part, reason) "
                "values ('files', ?, ?, ?, 'no right')",
                [fact, fact, repository],
            )
    fewer = dora.open(store).as_of("2026-03-01").window("2026-01")
    found = {f.check.name: f.count for f in fewer.coverage().findings}
    assert found["deployments_readable"] == Count(1, 2, ("b",))
    assert {name for name in found if name.endswith("_readable")} == {"deployments_readable"}
    assert fewer.coverage().grade("deployment_frequency").letter == "D"
    assert "deployments_readable" not in {
        f.check.name for f in fewer.service("a").coverage().findings
    }


def test_the_frame_is_tidy(organisation):
    frame = organisation.coverage().frame
    assert list(frame.columns) == [
        *("metric", "grade", "check", "letter", "good", "total", "share", "finding", "remark")
    ]
    assert (frame["share"] == frame["good"] / frame["total"]).all()
    assert not frame.duplicated(["metric", "check"]).any()
    assert frame.loc[frame["good"] < frame["total"], "remark"].notna().all()
    assert frame.loc[frame["good"] == frame["total"], "remark"].isna().all()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("place", range(4))
def test_a_letter_begins_just_where_the_scale_says(check, place):
    """At the least per cent a letter is reached; one record less of a thousand, it is not."""
    metric = next(iter(check.bears_on))
    lowest = "ABCDE".index(check.bears_on[metric])
    edge = check.scale[place] * 10
    at, below = (Finding(check, Count(good, 1000)).letter(metric) for good in (edge, edge - 1))
    assert at == "ABCDE"[min(place, lowest)]
    assert below == "ABCDE"[min(place + 1, lowest)]


def test_the_scales_are_those_of_the_manual():
    manual = (Path(__file__).resolve().parents[2] / "docs" / "definitions.md").read_text("utf-8")
    for scale in (PARTS, FAULTS):
        assert " / ".join(f"{least} %" for least in scale) in manual
    for check in CHECKS:
        assert check.statement in manual, check.name


def test_nothing_known_is_no_grade():
    assert Coverage((), ("lead_time",)).grade("lead_time").letter is None
    assert str(Coverage((), ("lead_time",)).grade("lead_time")) == "–"
