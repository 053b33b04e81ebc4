"""Tokens that may not read everything, or nothing: named, each with its reason, and never shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import dora
from connectors.github import GitHub
from dora import store
from dora.cli import run
from dora.metrics.coverage import Grade
from dora.sync import sync
from tests.forges.github_host import FACTS, App, GitHubHost, Token
from tests.forges.organisation import Organisation
from tests.forges.scenario import NOW, WINDOW, acme
from tests.forges.syncing import Clock, configured, differences, rows, skipping, synced

pytestmark = pytest.mark.timeout(60)

SECRET = "ghp_5eCrEtOfSomebody0123456789abcdefABCD"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", SECRET)
    monkeypatch.setenv("DORA_IDENTITY_KEY", "secret")


def serving(organisation: Organisation, *tokens: Token, **more: Any) -> GitHubHost:
    return GitHubHost(organisation, list(tokens) or [Token(SECRET)], **more)


def counts(path: Path) -> dict[str, int]:
    return {table: len(held) for table, held in rows(path).items()}


# Parts of it
MISSING = {
    "deployments": {"deployments"},
    "issues": {"incidents", "incident_causes"},
    "pull_requests": {"pull_requests", "pull_request_commits", "reviews"},
    "actions": {"builds"},
    "contents": {"commits", "commit_references"},
}
"""What is not there without a right; without actions, the deployments of workflows neither."""

CARRIED = {"commit_references", "incident_causes", "pull_request_commits", "reviews"}
"""What comes along with other facts, and is not named beside them."""


@pytest.mark.parametrize("right", MISSING)
def test_a_right_that_is_missing_costs_its_facts_alone_and_is_named(
    organisation: Organisation, tmp_path: Path, right: str
) -> None:
    some = Token(SECRET, scopes=None, may=FACTS - {right})
    with serving(organisation) as whole, serving(organisation, some) as host:
        everything = configured(tmp_path / "whole", "github", whole.url)
        synced(everything)
        given = configured(tmp_path / "part", "github", host.url)
        summary = synced(given)
    expected, found = counts(everything.store), counts(given.store)
    for table, number in expected.items():
        if table in MISSING[right]:
            assert found[table] < number, table
        elif table != "deployments":
            assert found[table] == number, table
    said = " ".join(summary.sources[0].notes)
    for table in MISSING[right] - CARRIED:
        assert f"{table.replace('_', ' ')} of 127.0.0.1/acme/cli, " in said
    assert "could not be read" in said
    assert "not accessible" in said


@pytest.mark.parametrize("reconcile", [False, True])
@pytest.mark.parametrize("right", [*MISSING, "all of them"])
def test_a_right_that_was_lost_costs_nothing_that_was_read_before(
    organisation: Organisation, tmp_path: Path, right: str, reconcile: bool
) -> None:
    token = Token(SECRET, scopes=None)
    with serving(organisation, token) as host:
        given = configured(tmp_path, "github", host.url)
        synced(given)
        before = rows(given.store)
        token.may = FACTS - {right} if right in FACTS else frozenset({"metadata"})
        synced(given, reconcile=reconcile)
        assert differences(rows(given.store), before) == {}
        token.may = FACTS
        synced(given, reconcile=reconcile)
    assert differences(rows(given.store), before) == {}


def test_what_could_not_be_read_lowers_the_grade(
    organisation: Organisation, tmp_path: Path
) -> None:
    some = Token(SECRET, scopes=None, may=FACTS - {"pull_requests"})
    with serving(organisation) as whole, serving(organisation, some) as host:
        everything = configured(tmp_path / "whole", "github", whole.url)
        synced(everything)
        given = configured(tmp_path / "part", "github", host.url)
        synced(given)
    good, part = (graded(tmp_path / name) for name in ("whole", "part"))
    assert good.letter is not None
    assert part.letter is not None
    assert good.letter < part.letter
    assert "pull requests" in " ".join(part.reasons)


def graded(folder: Path) -> Grade:
    asked = dora.open(folder / "dora.toml").as_of(NOW).window(WINDOW)
    return asked.coverage().grade("lead_time")


def test_a_repository_without_a_right_stops_no_other(tmp_path: Path) -> None:
    organisation = acme()
    organisation["ledger"].forbidden = frozenset({"actions"})
    with serving(organisation) as host:
        given = configured(tmp_path, "github", host.url)
        summary = synced(given)
    with store.connect(given.store) as connection:
        named = connection.execute("select distinct repository from deployments").fetchall()
    assert {name for (name,) in named} == {
        f"127.0.0.1/acme/{one}" for one in ("shop", "search", "cli")
    }
    assert "acme/ledger" in " ".join(summary.sources[0].notes)


def test_a_repository_that_is_gone_is_named_and_keeps_its_record(tmp_path: Path) -> None:
    """A token that lost a right must not cost what was read with it."""
    organisation = acme()
    with serving(organisation) as host:
        listed = ["acme/shop", "acme/search", "acme/nowhere"]
        given = configured(tmp_path, "github", host.url, groups=None, repositories=listed)
        first = synced(given)
        before = rows(given.store)
        organisation["search"].forbidden = frozenset({"repository"})
        second = synced(given)
        after = rows(given.store)
    assert "acme/nowhere" in " ".join(first.sources[0].notes)
    assert "acme/search" in " ".join(second.sources[0].notes)
    assert differences(before, after) == {}


def test_an_old_name_leads_to_the_new_one(organisation: Organisation, tmp_path: Path) -> None:
    with serving(organisation) as host:
        given = configured(tmp_path, "github", host.url, groups=None, repositories=["acme/finder"])
        synced(given)
    with store.connect(given.store) as connection:
        assert connection.execute("select repository from repositories").fetchall() == [
            ("127.0.0.1/acme/search",)
        ]


def test_a_repository_that_moved_to_another_owner_is_followed(tmp_path: Path) -> None:
    organisation = acme()
    with serving(organisation) as host:
        listed: dict[str, Any] = {"groups": None, "repositories": ["acme/search", "acme/cli"]}
        given = configured(tmp_path / "kept", "github", host.url, **listed)
        synced(given)
        organisation.transfer("search", "globex")
        summary = synced(given)
        fresh = configured(tmp_path / "fresh", "github", host.url, **listed)
        synced(fresh)
    assert "acme/search is now called globex/search" in " ".join(summary.sources[0].notes)
    assert differences(rows(given.store), rows(fresh.store)) == {}
    named = {row[1] for row in rows(given.store)["repositories"]}
    assert named == {"127.0.0.1/globex/search", "127.0.0.1/acme/cli"}


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ({}, {"shop", "search", "ledger", "cli"}),
        ({"archived": True, "forks": True}, {"shop", "search", "ledger", "cli", "attic", "lib"}),
        ({"exclude": ["acme/s*"]}, {"ledger", "cli"}),
        ({"groups": None, "repositories": ["acme/*e*", "acme/cli"]}, {"search", "ledger", "cli"}),
        ({"groups": None, "repositories": ["acme/attic", "acme/cli"]}, {"attic", "cli"}),
    ],
)
def test_repositories_are_chosen_by_names_and_kinds(
    organisation: Organisation, tmp_path: Path, keys: dict[str, Any], names: set[str]
) -> None:
    with serving(organisation) as host:
        given = configured(tmp_path, "github", host.url, **keys)
        synced(given)
    with store.connect(given.store) as connection:
        found = connection.execute("select repository from repositories").fetchall()
    assert {name.rpartition("/")[2] for (name,) in found} == names


# Tokens
@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    said: str


Command: TypeAlias = Callable[..., Ran]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command with the configuration in a folder."""

    def ran(folder: Path, *arguments: str) -> Ran:
        capsys.readouterr()
        code = run([arguments[0], "--config", str(folder / "dora.toml"), *arguments[1:]])
        captured = capsys.readouterr()
        return Ran(code, captured.out + captured.err)

    return ran


def checked(command: Command, host: GitHubHost, folder: Path) -> Ran:
    configured(folder, "github", host.url)
    return command(folder, "check")


def test_check_says_what_each_rule_would_take(
    organisation: Organisation, tmp_path: Path, command: Command
) -> None:
    with serving(organisation) as host:
        result = checked(command, host, tmp_path)
    assert result.code == 0, result.said
    assert "FORGE_TOKEN is accepted, as ada's" in result.said
    for said in (
        "deployments takes, in acme/shop, acme/cli, acme/ledger: 1 failed to production",
        "workflow:^Deploy$ job:^production$ takes",
        "releases takes",
        "tags:v* takes",
    ):
        assert said in result.said


TROUBLED = {
    "wrong scope": (Token(SECRET, scopes=("gist",)), "gist"),
    "without a right": (
        Token(SECRET, scopes=None, may=FACTS - {"deployments"}),
        "not accessible",
    ),
    "expired": (Token(SECRET, expired=True), "401"),
    "unknown": (Token("ghp_another"), "401"),
}


@pytest.mark.parametrize("name", TROUBLED)
def test_check_says_what_is_wrong_with_a_token(
    organisation: Organisation, tmp_path: Path, command: Command, name: str
) -> None:
    token, said = TROUBLED[name]
    with serving(organisation, token) as host:
        result = checked(command, host, tmp_path)
    assert said in result.said
    assert SECRET not in result.said
    assert (result.code == 1) is (name != "without a right"), result.said


def test_check_says_that_a_token_is_missing(
    organisation: Organisation, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORGE_TOKEN")
    with serving(organisation) as host:
        result = checked(command, host, tmp_path)
        assert host.requests == []
    assert result.code == 1
    assert "FORGE_TOKEN is not set" in result.said


def test_no_two_troubles_are_told_in_the_same_words(
    organisation: Organisation, tmp_path: Path, command: Command
) -> None:
    said = set()
    for token, _ in TROUBLED.values():
        with serving(organisation, token) as host:
            said.add(checked(command, host, tmp_path).said)
    assert len(said) == len(TROUBLED) - 1  # GitHub says the same of unknown tokens and old ones


def test_several_tokens_take_turns_and_one_that_is_refused_is_left_out(
    organisation: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECOND", "ghp_second")
    monkeypatch.setenv("THIRD", "ghp_third")
    tokens = [Token(SECRET), Token("ghp_second", expired=True), Token("ghp_third")]
    with serving(organisation, *tokens) as host:
        given = configured(
            tmp_path,
            "github",
            host.url,
            token_env=["FORGE_TOKEN", "SECOND", "THIRD"],
            at_once=1,
        )
        synced(given)
        shown = [one.token for one in host.requests]
    assert shown.count("ghp_second") <= 2
    assert abs(shown.count(SECRET) - shown.count("ghp_third")) <= len(shown) / 3


@pytest.mark.parametrize("seconds", [3600, 15])
def test_an_app_signs_in_and_does_so_again_before_its_token_is_too_old(
    organisation: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    app = App(seconds=seconds)
    monkeypatch.setenv("APP_KEY", app.private_key.replace("\n", "\\n"))
    with serving(organisation, app=app) as host:
        given = configured(
            tmp_path,
            "github",
            host.url,
            token_env=None,
            app_id=app.id,
            private_key_env="APP_KEY",
        )
        synced(given)
        shown = {one.token for one in host.requests if one.graphql}
    assert shown <= {token.value for token, _ in app.given}
    assert (len(shown) == 1) is (seconds == 3600)


def test_a_token_is_never_shown(
    organisation: Organisation, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a log of any library, an error, a summary, the store, or what things say of them."""
    caplog.set_level(logging.DEBUG)
    with serving(organisation, Token(SECRET), Token("ghp_another")) as host:
        given = configured(tmp_path, "github", host.url)
        summary = synced(given)
        host.tokens = [Token("ghp_another")]
        failed = sync(given, full=True)
        made = GitHub("forge", given.sources[0].options, base=tmp_path)
        findings = list(made.check())
    assert failed.failed
    said = [caplog.text, repr(summary), repr(failed), repr(findings), repr(given), repr(made)]
    said += [repr(vars(made)), str(failed.sources[0].error)]
    assert not [text for text in said if SECRET in text or SECRET[8:] in text]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_a_limit_that_lasts_longer_than_may_be_waited_ends_the_sync_with_all_kept(
    organisation: Organisation, tmp_path: Path, command: Command
) -> None:
    clock = Clock()
    with (
        serving(organisation, Token(SECRET, limit=8), now=clock.now) as host,
        skipping(clock) as waits,
    ):
        configured(tmp_path, "github", host.url)
        result = command(tmp_path, "sync", "--max-wait", "1m")
        assert result.code == 1, result.said
        assert "--max-wait" in result.said
        host.tokens = [Token(SECRET)]
        given = configured(tmp_path, "github", host.url)
        synced(given)
        fresh = configured(tmp_path / "fresh", "github", host.url)
        synced(fresh)
    assert waits
    assert differences(rows(given.store), rows(fresh.store)) == {}
