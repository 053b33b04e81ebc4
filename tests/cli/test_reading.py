"""show, explain, export, plot and query, run on the sample organisation as a user would."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet
import pytest

from dora import samples
from dora.records import Deployment
from tests.cli.conftest import Ran

Command = Callable[..., Ran]

PROMISED = [
    "metric",
    "scope",
    "service",
    "team",
    "period_start",
    "period_end",
    "partial",
    "value",
    "unit",
    "n",
    "low",
    "high",
    "reason",
]
EVIDENCE = {
    "lead_time": "change,repository,service,sha,landed_sha,pull_request,deployment,version,"
    "committed_at,merged_at,delivered_at,seconds,coding,pickup,review,merge_to_deploy,is_bot,url",
    "deployment_frequency": "deployment,service,environment,finished_at,sha,version,failed,"
    "pending,rule,confidence,incident,url",
    "change_failure_rate": "deployment,service,environment,finished_at,sha,version,failed,"
    "pending,rule,confidence,incident,url",
    "time_to_restore": "deployment,incident,service,failed_at,recovered_at,seconds,open,kind,"
    "rule,url",
    "rework_rate": "deployment,service,finished_at,kind,repairs,url",
}
FACTS = [
    "repositories",
    "commits",
    "commit_paths",
    "pull_requests",
    "pull_request_commits",
    "reviews",
    "deployments",
    "incidents",
    "builds",
    "flag_changes",
    "manual_changes",
]
H1 = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("service", [service.name for service in samples.SERVICES])
@pytest.mark.parametrize("metric", list(EVIDENCE))
def test_shown_values_are_the_true_ones(
    dora: Command, organisation: Path, metric: str, service: str
) -> None:
    ran = dora(
        "show", metric, "-c", organisation, "--window", samples.WINDOW, "--service", service,
        "--format", "csv",
    )  # fmt: skip
    _, truths = samples.facts()
    (row,) = rows(ran.out)
    assert float(row["value"]) == pytest.approx(truths[service].values(*H1)[metric], rel=1e-12)
    if int(row["n"]) >= 6 or metric == "deployment_frequency":
        assert float(row["low"]) < float(row["value"]) < float(row["high"])


def test_columns_are_the_promised_ones_in_their_order(dora: Command, organisation: Path) -> None:
    for metric in EVIDENCE:
        ran = dora("show", metric, "-c", organisation, "--by", "month", "--format", "csv")
        columns = list(rows(ran.out)[0])
        extra = ["p75", "p90", "p95"] if metric in ("lead_time", "time_to_restore") else []
        assert columns[: len(PROMISED) + len(extra)] == PROMISED + extra


def test_every_text_format_says_the_same(dora: Command, organisation: Path) -> None:
    asked = ("show", "lead-time", "-c", organisation, "--window", "2026-H1", "--by", "quarter")
    table = rows(dora(*asked, "--format", "csv").out)
    array = json.loads(dora(*asked, "--format", "json").out)
    lines = [json.loads(line) for line in dora(*asked, "--format", "jsonl").out.splitlines()]
    assert array == lines
    assert [row["period_start"] for row in array] == ["2026-01-01", "2026-04-01"]
    assert [float(row["value"]) for row in table] == [row["value"] for row in array]
    assert [int(row["n"]) for row in table] == [row["n"] for row in array]


def test_tables_speak_in_days_and_files_in_seconds(dora: Command, organisation: Path) -> None:
    asked = ("show", "lead-time", "-c", organisation, "--window", "2026-H1", "--service", "ledger")
    assert "2.8 d" in dora(*asked).out  # 244,985 s of the truth are 2.84 days
    assert "| 2.8 d |" in dora(*asked, "--format", "markdown").out


def test_parquet_and_csv_files_hold_the_same(
    dora: Command, organisation: Path, tmp_path: Path
) -> None:
    asked = ("show", "lead-time", "-c", organisation, "--window", "2026-H1", "--by", "week", "-o")
    assert dora(*asked, tmp_path / "weeks.parquet").code == 0
    assert dora(*asked, tmp_path / "weeks.csv").code == 0
    parquet = pyarrow.parquet.read_table(tmp_path / "weeks.parquet").to_pylist()
    text = rows((tmp_path / "weeks.csv").read_text())
    assert [row["period_start"].isoformat() for row in parquet] == [r["period_start"] for r in text]
    values = [float(r["value"]) if r["value"] else None for r in text]
    assert [row["value"] for row in parquet] == values
    assert None in values  # a week in which nothing was delivered
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_parquet_needs_a_file(dora: Command, organisation: Path) -> None:
    ran = dora("show", "lead-time", "-c", organisation, "--format", "parquet")
    assert (ran.code, ran.out) == (2, "")
    assert "-o file.parquet" in ran.err


def test_without_a_metric_all_five_are_shown(dora: Command, organisation: Path) -> None:
    ran = dora("show", "-c", organisation, "--window", "2026-H1", "--format", "csv")
    assert [row["metric"] for row in rows(ran.out)] == [
        "deployment_frequency", "lead_time", "change_failure_rate", "time_to_restore",
        "rework_rate",
    ]  # fmt: skip


def test_a_metric_that_does_not_exist_is_wrong_usage(dora: Command, organisation: Path) -> None:
    ran = dora("show", "led-time", "-c", organisation)
    assert (ran.code, ran.out) == (2, "")
    assert "led" in ran.err
    assert "lead_time" in ran.err


@pytest.mark.parametrize("window", ["2026-H3", "yesterdayish", "2026-03-01..2026-02-01"])
def test_a_window_that_does_not_exist_is_wrong_usage(
    dora: Command, organisation: Path, window: str
) -> None:
    ran = dora("show", "lead-time", "-c", organisation, "--window", window)
    assert (ran.code, ran.out) == (2, "")
    assert window in ran.err


def test_an_unknown_service_is_wrong_usage_and_the_nearest_is_named(
    dora: Command, organisation: Path
) -> None:
    ran = dora("show", "lead-time", "-c", organisation, "--service", "chekout")
    assert ran.code == 2
    assert "checkout" in ran.err


def test_as_of_takes_later_facts_away(dora: Command, organisation: Path) -> None:
    asked = ("show", "deployment-frequency", "-c", organisation, "--window", "2026-H1")
    now = rows(dora(*asked, "--format", "csv").out)[0]
    then = rows(dora(*asked, "--format", "csv", "--as-of", "2026-03-31").out)[0]
    _, truths = samples.facts()
    end = datetime(2026, 4, 1, tzinfo=UTC)
    known = sum(f < end for truth in truths.values() for f in truth.deployments.values())
    assert int(then["n"]) == known < int(now["n"])


def test_the_sql_behind_a_number_can_be_shown(dora: Command, organisation: Path) -> None:
    ran = dora("show", "lead-time", "-c", organisation, "--sql")
    assert ran.code == 0
    assert "select" in ran.out.lower()


def test_explain_names_the_records_and_those_left_out(dora: Command, organisation: Path) -> None:
    ran = dora("explain", "lead-time", "-c", organisation, "--window", "2026-H1")
    assert ran.code == 0
    assert "https://example.org/acme/checkout/pull/" in ran.out
    out = dora(
        "explain", "lead-time", "-c", organisation, "--window", "2026-H1", "--left-out",
        "--format", "csv",
    )  # fmt: skip
    reasons = {row["reason"] for row in rows(out.out)}
    assert {"bot", "before the record"} <= reasons


def test_explain_says_what_every_incident_was_put_down_to(
    dora: Command, organisation: Path
) -> None:
    """Each of the sample's incidents is named after the deployment that truly caused it."""
    asked = ("-c", organisation, "--window", "2026-H1")
    ran = dora("explain", "change-failure-rate", *asked)
    assert "What each incident was put down to" in ran.out
    assert "Why each deployment is failed, fine or pending" in ran.out
    told = rows(
        dora("explain", "time-to-restore", *asked, "--incident", "*", "--format", "csv").out
    )
    linked = {row["incident"]: row["deployment"] for row in told if row["outcome"] == "linked"}
    assert len(linked) == 14
    assert all(incident == f"INC-{deployment}" for incident, deployment in linked.items())


def test_explain_says_why_one_deployment_failed(dora: Command, organisation: Path) -> None:
    ran = dora(
        "explain", "change-fail-rate", "-c", organisation, "--deployment", "checkout-42",
        "--incident", "INC-checkout-42",
    )  # fmt: skip
    assert "incident INC-checkout-42 followed it, 59 min after it finished" in ran.out
    assert "not the last one before it" in ran.out


def test_explain_shows_how_the_number_moves_with_the_window(
    dora: Command, organisation: Path
) -> None:
    asked = ("-c", organisation, "--window", "2026-H1", "--sensitivity")
    table = dora("explain", "change-failure-rate", *asked)
    assert "stated links only" in table.out
    moved = rows(dora("explain", "change-failure-rate", *asked, "--format", "csv").out)
    assert [row["links"] for row in moved][1:] == [
        "window of 1 h", "window of 6 h", "window of 24 h", "window of 72 h", "stated links only",
    ]  # fmt: skip
    values = [float(row["value"]) for row in moved]
    assert values[1:5] == sorted(values[1:5])


@pytest.mark.parametrize(
    "asked",
    [
        ("--incident", "a", "--sensitivity"),
        ("--left-out", "--deployment", "a"),
        ("--incident", "a", "--deployment", "b", "--format", "csv"),
    ],
)
def test_explain_answers_one_question_at_a_time(
    dora: Command, organisation: Path, asked: tuple[str, ...]
) -> None:
    ran = dora("explain", "change-failure-rate", "-c", organisation, *asked)
    assert (ran.code, ran.out) == (2, "")
    assert "do not go together" in ran.err


def test_all_presets_stand_side_by_side(dora: Command, organisation: Path) -> None:
    asked = ("-c", organisation, "--window", "2026-H1", "--all-presets")
    table = dora("show", "change-failure-rate", *asked)
    for name in ("dora", "gitlab", "devlake", "datadog", "sleuth", "linearb", "fourkeys"):
        assert f"\n{name} " in table.out
    fan = rows(dora("show", "lead-time", *asked, "--format", "csv").out)
    assert len(fan) == 8
    assert all(row["definition"] and row["source"] for row in fan)
    assert dora("show", *asked).code == 2


def test_evidence_adds_up_to_the_number(dora: Command, organisation: Path) -> None:
    asked = ("-c", organisation, "--window", "2026-H1", "--format", "csv")
    (shown,) = rows(dora("show", "change-failure-rate", *asked).out)
    evidence = rows(dora("explain", "change-failure-rate", *asked).out)
    failed = sum(row["failed"] == "true" for row in evidence)
    assert int(shown["n"]) == len(evidence)
    assert float(shown["value"]) == failed / len(evidence)


def test_export_writes_every_file_it_promises(
    dora: Command, organisation: Path, tmp_path: Path
) -> None:
    ran = dora("export", "-c", organisation, "--window", "2026-H1", "--out", tmp_path)
    assert ran.code == 0
    for metric, columns in EVIDENCE.items():
        assert (tmp_path / "metrics" / f"{metric}.csv").exists()
        header = (tmp_path / "evidence" / f"{metric}.csv").read_text().splitlines()[0]
        assert header == columns
    for table in FACTS:
        assert (tmp_path / "facts" / f"{table}.csv").exists()
    assert sorted(ran.out.split()) == sorted(str(p) for p in tmp_path.rglob("*.csv"))


def test_exported_facts_come_back_as_they_were(
    dora: Command, organisation: Path, tmp_path: Path
) -> None:
    dora("export", "-c", organisation, "--out", tmp_path)
    records, _ = samples.facts()
    expected = {(r.id, r.finished_at) for r in records if isinstance(r, Deployment)}
    read = rows((tmp_path / "facts" / "deployments.csv").read_text())
    found = {(r["id"], datetime.fromisoformat(r["finished_at"])) for r in read}
    assert found == expected


def test_no_export_names_a_person(dora: Command, organisation: Path, tmp_path: Path) -> None:
    dora("export", "-c", organisation, "--out", tmp_path)
    for path in tmp_path.rglob("*.csv"):
        text = path.read_text()
        assert "author" not in text.splitlines()[0].replace("authored_at", "")
        assert "Ada" not in text
        assert "ada@example.org" not in text


def test_export_writes_parquet_too(dora: Command, organisation: Path, tmp_path: Path) -> None:
    assert dora("export", "-c", organisation, "--out", tmp_path, "--format", "parquet").code == 0
    for table in FACTS:
        pyarrow.parquet.read_schema(tmp_path / "facts" / f"{table}.parquet")


def test_export_into_a_place_that_cannot_be_is_one_error(
    dora: Command, organisation: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    ran = dora("export", "-c", organisation, "--out", tmp_path / "file")
    assert ran.code == 2
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("suffix", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_plot_draws_a_picture(
    dora: Command, organisation: Path, tmp_path: Path, suffix: str, magic: bytes
) -> None:
    picture = tmp_path / f"lead.{suffix}"
    ran = dora("plot", "lead-time", "-c", organisation, "--window", "2026-H1", "-o", picture)
    assert ran.code == 0
    assert picture.read_bytes().startswith(magic)


def test_query_reads_facts_and_what_is_derived(dora: Command, organisation: Path) -> None:
    ran = dora(
        "query", "select count(*) as n from judged_deployments where failed", "-c", organisation,
        "--format", "csv",
    )  # fmt: skip
    _, truths = samples.facts()
    assert rows(ran.out) == [{"n": str(sum(len(truth.failed) for truth in truths.values()))}]


@pytest.mark.parametrize(
    "sql",
    ["select nonsense from nowhere", "drop table facts.commits", "delete from facts.deployments"],
)
def test_query_refuses_what_it_cannot_or_must_not_do(
    dora: Command, organisation: Path, sql: str
) -> None:
    before = (organisation.parent / "dora.duckdb").read_bytes()
    ran = dora("query", sql, "-c", organisation)
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert (organisation.parent / "dora.duckdb").read_bytes() == before


def test_a_bare_store_is_enough(dora: Command, organisation: Path) -> None:
    asked = ("show", "lead-time", "--window", "2026-H1", "--format", "csv")
    by_config = dora(*asked, "-c", organisation)
    by_store = dora(*asked, "--store", organisation.parent / "dora.duckdb")
    assert by_store.code == 0
    assert by_store.out == by_config.out


@pytest.mark.parametrize(
    "sql",
    ["copy commits to '{}'", "attach '{}'", "select 1; attach '{}'", "set threads = 1", ""],
)
def test_query_does_nothing_but_look(
    dora: Command, organisation: Path, tmp_path: Path, sql: str
) -> None:
    ran = dora("query", sql.format(tmp_path / "written"), "-c", organisation)
    assert (ran.code, ran.out) == (2, "")
    assert "one SELECT" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sql", ["show tables", "from commits limit 1", "describe commits"])
def test_query_takes_every_way_of_looking(dora: Command, organisation: Path, sql: str) -> None:
    assert dora("query", sql, "-c", organisation).code == 0


def test_a_bare_store_is_read_in_the_zone_and_as_of_the_time_it_was_filled_with(
    dora: Command, tmp_path: Path
) -> None:
    path = samples.write(tmp_path)
    path.write_text('timezone = "Asia/Kolkata"\n' + path.read_text())
    assert dora("sync", "-c", path).code == 0
    asked = ("show", "deployment-frequency", "--window", "30d", "--by", "day", "--format", "csv")
    by_config = dora(*asked, "-c", path)
    by_store = dora(*asked, "--store", tmp_path / "dora.duckdb")
    assert by_store.out == by_config.out
    assert "2026-07-10" in by_store.out  # the day of the newest fact, not that of the sync


def test_a_report_is_written_and_its_file_named(dora, organisation, tmp_path):
    page = tmp_path / "report.html"
    ran = dora("report", "-c", organisation, "--window", "2026-Q2", "-o", page)
    assert (ran.code, ran.out, ran.err) == (0, f"{page}\n", "")
    assert "<!doctype html>" in page.read_text()


def test_a_stale_report_is_written_says_so_and_fails(dora, organisation, tmp_path):
    text = tmp_path / "report.md"
    asked = ("report", "-c", organisation, "--window", "2026-Q2", "-o", text, "--stale-after", "0s")
    ran = dora(*asked)
    assert ran.code == 1
    assert "Not up to date: The source sample was last read" in ran.err
    assert "not up to date" in text.read_text()


def test_reports_are_split_into_a_folder(dora, organisation, tmp_path):
    asked = ("report", "-c", organisation, "--window", "2026-Q2", "--split-by", "team")
    ran = dora(*asked, "--format", "md", "-o", tmp_path / "teams")
    assert ran.code == 0
    assert sorted(p.name for p in (tmp_path / "teams").iterdir()) == ["discovery.md", "payments.md"]
    ran = dora(*asked, "-o", tmp_path / "teams.html")
    assert ran.code == 2
    assert "is no folder" in ran.err


def test_a_report_chooses_its_periods_itself(dora, organisation, tmp_path):
    ran = dora("report", "-c", organisation, "--by", "week", "-o", tmp_path / "r.md")
    assert ran.code == 2


def test_show_holds_all_against_the_levels_of_a_year(dora: Command, organisation: Path) -> None:
    where = ("-c", organisation, "--window", "2026-06")
    newest = dora("show", *where, "--levels")
    assert newest.code == 0
    assert "Nearest to high of 2024." in newest.out
    assert "Quick Check score" in newest.out
    assert "Source: Accelerate State of DevOps Report 2024" in newest.out
    older = dora("show", *where, "--levels", "2019", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(older.out)))
    assert [row["metric"] for row in rows] == [
        "deployment_frequency", "lead_time", "change_failure_rate", "time_to_restore",
    ]  # fmt: skip
    assert {"answer", "answer_low", "answer_high", "to_elite", "to_low", "reason"} <= set(rows[0])


def test_show_refuses_a_level_of_one_metric_or_of_a_year_without_any(
    dora: Command, organisation: Path
) -> None:
    one = dora("show", "lead-time", "-c", organisation, "--levels")
    assert (one.code, "all metrics" in one.err) == (2, True)
    never = dora("show", "-c", organisation, "--levels", "2025")
    assert (never.code, "2025 dropped them" in never.err) == (2, True)


def test_signals_are_told_in_a_sentence_and_point_by_point(dora: Command, organisation: Path):
    asked = ("show", "lead-time", "-c", organisation, "--window", "2026-H1", "--by", "week")
    said = dora(*asked, "--signals")
    assert said.code == 0
    assert said.out.startswith("Change lead time: ")
    assert "stands out" in said.out.splitlines()[0]
    assert "2026-03-02" in said.out
    rows = list(csv.DictReader(io.StringIO(dora(*asked, "--signals", "--format", "csv").out)))
    assert list(rows[0])[:4] == ["period_start", "period_end", "running", "value"]
    assert float(rows[0]["lower"]) < float(rows[0]["centre"]) < float(rows[0]["upper"])


def test_survival_is_told_in_a_sentence_and_as_a_curve(dora: Command, organisation: Path):
    asked = ("show", "lead-time", "-c", organisation, "--window", "2026-Q2", "--survival")
    said = dora(*asked)
    assert said.code == 0
    assert "that began in 2026-Q2, half were delivered within" in said.out
    assert "delivered within" in said.out.splitlines()[2]
    rows = list(csv.DictReader(io.StringIO(dora(*asked, "--format", "csv").out)))
    shares = [float(row["over"]) for row in rows]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


@pytest.mark.parametrize("option", ["--sql", "--signals", "--survival", "--all-presets"])
def test_what_is_of_one_metric_is_not_shown_without(dora: Command, organisation: Path, option: str):
    ran = dora("show", "-c", organisation, option)
    assert ran.code == 2
    assert f"{option} is of one metric" in ran.err
    assert "deployment_frequency" in ran.err


def test_questions_that_do_not_go_together_are_not_half_answered(dora: Command, organisation: Path):
    ran = dora("show", "lead-time", "-c", organisation, "--signals", "--survival")
    assert ran.code == 2
    assert "--signals and --survival do not go together" in ran.err


def test_signals_and_survival_are_of_one_metric(dora: Command, organisation: Path):
    assert dora("show", "-c", organisation, "--signals").code == 2
    told = dora("show", "rework-rate", "-c", organisation, "--survival")
    assert told.code == 2
    assert "lead_time or time_to_restore" in told.err


@pytest.mark.parametrize("kind", ["survival", "process"])
def test_curves_and_charts_are_drawn(dora: Command, organisation: Path, tmp_path: Path, kind: str):
    target = tmp_path / f"{kind}.svg"
    asked = ("--window", "2026-Q2", "--kind", kind, "-o", target)
    assert dora("plot", "lead-time", "-c", organisation, *asked).code == 0
    assert "<svg" in target.read_text("utf-8")
