"""JSON over HTTP, a page at a time, for hosts whose interface needs no client of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from connectors.http import judging
from connectors.http.errors import Absent, Garbled
from connectors.http.retrying import Caller, GiveUp, Verdict
from connectors.http.tokens import Token
from dora.errors import SourceError

if TYPE_CHECKING:
    import requests

REDIRECTS = 5
"""How often a host may send its readers on."""

Authorise = Callable[[Token], Mapping[str, str]]
"""The headers that show a token to the host."""


def bearer(token: Token) -> Mapping[str, str]:
    """The header of most hosts."""
    return {"Authorization": f"Bearer {token.value()}"}


Whole = Callable[[Any], bool]
"""Whether a page has all that it must have; it is asked for again where it has not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of JSON.

    Attributes:
        content: What it says.
        headers: The answer's headers; their case does not matter.
        next: Address of the page that follows, by the Link header; None with the last.
    """

    content: Any
    headers: Mapping[str, str]
    next: str | None

    @property
    def clock(self) -> datetime:
        """The host's own time, which says what it has changed by now; ours where it tells none."""
        try:
            return parsedate_to_datetime(self.headers.get("Date", "")).astimezone(UTC)
        except (TypeError, ValueError):
            return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked for, and how to tell that it came."""

    method: str
    path: str
    parameters: Mapping[str, Any]
    body: Any
    whole: Whole | None


class Refusal(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, headers: Mapping[str, str], said: str) -> None:
        super().__init__(f"{status} {said}")
        self.status = status
        self.headers = headers
        self.said = said


class Rest:
    """Asks one host for JSON; each page is asked for again until it is whole.

    Args:
        url: Where its interface begins.
        caller: Asks, waits and asks again.
        authorise: Makes the headers that show a token.
        headers: What else is sent with every request.
        timeout: Seconds that an answer may take.
        judge: What a refusal means that not all hosts mean alike; None where it does not know.
    """

    def __init__(
        self,
        url: str,
        caller: Caller,
        *,
        authorise: Authorise = bearer,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30,
        judge: Callable[[Refusal], Verdict | None] | None = None,
    ) -> None:
        self._url = url.rstrip("/") + "/"
        self._caller = caller
        self._authorise = authorise
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._timeout = timeout
        self._judge = judge or (lambda _: None)
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"Rest({self._url!r})"

    def get(
        self,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        whole: Whole | None = None,
    ) -> Answer:
        """One page, by a path below the interface's root or an address on the same host.

        Raises:
            Absent: It is not there, or may not be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """
        return self._call(_Question("GET", path, parameters or {}, None, whole))

    def post(self, path: str, body: Any, *, whole: Whole | None = None) -> Answer:
        """The answer to a question that is too long for an address; nothing is changed by it.

        Raises:
            Absent: It is not there, or may not be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """
        return self._call(_Question("POST", path, {}, body, whole))

    def pages(self, path: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Answer]:
        """A list's pages, as long as the Link header names another.

        Raises:
            Absent: It is not there, or may not be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """
        answer = self.get(path, parameters)
        yield answer
        while answer.next is not None:
            answer = self.get(answer.next)
            yield answer

    def _call(self, question: _Question) -> Answer:
        import requests

        address = self._address(question.path)

        def attempt(token: Token | None) -> Answer:
            shown = self._authorise(token) if token is not None else {}
            asked = requests.Request(
                question.method,
                address,
                params=dict(question.parameters),
                json=question.body,
                headers={**self._headers, **shown},
            )
            answer = _read(self._send(asked))
            if question.whole is not None and not question.whole(answer.content):
                raise Garbled(f"not what was asked for but {str(answer.content)[:80]!r}")
            return answer

        return self._caller.call(attempt, self._verdict)

    def _send(self, asked: requests.Request) -> requests.Response:
        """The answer in the end; a host's redirects are followed as long as they stay with it."""
        session = self._session()
        sent_on = 0
        while True:
            prepared = session.prepare_request(asked)
            settings = session.merge_environment_settings(prepared.url, {}, None, None, None)
            response = session.send(
                prepared, timeout=self._timeout, allow_redirects=False, **settings
            )
            target = response.headers.get("Location", "")
            if not response.is_redirect or asked.method != "GET" or sent_on == REDIRECTS:
                return response
            sent_on += 1
            asked.url, asked.params = self._address(urljoin(str(prepared.url), target)), {}

    def _address(self, path: str) -> str:
        """Where a page is; never on another host, which must not see the token."""
        address = urljoin(self._url, path if "://" in path else path.lstrip("/"))
        if urlsplit(address)[:2] != urlsplit(self._url)[:2]:
            raise SourceError(
                f"The host sends its readers elsewhere: {self._caller.scrub(address)}.",
                hint="Correct url: it must be the address that the interface itself uses.",
            )
        return address

    def _session(self) -> requests.Session:
        """The connection of this thread; a session is not made for several."""
        import requests

        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = True  # proxies and authorities; tokens are ours to choose
            session.auth = _no_authority
            self._local.session = session
        return session

    def _verdict(self, error: Exception) -> Verdict | None:
        if not isinstance(error, Refusal):
            return judging.broken(error)
        verdict = self._judge(error) or judging.answered(error.status, error.headers, error.said)
        if verdict is not None:
            return verdict
        said = self._caller.scrub(error.said)
        if error.status in (403, 404, 410, 451):
            return GiveUp(
                Absent(f"{error.status} {said}".strip(), hint="See that the token may read it.")
            )
        return GiveUp(
            SourceError(
                f"The host answers {error.status}: {said or 'nothing more'}.",
                hint="Check url and what is asked for; -v shows it.",
            )
        )


def _no_authority(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from taking a password out of netrc over the token."""
    return request


def _read(response: requests.Response) -> Answer:
    """What an answer says.

    Raises:
        Refusal: It has an error status.
        Garbled: It is no JSON.
    """
    if response.status_code >= 300:
        raise Refusal(response.status_code, response.headers, _said(response))
    try:
        content = response.json()
    except ValueError as error:
        raise Garbled(f"no JSON but {response.text[:80]!r}") from error
    following = response.links.get("next", {}).get("url")
    return Answer(content, response.headers, following)


def _said(response: requests.Response) -> str:
    """What a refusal says, in one line."""
    try:
        content = response.json()
    except ValueError:
        return " ".join(response.text.split())[:200]
    if isinstance(content, dict):
        for name in ("message", "error", "errorMessages", "errors"):
            if content.get(name):
                return str(content[name])[:200]
    return str(content)[:200]
