"""A local git clone: its commits, what they say of each other, and deployments inferred from it.

    [[sources]]
    name = "shop"
    kind = "git"
    path = "../shop"                 # a clone, full or bare; sha1 or sha256
    deployments = ["tags:v*"]        # or merges:BRANCH, or file:PATH; none if left out

Nothing is fetched and nothing is written there: `git fetch` is yours to run, before a sync. Read
are branches, tags and remote branches, not pull request refs, stashes or notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.git import history, messages
from connectors.git.clone import HEADS, REMOTES, TAGS, Snapshot, present, snapshot
from connectors.git.deployed import DeploymentStream
from connectors.git.deployments import fitting, require, rule, some
from connectors.git.patches import copies
from connectors.git.process import GitProcess
from dora.connector import Block, Checkpoint, Cursor, Finding, Item, Note
from dora.errors import RepositoryError, SourceError
from dora.records import Commit, CommitPath, CommitReference, Deployment, Record, Repository

_WHOLE = (HEADS, TAGS, REMOTES)


class Options(BaseModel):
    """The keys of a git source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(min_length=1, description="A clone or a bare repository")
    deployments: tuple[str, ...] = Field(
        default=(),
        description="What was deployed: tags:GLOB, merges:BRANCH or file:PATH; none if left out",
    )
    environment: str = Field(
        default="production",
        min_length=1,
        description="Where those deployments go; pre-release tags go to pre-release",
    )
    service: str | None = Field(default=None, description="What they deploy, if it is one service")
    repository: str | None = Field(
        default=None,
        pattern=r"^[^\s/]+(/[^\s/]+)+$",
        description="Canonical name host/owner/name, where the remote does not tell it",
    )
    default_branch: str | None = Field(
        default=None, description="Branch that work lands on, where the clone does not tell it"
    )
    refs: tuple[str, ...] = Field(
        default=_WHOLE, min_length=1, description="Prefixes of the refs whose commits are read"
    )
    line_counts: bool = Field(
        default=False, description="Count added and deleted lines; takes some forty times as long"
    )
    patch_ids: bool = Field(
        default=False, description="Find cherry-picks by their content too, not by message alone"
    )

    @field_validator("deployments")
    @classmethod
    def _known_rules(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(rule(text)) for text in given)


class Git:
    """Reads a local clone through the git command, incrementally, changing nothing there.

    Args:
        name: The source's name in the configuration.
        options: Its keys.
        base: The folder that relative paths are seen from.
    """

    kind: ClassVar[str] = "git"
    provides: ClassVar[tuple[type[Record], ...]] = (
        Repository,
        Commit,
        CommitPath,
        CommitReference,
        Deployment,
    )
    Options: ClassVar[type[BaseModel]] = Options

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        if not isinstance(options, Options):
            raise TypeError(f"a git source takes connectors.git.Options, not {type(options)}")
        self.name = name
        self.options = options
        self._base = base
        self._git = GitProcess(base / Path(options.path).expanduser())
        self._rules = tuple(rule(text) for text in options.deployments)
        self._clone: Snapshot | None = None
        self._served: set[type[Record]] = set()
        self._told: tuple[history.Range, list[messages.Reference]] | None = None

    @classmethod
    def suggest(cls, path: str | Path) -> tuple[str, str]:
        """The rule for deployments that fits a clone, and a sentence that says why.

        Version tags where there are any, else every commit that lands on the default branch.

        Raises:
            RepositoryError: Not a repository, an empty one, or one without tags and branches.
        """
        from connectors.git.versions import family

        clone = snapshot(GitProcess(Path(path)), refs=_WHOLE)
        found = family(clone.tags())
        if found:
            glob, count = found
            released = "One version tag fits" if count == 1 else f"{count} version tags fit"
            return f"tags:{glob}", f"{released} {glob}: each is a deployment."
        branch = clone.default_branch
        if branch is None or clone.branch(branch) is None:
            raise RepositoryError(
                f"{clone.repository} has no version tags and no branch that work lands on.",
                hint="Name what was deployed by a rule: tags:GLOB, merges:BRANCH or file:PATH.",
            )
        why = f"There are no version tags: every commit that lands on {branch} is a deployment."
        return f"merges:{branch}", why

    def clones(self) -> list[str]:
        """The repository it is a clone of.

        Raises:
            RepositoryError: No repository, or one without a commit.
        """
        clone = snapshot(self._git, refs=_WHOLE, repository=self.options.repository)
        return [] if clone.shallow else [clone.repository]

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        """Everything new of one type since `cursor`, or everything when it is None.

        Each type asked for once sees the same refs; asking again looks at the clone again.

        Raises:
            SourceError: The clone cannot be read to its end, or no tag or branch fits a rule.
        """
        streams: dict[type[Record], Callable[[Snapshot, Cursor | None], Iterator[Item]]] = {
            Repository: self._repository,
            Commit: self._commits,
            CommitPath: self._paths,
            CommitReference: self._references,
            Deployment: self._deployments,
        }
        if record_type not in streams:
            raise SourceError(
                f"A git source has no {record_type.table}.",
                hint=f"It has {', '.join(t.table for t in self.provides)}.",
            )
        yield from streams[record_type](self._look(record_type), cursor)

    def check(self) -> Iterator[Finding]:
        """Whether the clone is there, readable and whole, and whether the rules find something."""
        try:
            version = ".".join(str(number) for number in self._git.version())
            clone = self._snapshot()
            count = self._git.ask("rev-list", "--count", "--stdin", given=_all(clone).given())
        except SourceError as error:
            yield Finding("error", self.name, error.message, error.hint)
            return
        yield Finding(
            "ok",
            self.name,
            f"{clone.repository}: {int(count)} commits, read by git {version}.",
        )
        yield from self._doubts(clone)
        yield from self._rule_findings(clone)

    def _doubts(self, clone: Snapshot) -> Iterator[Finding]:
        if clone.shallow:
            yield Finding("warning", self.name, _SHALLOW, _DEEPEN)
        if clone.head_sha is None:
            yield Finding(
                "warning",
                self.name,
                f"The branch that work lands on is not known: {clone.default_branch or 'no HEAD'}.",
                "Name it: default_branch = ... in this source.",
            )

    def _rule_findings(self, clone: Snapshot) -> Iterator[Finding]:
        if not self._rules:
            yield Finding(
                "warning",
                self.name,
                "No rule says what was deployed; this source gives commits only.",
                'Add deployments = ["tags:v*"] unless another source gives deployments.',
            )
        for one in self._rules:
            try:
                require(clone, [one])
            except RepositoryError as error:
                yield Finding("error", self.name, error.message, error.hint)
                continue
            if one.kind == "file" and not (self._base / one.argument).is_file():
                yield Finding(
                    "error", self.name, f"There is no file {one.argument}.", f"Correct {one}."
                )
                continue
            said = (
                f"{len(fitting(clone.tags(), [one]))} tags fit" if one.kind == "tags" else "found"
            )
            yield Finding("ok", self.name, f"{one}: {said}.")

    def _look(self, record_type: type[Record]) -> Snapshot:
        """The clone as all streams of one sync see it."""
        if self._clone is None or record_type in self._served:
            self._clone, self._served = self._snapshot(), set()
        self._served.add(record_type)
        return self._clone

    def _snapshot(self) -> Snapshot:
        options = self.options
        self._git.version()
        return snapshot(
            self._git,
            refs=options.refs,
            repository=options.repository,
            default_branch=options.default_branch,
        )

    def _repository(self, clone: Snapshot, cursor: Cursor | None) -> Iterator[Item]:
        found: dict[str, Any] = {
            "repository": clone.repository,
            "default_branch": clone.default_branch,
            "head_sha": clone.head_sha,
            "incomplete": bool(clone.shallow),
            "url": clone.url,
        }
        if found != cursor:
            former = (cursor or found)["repository"]
            if former != clone.repository:
                yield Note(
                    f"{former} is now called {clone.repository}; what was read under the old name "
                    "stays until the store is begun anew."
                )
            yield Repository(**found)
        if clone.shallow:
            yield Note(f"{clone.repository}: {_SHALLOW} {_DEEPEN}")
        yield Checkpoint(found)

    def _commits(self, clone: Snapshot, cursor: Cursor | None) -> Iterator[Item]:
        asked = {"line_counts": self.options.line_counts}
        commits, standing = self._range(clone, cursor, asked)
        if commits.tips:
            yield from self._rewritten(clone, cursor)
            log = history.Log(self._git, commits, clone.repository)
            columns, rows = history.COLUMNS, history.Rows(log.rows())
            if self.options.line_counts:
                from connectors.git.lines import counted

                columns += history.COUNT_COLUMNS
                rows = history.Rows(history.text(counted(self._git, log.lines())))
            yield Block(Commit, columns, delimited=rows)
            rows.finish()
            yield from log.rejected
            self._told = (commits, log.references)
        yield Checkpoint(standing)

    def _paths(self, clone: Snapshot, cursor: Cursor | None) -> Iterator[Item]:
        commits, standing = self._range(clone, cursor, {})
        if commits.tips:
            rows = history.Rows(history.paths(self._git, commits, clone.repository))
            yield Block(CommitPath, history.PATH_COLUMNS, delimited=rows)
            rows.finish()
        yield Checkpoint(standing)

    def _references(self, clone: Snapshot, cursor: Cursor | None) -> Iterator[Item]:
        commits, standing = self._range(clone, cursor, {"patch_ids": self.options.patch_ids})
        if commits.tips:
            for sha, kind, target in self._said(commits):
                yield CommitReference(clone.repository, sha, kind, target)
        if self.options.patch_ids and clone.head_sha and standing != cursor:
            for sha, target in copies(self._git, self._released(clone), clone.head_sha):
                yield CommitReference(
                    clone.repository, sha, "cherry_picked_from", target, rule="patch-id"
                )
        yield Checkpoint(standing)

    def _said(self, commits: history.Range) -> Iterator[messages.Reference]:
        """What messages say; known already where the same commits have just been read."""
        told, self._told = self._told, None
        if told is not None and told[0] == commits:
            return iter(told[1])
        return history.referring(self._git, commits)

    def _released(self, clone: Snapshot) -> set[str]:
        tags = clone.tags()
        released = {tags[name] for name in fitting(tags, self._rules)}
        places = (clone.branch(r.argument) for r in self._rules if r.kind == "merges")
        return released | {place[1] for place in places if place}

    def _deployments(self, clone: Snapshot, cursor: Cursor | None) -> Iterator[Item]:
        options = self.options
        stream = DeploymentStream(
            self._git, clone, self._rules, options.environment, options.service, self._base
        )
        return stream.items(cursor)

    def _range(
        self, clone: Snapshot, cursor: Cursor | None, asked: Mapping[str, Any]
    ) -> tuple[history.Range, Cursor]:
        """The commits that are new, and the cursor that stands behind them.

        All are new if something else is asked for than last time, or history was deepened.
        """
        question = {"repository": clone.repository, "shallow": clone.shallow, **asked}
        standing = {"asked": question, "refs": dict(clone.refs)}
        if cursor is None or cursor.get("asked") != question:
            return _all(clone), standing
        old = set(cursor["refs"].values())
        new = clone.tips() - old
        known = present(self._git, old) if new else set()
        return history.Range(tuple(sorted(new)), tuple(sorted(known))), standing

    def _rewritten(self, clone: Snapshot, cursor: Cursor | None) -> Iterator[Note]:
        """Branches whose earlier commits are no longer behind them."""
        refs: Mapping[str, str] = cursor["refs"] if cursor else {}
        moved = {
            ref: old
            for ref, old in refs.items()
            if clone.refs.get(ref, old) != old and not ref.startswith(TAGS)
        }
        there = present(self._git, moved.values())
        # One walk finds what no ref has any more; only a branch that work is deployed from is
        # looked at by itself, as another branch may still hold what it lost.
        lost = self._lost(there, clone.tips())
        main = clone.branch(clone.default_branch or "")
        if main and moved.get(main[0]) in there:
            lost |= self._lost({moved[main[0]]}, {main[1]})
        names = sorted(ref for ref, old in moved.items() if old in lost or old not in there)
        if names:
            yield Note(f"History was rewritten: {some(names)}. Commits read earlier are kept.")

    def _lost(self, old: Set[str], new: Set[str]) -> set[str]:
        """Commits behind old tips that no new tip reaches."""
        if not old:
            return set()
        given = history.Range(tuple(old), tuple(new)).given()
        return set(self._git.ask("rev-list", "--stdin", given=given).decode().split())


_SHALLOW = "History is cut short (a shallow clone), so older commits and lead times are missing."
_DEEPEN = "Run git fetch --unshallow there and sync again."


def _all(clone: Snapshot) -> history.Range:
    return history.Range(tuple(sorted(clone.tips())), ())
