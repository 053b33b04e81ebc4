"""The text of a description; it is searched for causes and never kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_BLOCKS = {"paragraph", "heading", "listItem", "tableRow", "codeBlock", "blockquote", "hardBreak"}


def plain(document: Any) -> str:
    """The text of a description: Data Center's is one already, Cloud's is a tree of nodes."""
    return document if isinstance(document, str) else "".join(_texts(document))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _texts(one)
    if not isinstance(node, dict):
        return
    attributes = node.get("attrs") or {}
    links = [m["attrs"].get("href") for m in node.get("marks") or () if m.get("type") == "link"]
    yield links[0] if links and links[0] else node.get("text") or attributes.get("url") or ""
    yield from _texts(node.get("content"))
    if node.get("type") in _BLOCKS:
        yield "\n"
