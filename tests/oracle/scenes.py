"""One repository and what happens to it, told in short names and hours."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from dora.records import (
    Build,
    Commit,
    CommitPath,
    CommitReference,
    Deployment,
    FlagChange,
    Incident,
    IncidentCause,
    PullRequest,
    PullRequestCommit,
    Repository,
    Review,
)
from tests.oracle.world import R, World

START = datetime(2026, 4, 20, tzinfo=UTC)
TICK = timedelta(microseconds=1)
KINDS = {
    "production": "production",
    "prod-eu": "production",
    "prod-us": "production",
    "staging": "staging",
    "pre-release": "staging",
    "mystery": "other",
}


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


class Scene:
    """One repository and what happens to it; short names become ids that are unique."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.repository = f"example.org/{name}"

    def facts(self, record_type: type[R]) -> list[R]:
        return [r for _, r in self.world.of(record_type) if r.repository == self.repository]

    def sha(self, short: str) -> str:
        return hashlib.sha1(f"{self.name}/{short}".encode()).hexdigest()

    def id(self, short: str) -> str:
        return f"{self.name}:{short}"

    def line(self, *names: str, after: str = "", hour: float = 0) -> None:
        """Commits in a row, an hour apart."""
        before = after
        for number, name in enumerate(names):
            self.commit(name, before, hour + number)
            before = name

    def commit(self, name: str, parents: str = "", hour: float = 0, **more: Any) -> None:
        made = {"author": "ann", "subject": name, "committed_at": at(hour)} | more
        authored = made.pop("authored_at", at(hour))
        paths = made.pop("paths", ())
        self.world.add(
            Commit(
                self.repository,
                self.sha(name),
                " ".join(self.sha(p) for p in parents.split()),
                authored,
                **made,
            )
        )
        self.world.add(*(CommitPath(self.repository, self.sha(name), p) for p in paths))

    def head(self, name: str) -> None:
        self.world.add(Repository(self.repository, "main", self.sha(name)))

    def says(self, sha: str, kind: Any, target: str, short: int = 40) -> None:
        self.world.add(
            CommitReference(self.repository, self.sha(sha), kind, self.sha(target)[:short])
        )

    def deploy(
        self,
        name: str,
        sha: str | None,
        hour: float,
        environment: str = "production",
        full: str | None = None,
        **more: Any,
    ) -> None:
        made: dict[str, Any] = {
            "status": "succeeded",
            "finished_at": at(hour),
            "started_at": at(hour) - timedelta(minutes=5),
            "sha": self.sha(sha) if sha else full,
        } | more
        for link in ("fixes", "rolls_back"):
            if link in made:
                made[link] = self.id(made[link])
        self.world.add(
            Deployment(
                self.id(name),
                self.repository,
                environment,
                version=f"v{name}",
                url=f"https://example.org/deployments/{self.id(name)}",
                **made,
            )
        )

    def pull(
        self,
        number: int,
        hour: float,
        merged: float | None,
        lands: str | None,
        originals: str = "",
        **more: Any,
    ) -> None:
        made: dict[str, Any] = {
            "state": "open" if merged is None else "merged",
            "merged_at": None if merged is None else at(merged),
            "merge_sha": self.sha(lands) if lands else None,
            "title": f"Change {number}",
        } | more
        self.world.add(
            PullRequest(
                self.repository,
                number,
                opened_at=at(hour),
                url=f"https://example.org/{self.name}/pull/{number}",
                **made,
            )
        )
        for place, name in enumerate(originals.split()):
            self.original(number, name, hour - 5 + place)

    def original(self, number: int, name: str, hour: float, **more: Any) -> None:
        made = {"author": "ann"} | more
        self.world.add(PullRequestCommit(self.repository, number, self.sha(name), at(hour), **made))

    def review(self, number: int, name: str, hour: float, by: Any = "person") -> None:
        self.world.add(Review(self.repository, number, name, at(hour), "commented", by))

    def incident(self, name: str, hour: float, until: float | None, **more: Any) -> None:
        made: dict[str, Any] = {"service": self.name} | more
        if "duplicate_of" in made:
            made["duplicate_of"] = self.id(made["duplicate_of"])
        detected = made.pop("detected_at", at(hour))
        self.world.add(
            Incident(
                self.id(name),
                detected,
                resolved_at=None if until is None else at(until),
                url=f"https://example.org/incidents/{self.id(name)}",
                **made,
            ),
            source="pager",
        )

    def flag(self, flag: str, hour: float, share: float, **more: Any) -> None:
        made: dict[str, Any] = {"environment": "production", "service": self.name} | more
        number = len(self.world.of(FlagChange))
        self.world.add(
            FlagChange(
                f"{number:04}", f"{self.name}-{flag}", changed_at=at(hour), share=share, **made
            ),
            source="flags",
        )

    def build(self, sha: str, hour: float, status: Any, hours: float = 1, **more: Any) -> None:
        """A run of the check `test` on the default branch, unless more is said."""
        made: dict[str, Any] = {"name": "test", "branch": "main"} | more
        number = len(self.world.of(Build))
        self.world.add(
            Build(
                f"{self.name}:{number:04}",
                self.repository,
                self.sha(sha),
                status=status,
                started_at=at(hour),
                finished_at=at(hour + hours),
                **made,
            ),
            source="ci",
        )

    def cause(self, incident: str, text: str) -> None:
        self.world.add(IncidentCause(self.id(incident), text), source="pager")


def versions(scene: Scene, order: str, hour: float = 100) -> None:
    """Deployments of a..z ten hours apart, one for each letter."""
    names = sorted({"a", *order} - {"?"})
    scene.line(*names)
    scene.head(names[-1])
    for place, letter in enumerate(order):
        scene.deploy(f"{place}{letter}", None if letter == "?" else letter, hour + 10 * place)
