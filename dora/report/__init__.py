"""The report: one page that says whether delivery is ahead or behind, and why.

`write` makes a self-contained HTML page, Markdown for a comment or chat, or a PDF, all from the
same `Contents`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dora.errors import UsageError
from dora.report.contents import STALE_AFTER, Contents, gather, split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from dora.delivery import Delivery

__all__ = ["FORMATS", "STALE_AFTER", "Contents", "gather", "render", "write", "write_each"]

FORMATS = {
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".pdf": "pdf",
}


def write(
    delivery: Delivery,
    path: str | Path,
    *,
    template: Path | None = None,
    now: datetime | None = None,
    stale_after: timedelta = STALE_AFTER,
) -> Contents:
    """Write a report to a `.html`, `.md` or `.pdf` file, whole or not at all.

    Args:
        delivery: Whom and which window it is about.
        path: The file.
        template: A Jinja template of one's own; it is given `r`, the `Contents`.
        now: The time by the clock on the wall.
        stale_after: How long ago a source may have been read.

    Returns:
        What the report says; its `warnings` tell whether it is up to date.

    Raises:
        UsageError: Another kind of file, a template with a fault, or no place to write to.
    """
    target = Path(path)
    form = target.suffix.lower()
    if form not in FORMATS:
        raise UsageError(
            f"{target.name}: a report is no {form.lstrip('.') or 'file without an ending'}.",
            hint="Let the name end in .html, .md or .pdf.",
        )
    contents = gather(delivery, now=now, stale_after=stale_after)
    render(contents, target, template)
    return contents


def render(contents: Contents, path: Path, template: Path | None = None) -> None:
    """Write what a report says to a file, in the form that the file's name asks for.

    Raises:
        UsageError: A template with a fault, or no place to write to.
    """
    from dora import frames
    from dora.report import rendering

    form = FORMATS[path.suffix.lower()]
    if form == "pdf":
        with frames.whole(path) as partial:
            rendering.pdf(contents, partial, template)
        return
    make = rendering.html if form == "html" else rendering.markdown
    frames.write_text(path, make(contents, template))


def write_each(
    delivery: Delivery,
    folder: Path,
    *,
    by: str,
    suffix: str = ".html",
    template: Path | None = None,
    stale_after: timedelta = STALE_AFTER,
) -> Iterator[tuple[Path, Contents]]:
    """Write a report for each team or service to a folder, giving each file once it is there.

    Raises:
        UsageError: It can be split by team and by service only, or there is none.
    """
    for name, part in split(delivery, by):
        path = folder / f"{_file_name(name)}{suffix}"
        yield path, write(part, path, template=template, stale_after=stale_after)


def _file_name(name: str) -> str:
    """A name as a file's: what a path could trip over becomes a dash."""
    kept = "".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".-")
    return kept or "unnamed"
