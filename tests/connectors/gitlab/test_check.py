"""`dora check` says how a token stands, what each rule would take, and what may not be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dora.connector import Finding
from tests.connectors.gitlab.asking import VARIABLE, connector
from tests.forges.gitlab_host import GOOD, Fault, GitLabHost, Token


def found(host: GitLabHost, level: str = "", **options: Any) -> list[Finding]:
    """What a check says, of one level if it is given."""
    said = list(connector(host, **options).check())
    return [one for one in said if not level or one.level == level]


def test_a_good_token_is_told_and_so_is_what_each_rule_takes(host: GitLabHost) -> None:
    said = found(host)
    assert {one.level for one in said} == {"ok"}
    texts = [one.message for one in said]
    assert any("the token 'dora' is good" in text for text in texts)
    assert "4 projects, such as acme/shop." in texts
    own = next(text for text in texts if text.startswith("deployments takes, in acme/"))
    assert "succeeded to production" in own
    assert "succeeded to staging" in own
    assert any(text.startswith("releases takes, in acme/") for text in texts)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda token: setattr(token, "scopes", ("read_repository",)),
            ("has the scopes read_repository", "read_api"),
        ),
        (lambda token: setattr(token, "expired", True), (VARIABLE, "Token is expired")),
        (lambda token: setattr(token, "revoked", True), (VARIABLE, "Token was revoked")),
    ],
    ids=["wrong scope", "expired", "revoked"],
)
def test_a_bad_token_is_an_error_of_its_own(
    host: GitLabHost, spoil: Callable[[Token], None], words: tuple[str, ...]
) -> None:
    spoil(host.tokens[GOOD])
    errors = found(host, "error")
    assert len(errors) == 1
    for word in words:
        assert word in f"{errors[0].message} {errors[0].hint}"
    assert GOOD not in f"{errors[0]}"


def test_an_unknown_token_is_refused(host: GitLabHost) -> None:
    host.tokens = {}
    (error,) = found(host, "error")
    assert "401 Unauthorized" in error.message


def test_a_missing_token_is_named_by_its_variable(
    host: GitLabHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    (error,) = found(host, "error")
    assert VARIABLE in error.message
    (error,) = found(host, "error", token_env=())
    assert "GITLAB_TOKEN" in error.message
    assert not host.requests


def test_a_token_may_stand_in_the_usual_variable_or_in_netrc(
    host: GitLabHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("GITLAB_TOKEN", GOOD)
    assert not found(host, "error", token_env=())
    monkeypatch.delenv("GITLAB_TOKEN")
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login me password {GOOD}\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not found(host, "error", token_env=())


def test_a_token_that_ends_soon_is_warned_of(host: GitLabHost) -> None:
    soon = (datetime.now(UTC) + timedelta(days=5)).date()
    host.tokens[GOOD].expires_at = soon.isoformat()
    (warning,) = found(host, "warning")
    assert soon.isoformat() in warning.message


def test_an_older_host_that_tells_nothing_of_tokens_is_good_enough(host: GitLabHost) -> None:
    host.faults.add(Fault("404", "/personal_access_tokens/self", times=None))
    assert {one.level for one in found(host)} == {"ok"}


def test_what_may_not_be_read_is_told_before_it_is_missed(host: GitLabHost) -> None:
    host.organisation["shop"].forbidden = frozenset({"pull_requests", "issues"})
    warnings = [one.message for one in found(host, "warning")]
    assert any("merge requests may not be read" in text for text in warnings)
    assert any("issues may not be read" in text for text in warnings)


def test_a_rule_that_takes_nothing_is_told(host: GitLabHost) -> None:
    (warning,) = found(host, "warning", deployments=["environment:^moon$"])
    assert warning.message.startswith("environment:^moon$ takes nothing")


def test_a_check_asks_little(host: GitLabHost) -> None:
    found(host)
    assert len(host.requests) <= 40
