"""The names that notebooks, scripts and other packages rely on; a change here is a breaking one."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
from hatchling.build import build_wheel

import dora
from dora import cli, connector, metrics
from dora.delivery import Delivery
from dora.errors import ConnectorMissing
from dora.metrics.result import Result


def test_the_front_door() -> None:
    assert dora.__all__ == ["Delivery", "Rules", "Window", "open", "sample"]
    assert all(callable(getattr(dora, name)) for name in dora.__all__)


def test_the_metrics_and_their_aliases() -> None:
    assert {name: metrics.find(name).aliases for name in metrics.names()} == {
        "deployment_frequency": (),
        "lead_time": ("change_lead_time",),
        "change_failure_rate": ("change_fail_rate",),
        "time_to_restore": ("failed_deployment_recovery_time",),
        "rework_rate": ("deployment_rework_rate",),
    }


def test_what_is_typed_in_a_notebook() -> None:
    verbs = {"window", "service", "team", "rules", "as_of", "overview", "sql", *metrics.names()}
    assert verbs | {"explain", "fan"} <= set(dir(Delivery))
    fields = set(Result.__dataclass_fields__)
    given = {"value", "n", "low", "high", "frame", "reason"}
    asked = {
        "evidence",
        "left_out",
        "sql",
        "plot",
        "compare",
        "survival",
        "signals",
        "trend",
        "unit",
    }
    asked |= {"_repr_html_"}
    assert given <= fields
    assert asked | {"explain", "fan", "sensitivity"} <= set(dir(Result))


def test_the_commands() -> None:
    assert set(cli.dora.commands) == {
        "quickstart",
        "init",
        "check",
        "sync",
        "status",
        "show",
        "explain",
        "export",
        "plot",
        "query",
        "release",
        "report",
        "run",
        "record",
        "privacy",
        "forget",
    }


def test_connectors_are_found_by_their_entry_points() -> None:
    assert {"git", "files", "spool", "cdevents"} <= set(connector.installed())
    assert {entry.name for entry in entry_points(group="dora.connectors")} >= {"git", "files"}


def test_a_connector_that_lacks_a_library_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (pdf,) = (e for e in entry_points(group="console_scripts") if e.value == "dora.cli:main")
    found = {
        "pdf": EntryPoint("pdf", "no_such_module:Pdf", connector.GROUP)._for(pdf.dist),
        "git": EntryPoint("git", "no_such_module:Git", connector.GROUP)._for(pdf.dist),
    }
    monkeypatch.setattr(connector, "installed", lambda: found)
    with pytest.raises(ConnectorMissing, match=r'pip install "dora-metrics\[pdf\]"'):
        connector.load("pdf")
    with pytest.raises(ConnectorMissing, match='pip install "dora-metrics"'):
        connector.load("git")


def test_what_talks_to_a_source_is_not_imported_to_know_its_options() -> None:
    code = (
        "import sys; from dora import connector;"
        "print(*(connector.load(kind).kind for kind in connector.installed()), *sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert {"git", "github", "gitlab", "jira", "pagerduty"} <= loaded
    clients = {"github.Auth", "gitlab.client", "requests"}
    assert loaded & clients == set()


def test_the_wheel_holds_both_packages_with_their_sql_templates_and_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).resolve().parents[1]
    monkeypatch.chdir(root)
    names = set(zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path))).namelist())
    kept = {
        str(path.relative_to(root))
        for package in ("dora", "connectors")
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert kept <= names
    endings = {Path(name).suffix for name in kept} | {Path(name).name for name in kept}
    assert {".py", ".sql", ".j2", ".css", "py.typed"} <= endings
    assert not {name for name in names if name.startswith(("tests/", "benchmarks/"))}
