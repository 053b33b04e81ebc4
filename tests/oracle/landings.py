"""Where each pull request landed, and which original commits stand in what landed's stead."""

from __future__ import annotations

from dataclasses import dataclass

from dora.records import PullRequest, PullRequestCommit
from tests.oracle.streams import Graph
from tests.oracle.world import Known


@dataclass(frozen=True)
class Landing:
    """A merged pull request and the commit it landed as."""

    repository: str
    number: int
    sha: str
    fact: PullRequest | None

    @property
    def order(self) -> tuple[bool, int, int]:
        """First merged first; one seen by git alone comes last."""
        merged = self.fact.merged_at if self.fact else None
        return (merged is None, int(merged.timestamp() * 1_000_000) if merged else 0, self.number)


@dataclass(frozen=True)
class Original:
    """A commit as its author made it, and the pull request that it counts for."""

    sha: str
    landing: Landing
    landed_sha: str
    fact: PullRequestCommit | None


class Landings:
    """The merged pull requests of one repository, and what they say of its commits."""

    def __init__(self, known: Known, repository: str) -> None:
        self.known = known
        self.repository = repository
        self.commits = known.commits[repository]
        self.graph = Graph(self.commits)
        self.listed_anywhere = known.listed[repository]
        self.landings = self._landings()
        self.originals = self._originals()
        self.replaced = self._replaced()

    def _landings(self) -> dict[int, Landing]:
        found = {}
        numbers = {n for name, n in self.known.pulls if name == self.repository}
        stated = {c.pull_request for c in self.commits.values() if c.pull_request is not None}
        for number in sorted(numbers | stated):
            pull = self.known.pulls.get((self.repository, number))
            if pull is not None and not self.known.merged(self.repository, number):
                continue
            sha = self._landed_as(number, pull)
            if sha is not None:
                found[number] = Landing(self.repository, number, sha, pull)
        return found

    def _landed_as(self, number: int, pull: PullRequest | None) -> str | None:
        if pull and pull.merge_sha and self._is_known(pull.merge_sha):
            return pull.merge_sha
        named = [c for c in self.commits.values() if c.pull_request == number]
        if named:
            return min(named, key=lambda c: (c.committed_at, c.sha)).sha
        if pull and pull.head_sha and self._is_known(pull.head_sha):
            return pull.head_sha
        return None

    def _is_known(self, sha: str) -> bool:
        return sha in self.commits or sha in self.listed_anywhere

    def listed(self, number: int) -> dict[str, PullRequestCommit]:
        """The original commits of a pull request, as far as they are known."""
        return {o.sha: o for o in self.known.originals.get((self.repository, number), [])}

    def stands_at(self, landing: Landing) -> str:
        """Where a pull request that landed inside another one landed in the end."""
        return self.chain(landing)[-1]

    def chain(self, landing: Landing) -> list[str]:
        """Where a pull request landed, and where each one around it did, outwards."""
        chain, seen, here = [landing.sha], {landing.number}, landing
        while True:
            outer = [
                o
                for o in self.landings.values()
                if o.number not in seen and here.sha in self.listed(o.number) and o.sha != here.sha
            ]
            if not outer:
                return chain
            here = min(outer, key=lambda o: o.order)
            seen.add(here.number)
            chain.append(here.sha)

    def places(self, sha: str) -> set[str]:
        """The commits whose delivery delivers another: of an original, where it landed."""
        original = self.originals.get(sha)
        if original is not None:
            return set(self.chain(original.landing))
        landed = [x for x in self.landings.values() if x.sha == sha]
        return set(self.chain(min(landed, key=lambda x: x.order))) if landed else {sha}

    def _originals(self) -> dict[str, Original]:
        """Each original commit, at the pull request that was merged first of those that list it."""
        claims: dict[str, list[tuple[Landing, PullRequestCommit]]] = {}
        for landing in self.landings.values():
            for sha, fact in self.listed(landing.number).items():
                if not self._is_inner_landing(sha, landing):
                    claims.setdefault(sha, []).append((landing, fact))
        owned = {}
        for sha, claimed in claims.items():
            landing, fact = min(claimed, key=lambda c: c[0].order)
            for other in self.landings.values():  # a squash whose originals are not known
                unlisted = not self.listed(other.number)
                if other.sha == sha and unlisted and other.order < landing.order:
                    landing = other
            owned[sha] = Original(sha, landing, self.stands_at(landing), fact)
        return owned

    def _is_inner_landing(self, sha: str, outer: Landing) -> bool:
        return any(
            inner.sha == sha
            and inner.number != outer.number
            and inner.sha != outer.sha
            and sha not in self.listed(inner.number)
            and self.listed(inner.number)
            for inner in self.landings.values()
        ) or self._is_rebased_inside(sha, outer)

    def _is_rebased_inside(self, sha: str, outer: Landing) -> bool:
        for inner in self.landings.values():
            if inner.number == outer.number or not self.listed(inner.number):
                continue
            if inner.sha in self.listed(outer.number) and sha in self._rebased(inner):
                return True
        return False

    def _rebased(self, landing: Landing) -> set[str]:
        """What a rebase made of the originals: first-parent ancestors of what landed.

        Back from there for as long as they share an original's author and authored time.
        """
        landed = self.commits.get(landing.sha)
        if landed is None or len(landed.parents.split()) > 1:
            return set()
        made = {(o.author, o.authored_at) for o in self.listed(landing.number).values()}
        found: set[str] = set()
        for sha in [landing.sha, *self.graph.first_parents(landing.sha)]:
            commit = self.commits[sha]
            if commit.author is None or (commit.author, commit.authored_at) not in made:
                break
            found.add(sha)
        return found - set(self.listed(landing.number))

    def _replaced(self) -> set[str]:
        gone: set[str] = set()
        for landing in self.landings.values():
            if self.listed(landing.number):
                gone |= {landing.sha} | self._rebased(landing)
        return gone - set(self.originals)
