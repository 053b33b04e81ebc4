"""What is typed in a notebook, on the made-up organisation."""

from __future__ import annotations

import shutil
import subprocess
import sys
from html.parser import HTMLParser

import pandas as pd
import pytest

import dora
from dora import store
from dora.errors import BadWindow, ConfigError, UnknownMetric, UsageError

COLUMNS = [
    *("metric", "scope", "service", "team", "period_start", "period_end", "partial"),
    *("value", "unit", "n", "low", "high", "reason"),
]
EVIDENCE = {
    "lead_time": [
        *("change", "repository", "service", "sha", "landed_sha", "pull_request", "deployment"),
        *("version", "committed_at", "merged_at", "delivered_at", "seconds", "coding", "pickup"),
        *("review", "merge_to_deploy", "is_bot", "url"),
    ],
    "deployment_frequency": [
        *("deployment", "service", "environment", "finished_at", "sha", "version", "failed"),
        *("pending", "rule", "confidence", "incident", "url"),
    ],
    "change_failure_rate": [
        *("deployment", "service", "environment", "finished_at", "sha", "version", "failed"),
        *("pending", "rule", "confidence", "incident", "url"),
    ],
    "time_to_restore": [
        *("deployment", "incident", "service", "failed_at", "recovered_at", "seconds", "open"),
        *("kind", "rule", "url"),
    ],
    "rework_rate": ["deployment", "service", "finished_at", "kind", "repairs", "url"],
}


@pytest.fixture(scope="module")
def d():
    return dora.sample()


@pytest.fixture(scope="module")
def q(d):
    return d.window("2026-Q2", by="month").service("checkout")


def test_importing_the_package_imports_nothing_heavy():
    heavy = ("duckdb", "pandas", "numpy", "matplotlib", "scipy", "pydantic", "rich")
    code = f"import sys, dora; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_metric_names_are_known_without_anything_heavy():
    heavy = ("duckdb", "pandas", "numpy", "matplotlib", "scipy")
    code = (
        "import sys; from dora import metrics; assert len(metrics.names()) >= 5;"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", EVIDENCE)
def test_frames_and_evidence_have_the_promised_columns(q, name):
    result = getattr(q, name)()
    promised = COLUMNS + (["p75", "p90", "p95"] if result.unit == "seconds" else [])
    assert list(result.frame.columns)[: len(promised)] == promised
    assert list(result.evidence.columns) == EVIDENCE[name]
    assert list(result.left_out.columns)[:4] == ["record", "reason", "service", "url"]


def test_what_counts_as_now_and_the_numbers_are_of_one_edition_of_the_store(d, tmp_path):
    store = tmp_path / "dora.duckdb"
    shutil.copyfile(d._session.config.store, store)
    last = dora.open(store).window("90d")  # looks up what counts as now
    store.unlink()
    expected = dora.open(d._session.config.store).window("90d").deployment_frequency().frame
    pd.testing.assert_frame_equal(last.deployment_frequency().frame, expected)


def test_a_store_by_itself_is_opened_once_for_a_number(d, tmp_path, monkeypatch):
    path = tmp_path / "dora.duckdb"
    shutil.copyfile(d._session.config.store, path)
    opened, connect = [], store.connect
    monkeypatch.setattr(store, "connect", lambda at: opened.append(at) or connect(at))
    assert dora.open(path).window("2026-Q2").lead_time().n > 0
    assert opened == [path]


@pytest.mark.parametrize("name", EVIDENCE)
def test_no_data_is_never_nan_in_a_table(d, name):
    frame = d.window("2025", by="month").metric(name).frame
    assert frame["value"].isna().all()
    assert frame["value"].dtype == pd.Float64Dtype()
    assert frame["reason"].notna().all()


def test_the_number_follows_from_its_evidence(q):
    lead = q.lead_time()
    assert lead.value == pytest.approx(lead.evidence["seconds"].median())
    assert lead.n == len(lead.evidence)
    parts = lead.evidence[["coding", "pickup", "review", "merge_to_deploy"]].sum(axis=1)
    assert (parts - lead.evidence["seconds"]).abs().max() < 1e-6
    failing = q.change_failure_rate()
    judged = failing.evidence[~failing.evidence["pending"]]
    assert failing.value == pytest.approx(judged["failed"].mean())
    restored = q.time_to_restore()
    assert restored.value == pytest.approx(restored.evidence["seconds"].median())
    frequency = q.deployment_frequency()
    assert frequency.value == pytest.approx(len(frequency.evidence) / 91 * 7)
    rework = q.rework_rate()
    assert rework.value == pytest.approx(len(rework.evidence) / frequency.n)


def test_periods_add_up_to_the_window(q):
    for name in EVIDENCE:
        result = q.metric(name)
        assert result.frame["n"].sum() == result.n


def test_a_result_is_one_line(q):
    line = repr(q.lead_time())
    assert "\n" not in line
    assert line.startswith("lead_time ")
    assert ", n = " in line


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, _):
        self.seen.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("what", [*EVIDENCE, "overview"])
def test_html_is_a_whole_table(q, what):
    parser = _Tags()
    parser.feed(getattr(q, what)()._repr_html_())
    assert parser.open == []
    assert "table" in parser.seen


def test_an_overview_has_a_row_a_metric_with_a_verdict(q):
    frame = q.overview().frame
    assert frame["metric"].tolist() == list(q.metrics)
    verdicts = {"better", "worse", "no evidence", "too little data", "withheld"}
    assert set(frame["verdict"]) <= verdicts
    assert frame["n"].gt(0).all()


def test_verbs_leave_the_delivery_as_it_was(d):
    before = repr(d)
    d.window("2026-Q1", by="week").service("checkout").rules(failure_window="72h").as_of(
        "2026-05-01"
    )
    assert repr(d) == before


def test_another_failure_window_judges_the_same_facts_anew(q):
    assert q.rules(failure_window="72h").rules(maturity="1h").change_failure_rate().n > 0
    assert q.rules(change="pull_request").lead_time().n < q.lead_time().n


def test_as_of_a_date_what_came_later_is_not_known(q):
    earlier = q.as_of("2026-05-15")
    assert earlier.deployment_frequency().evidence["finished_at"].max() < pd.Timestamp(
        "2026-05-16", tz="UTC"
    )
    assert earlier.deployment_frequency().question.elapsed_days == 45


def test_an_alias_is_a_verb(q):
    assert q.change_lead_time().value == q.lead_time().value
    assert "change_fail_rate" in dir(q)
    with pytest.raises(AttributeError, match="no verb"):
        _ = q.velocity


def test_what_does_not_exist_is_said_with_the_nearest(d):
    with pytest.raises(UsageError, match="Did you mean checkout"):
        d.service("chekout").lead_time()
    with pytest.raises(UsageError, match="payments"):
        d.team("payment").lead_time()
    with pytest.raises(UnknownMetric, match="lead_time"):
        d.metric("lead-tme")
    with pytest.raises(BadWindow):
        d.window("next-month")
    with pytest.raises(BadWindow, match="fortnight"):
        d.window("90d", by="fortnight")
    with pytest.raises(ConfigError, match="failure_windw"):
        d.rules(failure_windw="72h")
    with pytest.raises(UsageError, match="The query fails"):
        d.sql("select nonsense from nowhere")


def test_each_service_and_team_has_its_rows_beside_the_pooled_one(d):
    result = d.window("2026-Q2").each("service", "team").deployment_frequency()
    frame = result.frame
    assert frame["scope"].tolist() == ["all", *["service"] * 3, *["team"] * 2]
    assert frame.loc[frame["scope"] == "service", "n"].sum() == result.n
    assert frame.loc[frame["scope"] == "team", "n"].sum() == result.n


def test_sql_reaches_facts_and_derived_tables(d):
    counts = d.sql("select (select count(*) from deployments) as facts, count(*) as judged "
                   "from judged_deployments")  # fmt: skip
    assert counts["judged"].iloc[0] > 0
    assert counts["facts"].iloc[0] >= counts["judged"].iloc[0]


def test_comparing_needs_windows_apart(q):
    comparison = q.lead_time().compare("2026-Q1")
    assert comparison.verdict in {"better", "worse", "no evidence"}
    assert "2026-Q1" in repr(comparison)
    with pytest.raises(UsageError, match="overlap"):
        q.lead_time().compare("2026-H1")


def test_no_progress_bar_of_the_engine_stands_among_results():
    # DuckDB draws one by itself only where it takes the program for an interactive one
    code = (
        "import duckdb; from dora import store; from dora.engines.duckdb import DuckDB;"
        "asked = \"select current_setting('enable_progress_bar')\";"
        "print(duckdb.execute(asked).fetchall(), store.memory().execute(asked).fetchall(),"
        " DuckDB(store.memory()).rows(asked))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[(True,)] [(False,)] [(False,)]\n"


def test_a_delivery_shows_what_it_holds_and_what_can_be_asked_of_it(q):
    said = q._repr_html_()
    assert "Delivery of checkout" in said
    assert "lead_time()" in said
    assert "window()" in said
    hostile = dora.sample().service("<script>")
    assert "<script>" not in hostile._repr_html_()


def test_a_notebook_shows_an_error_as_one_helpful_line_without_a_traceback():
    """Through a shell such as notebooks have, not by calling what it would call."""
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('import dora; dora.sample().window(\"fortnight\")')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    shown = run.stdout + run.stderr
    assert "BadWindow" in shown
    assert "90d" in shown  # what could have been written instead
    assert "Traceback" not in shown
    assert "windows.py" not in shown
