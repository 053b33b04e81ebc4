"""Into a chat: a short message by an incoming webhook of Slack, Teams or Mattermost."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dora.config.deliver import Webhook
from dora.deliveries import TryAgain
from dora.errors import DeliveryFailed, MayHaveArrived
from dora.report.rendering import MARKS, escaped_markdown

if TYPE_CHECKING:
    from dora.deliveries import Parcel, Sent
    from dora.report import Contents

TIMEOUT = 30.0
"""How long the chat may take to answer, in seconds."""

_BUSY = (408, 425, 429, 500, 502, 503, 504)


def deliver(parcel: Parcel, sent: Sent) -> str:
    """Post the message.

    Raises:
        TryAgain: The chat is not there, or asks to come later; the message was not taken.
        DeliveryFailed: It refuses the message, or nobody knows whether it took it.
    """
    wanted = parcel.delivery
    assert isinstance(wanted, Webhook)
    body = json.dumps(digest(parcel.contents, wanted)).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": parcel.id}
    request = urllib.request.Request(_address(wanted), body, headers, method="POST")
    opener = urllib.request.build_opener(_NoRedirect)
    sent()
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            answer.read(4096)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(wanted, error) from None
    except urllib.error.URLError as error:
        raise _unreached(wanted, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise _unknown(wanted, error) from None
    return f"posted to {wanted.style}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An address that moved is said, not followed: the message would go to who knows whom."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _address(wanted: Webhook) -> str:
    """The address, which is a secret and so never part of any message."""
    url = os.environ.get(wanted.url_env, "")
    if urlsplit(url).scheme not in ("https", "http") or not urlsplit(url).netloc:
        raise DeliveryFailed(
            f"The variable {wanted.url_env} holds no address.",
            hint=f"Set it to the incoming webhook's address, which {wanted.style} shows.",
        )
    return url


def _refused(wanted: Webhook, error: urllib.error.HTTPError) -> DeliveryFailed:
    said = f"{wanted.style} answers {error.code}."
    if error.code in _BUSY:
        after = error.headers.get("Retry-After", "")
        seconds = float(after) if after.isdecimal() else None
        return TryAgain(said, hint="It may take the message later.", after=seconds)
    return DeliveryFailed(said, hint=f"Look at the address in {wanted.url_env}; was it revoked?")


def _unreached(wanted: Webhook, reason: object) -> DeliveryFailed:
    if isinstance(reason, TimeoutError | ConnectionResetError):  # it may be on its way by then
        return _unknown(wanted, reason)
    said = getattr(reason, "strerror", None) or type(reason).__name__
    return TryAgain(f"{wanted.style} cannot be reached: {said}.", hint="Look at the network.")


def _unknown(wanted: Webhook, error: Exception) -> MayHaveArrived:
    return MayHaveArrived(
        f"{wanted.style} did not answer ({type(error).__name__}); the message may be there.",
        hint="Look there; `dora run --again` posts it once more.",
    )


def digest(said: Contents, wanted: Webhook) -> dict[str, Any]:
    """The message as that chat wants it: ahead or behind, and a line a metric."""
    lines = [_line(card) for card in said.cards]
    about = f"{said.scope}, {said.window}"
    warnings = [f"Out of date: {warning}" for warning in said.warnings]
    if wanted.style == "teams":
        return _card(said.headline, [about, *warnings, *lines], wanted.link)
    bold = "*" if wanted.style == "slack" else "**"
    escape = _slack if wanted.style == "slack" else escaped_markdown
    parts = [f"{bold}{escape(said.headline)}{bold}", escape(about), *map(escape, warnings)]
    parts += [escape(line) for line in lines]
    if wanted.link:
        link = (
            f"<{wanted.link}|The report>"
            if wanted.style == "slack"
            else f"[The report]({wanted.link})"
        )
        parts.append(link)
    return {"text": "\n".join(parts)}


def _line(card: Any) -> str:
    interval = f" ({card.interval})" if card.interval else ""
    mark = MARKS[card.before.verdict]
    return f"{mark} {card.title}: {card.value}{interval}, {card.n}: {card.before.verdict}"


def _slack(text: str) -> str:
    """Slack's three characters, and no formatting or mention from a name."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for sign in "*_~`":
        plain = plain.replace(sign, f"{sign}\u200b")
    return plain.replace("@", "@\u200b")


def _card(title: str, lines: list[str], link: str | None) -> dict[str, Any]:
    """An adaptive card, as the workflows of Teams take it; its text is plain."""
    blocks: list[dict[str, Any]] = [
        {"type": "TextBlock", "text": _plain(title), "weight": "bolder", "wrap": True},
        *(
            {"type": "TextBlock", "text": _plain(line), "wrap": True, "spacing": "small"}
            for line in lines
        ),
    ]
    content: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    if link:
        content["actions"] = [{"type": "Action.OpenUrl", "title": "The report", "url": link}]
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": content}]}


def _plain(text: str) -> str:
    """Adaptive cards know a little Markdown; a name must not use it."""
    for sign in "\\*_[]":
        text = text.replace(sign, f"\\{sign}")
    return text
