"""A mail server and a chat on loopback, with the faults of real ones."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Inbox:
    """What a mail server took, and how it answers: one answer a mail, then `250`."""

    def __init__(self, answers: Sequence[str] = (), refused: Sequence[str] = ()) -> None:
        self.answers = list(answers)
        self.refused = refused
        self.mails = []
        self.tried = 0
        self.logins = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.tried += 1
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer in ("drop", "keep and drop"):
            if answer == "keep and drop":
                self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            server.transport.abort()
            return "250 too late"
        if answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return answer

    def login(self, server, session, envelope, mechanism, auth_data):
        self.logins.append((auth_data.login, auth_data.password))
        return AuthResult(success=auth_data.password == b"right", handled=False)


class _Controller(Controller):
    """A mail server on whichever port is free."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(inbox: Inbox, *, tls=None, login=False):
    """A mail server for as long as it lasts; gives its port."""
    extra = {"tls_context": tls, "require_starttls": True} if tls else {}
    if login:
        extra |= {"authenticator": inbox.login, "auth_required": True}
    controller = _Controller(inbox, hostname="127.0.0.1", port=0, **extra)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


class Chat(ThreadingHTTPServer):
    """An incoming webhook; answers are statuses, or `drop`, one a post, then 200."""

    daemon_threads = True

    def __init__(self, answers=(), retry_after=None):
        super().__init__(("127.0.0.1", 0), _Post)
        self.answers = list(answers)
        self.retry_after = retry_after
        self.posts = []
        self.keys = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/services/secret-part"


class _Post(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(json.loads(body))
        self.server.keys.append(self.headers["Idempotency-Key"])
        answer = self.server.answers.pop(0) if self.server.answers else 200
        if answer == "drop":
            self.close_connection = True
            return
        if answer == "slow":
            self.server.slow.wait(5)
            return
        self.send_response(answer)
        if self.server.retry_after and answer == 429:
            self.send_header("Retry-After", self.server.retry_after)
        if answer == 302:
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def chat(**given):
    """A chat for as long as it lasts."""
    server = Chat(**given)
    server.slow = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.slow.set()
        server.shutdown()
        thread.join()
        server.server_close()
