"""Deployments read from git: version tags, or every commit that lands on a branch.

Times. A tag was made when its tagger says; a lightweight tag, or one without tagger, is taken to be
as old as its commit. What lands on a branch lands in first-parent order, so where a committer's
clock contradicts that order the commit takes the time of the one before it; how many did is noted.
Which ones contradict is decided by the longest row of commits whose clocks agree, so that a single
wild clock, fast or slow, moves nothing but itself. `commits` keeps what the clock said.
"""

from __future__ import annotations

import bisect
import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from connectors.git.clone import TAGS, Snapshot
from connectors.git.process import GitProcess
from dora.errors import RepositoryError

RuleKind = Literal["tags", "merges", "file"]
PRE_RELEASE = "pre-release"
_LATEST = 99_999_999_999
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes a deployment: `tags:GLOB`, `merges:BRANCH` or `file:PATH`."""

    kind: RuleKind
    argument: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.argument}"


def rule(text: str) -> Rule:
    """A rule as it is written.

    Raises:
        ValueError: It is none of the three kinds, or has nothing after the colon.
    """
    kind, colon, argument = text.partition(":")
    if kind not in {"tags", "merges", "file"} or not colon or not argument.strip():
        raise ValueError(
            f"{text!r} is no rule for deployments; "
            "write tags:v* or merges:main or file:deployments.csv"
        )
    return Rule(cast("RuleKind", kind), argument.strip())


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag that names a commit.

    Attributes:
        name: Its name, without `refs/tags/`.
        sha: The commit.
        seconds: When it was made, as seconds since 1970.
        rule: The rule that it fits.
    """

    name: str
    sha: str
    seconds: int
    rule: Rule

    @property
    def prerelease(self) -> bool:
        """Whether its name announces a release."""
        from connectors.git.versions import version

        found = version(self.name)
        return found is not None and found.prerelease


def fitting(names: Iterable[str], rules: Sequence[Rule]) -> dict[str, Rule]:
    """The tags that a rule fits, each with the first such rule; `*` stands for anything."""
    fits: dict[str, Rule] = {}
    for name in names:
        for one in rules:
            if one.kind == "tags" and fnmatch.fnmatchcase(name, one.argument):
                fits[name] = one
                break
    return fits


def require(clone: Snapshot, rules: Sequence[Rule]) -> None:
    """See that every rule finds something to go by.

    Raises:
        RepositoryError: No tag fits, or there is no such branch.
    """
    tags = sorted(clone.tags())
    for one in rules:
        if one.kind == "tags" and not fitting(tags, [one]):
            raise RepositoryError(
                f"No tag of {clone.repository} fits {one}.", hint=_tags_hint(clone, tags)
            )
        if one.kind == "merges" and clone.branch(one.argument) is None:
            known = clone.branches()
            raise RepositoryError(
                f"{clone.repository} has no branch {one.argument!r}.",
                hint=f"It has {some(known)}." if known else "It has no branches at all.",
            )


def _tags_hint(clone: Snapshot, tags: Sequence[str]) -> str:
    if tags:
        return f"Its tags are {some(tags)}; change the rule to fit those that were deployed."
    branch = clone.default_branch or "main"
    return (
        "It has no tags at all: fetch them (git fetch --tags), "
        f'or use deployments = ["merges:{branch}"].'
    )


def some(names: Sequence[str]) -> str:
    """The last few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[-_SHOWN:]) + more


def read_tags(git: GitProcess, fits: Mapping[str, Rule]) -> tuple[list[Tag], list[str]]:
    """The tags that name commits, by time and name; and the names of those that do not.

    Raises:
        RepositoryError: An object that a tag names is damaged.
    """
    answer = git.ask(
        "for-each-ref",
        "--format=%(refname)%00%(objecttype)%00%(objectname)%00%(committerdate:raw)"
        "%00%(taggerdate:raw)%00%(*objecttype)%00%(*objectname)%00%(*committerdate:raw)",
        TAGS,
    )
    found: list[Tag] = []
    strange: list[str] = []
    for line in answer.decode(errors="backslashreplace").splitlines():
        ref, kind, sha, made, tagged, kind_behind, behind, made_behind = line.split("\0")
        name = ref.removeprefix(TAGS)
        if name not in fits:
            continue
        if kind == "tag":
            sha, kind, made = behind, kind_behind, tagged or made_behind
        if kind == "tag":  # a tag of a tag; this git looked behind the first only
            sha, kind, made = _innermost(git, ref, tagged)
        seconds = _seconds(made)
        if kind == "commit" and seconds is not None:
            found.append(Tag(name, sha, seconds, fits[name]))
        else:
            strange.append(name)
    return sorted(found, key=lambda tag: (tag.seconds, tag.name)), strange


def _innermost(git: GitProcess, ref: str, tagged: str) -> tuple[str, str, str]:
    answer = git.ask("cat-file", "--batch-check", given=f"{ref}^{{}}\n".encode())
    sha, kind = answer.decode().split()[:2]
    if kind == "commit" and not tagged:
        tagged = git.ask("show", "-s", "--format=%ct", sha).decode()
    return sha, kind, tagged


def _seconds(raw: str) -> int | None:
    number = raw.split(" ", 1)[0].strip()
    return int(number) if number.isdigit() and int(number) <= _LATEST else None


@dataclass(frozen=True, slots=True)
class Inferred:
    """A deployment inferred from git, before it is a fact.

    Attributes:
        id: The oldest tag, or the commit that landed.
        environment: Where it went.
        sha: The commit deployed.
        seconds: When, as seconds since 1970.
        rule: The rule that made it a deployment.
        tags: All tags that are this deployment, oldest first.
    """

    id: str
    environment: str
    sha: str
    seconds: int
    rule: str
    tags: tuple[str, ...] = ()

    @property
    def finished_at(self) -> datetime:
        """When it is taken to have finished."""
        return datetime.fromtimestamp(self.seconds, UTC)


def from_tags(tags: Iterable[Tag], environment: str) -> list[Inferred]:
    """Deployments by tags: those on one commit are one, as old as the oldest.

    Args:
        tags: By time and name.
        environment: Where releases go; pre-releases go to `pre-release`.
    """
    together: dict[tuple[str, str], list[Tag]] = {}
    for tag in tags:
        place = PRE_RELEASE if tag.prerelease else environment
        together.setdefault((tag.sha, place), []).append(tag)
    return [
        Inferred(
            same[0].name,
            place,
            sha,
            same[0].seconds,
            str(same[0].rule),
            tuple(tag.name for tag in same),
        )
        for (sha, place), same in together.items()
    ]


def from_merges(
    git: GitProcess, tip: str, one: Rule, environment: str
) -> tuple[list[Inferred], int]:
    """Deployments by what landed, first to last; and how many took the time of the one before.

    Raises:
        RepositoryError: Git failed.
    """
    shas, clocks = _first_parents(git, tip)
    times = in_order(clocks)
    moved = sum(1 for time, clock in zip(times, clocks, strict=True) if time != clock)
    deployed = [
        Inferred(sha, environment, sha, seconds, str(one))
        for sha, seconds in zip(shas, times, strict=True)
    ]
    return deployed, moved


def _first_parents(git: GitProcess, tip: str) -> tuple[list[str], list[int]]:
    """The commits from the root to the tip by first parents, and what their clocks said."""
    text = git.ask("rev-list", "--first-parent", "--reverse", "--timestamp", tip, "--").decode()
    lines = [line.split(" ") for line in text.splitlines()]
    return [sha for _, sha in lines], [min(int(clock), _LATEST) for clock, _ in lines]


def in_order(clocks: Sequence[int]) -> list[int]:
    """Times that never run backwards, changed in as few places as can be.

    The longest non-decreasing row of the clocks stays as it is; every other one takes the time of
    the one before, and those before the first that stays take that one's.
    """
    ends: list[int] = []  # smallest last clock of a row of each length
    places: list[int] = []
    before: list[int] = []
    for place, clock in enumerate(clocks):
        length = bisect.bisect_right(ends, clock)
        before.append(places[length - 1] if length else -1)
        ends[length : length + 1] = [clock]
        places[length : length + 1] = [place]
    kept: set[int] = set()
    place = places[-1] if places else -1
    while place >= 0:
        kept.add(place)
        place = before[place]
    return list(_filled(clocks, kept))


def _filled(clocks: Sequence[int], kept: set[int]) -> Iterator[int]:
    time = clocks[min(kept)] if kept else 0
    for place, clock in enumerate(clocks):
        time = clock if place in kept else time
        yield time
