"""One service's history, played out event by event, and the notes of what truly happened."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from statistics import median

from dora.records import (
    Commit,
    CommitReference,
    Deployment,
    Incident,
    IncidentCause,
    PullRequest,
    PullRequestCommit,
    Record,
    Repository,
    Review,
)

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
END = datetime(2026, 7, 11, tzinfo=UTC)
NAMES = ("ada", "ben", "cleo", "dan", "eve", "fay", "gil")
BOT = "dependabot[bot] <bot@example.org>"


@dataclass(frozen=True, slots=True)
class Service:
    """How one service of the organisation works.

    Attributes:
        name: Its name, and that of its repository.
        team: Who owns it.
        squash: Whether pull requests land as one commit, or by a merge.
        hours_between: Usual hours between two deployments.
        changes_a_week: Pull requests merged a week.
        failing: Share of planned deployments that hurt users.
    """

    name: str
    team: str
    squash: bool
    hours_between: float
    changes_a_week: float
    failing: float

    @property
    def repository(self) -> str:
        """Its repository's canonical name."""
        return f"example.org/acme/{self.name}"


SERVICES = (
    Service("checkout", "payments", True, 12, 14, 0.12),
    Service("ledger", "payments", False, 84, 5, 0.18),
    Service("search", "discovery", True, 30, 9, 0.08),
)


@dataclass(slots=True)
class Truth:
    """What truly happened to one service, noted while it was played out.

    Attributes:
        deployments: Finish of each successful production deployment, by its id.
        lead_times: Finish of the delivering deployment and the time since the first commit, of
            every change made by a person and delivered after the first deployment.
        failed: Deployments that hurt users.
        restored: End and length of each of these failures that is over.
        rework: Deployments made to repair.
    """

    deployments: dict[str, datetime] = field(default_factory=dict)
    lead_times: list[tuple[datetime, timedelta]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    restored: list[tuple[datetime, timedelta]] = field(default_factory=list)
    rework: set[str] = field(default_factory=set)

    def values(self, start: datetime, end: datetime) -> dict[str, float]:
        """The true metrics of a window: rates as shares, times in seconds, deployments a week."""
        counted = {d for d, finish in self.deployments.items() if start <= finish < end}
        lead = [took for finish, took in self.lead_times if start <= finish < end]
        restored = [took for over, took in self.restored if start <= over < end]
        return {
            "deployment_frequency": len(counted) / ((end - start).days / 7),
            "lead_time": median(took.total_seconds() for took in lead),
            "change_failure_rate": len(counted & self.failed) / len(counted),
            "time_to_restore": median(took.total_seconds() for took in restored),
            "rework_rate": len(counted & self.rework) / len(counted),
        }


@dataclass(frozen=True, slots=True)
class _Change:
    """A pull request once merged: its landed commit and when its originals were authored."""

    number: int
    landed: str
    authored: list[datetime]
    is_bot: bool


class History:
    """Plays one service's history, keeping the facts and noting the truth."""

    def __init__(self, service: Service, seed: int) -> None:
        self.service = service
        self.random = random.Random(f"{seed}/{service.name}")
        self.truth = Truth()
        self.facts: list[Record] = []
        self._head = ""
        self._live = ""
        self._shas = 0
        self._numbers = 0
        self._attempts = 0
        self._arrivals = self._merge_times()
        self._waiting: list[_Change] = []

    def play(self) -> None:
        """All of it, from the first commit to the last deployment."""
        self._commit(START - timedelta(days=30), "Start")
        now = START + timedelta(hours=self.random.uniform(1, 8))
        self._land_until(now)
        self._deploy(now, self._head, baseline=True)
        while now < END - timedelta(days=1):
            now += timedelta(hours=self.service.hours_between * self.random.uniform(0.7, 1.3))
            self._land_until(now)
            shipped, before = list(self._waiting), self._live
            deployment = self._deploy(now, self._head)
            if shipped and self.random.random() < self.service.failing:
                over = self._fail(deployment, before, shipped[-1])
                now = max(now, over + timedelta(hours=3))
        self._land_until(END)
        self.facts.append(
            Repository(
                self.service.repository,
                default_branch="main",
                head_sha=self._head,
                url=f"https://{self.service.repository}",
            )
        )

    def _merge_times(self) -> list[datetime]:
        """When pull requests get merged, the last one first."""
        moments = []
        now = START - timedelta(days=7)
        while now < END:
            now += timedelta(hours=self.random.expovariate(self.service.changes_a_week / 168))
            moments.append(now)
        return moments[::-1]

    def _land_until(self, now: datetime) -> None:
        while self._arrivals and self._arrivals[-1] < now:
            self._merge(self._arrivals.pop(), f"Change {self._numbers + 1}")

    def _sha(self) -> str:
        self._shas += 1
        text = f"{self.service.name}/{self._shas}"
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def _commit(self, moment: datetime, subject: str, second_parent: str = "") -> str:
        """A commit on the main line; a merge if it has a second parent."""
        sha = self._sha()
        parents = " ".join(filter(None, (self._head, second_parent)))
        self.facts.append(
            Commit(
                self.service.repository, sha, parents, moment, moment, self._author, subject=subject
            )
        )
        self._head = sha
        return sha

    @property
    def _author(self) -> str:
        """Whose turn it is; everybody of a team works on the same number of changes."""
        name = NAMES[self._numbers % len(NAMES)]
        return f"{name.title()} <{name}@{self.service.team}.example.org>"

    def _merge(
        self, merged: datetime, title: str, *, label: str | None = None, hurry: bool = False
    ) -> _Change:
        """A pull request from its first commit to its merge."""
        self._numbers += 1
        author = BOT if not hurry and self.random.random() < 0.06 else self._author
        scale = 0.02 if hurry else 1.0
        review, pickup, coding = (
            timedelta(hours=scale * self.random.lognormvariate(mean, 0.9))
            for mean in (1.6, 1.9, 2.6)
        )
        opened = merged - review - pickup
        first = opened - coding
        authored = [first]
        authored += [first + coding * self.random.random() for _ in range(self.random.randrange(3))]
        originals = [(self._sha(), moment) for moment in authored]
        landed = self._land(merged, f"{title} (#{self._numbers})", originals, author)
        self._note_pull_request(
            PullRequest(
                self.service.repository,
                self._numbers,
                "merged",
                opened,
                approved_at=merged - review,
                merged_at=merged,
                closed_at=merged,
                title=title,
                labels=label,
                base_branch="main",
                head_branch=f"change/{self._numbers}",
                head_sha=originals[-1][0],
                merge_sha=landed,
                author=author,
                is_bot=author == BOT,
                url=f"https://{self.service.repository}/pull/{self._numbers}",
            ),
            originals,
        )
        change = _Change(self._numbers, landed, authored, author == BOT)
        self._waiting.append(change)
        return change

    def _land(
        self, merged: datetime, subject: str, originals: list[tuple[str, datetime]], author: str
    ) -> str:
        """Squashed into one commit, or merged with its commits beside the main line."""
        if self.service.squash:
            return self._commit(merged, subject)
        parent = self._head
        for sha, moment in originals:
            self.facts.append(
                Commit(self.service.repository, sha, parent, moment, moment, author, author == BOT)
            )
            parent = sha
        return self._commit(merged, subject, parent)

    def _note_pull_request(
        self, pull_request: PullRequest, originals: list[tuple[str, datetime]]
    ) -> None:
        repository, number = pull_request.repository, pull_request.number
        self.facts.append(pull_request)
        self.facts.extend(
            PullRequestCommit(
                repository, number, sha, moment, pull_request.author, pull_request.is_bot
            )
            for sha, moment in originals
        )
        reviewed = pull_request.approved_at
        if reviewed is not None:
            self.facts.append(
                Review(repository, number, f"{number}-1", reviewed, "approved", "person")
            )

    def _deploy(self, started: datetime, sha: str, *, baseline: bool = False) -> Deployment:
        """A deployment to production, after one to staging."""
        self._attempts += 1
        name = self.service.name
        planned = Deployment(
            f"{name}-{self._attempts}",
            self.service.repository,
            "production",
            "succeeded",
            started,
            started + timedelta(minutes=self.random.uniform(3, 20)),
            sha,
            name,
            version=f"1.{self._attempts}.0",
            url=f"https://{self.service.repository}/deployments/{self._attempts}",
        )
        self.facts += [
            replace(
                planned,
                id=f"{planned.id}-staging",
                environment="staging",
                started_at=started - timedelta(hours=1),
                finished_at=started - timedelta(minutes=50),
            ),
            planned,
        ]
        self.truth.deployments[planned.id] = finish(planned)
        for change in self._waiting:
            before_the_record = baseline and change.landed != sha
            if not change.is_bot and not before_the_record:
                self.truth.lead_times.extend(
                    (finish(planned), finish(planned) - moment) for moment in change.authored
                )
        self._waiting.clear()
        self._live = sha
        return planned

    def _fail(self, bad: Deployment, before: str, culprit: _Change) -> datetime:
        """Users are hurt, and one of the ways out is taken; when it is over."""
        self.truth.failed.add(bad.id)
        way = self.random.choice(("incident", "stated", "rollback", "hotfix", "revert"))
        if way in ("incident", "stated"):
            over, took = self._incident(bad, stated=way == "stated")
        else:
            over = finish(self._repair(way, bad, before, culprit))
            took = over - finish(bad)
        self.truth.restored.append((over, took))
        return over

    def _incident(self, bad: Deployment, *, stated: bool) -> tuple[datetime, timedelta]:
        detected = finish(bad) + timedelta(minutes=self.random.uniform(5, 180))
        took = timedelta(minutes=self.random.lognormvariate(4.2, 0.8))
        key = f"INC-{bad.id}"
        self.facts.append(
            Incident(
                key,
                detected,
                detected + took,
                detected + took,
                service=self.service.name,
                title="Errors above the threshold",
                severity="high",
                url=f"https://{self.service.repository}/incidents/{key}",
            )
        )
        if stated:
            self.facts.append(IncidentCause(key, bad.id))
        return detected + took, took

    def _repair(self, way: str, bad: Deployment, before: str, culprit: _Change) -> Deployment:
        """The deployment that ends it: the version before, a hotfix, or a revert."""
        moment = finish(bad) + timedelta(minutes=self.random.uniform(40, 120))
        sha = before
        if way != "rollback":
            self._land_until(moment)
            if way == "hotfix":
                self._merge(moment, "Hotfix for users", label="hotfix", hurry=True)
            else:
                undo = self._merge(moment, f'Revert "Change {culprit.number}"', hurry=True)
                self.facts.append(
                    CommitReference(self.service.repository, undo.landed, "reverts", culprit.landed)
                )
            sha = self._head
        repair = self._deploy(moment + timedelta(minutes=10), sha)
        self.truth.rework.add(repair.id)
        return repair


def finish(deployment: Deployment) -> datetime:
    """When a deployment of the sample was done; here they all are."""
    if deployment.finished_at is None:
        raise AssertionError(f"{deployment.id} of the sample never finished")
    return deployment.finished_at
