"""The ready lines of the documentation, run as pipelines would run them; its tables are whole."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.cdevents import CDEvents, CDEventsOptions
from connectors.cdevents.calls import SHAPES
from connectors.spool import Spool, SpoolOptions
from connectors.testing import read
from dora import config
from dora.recording.lines import KINDS, keys
from dora.records import Deployment, FlagChange, Incident, IncidentCause, ManualChange
from tests.recording.test_pipelines import GITHUB, GITLAB, JENKINS, SHA

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {"README": README, "manual": MANUAL}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)


def run(script: str, folder: Path, **variables: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-eu", "-c", script.replace("/srv/dora", str(folder))],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Error" not in ran.stderr


def pushed(folder: Path) -> list[Any]:
    reading = read(Spool("pushed", SpoolOptions(), base=folder), Deployment)
    assert (reading.rejected, reading.notes) == ([], [])
    return reading.records


def steps(page: str) -> tuple[str, str]:
    """The command of GitHub Actions and that of GitLab."""
    github, gitlab = (yaml.safe_load(block) for block in blocks(page, "yaml"))
    job = gitlab.get("deploy", gitlab)
    return github[0]["run"], job["after_script"][0]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("word", "status"),
    [("success", "succeeded"), ("failure", "failed"), ("cancelled", "cancelled")],
)
def test_the_step_of_github_actions(tmp_path: Path, page: str, word: str, status: str) -> None:
    script, _ = steps(PAGES[page])
    run(script.replace("${{ job.status }}", word), tmp_path, **GITHUB)
    (found,) = pushed(tmp_path)
    assert (found.status, found.sha, found.repository) == (status, SHA, "github.com/acme/shop")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("word", "status"),
    [("success", "succeeded"), ("failed", "failed"), ("canceled", "cancelled")],
)
def test_the_script_of_gitlab(tmp_path: Path, page: str, word: str, status: str) -> None:
    _, script = steps(PAGES[page])
    run(script, tmp_path, CI_JOB_STATUS=word, **GITLAB)
    (found,) = pushed(tmp_path)
    assert (found.status, found.sha) == (status, SHA)
    assert found.started_at is not None


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("word", "status"),
    [("SUCCESS", "succeeded"), ("UNSTABLE", "succeeded"), ("FAILURE", "failed"),
     ("ABORTED", "cancelled"), ("NOT_BUILT", "cancelled")],
)  # fmt: skip
def test_the_step_of_jenkins(tmp_path: Path, page: str, word: str, status: str) -> None:
    (block,) = blocks(PAGES[page], "groovy")
    (script,) = re.findall(r'sh "(.*)"', block)
    run(script.replace("${currentBuild.currentResult}", word), tmp_path, **JENKINS)
    (found,) = pushed(tmp_path)
    assert (found.status, found.sha, found.original_status) == (status, SHA, word)


def test_the_shell_lines_of_the_manual(tmp_path: Path) -> None:
    for script in blocks(MANUAL, "sh"):
        run(script, tmp_path)
    kinds = Counter(type(record) for record in pushed(tmp_path))
    expected = {Deployment: 2, Incident: 2, IncidentCause: 1, FlagChange: 2, ManualChange: 1}
    assert kinds == expected


def test_the_custom_event_of_the_manual_is_a_change_of_a_flag(tmp_path: Path) -> None:
    (shown,) = blocks(MANUAL, "json")
    (tmp_path / "events.jsonl").write_text(shown)
    events = CDEvents("events", CDEventsOptions(path=Path("events.jsonl")), base=tmp_path)
    (found,) = read(events, Deployment).records
    assert isinstance(found, FlagChange)
    assert (found.flag, found.environment, found.share) == ("new-basket", "production", 0.2)


def test_the_configurations_of_the_manual_have_no_faults(tmp_path: Path) -> None:
    (tmp_path / "dora.toml").write_text("\n".join(blocks(MANUAL, "toml")))
    loaded = config.load(tmp_path / "dora.toml")
    assert [source.kind for source in loaded.sources] == ["spool", "cdevents"]


def test_the_manual_names_every_key_option_and_shape() -> None:
    text = re.sub(r"^```.*?^```", "", MANUAL, flags=re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"`([^`]+)`", text))
    assert {key for kind in KINDS for key in keys(kind)} <= named
    assert set(SHAPES) | set(CDEventsOptions.model_fields) <= named
    assert set(SpoolOptions.model_fields) <= named


def test_the_examples_of_lines_are_json() -> None:
    from dora.recording import lines

    text = re.sub(r"\s+", " ", lines.__doc__ or "")
    found = [json.loads(example) for example in re.findall(r"\{[^}]*\}", text)]
    assert [line["record"] for line in found] == list(KINDS)
