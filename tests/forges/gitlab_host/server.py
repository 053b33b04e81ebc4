"""The host itself: HTTP on loopback, tokens, limits, and a record of what was asked."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.forges.gitlab_host import rows
from tests.forges.gitlab_host.faults import Answer, Faults, limited
from tests.forges.gitlab_host.paging import BadRequest, Rows, Sizes, page
from tests.forges.gitlab_host.routes import (
    Asked,
    Forbidden,
    NotFound,
    Row,
    of_group,
    of_project,
    seen,
)
from tests.forges.organisation import Organisation, Repository

GOOD = "glpat-planted-0123456789abcdef"
"""A token that may read everything."""


@dataclass(slots=True)
class Token:
    """What the host knows of a token.

    Attributes:
        scopes: What it may do.
        expired: Whether its day has come.
        revoked: Whether it was taken back.
        expires_at: The day it ends, if it does.
    """

    scopes: tuple[str, ...] = ("read_api",)
    expired: bool = False
    revoked: bool = False
    expires_at: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came, and how it was answered."""

    path: str
    query: Mapping[str, str]
    status: int
    token: str


@dataclass
class GitLabHost:
    """A GitLab with one organisation on it.

    Attributes:
        organisation: What is on it; may be changed while it serves.
        tokens: Those it knows.
        faults: What is to go wrong.
        requests: What was asked, in order.
        at_once: How many requests were being answered when each came.
        root: A path that it lies under, as with a relative address.
        limit: Requests that each token may make in `period` seconds; None for any number.
        sizes: What bounds its lists.
        off: What is switched off, by the ids of projects.
        delay: Seconds that every answer takes.
        clock: What its clock shows; if left out, a moment after the newest thing.
        said: What rows say otherwise, by kind (`merge_request`, `issue`) and number.
        named: Its address as it gives it itself, if it is reached by another.
        redirects: Where everything is redirected to, if the host has moved.
    """

    organisation: Organisation
    tokens: dict[str, Token] = field(default_factory=lambda: {GOOD: Token()})
    faults: Faults = field(default_factory=Faults)
    requests: list[Request] = field(default_factory=list)
    root: str = ""
    limit: int | None = None
    period: float = 1.0
    sizes: Sizes = field(default_factory=Sizes)
    off: dict[int, frozenset[str]] = field(default_factory=dict)
    delay: float = 0.0
    clock: datetime | None = None
    said: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    named: str = ""
    redirects: str = ""
    url: str = ""
    _indexes: dict[tuple[int, str], list[Row]] = field(default_factory=dict)
    at_once: list[int] = field(default_factory=list)
    _answering: int = 0
    _spent: dict[str, list[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def serving(self) -> Iterator[GitLabHost]:
        """Serve for as long as it lasts."""
        server = _Server(("127.0.0.1", 0), _Handler)
        server.host = self
        self.url = f"http://127.0.0.1:{server.server_address[1]}{self.root}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While a request is being answered."""
        with self._lock:
            self._answering += 1
            self.at_once.append(self._answering)
        try:
            yield
        finally:
            with self._lock:
                self._answering -= 1

    def now(self) -> datetime:
        """The host's clock: it stands a moment after the newest thing that happened."""
        if self.clock is not None:
            return self.clock
        with self.organisation.lock:
            times = [rows.last_touched(one) for one in self.organisation.repositories.values()]
        return max(times) + timedelta(minutes=1)

    def answer(self, target: str, token: str) -> Answer:
        """What a request is answered, faults and all."""
        parts = urlsplit(target)
        query = _query(parts.query)
        path = parts.path.removeprefix(f"{self.root}/api/v4")
        if self.redirects:
            return Answer(302, b"", {"Location": f"{self.redirects}{target}"})
        with self.organisation.lock:
            good = self._good(path, query, token)
        given = self.faults.befall(path, good, self.now().timestamp())
        with self._lock:
            self.requests.append(Request(path, query, given.status, token))
        return given

    def _good(self, path: str, query: dict[str, str], token: str) -> Answer:
        refused = self._refused(path, token)
        if refused:
            return refused
        try:
            given = self._given(path, query, token)
            if isinstance(given, Answer):
                return given
            return self._shown(given, path, query)
        except NotFound as error:
            return _said(404, str(error))
        except Forbidden as error:
            return _said(403, str(error))
        except BadRequest as error:
            return _said(400, str(error))

    def _refused(self, path: str, token: str) -> Answer | None:
        known = self.tokens.get(token)
        if known is None:
            return _said(401, "401 Unauthorized")
        if known.expired or known.revoked:
            why = (
                "Token is expired. You can either do re-authorization or token refresh."
                if known.expired
                else "Token was revoked. You have to re-authorize from the user."
            )
            return _json(401, {"error": "invalid_token", "error_description": why})
        if not {"api", "read_api"} & set(known.scopes) and path != "/personal_access_tokens/self":
            why = "The request requires higher privileges than provided by the access token."
            return _json(
                403,
                {"error": "insufficient_scope", "error_description": why, "scope": "api read_api"},
            )
        return self._too_many(token)

    def _too_many(self, token: str) -> Answer | None:
        if self.limit is None:
            return None
        now = time.monotonic()
        with self._lock:
            recent = [at for at in self._spent.get(token, []) if at > now - self.period]
            if len(recent) < self.limit:
                self._spent[token] = [*recent, now]
                return None
        wait = recent[0] + self.period - now
        return limited(
            max(1.0, wait),
            self.now().timestamp(),
            "Retry-After",
            "RateLimit-Remaining",
            "RateLimit-Reset",
        )

    def _given(
        self, path: str, query: dict[str, str], token: str
    ) -> Rows | dict[str, Any] | Answer:
        if path == "/personal_access_tokens/self":
            return self._about(token)
        if path == "/projects":
            return self._projects(query, None)
        listed = re.fullmatch(r"/(groups|users)/([^/]+)/projects", path)
        if listed:
            owner = unquote(listed[2])
            if not any(self._within(one, owner) for one in self.organisation.repositories.values()):
                raise NotFound(f"404 {'Group' if listed[1] == 'groups' else 'User'} Not Found")
            return self._projects(query, owner)
        listed = re.fullmatch(r"/groups/([^/]+)(/merge_requests|/issues)", path)
        if listed:
            inside = seen(self.organisation, {}, unquote(listed[1]))
            return of_group([self._asked(one, query) for one in inside], listed[2])
        match = re.fullmatch(r"/projects/([^/]+)(/.*)?", path)
        if match is None:
            raise NotFound("404 Not Found")
        name, rest = unquote(match[1]), match[2] or ""
        repository = self._project(name)
        if not name.isdigit() and repository.path.casefold() != name.casefold():
            address = f"{self.named or self.url}/api/v4/projects/{repository.id}{rest}"
            said = f"This resource has been moved permanently to {address}"
            return Answer(301, said.encode(), {"Location": address, "Content-Type": "text/plain"})
        return of_project(self._asked(repository, query), rest)

    def _asked(self, repository: Repository, query: dict[str, str]) -> Asked:
        off = self.off.get(repository.id, frozenset())
        return Asked(
            self.organisation, repository, query, (), self.url, off, self._indexes, self.said
        )

    def _within(self, repository: Repository, owner: str) -> bool:
        return f"{repository.owner}/".casefold().startswith(f"{owner}/".casefold())

    def _projects(self, query: dict[str, str], owner: str | None) -> Rows:
        listed = [
            Row(
                one.id,
                one.created_at,
                lambda o=one: rows.project(o, self.url, self.off.get(o.id, ())),
            )
            for one in seen(self.organisation, query, owner)
        ]
        return Rows(listed, keyset="id")

    def _project(self, name: str) -> Repository:
        found = (
            self.organisation.repositories.get(int(name))
            if name.isdigit()
            else self.organisation.find(name)
        )
        if found is None or "repository" in found.forbidden:
            raise NotFound("404 Project Not Found")
        return found

    def _shown(self, given: Rows | dict[str, Any], path: str, query: dict[str, str]) -> Answer:
        if not isinstance(given, Rows):
            return _json(200, given)
        shown, headers = page(given, query, f"{self.url}/api/v4{path}", self.sizes)
        answer = _json(200, [one.made() if isinstance(one, Row) else one for one in shown])
        answer.headers |= headers
        return answer

    def _about(self, token: str) -> dict[str, Any]:
        """What a token is told of itself."""
        known = self.tokens[token]
        return {
            "id": 1, "name": "dora", "revoked": known.revoked, "scopes": list(known.scopes),
            "user_id": 7, "active": True, "expires_at": known.expires_at,
        }  # fmt: skip


def _query(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found[name] = f"{found[name]}\0{value}" if name in found else value
    return found


def _json(status: int, content: Any) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


def _said(status: int, message: str) -> Answer:
    return _json(status, {"message": message})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    host: GitLabHost

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no failure of the host's."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    server: _Server

    def do_GET(self) -> None:
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        token = self.headers.get("PRIVATE-TOKEN") or bearer
        host = self.server.host
        with host.answering():
            answer = host.answer(self.path, token)
            time.sleep(answer.delay + host.delay)
        if answer.dropped:
            self.close_connection = True
            return
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        body = answer.body[: len(answer.body) // 2] if answer.cut else answer.body
        with suppress(OSError):
            self.wfile.write(body)
        if answer.cut:
            self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """What the host's own clock shows."""
        del timestamp
        return format_datetime(self.server.host.now(), usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet; `requests` has it all."""
