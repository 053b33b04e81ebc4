"""A GitHub on loopback: HTTP over one organisation, with a log of what was asked."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.forges.github_host import graphql, rest
from tests.forges.github_host.apps import App
from tests.forges.github_host.faults import UNAUTHORIZED, Response, Trouble
from tests.forges.github_host.replies import Reply
from tests.forges.github_host.values import Seen, Token
from tests.forges.organisation import Organisation

JSON_TYPE = "application/json; charset=utf-8"
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was answered.

    Attributes:
        kind: A GraphQL operation's name, or a REST path as GitHub describes it.
        graphql: Which of the two it was.
        path: Where it went.
        asked: Its variables, or its query.
        token: What was shown.
        status: What it got.
        points: What it cost, for GraphQL.
        fault: What went wrong with it.
        query: Its text, for GraphQL.
    """

    kind: str
    graphql: bool
    path: str
    asked: dict[str, Any]
    token: str
    status: int
    points: int = 0
    fault: str | None = None
    query: str = ""

    @property
    def size(self) -> int | None:
        """How many rows a page may have, where the request says so."""
        told = self.asked.get("size", self.asked.get("per_page"))
        return int(told) if told is not None else None


@dataclass(slots=True)
class GitHubHost:
    """GitHub over an organisation; a context manager that serves while it is open.

    Attributes:
        organisation: What is served; changed between requests under its lock.
        tokens: Those that are good for something.
        app: An App that gives out tokens.
        now: The host's clock, in seconds since 1970.
        troubles: What is going to go wrong.
        requests: What was asked, in order.
        commit_cap: How many commits of a pull request are shown.
        before: Called with the kind of each request before it is answered.
        broken: What this host could not do; closing it fails then.
    """

    organisation: Organisation
    tokens: Sequence[Token] = field(default_factory=lambda: [Token("ghp_good")])
    app: App | None = None
    now: Callable[[], float] = time.time
    troubles: list[Trouble] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    commit_cap: int | None = None
    before: Callable[[str], None] | None = None
    broken: list[BaseException] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None
    _began: float = 0.0

    def __enter__(self) -> GitHubHost:
        handler = type("Handler", (_Handler,), {"host": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._began = self.now()
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        if self.broken:
            raise AssertionError(f"the host is at fault: {self.broken[0]}") from self.broken[0]

    @property
    def place(self) -> str:
        """Its name, as canonical names of repositories begin."""
        return "127.0.0.1"

    @property
    def web(self) -> str:
        """Where addresses for people begin."""
        assert self._server is not None
        return f"http://{self.place}:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """Where its REST interface begins."""
        return f"{self.web}/api/v3"

    @property
    def points(self) -> int:
        """What all queries together have cost."""
        return sum(one.points for one in self.requests)

    def count(self, kind: str | None = None) -> int:
        """How many requests there were, of a kind or in all."""
        return sum(kind in (None, one.kind) for one in self.requests)

    def kinds(self) -> Counter[str]:
        """How many requests there were of each kind."""
        return Counter(one.kind for one in self.requests)

    @contextmanager
    def counting(self) -> Iterator[list[Request]]:
        """The requests made while it is open."""
        began = len(self.requests)
        made: list[Request] = []
        yield made
        made += self.requests[began:]

    def reset(self) -> int:
        """When what tokens have used is forgotten."""
        hours = int((self.now() - self._began) // HOUR) + 1
        return int(self._began) + hours * HOUR

    def seen(self, token: Token) -> Seen:
        """The organisation as a token sees it."""
        return Seen(self.organisation, token, self.web, self.url, self.reset(), self.commit_cap)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    host: GitHubHost
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536  # headers and body together: apart, the second waits for an acknowledgement
    timeout = 60
    _resets: dict[str, int] = {}  # noqa: RUF012 - of the class that each host makes

    def do_GET(self) -> None:
        """REST."""
        if self._answered_app():
            return
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        token = self._token()
        path = parts.path.removeprefix("/api/v3")
        with self.host.organisation.lock:
            seen = self.host.seen(token or Token("", scopes=()))
            made = rest.reply(path, query, seen)
            right = self._rest(parts.path, query, made, token, seen)
        kind = made.template or path
        self._send(Request(kind, False, self.path, dict(query), self._shown(), right.status), right)

    def do_POST(self) -> None:
        """GraphQL, or an App that wants a token."""
        length = int(self.headers.get("Content-Length", 0))
        content = self.rfile.read(length)
        if len(content) < length:
            raise ConnectionError("whoever asked is gone")
        if self._answered_app():
            return
        given = json.loads(content)
        variables = given.get("variables") or {}
        name = re.search(r"\bquery\s+(\w+)", given["query"])
        kind = name[1] if name else "anonymous"
        if self.host.before:
            self.host.before(kind)
        token, points = self._token(), 0
        if token is None:
            right = self._unauthorized()
        else:
            with self.host.organisation.lock:
                right, points = self._graphql(given["query"], variables, token)
        told = Request(kind, True, self.path, variables, self._shown(), right.status, points)
        self._send(replace(told, query=given["query"]), right)

    def _answered_app(self) -> bool:
        """Answer an App, if it is one that asks."""
        host, path = self.host, urlsplit(self.path).path.removeprefix("/api/v3")
        if host.app is None or not path.startswith("/app/"):
            return False
        with host.organisation.lock:
            signed = host.app.signed(self._shown(), host.now())
            made = host.app.answer(self.command, path, host.now()) if signed else None
        right = self._unauthorized()
        if made is not None:
            right = replace(self._json(made.body, {}), status=made.status)
        kind = made.template if made and made.template else path
        self._send(Request(kind, False, self.path, {}, self._shown(), right.status), right)
        return True

    def _graphql(self, query: str, variables: dict[str, Any], token: Token) -> tuple[Response, int]:
        seen = self.host.seen(token)
        self._forget(token, seen.reset)
        if token.used["graphql"] >= token.limit:
            body: dict[str, Any] = {
                "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]
            }
            return self._json(body, self._limits(token, "graphql", seen.reset)), 0
        answer = graphql.answer(query, variables, seen)
        token.used["graphql"] += answer.cost.points
        headers = self._limits(token, "graphql", seen.reset)
        return self._json(answer.body, headers), answer.cost.points

    def _rest(
        self,
        path: str,
        query: dict[str, str],
        made: Reply,
        token: Token | None,
        seen: Seen,
    ) -> Response:
        if token is None:
            return self._unauthorized()
        self._forget(token, seen.reset)
        if token.used["core"] >= token.limit:
            body = {"message": f"API rate limit exceeded for user ID {token.login}."}
            return replace(self._json(body, self._limits(token, "core", seen.reset)), status=403)
        content = json.dumps(made.body).encode()
        etag = f'W/"{hashlib.sha256(content).hexdigest()}"'
        headers = {"ETag": etag}
        if made.location:
            asked = f"?{urlencode(query)}" if query else ""
            headers["Location"] = f"{made.location}{asked}"
        link = self._link(path, query, made.pages)
        if link:
            headers["Link"] = link
        same = made.status == 200 and self.headers.get("If-None-Match") == etag
        if not same:  # what has not changed costs nothing
            token.used["core"] += 1
        headers |= self._limits(token, "core", seen.reset)
        status = 304 if same else made.status
        return Response(status, b"" if same else content, {"Content-Type": JSON_TYPE, **headers})

    def _link(self, path: str, query: dict[str, str], pages: int) -> str:
        number = int(query.get("page", 1))
        targets = {"prev": number - 1, "next": number + 1, "last": pages, "first": 1}
        listed = [
            f'<{self.host.web}{path}?{urlencode({**query, "page": page})}>; rel="{name}"'
            for name, page in targets.items()
            if 1 <= page <= pages and (page != number)
        ]
        return ", ".join(listed)

    def _token(self) -> Token | None:
        """Whose request it is; None for nobody's, or a token that is no good."""
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        given = self.host.app.tokens(self.host.now()) if self.host.app else []
        for token in (*self.host.tokens, *given):
            if scheme.lower() in ("token", "bearer") and token.value == value:
                return None if token.expired else token
        return None

    def _shown(self) -> str:
        return str(self.headers.get("Authorization", "")).rpartition(" ")[2]

    def _unauthorized(self) -> Response:
        return UNAUTHORIZED.spoil(Response(401, b""), self.host.now())

    def _forget(self, token: Token, reset: int) -> None:
        """What a token has used is forgotten every hour."""
        if self._resets.get(token.value, reset) != reset:
            token.used |= dict.fromkeys(token.used, 0)
        self._resets[token.value] = reset

    def _limits(self, token: Token, resource: str, reset: int) -> dict[str, str]:
        used = token.used[resource]
        headers = {
            "X-RateLimit-Limit": str(token.limit),
            "X-RateLimit-Remaining": str(max(0, token.limit - used)),
            "X-RateLimit-Used": str(used),
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Resource": resource,
        }
        if token.scopes is not None:
            headers["X-OAuth-Scopes"] = ", ".join(token.scopes)
        return headers

    def _json(self, body: Any, headers: dict[str, str]) -> Response:
        return Response(200, json.dumps(body).encode(), {"Content-Type": JSON_TYPE, **headers})

    # Sending
    def _send(self, request: Request, right: Response) -> None:
        """Answer, unless something goes wrong, and remember it."""
        host = self.host
        if not request.graphql and host.before:
            host.before(request.kind)
        with host.organisation.lock:
            for trouble in host.troubles:
                if trouble.happens(request.kind, request.graphql, request.size, host.now()):
                    right = trouble.fault.spoil(right, host.now())
                    request = replace(request, status=right.status, fault=trouble.fault.name)
                    break
            host.requests.append(request)
        self._write(right)

    def _write(self, response: Response) -> None:
        if response.seconds:
            time.sleep(response.seconds)
        if response.manner == "dropped":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        half = response.manner == "half"
        self.wfile.write(response.body[: len(response.body) // 2] if half else response.body)
        if half:
            self.close_connection = True

    def handle(self) -> None:
        """Serve the connection; whoever asked may have gone away."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - told when the host is closed
            self.host.broken.append(error)
            self._write(Response(400, b'{"message": "the host is at fault"}'))

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The host's clock, for the header that tells it."""
        return formatdate(self.host.now() if timestamp is None else timestamp, usegmt=True)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""
