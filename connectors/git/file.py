"""A file of deployments beside a clone: what was shipped when, with tags or commits of that clone.

CSV or JSON Lines (by its ending) with the columns of `Deployment`, of which `finished_at` and one
of `sha` (may be shortened) and `version` (or `tag`) are needed. Times carry their zone.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.git.process import GitProcess
from dora.connector import Rejected
from dora.errors import RecordError, SourceError
from dora.records import Deployment, columns

_TIMES = ("started_at", "finished_at")
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_FULL = (40, 64)
_KNOWN = (set(columns(Deployment)) - {"repository", "inferred", "rule"}) | {"tag"}


@dataclass(frozen=True, slots=True)
class DeploymentFile:
    """One file of deployments.

    Attributes:
        path: The file.
        rule: The rule as written in the configuration.
        repository: The repository deployed.
        environment: Where a row goes that names none.
        service: What a row deploys that names none.
    """

    path: Path
    rule: str
    repository: str
    environment: str
    service: str | None

    def digest(self) -> str:
        """What changes when the file does.

        Raises:
            SourceError: There is no such file.
        """
        return hashlib.sha256(self._read()).hexdigest()[:16]

    def deployments(self, git: GitProcess) -> Iterator[Deployment | Rejected]:
        """Each row as a deployment; a row that is none is told with its line.

        Raises:
            SourceError: There is no such file, or it has a column that is not known.
        """
        rows = list(self._rows())
        shas = _resolved(git, [_named(row) for _, row in rows])
        for (line, row), sha in zip(rows, shas, strict=True):
            try:
                yield self._deployment(row, sha)
            except (RecordError, ValueError) as error:
                yield Rejected(
                    Deployment,
                    location=f"{self.path}:{line}",
                    reason=getattr(error, "message", str(error)),
                    content=json.dumps(row, default=str),
                )

    def _deployment(self, row: Mapping[str, str], sha: str | None) -> Deployment:
        values: dict[str, Any] = {key: text for key, text in row.items() if text and key != "tag"}
        values.setdefault("version", row.get("tag") or None)
        if not values.get("finished_at"):
            raise ValueError("finished_at is missing")
        if not (values["version"] or values.get("sha")):
            raise ValueError("it names no sha and no version")
        for key in _TIMES:
            if key in values:
                values[key] = datetime.fromisoformat(values[key])
        if "unplanned" in values:
            values["unplanned"] = _flag(values["unplanned"])
        values.setdefault("id", f"{values['version'] or values['sha']}@{row['finished_at']}")
        values.setdefault("environment", self.environment)
        values.setdefault("service", self.service)
        values.setdefault("status", "succeeded")
        values.setdefault("name", values["version"])
        values["sha"] = sha
        return Deployment(repository=self.repository, rule=self.rule, **values)

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        text = self._read().decode("utf-8-sig", errors="replace")
        if self.path.suffix.lower() in {".jsonl", ".ndjson", ".json"}:
            yield from self._json_rows(text)
        else:
            reader = csv.DictReader(text.splitlines(keepends=True), restkey="")
            self._require_known(reader.fieldnames or ())
            for row in reader:
                yield reader.line_num, {key: (value or "") for key, value in row.items() if key}

    def _json_rows(self, text: str) -> Iterator[tuple[int, dict[str, str]]]:
        for line, one in enumerate(text.splitlines(), start=1):
            if not one.strip():
                continue
            try:
                row = json.loads(one)
            except ValueError as error:
                raise SourceError(
                    f"{self.path}:{line} is no JSON: {error}.", hint="Write one object a line."
                ) from error
            self._require_known(row)
            yield line, {key: "" if value is None else str(value) for key, value in row.items()}

    def _require_known(self, names: Any) -> None:
        unknown = sorted(set(names) - _KNOWN)
        if unknown:
            raise SourceError(
                f"{self.path} has a column that is not known: {', '.join(unknown)}.",
                hint=f"It may have: {', '.join(sorted(_KNOWN))}.",
            )

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise SourceError(
                f"{self.path} cannot be read: {error.strerror}.",
                hint=f"Correct the rule {self.rule}.",
            ) from error


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError(f"unplanned is true or false, not {text!r}")
    return _FLAGS[text.lower()]


def _named(row: Mapping[str, str]) -> tuple[str, ...]:
    """What git may know the row's commit by, best first."""
    sha, version = row.get("sha"), row.get("version") or row.get("tag")
    if sha:
        return (sha,)
    return (f"refs/tags/{version}", f"refs/tags/v{version}") if version else ()


def _resolved(git: GitProcess, named: list[tuple[str, ...]]) -> list[str | None]:
    """Full object ids; of what is not here, the id if it was given in full, else nothing."""
    asked = [f"{name}^{{commit}}" for names in named for name in names if name.isprintable()]
    if not asked:
        return [None] * len(named)
    answer = git.ask("cat-file", "--batch-check", given="\n".join([*asked, ""]).encode())
    found = {
        name: line.split()[0]
        for name, line in zip(asked, answer.decode(errors="replace").splitlines(), strict=True)
        if line.endswith(tuple("0123456789"))
    }
    return [_first(found, names) for names in named]


def _first(found: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    for name in names:
        if f"{name}^{{commit}}" in found:
            return found[f"{name}^{{commit}}"]
    return next((name.lower() for name in names if len(name) in _FULL), None)
