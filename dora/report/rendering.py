"""From what a report says to HTML, Markdown or PDF; all that comes from outside is inert."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from dora.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dora.report.contents import Contents

MARKS = {"better": "▲", "worse": "▼", "no evidence": "●", "too little data": "○", "withheld": "–"}
"""What stands before a verdict, so that colour is not all that tells them apart."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def html(contents: Contents, template: Path | None = None) -> str:
    """One page that needs nothing from anywhere: no host is asked, no script but its own runs."""
    style, script = _part("report.css"), _part("report.js")
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'"
    )
    return _render(
        contents,
        template,
        "report.html.j2",
        escape=True,
        style=Markup(style),
        script=Markup(script),
        policy=Markup(policy),
    )


def markdown(contents: Contents, template: Path | None = None) -> str:
    """Text for a comment, a wiki or a chat; names in it neither format nor mention anybody."""
    rendered = _render(contents, template, "report.md.j2", escape=False)
    return re.sub(r"\n{3,}", "\n\n", rendered)


def mail(contents: Contents, pictures: Sequence[str]) -> str:
    """The body of a mail: what mail programs show, with pictures that come along as `cid:`."""
    return _render(contents, None, "mail.html.j2", escape=True, shown=pictures)


def pdf(contents: Contents, path: Path, template: Path | None = None) -> None:
    """The page as it prints on A4.

    Raises:
        UsageError: What makes PDF files is not installed.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:  # without its system library it raises OSError
        raise UsageError(
            f"A PDF cannot be made here: {error}.",
            hint='Install what it needs: pip install "dora-metrics[pdf]", and Pango; '
            "or write a .html file and print it from a browser.",
        ) from error
    inside = URLFetcher(allowed_protocols=["data"])  # nothing is fetched from anywhere
    HTML(string=html(contents, template), url_fetcher=inside).write_pdf(path)


def _render(
    contents: Contents, template: Path | None, name: str, *, escape: bool, **further: Any
) -> str:
    environment = SandboxedEnvironment(
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"sentence": _sentence, "md": escaped_markdown, "md_link": _md_link}
    try:
        text = template.read_text("utf-8") if template else _part(name)
        return environment.from_string(text).render(r=contents, marks=MARKS, **further)
    except (TemplateError, OSError, UnicodeDecodeError, TypeError) as error:
        if template is None:
            raise
        where = f", line {error.lineno}" if hasattr(error, "lineno") else ""
        raise UsageError(
            f"The template {template} cannot be used{where}: {error}.",
            hint="docs/report.md says what a template is given.",
        ) from error


def _part(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text("utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _sentence(text: str) -> str:
    """A reason as a sentence of its own."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def escaped_markdown(text: object) -> str:
    """Text that Markdown leaves alone: nothing formats, breaks a table or mentions anybody."""
    plain = " ".join(str(text).split())
    return _MARKDOWN.sub(r"\\\1", plain).replace("@", "@\u200b")


def _md_link(url: str) -> str:
    return quote(url, safe=":/?#=&%+,;~!$-._")
