"""GitHub's two interfaces through PyGithub: each page retried here, so that nothing is lost.

PyGithub's own retries, pauses and pages are switched off on purpose: it tries 5xx ten times without
a pause, gives up on a 429 without Retry-After, on a truncated or garbled body and on GraphQL's rate
limit, which is an answer with status 200; and it loses the query of a redirected address.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.github.judging import ABSENT, Judge, lacks_only
from connectors.github.paging import MOST, Size
from connectors.github.queries import WHO
from connectors.http import judging
from connectors.http.errors import Absent, Garbled
from connectors.http.pacing import Pace
from connectors.http.retrying import Caller, Policy
from connectors.http.spending import Spent
from connectors.http.tokens import Token, Tokens
from dora.patience import Patience

if TYPE_CHECKING:
    from github import Github, GithubException

JSON: TypeAlias = dict[str, Any]

_RESERVE = 3
"""How many answers like the last one a token must still be good for, or it rests."""


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


def _data(error: GithubException) -> Any:
    return error.data.get("data") if isinstance(error.data, dict) else None


def _at(data: Any, path: Sequence[str]) -> JSON | None:
    """What is at the end of some fields; None where one of them has nothing."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else None


def _json(output: str, status: int) -> Any:
    """What an answer says; an error may be a page for people."""
    try:
        return json.loads(output)
    except ValueError:
        if status < 400:
            raise
        return {"message": output[:200]}


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
        self._timeout = timeout
        self._local = threading.local()
        self.spent = Spent()
        self.scrub = tokens.scrubber.scrub
        tried = policy or Policy()
        # Either interface has a limit of its own, so a token rests for each by itself.
        again = Tokens(tokens.tokens, tokens.scrubber)
        self._graphql = Caller(tokens, patience, pace, self.spent, tried)
        self._rest = Caller(again, patience, pace, self.spent, tried)

    def ask(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        size: Size | None = None,
        lacking: Collection[str] = (),
        needs: Sequence[str] = (),
    ) -> JSON:
        """The data that answers a GraphQL query.

        Args:
            query: One of `queries`.
            variables: Its variables, but for `size`.
            size: How many rows a page may have; made smaller where the host cannot cope.
            lacking: Errors for which parts may be missing, such as `ABSENT`; they are null then.
            needs: The fields that lead to what must not be missing, though parts of it may be.

        Raises:
            Absent: What was asked for is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """
        asked = 0

        def fetch(token: Token | None) -> JSON:
            nonlocal asked
            asked = size.now if size else 0
            given = dict(variables or {}) | ({"size": asked} if size else {})
            headers, answer = self._answer(token, query, given, lacking, needs)
            data = answer.get("data") if isinstance(answer, dict) else None
            if not isinstance(data, dict):
                raise Garbled(f"an answer without data: {str(answer)[:100]!r}")
            self._count(token, headers, data.get("rateLimit"))
            return data

        def too_much() -> None:
            if size:
                size.too_much(asked)

        data = self._graphql.call(fetch, Judge(self.scrub, too_much))
        if size:
            size.went_well()
        return data

    def part(
        self,
        query: str,
        variables: Mapping[str, Any],
        *path: str,
        size: Size | None = None,
    ) -> JSON:
        """What is at the end of some fields of an answer; within it, parts may be null.

        Raises:
            Absent: It is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """
        found = _at(self.ask(query, variables, size=size, needs=path), path)
        if found is None:
            raise Absent(
                f"the host does not show its {path[-1]}", hint="See that the token may read them."
            )
        return found

    def get(
        self, path: str, parameters: Mapping[str, Any] | None = None, *, key: str = "id"
    ) -> Page:
        """One page of a REST list, or one object; without `key` it is none, whatever it is.

        Raises:
            Absent: It is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """

        def fetch(token: Token | None) -> Page:
            headers, content = self._github(token).requester.requestJsonAndCheck(
                "GET", path, dict(parameters or {})
            )
            if not isinstance(content, dict) or key not in content:
                raise Garbled(f"no JSON: {str(content)[:100]!r}")
            return Page(content, headers)

        return self._rest.call(fetch, Judge(self.scrub))

    def changed(
        self, path: str, parameters: Mapping[str, Any], etag: str, *, key: str
    ) -> Page | None:
        """One page of a REST list, unless it is as it was; then it costs the token nothing.

        Raises:
            Absent: It is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """

        def fetch(token: Token | None) -> Page | None:
            requester = self._github(token).requester
            status, headers, output = requester.requestJson(
                "GET", path, dict(parameters), {"If-None-Match": etag}
            )
            if status == 304:
                return None
            content = _json(output, status)
            if status >= 400:
                raise requester.createException(status, headers, content)
            if not isinstance(content, dict) or key not in content:
                raise Garbled(f"no JSON: {str(content)[:100]!r}")
            return Page(content, headers)

        return self._rest.call(fetch, Judge(self.scrub))

    def pages(self, path: str, parameters: Mapping[str, Any], key: str) -> Iterator[list[JSON]]:
        """The rows of a REST list, a page at a time, as long as the host says there is more.

        Raises:
            Absent: It is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """
        number = 1
        while True:
            page = self.get(path, {**parameters, "per_page": MOST, "page": number}, key=key)
            rows = page.content[key]
            yield rows
            if not page.more or not rows:
                return
            number += 1

    def listed(self, path: str, parameters: Mapping[str, Any]) -> Iterator[list[JSON]]:
        """The rows of a REST list that is nothing but its rows, a page at a time.

        Raises:
            Absent: It is not there, or not to be seen with this token.
            SourceError: The host refuses, or does not answer whatever is tried.
        """
        number = 1
        while True:
            asked = {**parameters, "per_page": MOST, "page": number}

            def fetch(token: Token | None, asked: Mapping[str, Any] = asked) -> Page:
                requester = self._github(token).requester
                headers, content = requester.requestJsonAndCheck("GET", path, dict(asked))
                if not isinstance(content, list):
                    raise Garbled(f"no list: {str(content)[:100]!r}")
                return Page(content, headers)

            page = self._rest.call(fetch, Judge(self.scrub))
            yield page.content
            if not page.more:
                return
            number += 1

    def who(self, token: Token) -> tuple[str, tuple[str, ...] | None]:
        """Whose token this is, and its scopes where the host tells them.

        Raises:
            Absent: It is nobody's, as an App's.
            SourceError: The token is refused, or the host cannot be reached.
        """
        alone = Caller(
            Tokens([token], self._graphql.tokens.scrubber),
            self._graphql.patience,
            self._graphql.pace,
            self.spent,
            self._graphql.policy,
        )

        def fetch(shown: Token | None) -> tuple[str, tuple[str, ...] | None]:
            headers, answer = self._answer(shown, WHO, {}, (), ())
            if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
                raise Garbled(f"an answer without data: {str(answer)[:100]!r}")
            told = headers.get("x-oauth-scopes")
            scopes = None if told is None else tuple(filter(None, told.split(", ")))
            return str(answer["data"]["viewer"]["login"]), scopes

        return alone.call(fetch, Judge(self.scrub))

    @property
    def tokens(self) -> tuple[Token, ...]:
        """What is shown to the host."""
        return tuple(self._graphql.tokens.tokens)

    def _answer(
        self,
        token: Token | None,
        query: str,
        given: Mapping[str, Any],
        lacking: Collection[str],
        needs: Sequence[str],
    ) -> tuple[Mapping[str, str], Any]:
        from github import GithubException

        try:
            return self._github(token).requester.graphql_query(query, dict(given))
        except GithubException as error:
            there = bool(needs) and _at(_data(error), needs) is not None
            if not lacks_only(ABSENT if there else lacking, error.data):
                raise
            return error.headers or {}, error.data
        except TypeError as error:  # PyGithub looks for errors in an answer that is empty
            raise Garbled("an answer without anything in it") from error

    def _count(
        self, token: Token | None, headers: Mapping[str, str], limit: Mapping[str, Any] | None
    ) -> None:
        """Count what an answer cost; a token that is nearly used up rests before it is refused."""
        if not limit:
            return
        cost = int(limit.get("cost") or 0)
        self.spent.add("points", cost)
        remaining, reset = limit.get("remaining"), limit.get("resetAt")
        if remaining is None or not reset or remaining >= _RESERVE * max(cost, 1):
            return
        moment = datetime.fromisoformat(reset).astimezone(UTC).timestamp()
        told = {"x-ratelimit-reset": str(int(moment)), "date": headers.get("date", "")}
        patience = self._graphql.patience
        until = patience.now() + judging.seconds(told)
        self._graphql.tokens.rest(token, until, "GraphQL points used up")

    def _github(self, token: Token | None) -> Github:
        """PyGithub for this thread and token: its connection is not made for several threads."""
        known: dict[Token | None, tuple[str, Github]]
        known = self._local.__dict__.setdefault("known", {})
        value = token.value() if token is not None else ""
        if token not in known or known[token][0] != value:
            known[token] = value, self._made(value)
        return known[token][1]

    def _made(self, value: str) -> Github:
        from github import Auth, Github

        return Github(
            base_url=self._url,
            auth=Auth.Token(value) if value else None,
            retry=None,
            per_page=MOST,
            timeout=self._timeout,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
        )
