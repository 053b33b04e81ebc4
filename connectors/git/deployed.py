"""The stream of deployments of a clone: what is new, what changed, what is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.git.clone import Snapshot, present
from connectors.git.deployments import (
    Inferred,
    Rule,
    fitting,
    from_merges,
    from_tags,
    read_tags,
    require,
    rule,
    some,
)
from connectors.git.history import utf8
from connectors.git.process import GitProcess
from dora.connector import Block, Checkpoint, Cursor, Item, Note, Rejected, Removed
from dora.records import Deployment

if TYPE_CHECKING:
    from connectors.git.file import DeploymentFile

Key: TypeAlias = tuple[str, str, str]
"""Repository, environment and id of a deployment."""

_COLUMNS = (
    "id", "repository", "environment", "status", "finished_at", "sha", "service", "inferred",
    "rule",
)  # fmt: skip
_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class DeploymentStream:
    """Deployments of one clone by its rules.

    Attributes:
        git: The clone.
        clone: How it stands.
        rules: What makes a deployment.
        environment: Where deployments go that say nothing else.
        service: What they deploy, where it is stated.
        base: The folder that paths of files are seen from.
    """

    git: GitProcess
    clone: Snapshot
    rules: tuple[Rule, ...]
    environment: str
    service: str | None
    base: Path

    def items(self, cursor: Cursor | None) -> Iterator[Item]:
        """Everything that changed since the cursor, then a checkpoint.

        Raises:
            SourceError: No tag or branch fits a rule, a file is missing, or git failed.
        """
        before: Cursor = cursor or {}
        self._require(before)
        now = self._standing()
        if all(before.get(key) == value for key, value in now.items()):
            yield Checkpoint(before)
            return
        yield from self._tag_notes(before.get("tags", {}), now["tags"])
        again = before.get("asked") != now["asked"]  # the rules were changed: hand over all
        old = {} if again else _unfolded(before.get("deployed", {}))
        given: dict[Key, str] = {}
        for one in self._listed(now["tags"]):
            if isinstance(one, Deployment):
                key, digest = (one.repository, one.environment, one.id), _digest(one)
                given[key] = digest
                if old.get(key) == digest:
                    continue
            yield one
        gone = set(_unfolded(before.get("deployed", {})))
        if again or before["branches"] != now["branches"]:
            new, notes = self._landed(now)
            former, more = self._formerly_landed(before)
            yield from (*notes, *more)
            changed = [one for key, one in new.items() if again or former.get(key) != one]
            if changed:
                yield Block(Deployment, _COLUMNS, delimited=self._rows(changed))
            gone |= former.keys() - new.keys()
        yield from _removed(gone - given.keys())
        yield Checkpoint({**now, "deployed": _folded(given)})

    def _require(self, before: Cursor) -> None:
        """See that rules find something, unless tags that were there have been deleted since."""
        had_tags = bool(before.get("tags"))
        require(self.clone, [r for r in self.rules if not (had_tags and r.kind == "tags")])

    def _standing(self) -> dict[str, Any]:
        """All that deployments depend on, as a cursor keeps it."""
        tags = self.clone.tags()
        return {
            "asked": {
                "repository": self.clone.repository,
                "rules": [str(one) for one in self.rules],
                "environment": self.environment,
                "service": self.service,
            },
            "tags": {name: tags[name] for name in fitting(tags, self.rules)},
            "branches": {str(one): self._tip(one) for one in self.rules if one.kind == "merges"},
            "files": {f.rule: f.digest() for f in self._files()},
        }

    def _tip(self, one: Rule) -> str:
        place = self.clone.branch(one.argument)
        return place[1] if place else ""

    def _files(self) -> Iterator[DeploymentFile]:
        for one in self.rules:
            if one.kind == "file":
                from connectors.git.file import DeploymentFile

                path = self.base / one.argument
                yield DeploymentFile(
                    path, str(one), self.clone.repository, self.environment, self.service
                )

    def _tag_notes(self, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Note]:
        moved = sorted(name for name in new if old.get(name, new[name]) != new[name])
        deleted = sorted(set(old) - set(self.clone.tags()))
        if moved:
            yield Note(f"Tags were moved since the last sync: {some(moved)}.")
        if deleted:
            yield Note(f"Tags were deleted since the last sync: {some(deleted)}.")

    def _listed(self, names: Iterable[str]) -> Iterator[Deployment | Note | Rejected]:
        """Deployments by tags and files, those whose list is short enough to be remembered."""
        fits = fitting(names, self.rules)
        tags, strange = read_tags(self.git, fits) if fits else ([], [])
        if strange:
            yield Note(f"Tags that name no commit with a time are left out: {some(strange)}.")
        for one in from_tags(tags, self.environment):
            yield self._fact(one)
        for file in self._files():
            yield from file.deployments(self.git)

    def _fact(self, one: Inferred) -> Deployment:
        return Deployment(
            id=one.id,
            repository=self.clone.repository,
            environment=one.environment,
            status="succeeded",
            finished_at=one.finished_at,
            sha=one.sha,
            service=self.service,
            name=", ".join(one.tags),
            version=one.tags[0],
            inferred=True,
            rule=one.rule,
        )

    def _landed(self, now: Mapping[str, Any]) -> tuple[dict[Key, Inferred], list[Note]]:
        """Deployments by branches as they stand; by the first rule that says so."""
        found: dict[Key, Inferred] = {}
        notes: list[Note] = []
        for one in self.rules:
            if one.kind != "merges":
                continue
            landed, moved = from_merges(self.git, now["branches"][str(one)], one, self.environment)
            found = _keyed(landed, self.clone.repository) | found
            if moved:
                notes.append(
                    Note(
                        f"{moved} of {len(landed)} commits on {one.argument} have a clock that "
                        "contradicts their order; they count when the one before them does."
                    )
                )
        return found, notes

    def _formerly_landed(self, before: Cursor) -> tuple[dict[Key, Inferred], list[Note]]:
        """Deployments by branches as they were handed over, as far as git still knows."""
        tips, asked = before.get("branches", {}), before.get("asked", {})
        there = present(self.git, tips.values())
        found: dict[Key, Inferred] = {}
        for text, tip in tips.items():
            if tip in there:
                landed, _ = from_merges(self.git, tip, rule(text), asked["environment"])
                found = _keyed(landed, asked["repository"]) | found
        pruned = [text for text, tip in tips.items() if tip not in there]
        if not pruned:
            return found, []
        note = Note(
            f"The history behind {some(pruned)} was rewritten and the old one is gone from the "
            "clone; only a store begun anew is without the deployments inferred from it."
        )
        return found, [note]

    def _rows(self, deployed: list[Inferred]) -> Iterator[bytes]:
        for start in range(0, len(deployed), _ROWS):
            lines = [
                "\x1f".join(
                    (
                        one.id, self.clone.repository, one.environment, "succeeded",
                        str(one.seconds), one.sha, self.service or "", "1", one.rule,
                    )
                )
                for one in deployed[start : start + _ROWS]
            ]  # fmt: skip
            yield utf8("\n".join([*lines, ""]).encode())


def _keyed(deployed: Iterable[Inferred], repository: str) -> dict[Key, Inferred]:
    return {(repository, one.environment, one.id): one for one in deployed}


def _removed(keys: set[Key]) -> Iterator[Removed]:
    if keys:
        names = ("repository", "environment", "id")
        yield Removed(Deployment, tuple(dict(zip(names, k, strict=True)) for k in sorted(keys)))


def _digest(one: Deployment) -> str:
    """What tells a deployment from what it was; short, as a cursor keeps one for each."""
    finished = "" if one.finished_at is None else str(int(one.finished_at.timestamp()))
    rest = (one.status, one.version, one.name, one.rule, one.url, one.labels, one.fixes)
    text = "\x1f".join("" if part is None else part for part in (*rest, one.rolls_back))
    return f"{one.sha} {finished} {one.started_at or ''} {one.unplanned:d} {text}"


def _folded(given: Mapping[Key, str]) -> dict[str, dict[str, dict[str, str]]]:
    folded: dict[str, dict[str, dict[str, str]]] = {}
    for (repository, environment, id_), digest in given.items():
        folded.setdefault(repository, {}).setdefault(environment, {})[id_] = digest
    return folded


def _unfolded(folded: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[Key, str]:
    return {
        (repository, environment, id_): digest
        for repository, environments in folded.items()
        for environment, ids in environments.items()
        for id_, digest in ids.items()
    }
