"""Which columns of a file are read, and into which of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.files import paths
from connectors.files.objects import ENDS
from connectors.files.options import FilesOptions
from dora.errors import SourceError
from dora.records import Incident, Record, columns
from dora.spelling import closest

OURS_ALONE = frozenset({"source", "commit_id"})
"""Columns of an exported store that are the store's, not the fact's."""

TESTED = "?"
"""What the names of columns begin with that are only there for `where`."""


class Header:
    """Chooses the columns of a file."""

    def __init__(
        self, place: str, record_type: type[Record], options: FilesOptions, notes: list[str]
    ) -> None:
        self._place = place
        self._type = record_type
        self._options = options
        self._notes = notes

    def choose(self, header: Sequence[str]) -> Mapping[str, str]:
        """The file's name for each of our columns that it has.

        Raises:
            SourceError: A column is missing, doubled, or looks misspelt.
        """
        doubled = {name for name in header if name and header.count(name) > 1}
        if doubled:
            raise self._error(f"has two columns {sorted(doubled)[0]!r}", "Rename one of them.")
        known = columns(self._type)
        chosen = {ours: theirs for ours in known if (theirs := self._theirs(ours, header))}
        rest = self._rest(header, chosen)
        for ours, column in known.items():
            needed = column.required and not column.nameless
            if needed and ours not in chosen and ours not in self._options.defaults:
                raise self._missing(ours, rest)
        absent = [ours for ours in known if ours not in chosen]
        for name in rest if not self._nested(rest) else []:
            close = closest(name, absent, alike=0.85)
            if close:
                hint = f"Did you mean {close[0]!r}? Rename it, or map it under `columns`."
                raise self._error(f"has an unknown column {name!r}", hint)
        unread = [n for n in rest if paths.root(n) == n or paths.root(n) not in header]
        if unread:
            listed = ", ".join(unread)
            self._notes.append(f"{self._place}: not read, as no fact has them: {listed}.")
        return {**chosen, **self._tested(header)}

    def choose_causes(self, header: Sequence[str]) -> Mapping[str, str]:
        """The same for the causes that incidents state; empty where they state none."""
        id_ = self._theirs("id", header)
        if id_ is None or self._options.caused_by not in header:
            return {}
        chosen = {"incident": id_, "cause": self._options.caused_by}
        return {**chosen, **self._tested(header)}

    def _tested(self, header: Sequence[str]) -> dict[str, str]:
        for name in self._options.where:
            if name not in header and header:
                raise self._error(
                    f"has no column {name!r}, which `where` names", f"It has: {', '.join(header)}."
                )
        return {f"{TESTED}{name}": name for name in self._options.where}

    def _rest(self, header: Sequence[str], chosen: Mapping[str, str]) -> list[str]:
        """What the file has and nobody reads."""
        read = set(chosen.values())
        used = OURS_ALONE | {paths.root(path) for path in (*read, *self._options.where)}
        if self._type is Incident:
            updates = self._options.updates
            used |= {paths.root(self._options.caused_by)}
            used |= {paths.root(updates.at)} if updates else set()
        return [name for name in header if name and name not in read and name not in used]

    def _nested(self, rest: list[str]) -> bool:
        return any("." in name for name in rest)

    def _theirs(self, ours: str, header: Sequence[str]) -> str | None:
        mapped = self._options.columns.get(ours)
        if mapped is None and self._told(ours):
            return None
        if mapped is None:
            folded = {name.casefold(): name for name in reversed(header)}
            return ours if ours in header else folded.get(ours)
        if mapped not in header and header:
            close = closest(mapped, header)
            there = close[0] if close else ", ".join(header)
            meant = f"Did you mean {there!r}?" if close else f"It has: {there}."
            raise self._error(f"has no column {mapped!r}, which {ours!r} is mapped to", meant)
        return mapped

    def _told(self, ours: str) -> bool:
        """Whether the history of an incident tells it."""
        return self._options.updates is not None and self._type is Incident and ours in ENDS

    def _missing(self, ours: str, rest: list[str]) -> SourceError:
        close = closest(ours, rest)
        meant = f"Is it {close[0]!r}? " if close else ""
        example = f'columns = {{ {ours} = "{close[0] if close else "theirs"}" }}'
        return self._error(
            f"has no column {ours!r}",
            f"{meant}Map it, {example}, or give every row the same under `defaults`.",
        )

    def _error(self, what: str, hint: str) -> SourceError:
        return SourceError(f"{self._place} {what}.", hint=hint)
