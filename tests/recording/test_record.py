"""`dora record`: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dora.cli import run
from dora.recording.moments import moment
from tests.recording.test_pipelines import GITHUB, SHA

HEAVY = {"duckdb", "pandas", "numpy", "scipy", "matplotlib", "rich", "pydantic", "connectors"}
DEPLOYMENT = ("deployment", "--service", "checkout", "--environment", "production")
INCIDENT = ("incident", "--service", "checkout", "--detected", "2026-03-01T12:30:00Z")

Record = Callable[..., tuple[int, str, str]]


@pytest.fixture
def record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Record:
    """Run the command in this process, in a folder of its own, outside of any pipeline."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(["record", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def lines(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in sorted(folder.iterdir())
        for line in file.read_text("utf-8").splitlines()
    ]


def test_a_deployment_is_one_line_with_everything_that_was_said(
    record: Record, tmp_path: Path
) -> None:
    code, out, _ = record(
        *DEPLOYMENT, "--sha", SHA, "--status", "succeeded", "--version", "1.2",
        "--started", "2026-03-01T12:55:00+01:00", "--finished", "1772366400",
        "--repository", "git@github.com:acme/shop.git", "--url", "https://ci/1", "--fixes", "d-1",
        "--rolls-back", "d-0", "--unplanned", "--labels", "hotfix, urgent", "--labels", "eu",
        "--id", "d-2", "--digest", "sha256:ab",
    )  # fmt: skip
    assert (code, out) == (0, "d-2\n")
    (line,) = lines(tmp_path / "dora.d")
    written_at = moment(line.pop("recorded_at"))
    assert abs(written_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert line == {
        "record": "deployment",
        "id": "d-2",
        "service": "checkout",
        "environment": "production",
        "sha": SHA,
        "status": "succeeded",
        "version": "1.2",
        "digest": "sha256:ab",
        "started_at": "2026-03-01T11:55:00Z",
        "finished_at": "2026-03-01T12:00:00Z",
        "repository": "github.com/acme/shop",
        "url": "https://ci/1",
        "fixes": "d-1",
        "rolls_back": "d-0",
        "unplanned": True,
        "labels": ["hotfix", "urgent", "eu"],
    }


def test_an_incident_is_one_line_known_by_its_service_and_time(
    record: Record, tmp_path: Path
) -> None:
    code, out, err = record(
        *INCIDENT, "--resolved", "2026-03-01T13:00:00Z", "--severity", "sev1",
        "--caused-by", "d-2", "--caused-by", "4f2a9c1", "--title", "Café is\ndown", "--external",
        "--duplicate-of", "I-0", "--url", "https://pager/1",
    )  # fmt: skip
    assert (code, out) == (0, "checkout@2026-03-01T12:30:00Z\n")
    assert "dora.d" in err
    (line,) = lines(tmp_path / "dora.d")
    del line["recorded_at"]
    assert line == {
        "record": "incident",
        "id": "checkout@2026-03-01T12:30:00Z",
        "service": "checkout",
        "detected_at": "2026-03-01T12:30:00Z",
        "resolved_at": "2026-03-01T13:00:00Z",
        "severity": "sev1",
        "caused_by": ["d-2", "4f2a9c1"],
        "title": "Café is\ndown",
        "external": True,
        "duplicate_of": "I-0",
        "url": "https://pager/1",
    }


def test_the_pipeline_fills_in_what_was_not_said_and_that_is_told(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    code, out, err = record(*DEPLOYMENT, "--status", "success")
    assert code == 0
    assert out == f"checkout/production/{SHA[:12]}@github-77.2\n"
    assert f"Taken from GitHub Actions: repository github.com/acme/shop, sha {SHA}" in err
    assert "finished_at is now" in err
    (line,) = lines(tmp_path / "dora.d")
    assert line["status"] == "succeeded"
    assert line["original_status"] == "success"
    assert line["url"] == "https://github.com/acme/shop/actions/runs/77"


def test_what_is_said_goes_before_what_the_pipeline_knows(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    record(*DEPLOYMENT, "--status", "failed", "--sha", "abc1234", "--repository", "x.org/a/b", "-q")
    (line,) = lines(tmp_path / "dora.d")
    assert (line["sha"], line["repository"]) == ("abc1234", "x.org/a/b")


def test_what_still_runs_has_begun_now_and_has_no_finish(record: Record, tmp_path: Path) -> None:
    record(*DEPLOYMENT, "--status", "running", "--sha", SHA)
    (line,) = lines(tmp_path / "dora.d")
    assert "finished_at" not in line
    assert abs(moment(line["started_at"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_without_a_sha_it_is_said_what_that_costs(record: Record) -> None:
    _, _, err = record(*DEPLOYMENT, "--status", "succeeded")
    assert "in no lead time" in err
    _, _, err = record(*DEPLOYMENT, "--status", "succeeded", "-q")
    assert err == ""


def test_it_goes_beside_the_configuration_or_where_it_is_told(
    record: Record, tmp_path: Path
) -> None:
    record(*INCIDENT, "-c", "delivery/dora.toml")
    assert len(lines(tmp_path / "delivery" / "dora.d")) == 1
    record(*INCIDENT, "--spool", "elsewhere")
    assert len(lines(tmp_path / "elsewhere")) == 1
    _, out, _ = record(*INCIDENT, "--spool", "-")
    assert json.loads(out)["record"] == "incident"
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--status", "green"), "'green' is no status of a deployment"),
        (("--status", "failed", "--finished", "noon"), "--finished: it is no time: 'noon'"),
        (("--status", "failed", "--started", "2026-03-01"), "--started: it has no time zone"),
        (
            ("--status", "failed", "--started", "2000000002", "--finished", "2000000001"),
            "is before",
        ),
        ((), "Missing option '--status'"),
    ],
)
def test_what_cannot_be_understood_is_wrong_usage_and_nothing_is_written(
    record: Record, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    code, out, err = record(*DEPLOYMENT, *more)
    assert (code, out) == (2, "")
    assert said in err
    assert not (tmp_path / "dora.d").exists()


def test_a_change_of_a_flag_is_one_line(record: Record, tmp_path: Path) -> None:
    usual = ("flag", "new-basket", "--environment", "production", "--changed", "1772366400")
    more = ("--service", "checkout", "--temporary", "--url", "https://flags/1")
    assert record(*usual, "--share", "0.2", *more)[1] == (
        "new-basket/production@2026-03-01T12:00:00Z\n"
    )
    assert record(*usual, "--on")[0] == record(*usual, "--off", "--permanent")[0] == 0
    assert record(*usual, "--created")[0] == record(*usual, "--removed")[0] == 0
    first, *others = lines(tmp_path / "dora.d")
    assert moment(first.pop("recorded_at")) > datetime(2026, 3, 1, tzinfo=UTC)
    assert first == {
        "record": "flag_change", "id": "new-basket/production@2026-03-01T12:00:00Z",
        "flag": "new-basket", "environment": "production", "share": 0.2, "temporary": True,
        "service": "checkout", "changed_at": "2026-03-01T12:00:00Z", "url": "https://flags/1",
    }  # fmt: skip
    told = [(line["share"], line.get("action"), line.get("temporary")) for line in others]
    assert told == [(1, None, None), (0, None, False), (0, "created", None), (0, "removed", None)]


def test_a_change_by_hand_is_one_line_of_now(record: Record, tmp_path: Path) -> None:
    usual = ("manual-change", "--service", "checkout", "--environment", "production")
    code, _, said = record(*usual, "--name", "raised the limit", "--labels", "urgent, by night")
    assert (code, "changed_at is now" in said) == (0, True)
    (line,) = lines(tmp_path / "dora.d")
    assert abs(moment(line["changed_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert (line["record"], line["name"], line["labels"]) == (
        "manual_change", "raised the limit", ["urgent", "by night"],
    )  # fmt: skip
    assert "raised" not in line["id"]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ((), "It is not said how the flag was changed."),
        (("--share", "20"), "--share 20 is no share of users."),
        (("--share", "nan"), "--share nan is no share of users."),
        (("--share", "0.2", "--on"), "--share goes with neither --on nor --off."),
        (("--on", "--changed", "soon"), "--changed: it is no time"),
    ],
)
def test_a_change_of_a_flag_that_says_too_little_or_too_much_is_not_written(
    record: Record, tmp_path: Path, said: tuple[str, ...], complaint: str
) -> None:
    code, _, error = record("flag", "new-basket", "--environment", "production", *said)
    assert (code, complaint in error) == (2, True)
    assert not (tmp_path / "dora.d").exists()


def test_whether_a_deployment_was_by_hand_is_said_or_not_known(
    record: Record, tmp_path: Path
) -> None:
    usual = (*DEPLOYMENT, "--status", "succeeded", "--sha", SHA)
    record(*usual)
    record(*usual, "--manual", "--not-automatic")
    record(*usual, "--not-manual", "--automatic")
    told = [(line.get("manual"), line.get("automatic")) for line in lines(tmp_path / "dora.d")]
    assert told == [(None, None), (True, False), (False, True)]


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    script = (
        "import sys; from dora.cli import run; "
        f"code = run(['record', *{list(INCIDENT)!r}]); "
        f"print(sorted(set(sys.modules) & {HEAVY!r}), code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == "[] 0"
    assert len(lines(tmp_path / "dora.d")) == 1


def test_an_argument_that_is_no_utf8_still_makes_a_line_of_json(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dora", "record", *INCIDENT, "--title", b"caf\xe9"]
    subprocess.run(command, cwd=tmp_path, check=True, env=os.environ | {"LC_ALL": "C.UTF-8"})
    (line,) = lines(tmp_path / "dora.d")
    assert line["title"].startswith("caf")
