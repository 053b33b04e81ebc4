"""Random worlds from a seed: histories, pull requests, deployments and incidents that collide.

Times are whole hours with a microsecond added now and then, so that equal instants and the very
edges of windows come up often.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from random import Random

from dora.records import Commit, Deployment
from tests.oracle.scenes import KINDS, TICK, Scene, at
from tests.oracle.world import Service, World

ENVIRONMENTS = ("production", "production", "prod-eu", "prod-us", "staging", "mystery")


class Story:
    """One random repository and what happened to it."""

    def __init__(self, world: World, name: str, seed: int, *, by_paths: bool) -> None:
        self.random = Random(seed)
        self.aside = Random(seed + 1000)  # what came later is drawn apart: the rest stays as it was
        self.scene = Scene(world, name)
        self.by_paths = by_paths
        self.services = [f"{name}-web", f"{name}-api"] if by_paths else [name]
        self.main: list[tuple[str, float]] = []
        self.numbers = 0
        self.taken: set[float] = set()

    def tell(self) -> None:
        self._history()
        self._deployments()
        self._incidents()

    def _paths(self) -> tuple[str, ...]:
        choices = (("web/a",), ("api/a",), ("web/a", "api/b"), ("docs/x",))
        return self.random.choice(choices) if self.by_paths else ()

    def _add(self, name: str, parents: str, hour: float, **more: object) -> tuple[str, ...]:
        r = self.random
        paths = self._paths()
        marks = {"subject": r.choice((name, name, name, f"Hotfix: {name}"))}
        marks |= {"is_bot": r.random() < 0.1, "author": r.choice(("ann", "bob"))}
        skew = r.choice((0, 0, 0, -30, 200))
        made = {"authored_at": at(hour + skew), "paths": paths} | marks | more
        if self.aside.random() < 0.3:
            made["subject"] = f"{made['subject']} ({self._key()})"
        self.scene.commit(name, parents, hour, **made)
        return paths

    def _history(self) -> None:
        r = self.random
        self._add("c0", "", 0)
        self.main.append(("c0", 0))
        for number in range(1, r.randint(14, 26)):
            tip, hour = self.main[-1]
            hour += r.randint(1, 12)
            name = f"c{number}"
            kind = r.choice(("plain", "plain", "squash", "merge", "rebase", "pick", "revert"))
            getattr(self, f"_{kind}")(name, tip, hour)
            self.main.append((name, hour))
        self.scene.head(self.main[-1][0])

    def _plain(self, name: str, tip: str, hour: float) -> None:
        self._add(name, tip, hour)

    def _pull(self, name: str, hour: float, originals: str, **more: object) -> int:
        r = self.random
        self.numbers += 1
        number = self.numbers
        opened = hour - r.randint(0, 6)
        marks: dict[str, object] = {"is_bot": r.random() < 0.1}
        if r.random() < 0.2:
            marks["labels"] = r.choice(("bug", "hotfix,bug", "Emergency"))
        if r.random() < 0.1:
            marks["head_branch"] = "hotfix/it"
        if r.random() < 0.3:
            marks["ready_at"] = at(opened + r.randint(-1, 3))
        self.scene.pull(number, opened, hour, name, originals, **(marks | more))
        for count in range(r.randint(0, 2)):
            self.scene.review(
                number,
                f"r{count}",
                opened + r.randint(-1, 8),
                r.choice(("person", "bot", "author")),
            )
        return number

    def _squash(self, name: str, tip: str, hour: float) -> None:
        self._add(name, tip, hour)
        originals = " ".join(f"{name}o{n}" for n in range(self.random.randint(0, 3)))
        self._pull(name, hour, originals)

    def _merge(self, name: str, tip: str, hour: float) -> None:
        branch = self.random.choice(self.main[-4:])[0]
        before, made = branch, []
        brought: set[str] = set()
        for number in range(self.random.randint(1, 3)):
            made.append(f"{name}b{number}")
            brought |= set(self._add(made[-1], before, hour - 1, author="ann"))
            before = made[-1]
        self._add(name, f"{tip} {before}", hour, subject=f"Merge {name}", paths=tuple(brought))
        if self.random.random() < 0.7:
            self._pull(name, hour, " ".join(made if self.random.random() < 0.7 else ()))

    def _rebase(self, name: str, tip: str, hour: float) -> None:
        opened = hour - 3
        self.scene.commit(
            f"{name}r0", tip, hour, authored_at=at(opened - 5), subject="one", paths=self._paths()
        )
        self.scene.commit(
            name, f"{name}r0", hour, authored_at=at(opened - 4), subject="two", paths=self._paths()
        )
        self.numbers += 1
        self.scene.pull(self.numbers, opened, hour, name, f"{name}q0 {name}q1")

    def _pick(self, name: str, tip: str, hour: float) -> None:
        """A copy on a side branch of something on the main line, deployed now and then."""
        self._add(name, tip, hour)
        base, source = (
            sorted(self.random.sample(range(len(self.main)), 2)) if (len(self.main) > 1) else (0, 0)
        )
        side = f"{name}p"
        self._add(side, self.main[base][0], hour)
        if source:
            self.scene.says(
                side, "cherry_picked_from", self.main[source][0], self.random.choice((40, 12))
            )

    def _revert(self, name: str, tip: str, hour: float) -> None:
        target = self.random.choice(self.main)[0]
        self._add(name, tip, hour)
        self.scene.says(name, "reverts", target, self.random.choice((40, 12)))

    def _deployments(self) -> None:
        r = self.random
        sides = [c.sha for c in self.scene.facts(Commit)]
        names = [name for name, _ in self.main]
        hour, place = 20.0, 0
        for number in range(r.randint(12, 24)):
            hour += r.choice((0, 1, 3, 7, 24, 24.0001))
            place = max(0, min(len(names) - 1, place + r.choice((1, 1, 1, 2, 3, 0, -1, -2))))
            more: dict[str, object] = {"service": r.choice([*self.services, None])}
            if not self.by_paths:
                more = {}
            if r.random() < 0.1:
                more["status"] = r.choice(("failed", "cancelled"))
            if r.random() < 0.05:
                more["labels"] = "failed,x"
            if number and r.random() < 0.1:
                more[r.choice(("fixes", "rolls_back"))] = f"d{r.randrange(number)}"
            if r.random() < 0.1:
                more["unplanned"] = True
            done = at(hour) + r.choice((timedelta(0), timedelta(0), TICK))
            environment = r.choice(ENVIRONMENTS)
            if (environment, done) in self.taken:
                done += timedelta(minutes=number)
            self.taken.add((environment, done))
            sha = None if r.random() < 0.06 else names[place]
            self.scene.deploy(
                f"d{number}", sha, hour, environment, **({"finished_at": done} | more)
            )
            if sides and r.random() < 0.15:
                self.scene.deploy(
                    f"e{number}", None, hour + 0.5, environment, full=r.choice(sides), **more
                )
        self.last = hour

    def _incidents(self) -> None:
        r = self.random
        finished = [d.finished_at for d in self.scene.facts(Deployment)]
        for number in range(r.randint(5, 12)):
            edge = r.choice(
                (
                    timedelta(0),
                    timedelta(hours=24),
                    timedelta(hours=24) + TICK,
                    timedelta(hours=5),
                    -TICK,
                )
            )
            detected = r.choice([f for f in finished if f]) + edge
            hours = (detected - at(0)) / timedelta(hours=1)
            until = r.choice((None, hours + 1, hours + 9, hours + 50, hours - 1))
            more: dict[str, object] = {"detected_at": detected, "service": r.choice(self.services)}
            if r.random() < 0.2:
                more |= {"service": None, "repository": self.scene.repository}
            more |= r.choice(
                (
                    {},
                    {},
                    {},
                    {"external": True},
                    {"not_planned": True},
                    {"duplicate_of": f"i{r.randrange(12)}"},
                )
            )
            if until and until > hours and r.random() < 0.3:
                more["first_resolved_at"] = at(hours + 0.5)
            more["severity"] = self.aside.choice((None, "SEV1", "sev2", "low"))
            if until and self.aside.random() < 0.4:
                self._flag(until)
            self.scene.incident(f"i{number}", hours, until, **more)
            if r.random() < 0.3:
                self.scene.cause(f"i{number}", self._named())
            elif self.aside.random() < 0.2:
                self.scene.cause(f"i{number}", self._key())

    def _key(self) -> str:
        """A tracker's key, one of few, so that several commits bear it."""
        return f"{self.scene.name.replace('-', '_').upper()}-{self.aside.randint(1, 3)}"

    def _flag(self, ended: float) -> None:
        """A flag set to something shortly before an incident ended, or just not shortly."""
        r = self.aside
        early = r.choice((0, 0.25, 1, 1.0001, -0.25))
        self.scene.flag(
            r.choice(("basket", "search")),
            ended - early,
            r.choice((0, 0, 0.5)),
            service=r.choice((*self.services, None)),
            environment=r.choice(("production", "prod-eu", "staging")),
        )

    def _named(self) -> str:
        r = self.random
        return r.choice(
            (
                self.scene.id(f"d{r.randrange(12)}"),
                self.scene.sha(r.choice(self.main)[0]),
                self.scene.sha(r.choice(self.main)[0])[:10],
                f"{self.scene.repository}#{r.randint(1, 4)}",
            )
        )


def random_world(seeds: Iterable[int]) -> World:
    """Several random repositories in one world; every third holds two services told by path."""
    seeds = list(seeds)
    services = tuple(
        Service(f"story-{seed}-{part}", (f"example.org/story-{seed}",), (f"{part}/**",), part)
        for seed in seeds
        if seed % 3 == 0
        for part in ("web", "api")
    )
    world = World(kinds=dict(KINDS), services=services)
    for seed in seeds:
        Story(world, f"story-{seed}", seed, by_paths=seed % 3 == 0).tell()
    return world
