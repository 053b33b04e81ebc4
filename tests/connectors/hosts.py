"""A host on loopback that answers as it is told, faults included, and remembers what was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What the host answers: JSON or plain text, or a connection that breaks."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    cut: bool = False
    dropped: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Asked:
    """What the host was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Host:
    """The host as tests see it."""

    url: str
    asked: list[Asked] = field(default_factory=list)


Answering = Callable[[Asked, int], Reply]
"""Says what to answer to a request, the how manieth it is given from 0."""


def in_turn(*replies: Reply) -> Answering:
    """Each reply once, and the last one from then on."""
    return lambda _, number: replies[min(number, len(replies) - 1)]


@contextmanager
def serving(answer: Answering) -> Iterator[Host]:
    """A host that answers so, as long as the block runs."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body together: apart, the second waits for an acknowledgement

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            asked = Asked(self.command, self.path, dict(self.headers.items()), body)
            with lock:
                host.asked.append(asked)
                reply = answer(asked, len(host.asked) - 1)
            self._reply(reply)

        def _reply(self, reply: Reply) -> None:
            time.sleep(reply.seconds)
            if reply.dropped:
                self.close_connection = True
                self.connection.shutdown(2)
                return
            body = (reply.text if reply.text is not None else json.dumps(reply.content)).encode()
            if "Date" in reply.headers:  # a host's own clock
                self.send_response_only(reply.status)
            else:
                self.send_response(reply.status)
            kind = "application/json" if reply.text is None else "text/html"
            for name, value in {"Content-Type": kind, **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if reply.cut:
                body, self.close_connection = body[: len(body) // 2], True
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    host = Host(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
