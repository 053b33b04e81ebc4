"""GitLab's REST API through python-gitlab, a page at a time.

python-gitlab's own retries are switched off on purpose: it does not try again what is no JSON,
sleeps for as long as a limit says without telling anybody, and knows no end of a sync; two layers
would multiply waits. Its timeout is none unless it is set.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from connectors.gitlab.judging import Refusal, judge
from connectors.gitlab.values import JSON
from connectors.http.errors import Garbled
from connectors.http.retrying import Caller
from connectors.http.tokens import Token

if TYPE_CHECKING:
    import requests
    from gitlab import Gitlab

    from connectors.gitlab.session import Session

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Attributes:
        rows: What is on it.
        following: What to ask for the next page; None with the last one.
    """

    rows: list[JSON]
    following: Mapping[str, str] | None

    @property
    def more(self) -> bool:
        """Whether another page follows."""
        return self.following is not None


class Client:
    """Asks one host, from several threads at once.

    Args:
        url: Where the host is, without `/api/v4`.
        caller: Asks, waits and asks again.
        timeout: Seconds that an answer may take.

    Attributes:
        began: When the first answer came, by the host's clock; None where it does not tell.
    """

    def __init__(self, url: str, caller: Caller, *, timeout: float = 30) -> None:
        self._url = url
        self._caller = caller
        self._timeout = timeout
        self.began: datetime | None = None
        self._free: dict[Token | None, list[tuple[Gitlab, Session]]] = {}
        self._lock = threading.Lock()

    def get(
        self, path: str, parameters: Mapping[str, Any] | None = None, *, key: str = "id"
    ) -> JSON:
        """One object; without `key` it is none, whatever it is.

        Raises:
            Absent: It is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """

        def made(answer: requests.Response) -> JSON:
            content: JSON = _of(answer, dict)
            if key not in content:
                raise Garbled(f"nothing with {key}: {str(content)[:100]!r}")
            return content

        return self._ask(path, parameters or {}, made)

    def page(self, path: str, parameters: Mapping[str, Any]) -> Page:
        """One page of a list.

        Raises:
            Absent: It is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """

        def made(answer: requests.Response) -> Page:
            rows = _of(answer, list)
            return Page(rows, _following(answer, parameters, len(rows)))

        return self._ask(path, parameters, made)

    def pages(self, path: str, parameters: Mapping[str, Any] | None = None) -> Iterator[list[JSON]]:
        """The rows of a list, a page at a time, to its end.

        Raises:
            Absent: It is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """
        asked: Mapping[str, Any] | None = {"per_page": 100, **(parameters or {})}
        while asked is not None:
            page = self.page(path, asked)
            yield page.rows
            asked = page.following

    def _ask(
        self, path: str, parameters: Mapping[str, Any], made: Callable[[requests.Response], T]
    ) -> T:
        return self._caller.call(lambda token: made(self._fetch(token, path, parameters)), judge)

    def _fetch(
        self, token: Token | None, path: str, parameters: Mapping[str, Any]
    ) -> requests.Response:
        from gitlab.exceptions import GitlabAuthenticationError, GitlabHttpError

        at, session = self._taken(token)
        try:
            answer = at.http_request(
                "get",
                path,
                query_data=dict(parameters),
                obey_rate_limit=False,
                retry_transient_errors=False,
            )
        except (GitlabAuthenticationError, GitlabHttpError) as error:
            raise Refusal(error.response_code or 0, session.told, error.response_body) from None
        finally:
            with self._lock:
                self._free.setdefault(token, []).append((at, session))
        if self.began is None:
            self.began = _date(answer.headers.get("Date", ""))
        return answer

    def close(self) -> None:
        """Close the connections; more are made where they are needed again."""
        with self._lock:
            idle, self._free = self._free, {}
        for pairs in idle.values():
            for _, session in pairs:
                session.close()

    def _taken(self, token: Token | None) -> tuple[Gitlab, Session]:
        """python-gitlab for one request: a session is not made for several threads at once."""
        from gitlab import Gitlab

        from connectors.gitlab.session import Session

        with self._lock:
            free = self._free.get(token)
            if free:
                return free.pop()
        session = Session()
        shown = token.value() if token else None
        return Gitlab(
            self._url, private_token=shown, timeout=self._timeout, session=session
        ), session


def _of(answer: requests.Response, kind: type[Any]) -> Any:
    """The JSON of an answer, if it is of the kind that was asked for."""
    content = answer.json()
    if not isinstance(content, kind):
        raise Garbled(f"no {kind.__name__}: {str(content)[:100]!r}")
    return content


def _following(
    answer: requests.Response, parameters: Mapping[str, Any], rows: int
) -> Mapping[str, str] | None:
    """What to ask for the next page: what the host's own link says, but on the same path.

    A proxy may leave the link out; then a number, or a full page, tells that there is more.
    """
    link = answer.links.get("next", {}).get("url")
    if link:
        return dict(parse_qsl(urlsplit(link).query))
    number = answer.headers.get("X-Next-Page")
    if number:
        return {**parameters, "page": number}
    known = "X-Next-Page" in answer.headers or "Link" in answer.headers
    keyset = parameters.get("pagination") == "keyset"
    if known or keyset or rows < int(parameters.get("per_page", 20)):
        return None
    return {**parameters, "page": str(int(parameters.get("page", 1)) + 1)}


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
