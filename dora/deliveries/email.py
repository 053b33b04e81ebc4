"""By mail: text, the same as HTML with its pictures inside, and the report attached."""

from __future__ import annotations

import mimetypes
import os
import smtplib
import ssl
import tempfile
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING

from dora import report
from dora.config.deliver import Email
from dora.deliveries import TryAgain
from dora.errors import DeliveryFailed
from dora.report import rendering

if TYPE_CHECKING:
    from dora.deliveries import Parcel, Sent

TIMEOUT = 30.0
"""How long the server may take over one answer, in seconds."""

_SHOWN = ("deployment_frequency", "lead_time", "change_failure_rate")


def deliver(parcel: Parcel, sent: Sent) -> str:
    """Send the mail to all at once.

    Raises:
        TryAgain: The server is not there, is busy, or dropped the connection.
        DeliveryFailed: The server refuses the mail, or the log-in.
    """
    wanted = parcel.delivery
    assert isinstance(wanted, Email)
    text = message(parcel, wanted)
    try:
        with _connected(wanted) as server:
            sent()
            refused = server.send_message(text)
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryFailed(
            f"{wanted.host} does not accept the log-in ({error.smtp_code}).",
            hint=f"Look at the variables {wanted.user_env} and {wanted.password_env}.",
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        raise _refused(wanted, codes, "takes none of the addresses") from None
    except smtplib.SMTPResponseException as error:
        raise _refused(wanted, [error.smtp_code], "refuses the mail") from None
    except (OSError, smtplib.SMTPException) as error:
        raise TryAgain(
            f"{wanted.host}:{wanted.port} cannot be reached: {_said(error)}.",
            hint="Look at host, port and security, and whether the server runs.",
        ) from None
    if refused:
        return f"mailed, but {wanted.host} does not take {', '.join(sorted(refused))}"
    return f"mailed to {len(wanted.to)}"


def _refused(wanted: Email, codes: list[int], what: str) -> DeliveryFailed:
    """SMTP's codes from 400 on pass by, those from 500 on stay."""
    said = f"{wanted.host} {what} ({', '.join(map(str, codes))})."
    if all(code < 500 for code in codes):
        return TryAgain(said, hint="The server may take it later.")
    return DeliveryFailed(said, hint="Look at the addresses and at what the server allows.")


def _said(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__).rstrip(".")


def _connected(wanted: Email) -> smtplib.SMTP:
    user, password = (_secret(name) for name in (wanted.user_env, wanted.password_env))
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if wanted.security == "tls":
        server = smtplib.SMTP_SSL(wanted.host, wanted.port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(wanted.host, wanted.port, timeout=TIMEOUT)
    try:
        if wanted.security == "starttls":
            server.starttls(context=context)
        if user is not None and password is not None:
            server.login(user, password)
    except BaseException:
        server.close()
        raise
    return server


def _secret(name: str | None) -> str | None:
    if name is None:
        return None
    value = os.environ.get(name)
    if not value:
        raise DeliveryFailed(
            f"The variable {name} is not set.", hint="It holds the mail server's log-in."
        )
    return value


def message(parcel: Parcel, wanted: Email) -> EmailMessage:
    """The whole mail; the same parcel always has the same Message-ID."""
    said = parcel.contents
    mail = EmailMessage()
    mail["From"] = wanted.sender
    mail["To"] = ", ".join(wanted.to)
    stale = "Out of date: " if said.warnings else ""
    mail["Subject"] = " ".join(f"{stale}{said.scope}: {said.headline}".split())[:200]
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{parcel.id}@{wanted.sender.partition('@')[2]}>"
    mail.set_content(rendering.markdown(said))
    pictures = {name: said.pictures[name] for name in _SHOWN if name in said.pictures}
    mail.add_alternative(rendering.mail(said, list(pictures)), subtype="html")
    shown = mail.get_body(("html",))
    assert shown is not None
    for name, picture in pictures.items():
        shown.add_related(picture.png, "image", "png", cid=f"<{name}>")
    with tempfile.TemporaryDirectory() as folder:
        for form in wanted.attach:
            _attach(mail, said, Path(folder) / f"report.{form}")
    return mail


def _attach(mail: EmailMessage, said: report.Contents, path: Path) -> None:
    report.render(said, path)
    kind = mimetypes.guess_type(path.name)[0] or "text/markdown"
    main, _, sub = kind.partition("/")
    mail.add_attachment(path.read_bytes(), main, sub, filename=path.name)
