"""From a configuration to metrics by the commands that people type, with their exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dora import config as configuration
from dora.cli import run
from tests.connectors.gitlab.asking import VARIABLE, InNoTime, rows
from tests.forges.gitlab_host import GOOD, Fault, GitLabHost

CONFIG = """
store = "dora.duckdb"

[[sources]]
name = "acme"
kind = "gitlab"
url = "{url}"
token_env = "{variable}"
groups = ["acme"]
deployments = ["deployments", "workflow:^Deploy$ job:^production$", "releases", "tags:v*"]
incidents = {{ labels = ["incident"] }}
covers = ["*"]
"""


@pytest.fixture
def path(host: GitLabHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of the scenario."""
    monkeypatch.setattr("dora.sync.Patience", InNoTime)
    written = tmp_path / "dora.toml"
    written.write_text(CONFIG.format(url=host.url, variable=VARIABLE))
    return written


def test_check_sync_and_show(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--config", str(path)]) == 0
    assert "the token 'dora' is good" in capsys.readouterr().out
    assert run(["sync", "--config", str(path)]) == 0
    assert "requests spent" in capsys.readouterr().err
    window = ["--window", "2026-03-02..2026-03-30", "--as-of", "2026-03-30"]
    asked = ["show", "deployment_frequency", "--config", str(path), "--service", "shop"]
    assert run([*asked, *window, "--format", "csv"]) == 0
    assert ",3.5," in capsys.readouterr().out


def test_a_token_that_ended_fails_a_check_and_a_sync(
    path: Path, host: GitLabHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host.tokens[GOOD].expired = True
    assert run(["check", "--config", str(path)]) == 1
    assert "Token is expired" in "".join(capsys.readouterr())
    assert run(["sync", "--config", str(path)]) == 1
    said = "".join(capsys.readouterr())
    assert "Token is expired" in said
    assert GOOD not in said


def test_waits_are_ended_with_everything_kept(
    path: Path, host: GitLabHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host.faults.add(Fault("429 with RateLimit-Reset", "/deployments", times=None, seconds=7200))
    assert run(["sync", "--config", str(path), "--max-wait", "30m"]) == 1
    assert "rate limit" in "".join(capsys.readouterr())
    assert rows(path.with_name("dora.duckdb"))["pull_requests"]
    host.faults.clear()
    assert run(["sync", "--config", str(path)]) == 0


def test_a_configuration_is_read_without_the_client(path: Path) -> None:
    code = "import sys; from dora import config; config.load(sys.argv[1]); print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert "connectors.gitlab.connector" in ran.stdout.split()
    assert "gitlab" not in ran.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('projects = ["shop"]', "a project has a group before it"),
        ('deployments = ["deploymints"]', "'deploymints' is no rule"),
        ('incidents = { lables = ["incident"] }', "lables"),
        ('url = "gitlab.example.org"', "url"),
        ("at_once = 0", "at_once"),
        ("", "name what to read"),
    ],
)
def test_faults_of_a_source_say_what_to_write(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "dora.toml"
    groups = 'groups = ["acme"]' if line else ""
    path.write_text(f'[[sources]]\nname = "acme"\nkind = "gitlab"\n{groups}\n{line}\n')
    with pytest.raises(Exception, match=words):
        configuration.load(path)
