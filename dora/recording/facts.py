"""Makes the line of a fact from what is asked for and what is known anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dora.addresses import repository_name, without_credentials
from dora.errors import UsageError
from dora.recording.lines import KINDS, natural_id, status
from dora.recording.moments import moment, written
from dora.recording.pipelines import Pipeline
from dora.records import columns

_TIMES = ("started_at", "finished_at", "detected_at", "resolved_at", "changed_at")
_ORDER = (("started_at", "finished_at"), ("detected_at", "resolved_at"))
_EITHER = frozenset({"manual", "automatic", "temporary"})
"""What is not known where nothing is said of it, so that to deny it says something."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line ready to be written.

    Attributes:
        values: What it says, in order.
        remarks: What was taken from elsewhere, and what was not, in sentences.
    """

    values: Mapping[str, Any]
    remarks: tuple[str, ...]


def deployment(given: Mapping[str, Any], pipeline: Pipeline, now: datetime) -> Said:
    """The line of a deployment.

    Args:
        given: Columns of the fact, as they were asked for; None and empty ones say nothing.
        pipeline: What the environment variables tell.
        now: The time by the clock on the wall; the finish, unless it is still running.

    Raises:
        UsageError: A status or a time that cannot be understood, or a finish before the start.
    """
    stated = _stated(given)
    word = str(stated.pop("status"))
    stated |= {"status": _status(word), "original_status": word}
    if stated["original_status"] == stated["status"]:
        del stated["original_status"]
    taken = {key: text for key, text in pipeline.values.items() if key not in stated}
    values = _in_utc({**taken, **stated})
    default = "started_at" if values["status"] == "running" else "finished_at"
    remarks = list(pipeline.doubts if "sha" not in stated else ())
    if taken:
        remarks.insert(0, f"Taken from {pipeline.name}: {_listed(taken)}.")
    if default not in values:
        values[default] = written(now)
        remarks.append(f"{default} is now, {values[default]}.")
    if "sha" not in values:
        remarks.append("Without a sha it counts as a deployment, but in no lead time.")
    return _finished("deployment", values, pipeline.run, now, remarks)


def incident(given: Mapping[str, Any], now: datetime) -> Said:
    """The line of an incident.

    Raises:
        UsageError: A time that cannot be understood, or an end before the beginning.
    """
    return _finished("incident", _in_utc(_stated(given)), "", now, [])


def flag_change(given: Mapping[str, Any], now: datetime) -> Said:
    """The line of a change of a flag.

    Args:
        given: Columns of the fact, and `on` instead of the share of users who see it; where it was
            created or removed neither is needed, and nobody sees it.
        now: The time by the clock on the wall; that of the change, unless another is given.

    Raises:
        UsageError: No share, two, or one that is none, or a time that cannot be understood.
    """
    on, share = given.get("on"), given.get("share")
    if on is not None and share is not None:
        raise UsageError(
            "--share goes with neither --on nor --off.",
            hint="--on is --share 1, and --off is --share 0.",
        )
    if on is None and share is None and not given.get("action"):
        raise UsageError(
            "It is not said how the flag was changed.",
            hint="Add --on, --off, --share 0.2, --created or --removed.",
        )
    if share is not None and not 0 <= share <= 1:
        raise UsageError(
            f"--share {share:g} is no share of users.", hint="It lies from 0 to 1: 20 % are 0.2."
        )
    values = {"flag": given["flag"], **given, "share": float(on or share or 0)}
    return _changed("flag_change", {k: v for k, v in values.items() if k != "on"}, now)


def manual_change(given: Mapping[str, Any], now: datetime) -> Said:
    """The line of a change by hand that deploys no commit.

    Raises:
        UsageError: A time that cannot be understood.
    """
    return _changed("manual_change", given, now)


def _changed(kind: str, given: Mapping[str, Any], now: datetime) -> Said:
    values = _in_utc(_stated(given))
    remarks = []
    if "changed_at" not in values:
        values["changed_at"] = written(now)
        remarks.append(f"changed_at is now, {values['changed_at']}.")
    return _finished(kind, values, "", now, remarks)


def _stated(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, a repository by its one name and several labels as a list."""
    stated = {
        key: value
        for key, value in given.items()
        if value not in (None, "", ()) and (value is not False or key in _EITHER)
    }
    if "repository" in stated:
        stated["repository"] = repository_name(stated["repository"]) or stated["repository"]
    if "url" in stated:
        stated["url"] = without_credentials(stated["url"])
    return {key: list(v) if isinstance(v, Sequence) and not isinstance(v, str) else v
            for key, v in stated.items()}  # fmt: skip


def _status(word: str) -> str:
    meant = status(word)
    words = columns(KINDS["deployment"])["status"].words
    if meant not in words:
        raise UsageError(
            f"--status {word!r} is no status of a deployment.",
            hint=f"It is one of: {', '.join(words)}; success, failure and canceled will do.",
        )
    return meant


def _in_utc(values: dict[str, Any]) -> dict[str, Any]:
    for name in _TIMES:
        if name in values:
            try:
                values[name] = written(moment(values[name]))
            except ValueError as error:
                raise UsageError(
                    f"--{name.removesuffix('_at')}: {error}.",
                    hint="Give it with its offset, 2026-03-01T12:00:00Z, or as seconds since 1970.",
                ) from None
    for first, last in _ORDER:
        if first in values and last in values and moment(values[last]) < moment(values[first]):
            raise UsageError(
                f"{last} ({values[last]}) is before {first} ({values[first]}).",
                hint="Correct one of them.",
            )
    return values


def _finished(
    kind: str, values: dict[str, Any], run: str, now: datetime, remarks: Sequence[str]
) -> Said:
    named = values.pop("id", None) or natural_id(kind, values, run)
    line = {"record": kind, "id": named, **values, "recorded_at": written(now)}
    return Said(line, tuple(remarks))


def _listed(taken: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {text}" for name, text in taken.items())
