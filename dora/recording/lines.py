"""What a line of the spool may say, and by what it is known.

    {"record": "deployment", "service": "checkout", "environment": "production", "sha": "4f2a9c…",
     "status": "succeeded", "finished_at": "2026-03-01T12:00:00Z"}
    {"record": "incident", "service": "checkout", "detected_at": "2026-03-01T12:30:00Z"}
    {"record": "flag_change", "flag": "new-basket", "environment": "production", "share": 0.2,
     "changed_at": "2026-03-01T12:00:00Z"}
    {"record": "manual_change", "service": "checkout", "environment": "production",
     "name": "raised the memory limit", "changed_at": "2026-03-01T12:00:00Z"}

Keys are the columns of the fact tables. A fact is known by its `id`; a line without one is known by
what it says: the same line again is the same fact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from dora.records import (
    Column,
    Deployment,
    FlagChange,
    Incident,
    ManualChange,
    Record,
    columns,
)

KINDS: dict[str, type[Record]] = {
    "deployment": Deployment,
    "incident": Incident,
    "flag_change": FlagChange,
    "manual_change": ManualChange,
}
"""The facts that can be pushed, by the word in `record`."""

OWN = {"record": "which fact it is", "recorded_at": "when the line was written"}
"""Keys of every line beside the columns of its fact."""

CAUSED_BY = "caused_by"
"""What an incident names as its causes, one or a list; each is a fact of its own."""

REMOVED = "removed"
"""Says that the fact was written down by mistake."""

_NOT_PUSHED = frozenset({"inferred", "rule"})
"""Columns that say how others found a deployment."""

_CHANGES = {
    "flag_change": ("flag", "environment", "action"),
    "manual_change": ("service", "environment", "name"),
}
"""What tells changes apart that were made at one time."""

STATUS_WORDS = {
    "success": "succeeded",
    "successful": "succeeded",
    "failure": "failed",
    "error": "failed",
    "canceled": "cancelled",
    "aborted": "cancelled",
    "skipped": "cancelled",
    "not_built": "cancelled",
    "unstable": "succeeded",
    "in_progress": "running",
    "started": "running",
    "pending": "running",
}
"""What pipelines call a status, and what it is called here."""


def known(kind: str) -> dict[str, Column]:
    """The keys of such a line that become columns."""
    return {n: c for n, c in columns(KINDS[kind]).items() if n not in _NOT_PUSHED}


def keys(kind: str) -> list[str]:
    """Every key that such a line may have."""
    return [*OWN, REMOVED, *known(kind), *((CAUSED_BY,) if kind == "incident" else ())]


def status(word: str) -> str:
    """The status that a pipeline's word means, whatever its case; an unknown word stays."""
    folded = word.strip().casefold()
    return STATUS_WORDS.get(folded, folded)


def natural_id(kind: str, said: Mapping[str, Any], run: str = "") -> str | None:
    """What identifies a fact that states no id; None where the line says too little.

    Args:
        kind: The word in `record`.
        said: The line, its times as text.
        run: The pipeline's own name for this run of this job, which does not change with the clock.
    """
    if kind == "incident":
        detected = said.get("detected_at")
        return f"{said.get('service') or 'incident'}@{detected}" if detected else None
    if kind in _CHANGES:
        return _natural_change(_CHANGES[kind], said)
    when = run or said.get("started_at") or said.get("finished_at") or said.get("recorded_at")
    if not when:
        return None
    what = str(said.get("sha") or "")[:12] or said.get("version")
    parts = (said.get("service") or said.get("repository"), said.get("environment"), what)
    return f"{'/'.join(str(part) for part in parts if part)}@{when}"


def _natural_change(names: tuple[str, ...], said: Mapping[str, Any]) -> str | None:
    when = said.get("changed_at")
    told = [str(said[name]) for name in names if said.get(name) and said[name] != "changed"]
    if said.get("name"):  # what people wrote must not stay in an id where it is not to be kept
        told[-1] = hashlib.sha256(told[-1].encode(errors="replace")).hexdigest()[:12]
    return f"{'/'.join(told)}@{when}" if when and told else None
