"""What `[[deliver]]` says: where a report goes, how, and for which window."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dora.errors import BadWindow
from dora.windows import window

Form = Literal["html", "md", "pdf"]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _window(value: Any) -> Any:
    if isinstance(value, str):
        from datetime import UTC, datetime

        try:
            window(value, as_of=datetime(2026, 6, 15, tzinfo=UTC))
        except BadWindow as error:
            raise ValueError(str(error.message)) from error
    return value


Texts = Annotated[tuple[str, ...], BeforeValidator(lambda v: tuple(_listed(v)))]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""The name of an environment variable: a secret itself never stands in the file."""


class _Deliver(BaseModel):
    """What all deliveries have.

    Attributes:
        name: What it is called; a period is delivered once under each name.
        window: The window that is reported, such as `last-month` or `last-week`.
        service: Only these services.
        team: Only the services of these teams.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )

    name: str = Field(min_length=1)
    window: Annotated[str, BeforeValidator(_window)] = "last-month"
    service: Texts = ()
    team: Texts = ()


class Folder(_Deliver):
    """A folder with a report for each period, and the newest one at its top.

    Attributes:
        path: The folder, seen from the configuration's.
        formats: What is written for each period.
        keep: How many periods are kept; None for all.
    """

    kind: Literal["folder"] = "folder"
    path: str = "reports"
    formats: Annotated[tuple[Form, ...], BeforeValidator(lambda v: tuple(_listed(v)))] = (
        "html",
        "md",
    )
    keep: int | None = Field(None, ge=1)


class Email(_Deliver):
    """A mail: text, the same as HTML with pictures, and the report attached.

    Attributes:
        to: Who gets it.
        sender: Who it comes from; `from` in the file.
        host: The mail server.
        port: Its port.
        security: `starttls`, `tls` from the start, or `none` for a server on the same machine.
        user_env: The environment variable with the user's name, where the server wants one.
        password_env: The environment variable with the password.
        attach: What is attached.
    """

    kind: Literal["email"] = "email"
    to: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^@\s,]+@[^@\s,]+$")], ...],
        BeforeValidator(lambda v: tuple(_listed(v))),
        Field(min_length=1),
    ]
    sender: str = Field(alias="from", pattern=r"^[^@\s,]+@[^@\s,]+$")
    host: str
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user_env: Variable | None = None
    password_env: Variable | None = None
    attach: Annotated[tuple[Form, ...], BeforeValidator(lambda v: tuple(_listed(v)))] = ("html",)


class Webhook(_Deliver):
    """A message in a chat.

    Attributes:
        url_env: The environment variable with the incoming webhook's address, which is a secret.
        style: The chat: slack, teams or mattermost.
        link: Where the report can be seen, if anywhere; the message leads there.
    """

    kind: Literal["webhook"] = "webhook"
    url_env: Variable
    style: Literal["slack", "teams", "mattermost"] = "slack"
    link: Annotated[str, Field(pattern=r"^https?://")] | None = None


Deliver: TypeAlias = Folder | Email | Webhook
KINDS: dict[str, type[Folder] | type[Email] | type[Webhook]] = {
    "folder": Folder,
    "email": Email,
    "webhook": Webhook,
}
