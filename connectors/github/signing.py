"""How to sign in to GitHub: by variable, as an App, or as whoever is signed in on this machine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from connectors.http import tokens
from connectors.http.scrubbing import Scrubber
from connectors.http.tokens import Token, Tokens
from dora.errors import SourceError

if TYPE_CHECKING:
    from github import Auth

    from connectors.github.options import Options

_AT_ONCE = {"retry": None, "seconds_between_requests": None, "seconds_between_writes": None}
"""Without the retries and pauses that PyGithub would make of its own."""

USUAL = ("GITHUB_TOKEN", "GH_TOKEN")
"""Variables looked for when none is named."""


def find(options: Options) -> Tokens:
    """The tokens that a source is read with.

    What is named comes first: an App, or variables. Else the usual variables are tried, then what
    `gh` knows, then netrc.

    Raises:
        SourceError: What is named is not there, or nothing is found at all.
    """
    scrubber = Scrubber()
    scrubber.watch("github.Requester", "urllib3.connectionpool")
    if options.app_id is not None:
        return Tokens([app(options, scrubber)], scrubber)
    found = (
        tokens.from_variables(options.token_env, required=True)
        or tokens.from_variables(USUAL, required=False)[:1]
        or tokens.from_command("gh", "auth", "token", "--hostname", options.host)
        or tokens.from_netrc(options.host)
    )
    if not found:
        raise SourceError(
            f"There is no token for {options.host}.",
            hint=f"Put one into {USUAL[0]}, or name its variable: token_env; "
            f"`gh auth login --hostname {options.host}` will do, too.",
        )
    return Tokens(found, scrubber)


def app(options: Options, scrubber: Scrubber) -> Token:
    """The token of a GitHub App's installation, made anew before it expires.

    Raises:
        SourceError: The private key is not there.
    """
    variable = options.private_key_env or ""
    key = tokens.secret(variable)
    if not key:
        raise tokens.missing(variable)
    scrubber.learn(key)
    return Token(f"App {options.app_id}", _Installation(options, key, scrubber))


class _Installation:
    """Gives the current token of an installation; PyGithub sees when it must be renewed."""

    def __init__(self, options: Options, key: str, scrubber: Scrubber) -> None:
        self._options = options
        self._key = key.replace("\\n", "\n")  # as variables often hold it
        self._scrubber = scrubber
        self._auth: Auth.AppInstallationAuth | None = None
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            try:
                if self._auth is None:
                    self._auth = self._made()
                return str(self._auth.token)
            except SourceError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it may show the key
                raise self._refused(error) from None

    def _made(self) -> Auth.AppInstallationAuth:
        from github import Auth, Github, GithubIntegration

        options = self._options
        signed = Auth.AppAuth(str(options.app_id), self._key)
        how: Any = {"base_url": options.url, "timeout": options.timeout, **_AT_ONCE}
        integration = GithubIntegration(auth=signed, **how)
        number = options.installation_id
        if number is None:
            there = [one.id for one in integration.get_installations()]
            if len(there) != 1:
                raise SourceError(
                    f"App {options.app_id} has {len(there)} installations: {there}.",
                    hint="Name the one that is meant: installation_id.",
                )
            number = int(there[0])
        requester = Github(auth=signed, **how).requester
        return signed.get_installation_auth(number, requester=requester)

    def _refused(self, error: Exception) -> SourceError:
        from github import GithubException

        said = f"{type(error).__name__}: {error}"
        if isinstance(error, GithubException):
            said = f"{error.status} {error.message or error.data}"
        return SourceError(
            f"App {self._options.app_id} cannot sign in: {self._scrubber.scrub(said)[:200]}.",
            hint="Check app_id and installation_id, and that the variable holds the App's whole "
            "private key.",
        )
