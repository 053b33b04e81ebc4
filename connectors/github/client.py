"""GitHub's two interfaces through PyGithub: each page retried here, so that nothing is lost.

PyGithub's own retries, pauses and pages are switched off on purpose: it tries 5xx ten times without
a pause, gives up on a 429 without Retry-After, on a truncated or garbled body and on GraphQL's rate
limit, which is an answer with status 200; and it loses the query of a redirected address.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from github import Auth, Github, GithubException

from connectors.forge.pacing import Pace
from connectors.forge.retrying import Policy, Verdict, call
from connectors.forge.tokens import Token, Tokens
from connectors.github.judging import Garbled, Judge, only_absent
from connectors.github.paging import Size
from connectors.github.queries import WHO
from dora.connector import Patience

JSON: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Spent:
    """What has been asked of the host so far.

    Attributes:
        requests: Requests sent, those that failed too.
        points: GraphQL points, as the host counts them.
        remaining: Points left until the reset, as last told.
    """

    requests: int = 0
    points: int = 0
    remaining: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sent(self) -> None:
        """One more request."""
        with self._lock:
            self.requests += 1

    def told(self, limit: Mapping[str, Any] | None) -> None:
        """What an answer says of its cost."""
        if limit:
            with self._lock:
                self.points += int(limit.get("cost") or 0)
                self.remaining = limit.get("remaining")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a REST list.

    Attributes:
        content: The JSON.
        headers: The answer's headers, their names in lower case.
    """

    content: Any
    headers: Mapping[str, str]

    @property
    def more(self) -> bool:
        """Whether another page follows."""
        return 'rel="next"' in self.headers.get("link", "")


class Client:
    """Asks one host, in turns with several tokens, from several threads at once.

    Args:
        url: API root.
        tokens: What to show the host.
        patience: How long to wait for it.
        pace: How fast to ask.
        timeout: Seconds that an answer may take.
        policy: How often to try a page.
    """

    def __init__(
        self,
        url: str,
        tokens: Tokens,
        *,
        patience: Patience,
        pace: Pace,
        timeout: int = 30,
        policy: Policy | None = None,
    ) -> None:
        self._url = url
        self._tokens = tokens
        self._patience = patience
        self._pace = pace
        self._timeout = timeout
        self._policy = policy or Policy()
        self._local = threading.local()
        self.spent = Spent()

    def ask(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        size: Size | None = None,
        partial: bool = False,
    ) -> JSON:
        """The data that answers a GraphQL query.

        Args:
            query: One of `queries`.
            variables: Its variables, but for `size`.
            size: How many rows a page may have; made smaller where the host cannot cope.
            partial: Whether parts may be missing; they are null then.

        Raises:
            Absent: What was asked for is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """

        def fetch(at: Github) -> JSON:
            given = dict(variables or {}) | ({"size": size.now} if size else {})
            try:
                _, answer = at.requester.graphql_query(query, given)
            except GithubException as error:
                if not (partial and only_absent(error.data)):
                    raise
                answer = error.data
            data = answer.get("data")
            if not isinstance(data, dict):
                raise Garbled(f"an answer without data: {str(answer)[:100]!r}")
            return data

        data: JSON = self._call(fetch, Judge(size))
        self.spent.told(data.get("rateLimit"))
        if size:
            size.went_well()
        return data

    def get(
        self, path: str, parameters: Mapping[str, Any] | None = None, *, key: str = "id"
    ) -> Page:
        """One page of a REST list, or one object; without `key` it is none, whatever it is.

        Raises:
            Absent: It is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """

        def fetch(at: Github) -> Page:
            headers, content = at.requester.requestJsonAndCheck("GET", path, dict(parameters or {}))
            if key not in content:
                raise Garbled(f"no JSON: {str(content)[:100]!r}")
            return Page(content, headers)

        page: Page = self._call(fetch, Judge(None))
        return page

    def pages(self, path: str, parameters: Mapping[str, Any], key: str) -> Iterator[list[JSON]]:
        """The rows of a REST list, a page at a time, as long as the host says there is more.

        Raises:
            Absent: It is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """
        number = 1
        while True:
            page = self.get(path, {**parameters, "per_page": 100, "page": number}, key=key)
            rows = page.content[key]
            yield rows
            if not page.more or not rows:
                return
            number += 1

    def who(self) -> tuple[str, tuple[str, ...] | None]:
        """Whose token it is, and its scopes where the host tells them.

        Raises:
            SourceError: The token is refused, or the host cannot be reached.
        """
        found: list[tuple[str, ...] | None] = []

        def fetch(at: Github) -> JSON:
            headers, answer = at.requester.graphql_query(WHO, {})
            told = headers.get("x-oauth-scopes")
            found.append(None if told is None else tuple(filter(None, told.split(", "))))
            return dict(answer["data"])

        data: JSON = self._call(fetch, Judge(None))
        return data["viewer"]["login"], found[-1]

    def redact(self, text: str) -> str:
        """A text without any of the tokens."""
        redacted: str = self._tokens.redact(text)
        return redacted

    def _call(self, fetch: Callable[[Github], Any], judge: Judge) -> Any:
        def attempt() -> Any:
            token = self._tokens.next()
            at = self._client(token)
            self._pace.wait()
            self.spent.sent()
            return fetch(at)

        def verdict(error: Exception) -> Verdict:
            return judge(error, self.redact)

        return call(attempt, patience=self._patience, policy=self._policy, judge=verdict)

    def _client(self, token: Token) -> Github:
        """PyGithub for this thread and token: its connection is not made for several threads."""
        known: dict[Token, Github] = self._local.__dict__.setdefault("known", {})
        if token not in known:
            known[token] = Github(
                base_url=self._url,
                auth=Auth.Token(token.value),
                retry=None,
                per_page=100,
                timeout=self._timeout,
                seconds_between_requests=None,
                seconds_between_writes=None,
                lazy=True,
            )
        return known[token]
