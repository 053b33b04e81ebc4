"""GitLab's two ways of showing a list in pages, and their headers."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

TOTALS_UP_TO = 10_000
"""Longer lists come without their length."""

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rows:
    """A whole list, of which a page is to be shown.

    Attributes:
        rows: The rows, in order; made into JSON by `shown`.
        counted: Whether the host says how many there are; it never does for commits and jobs.
        keyset: The column by which the list may be read with a cursor; '' for none.
    """

    rows: Sequence[Any]
    counted: bool = True
    keyset: str = ""


class BadRequest(Exception):
    """A parameter that the host refuses."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What bounds lists.

    Attributes:
        rows: The most rows of a page.
        counted: The most rows that are counted.
    """

    rows: int = 100
    counted: int = TOTALS_UP_TO


def page(
    listed: Rows, query: Query, address: str, sizes: Sizes
) -> tuple[Sequence[Any], dict[str, str]]:
    """The rows of the page asked for, and the headers that say where the others are."""
    size = _number(query, "per_page", 20, most=sizes.rows)
    if query.get("pagination") == "keyset" and listed.keyset:
        return _after(listed, query, address, size)
    number = _number(query, "page", 1)
    begin = (number - 1) * size
    shown = listed.rows[begin : begin + size]
    total = len(listed.rows)
    more = begin + size < total
    links = {"prev": number - 1 if number > 1 else None, "next": number + 1 if more else None}
    links["first"] = 1
    headers = {
        "X-Next-Page": str(links["next"] or ""),
        "X-Page": str(number),
        "X-Per-Page": str(size),
        "X-Prev-Page": str(links["prev"] or ""),
    }
    if listed.counted and total <= sizes.counted:
        pages = max(1, -(-total // size))
        links["last"] = pages
        headers |= {"X-Total": str(total), "X-Total-Pages": str(pages)}
    headers["Link"] = ", ".join(
        _link(address, {**query, "page": str(at), "per_page": str(size)}, relation)
        for relation, at in links.items()
        if at is not None
    )
    return shown, headers


def _after(
    listed: Rows, query: Query, address: str, size: int
) -> tuple[Sequence[Any], dict[str, str]]:
    """A page that begins where a cursor says; its headers name the next one and nothing else."""
    if query.get("order_by") != listed.keyset or query.get("sort") not in ("asc", "desc"):
        raise BadRequest("405 Keyset pagination is not available for this order")
    backwards = query["sort"] == "desc"
    rows = sorted(listed.rows, key=lambda one: one.id, reverse=backwards)
    if "cursor" in query:
        last = int(json.loads(base64.b64decode(query["cursor"]))["id"])
        rows = [one for one in rows if (one.id < last if backwards else one.id > last)]
    elif "id_after" in query:
        rows = [one for one in rows if one.id > int(query["id_after"])]
    shown = rows[:size]
    if len(rows) <= size:
        return shown, {}
    kept = {name: text for name, text in query.items() if name not in ("cursor", "id_after")}
    last = shown[-1].id
    if backwards:
        token = base64.b64encode(json.dumps({"id": str(last), "_kd": "n"}).encode()).decode()
        kept["cursor"] = token
    else:
        kept["id_after"] = str(last)
    return shown, {"Link": _link(address, kept, "next")}


def _link(address: str, query: Query, relation: str) -> str:
    return f'<{address}?{urlencode(query)}>; rel="{relation}"'


def _number(query: Query, name: str, default: int, most: int | None = None) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise BadRequest(f"{name} does not have a valid value")
    return min(int(text), most) if most else int(text)
