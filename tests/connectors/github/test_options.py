"""What a GitHub source is asked for: keys that make sense, and how it signs in."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from connectors.github import GitHub, signing
from connectors.github.options import Options
from connectors.testing import Waits
from dora.errors import SourceError
from dora.records import Repository
from tests.connectors.hosts import Asked, Reply, serving

NAMED = {"repositories": ["acme/shop"]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "name what to read"),
        ({"repositories": ["shop"]}, "'shop' is no repository; write owner/name"),
        ({"repositories": ["*/shop"]}, "an owner must be named"),
        ({**NAMED, "deployments": ["deploys"]}, "'deploys' is no rule; there are deployments"),
        ({**NAMED, "app_id": 1}, "app_id and private_key_env go together"),
        (
            {**NAMED, "app_id": 1, "private_key_env": "K", "token_env": "T"},
            "leave out app_id or token_env",
        ),
        ({**NAMED, "url": "https://me:secret@github.example.com"}, "should match pattern"),
        ({**NAMED, "token": "ghp_secret"}, "Extra inputs are not permitted"),
        ({**NAMED, "page_size": 101}, "less than or equal to 100"),
        ({**NAMED, "incidents": {"where": "incident"}}, "write label:incident"),
    ],
)
def test_keys_that_make_no_sense_are_refused_without_showing_secrets(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as failed:
        Options(**given)
    assert said in str(failed.value)
    assert "secret" not in str(failed.value)


def test_one_text_stands_for_a_list_and_a_day_for_its_beginning() -> None:
    options = Options(groups="acme", token_env="T", since=date(2025, 1, 1))
    assert (options.groups, options.token_env) == (("acme",), ("T",))
    assert options.since == datetime(2025, 1, 1, tzinfo=UTC)
    assert Options(organisations=["acme"]).groups == ("acme",)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.github.com", "github.com"),
        ("https://github.example.com/api/v3", "github.example.com"),
        ("https://api.acme.ghe.com", "acme.ghe.com"),
        ("http://127.0.0.1:8080/api/v3", "127.0.0.1"),
    ],
)
def test_names_begin_with_the_host_that_people_see(url: str, host: str) -> None:
    assert Options(url=url, **NAMED).host == host


@pytest.fixture
def _nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No token anywhere on this machine."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN_FILE", "GH_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("PATH", str(tmp_path))


def found(**options: Any) -> list[tuple[str, str]]:
    tokens = signing.find(Options(**NAMED, **options))
    return [(one.name, one.value()) for one in tokens.tokens]


@pytest.mark.usefixtures("_nothing_around")
def test_tokens_are_looked_for_in_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"There is no token for github\.com") as failed:
        found()
    assert "GITHUB_TOKEN" in failed.value.hint
    (tmp_path / "netrc").write_text("machine github.com login me password from-netrc\n")
    assert found() == [(str(tmp_path / "netrc"), "from-netrc")]
    gh = tmp_path / "gh"
    gh.write_text(
        '#!/bin/sh\n[ "$1 $2 $3 $4" = "auth token --hostname github.com" ] && echo from-gh\n'
    )
    gh.chmod(0o755)
    assert found() == [("gh auth token", "from-gh")]
    monkeypatch.setenv("GH_TOKEN", "from-gh-token")
    assert found() == [("GH_TOKEN", "from-gh-token")]
    monkeypatch.setenv("GITHUB_TOKEN", "from-github-token")
    assert found() == [("GITHUB_TOKEN", "from-github-token")]
    monkeypatch.setenv("ONE", "first")
    (tmp_path / "second").write_text("second\n")
    monkeypatch.setenv("TWO_FILE", str(tmp_path / "second"))
    assert found(token_env=["ONE", "TWO"]) == [("ONE", "first"), ("TWO", "second")]
    with pytest.raises(SourceError, match="THREE is not set"):
        found(token_env=["ONE", "THREE"])


KEY = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[Asked]]]:
    """A host with an App installed once, whose tokens are good for less than a minute."""
    monkeypatch.setenv("APP_KEY", KEY.replace("\n", "\\n"))
    made: list[int] = []

    def answer(asked: Asked, _: int) -> Reply:
        if asked.path.startswith("/api/v3/app/installations?") or asked.path.endswith("ations"):
            return Reply([{"id": 7}])
        if asked.path == "/api/v3/app/installations/7/access_tokens":
            made.append(1)
            end = datetime.now(UTC) + timedelta(seconds=21)
            return Reply({"token": f"ghs_{len(made)}", "expires_at": f"{end:%Y-%m-%dT%H:%M:%SZ}"})
        assert asked.headers["Authorization"] == f"token ghs_{len(made)}"
        return Reply({"data": {"rateLimit": None, "viewer": {"login": "app[bot]"}}})

    with serving(answer) as host:
        yield f"{host.url}/api/v3", host.asked


def app_source(url: str, **options: Any) -> GitHub:
    given = {"url": url, "app_id": 5, "private_key_env": "APP_KEY", **NAMED, **options}
    source = GitHub("acme", Options(**given), base=Path())
    source.patience = Waits()
    return source


def test_an_app_signs_in_and_again_before_its_token_expires(app: tuple[str, list[Asked]]) -> None:
    url, asked = app
    source = app_source(url)
    (token,) = source.client.tokens
    assert source.client.who(token)[0] == "app[bot]"
    assert source.client.who(token)[0] == "app[bot]"
    assert sum(one.path.endswith("access_tokens") for one in asked) == 1
    time.sleep(2)  # twenty seconds before its end it is taken for expired
    source.client.who(token)
    assert sum(one.path.endswith("access_tokens") for one in asked) == 2
    assert sum("/installations?" in one.path for one in asked) <= 1


def test_an_app_that_cannot_sign_in_says_so_without_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = Reply({"message": f"A JSON web token could not be decoded: {KEY}"}, 401)
    monkeypatch.setenv("APP_KEY", KEY)
    with serving(lambda *_: refused) as host, pytest.raises(SourceError) as failed:
        list(app_source(f"{host.url}/api/v3").records(Repository, None))
    assert failed.value.message.startswith("App 5 cannot sign in: 401")
    assert "PRIVATE" not in str(failed.value)
    assert KEY.splitlines()[1] not in str(failed.value)
    monkeypatch.setenv("APP_KEY", "no key at all")
    with pytest.raises(SourceError, match="App 5 cannot sign in") as failed:
        list(app_source("http://127.0.0.1:9/api/v3").records(Repository, None))
    assert "no key at all" not in str(failed.value)
    monkeypatch.delenv("APP_KEY")
    with pytest.raises(SourceError, match="APP_KEY is not set"):
        list(app_source("http://127.0.0.1:9/api/v3").records(Repository, None))


def test_an_app_installed_twice_must_say_which_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", KEY)
    with serving(lambda *_: Reply([{"id": 7}, {"id": 8}])) as host:
        with pytest.raises(SourceError, match=r"App 5 has 2 installations: \[7, 8\]") as failed:
            list(app_source(f"{host.url}/api/v3").records(Repository, None))
        assert "installation_id" in failed.value.hint


def test_no_token_is_in_what_libraries_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "planted-secret-token")
    echo = {"data": {"rateLimit": None, "viewer": {"login": "planted-secret-token"}}}
    with serving(lambda *_: Reply(echo)) as host, caplog.at_level(logging.DEBUG):
        source = GitHub("acme", Options(url=f"{host.url}/api/v3", **NAMED), base=Path())
        source.client.who(source.client.tokens[0])
    assert "POST" in caplog.text  # PyGithub logs headers and bodies
    assert "planted-secret-token" not in caplog.text
    assert "planted-secret-token" not in repr(source) + repr(source.client) + repr(vars(source))
