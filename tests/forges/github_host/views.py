"""What GraphQL shows of an organisation: one class for each of GitHub's types that is asked for.

A field that is not here and is asked for fails the test that asks; it never turns into null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tests.forges import facts
from tests.forges.github_host.connections import Connection, listed
from tests.forges.github_host.values import Seen, git_time, time
from tests.forges.organisation import Repository


class View:
    """What all shown things have in common."""

    type_name: ClassVar[str]


class Account(View):
    """A user, an organisation or a bot."""

    def __init__(self, seen: Seen, login: str, kind: str) -> None:
        self._seen = seen
        self.type_name = kind
        self.id = f"{kind[:1]}_{login}"
        self.login = login
        self.name = login.title()
        self.url = f"{seen.web}/{login}"

    def repositories(self, info: Any, **arguments: Any) -> Connection:
        """Those it owns, by name."""
        owned = [one for one in self._seen.all() if one.owner.casefold() == self.login.casefold()]
        for name, attribute in (("isArchived", "archived"), ("isFork", "fork")):
            if arguments.get(name) is not None:
                owned = [one for one in owned if getattr(one, attribute) == arguments[name]]
        order = arguments.get("orderBy") or {"field": "NAME", "direction": "ASC"}

        def key(one: Repository) -> tuple[Any, ...]:
            by = {
                "NAME": one.name,
                "CREATED_AT": time(one.created_at),
                "UPDATED_AT": time(one.pushed_at or one.created_at),
                "PUSHED_AT": time(one.pushed_at or one.created_at),
            }
            return by[order["field"]], one.id

        return Connection(
            owned, key, self._view, arguments, descending=order["direction"] == "DESC"
        )

    def _view(self, one: Repository) -> Any:
        from tests.forges.github_host.repositories import RepositoryView

        return RepositoryView(self._seen, one)


def actor(seen: Seen, person: facts.Person | None) -> Account | None:
    """An account, or nothing where it was deleted."""
    if person is None or not person.login:
        return None
    return Account(seen, person.login, "Bot" if person.bot else "User")


class GitActorView(View):
    """Who made a commit."""

    type_name = "GitActor"

    def __init__(self, seen: Seen, commit: facts.Commit, moment: Any) -> None:
        self.name = commit.author.name
        self.email = commit.author.email
        self.date = git_time(moment)
        known = commit.account and not commit.author.bot
        self.user = actor(seen, commit.author) if known else None


class CommitView(View):
    """A commit."""

    type_name = "Commit"

    def __init__(self, seen: Seen, repository: Repository, commit: facts.Commit) -> None:
        self._seen = seen
        self._repository = repository
        self._commit = commit
        self.id = f"C_{repository.id}_{commit.sha}"
        self.oid = commit.sha
        self.abbreviatedOid = commit.sha[:7]
        self.message = f"{commit.subject}\n\n{commit.body}" if commit.body else commit.subject
        self.messageHeadline = commit.subject
        self.messageBody = commit.body
        self.authoredDate = time(commit.authored_at)
        self.committedDate = time(commit.committed_at)
        self.author = GitActorView(seen, commit, commit.authored_at)
        self.committer = GitActorView(seen, commit, commit.committed_at)
        self.url = f"{seen.web}/{repository.path}/commit/{commit.sha}"

    def parents(self, info: Any, **arguments: Any) -> Connection:
        """Those it was made on, the first one first."""
        known = self._repository.commits
        return listed([known[sha] for sha in self._commit.parents], self._other, arguments)

    def history(self, info: Any, **arguments: Any) -> Connection:
        """It and everything behind it, the newest first."""
        rows: Sequence[facts.Commit] = self._repository.history(self.oid)
        since, until = arguments.get("since"), arguments.get("until")
        if since or until:
            low, high = since or "", until or "9"
            rows = [one for one in rows if low <= str(time(one.committed_at)) <= high]
        return listed(rows, self._other, arguments)

    def _other(self, commit: facts.Commit) -> CommitView:
        return CommitView(self._seen, self._repository, commit)

    def associatedPullRequests(self, info: Any, **arguments: Any) -> Connection:
        """The pull requests it came with."""
        from tests.forges.github_host.pulls import PullRequestView

        self._seen.need("pull_requests", self._repository)
        found = [
            pull
            for pull in self._repository.pulls.values()
            if self.oid in (*pull.commits, pull.merge_sha)
        ]
        return Connection(
            found,
            lambda pull: (pull.number,),
            lambda pull: PullRequestView(self._seen, self._repository, pull),
            arguments,
        )


class TagView(View):
    """The object of an annotated tag."""

    type_name = "Tag"

    def __init__(self, seen: Seen, repository: Repository, tag: facts.Tag) -> None:
        self.id = f"TA_{repository.id}_{tag.name}"
        self.oid = f"{abs(hash((tag.name, tag.sha))):040x}"[-40:]
        self.name = tag.name
        self.message = tag.name
        self.target = CommitView(seen, repository, repository.commits[tag.sha])
        self.tagger = _Tagger(tag)


class _Tagger(View):
    type_name = "GitActor"

    def __init__(self, tag: facts.Tag) -> None:
        self.name = "Releaser"
        self.email = "releaser@example.org"
        self.date = git_time(tag.tagged_at)
        self.user = None


class RefView(View):
    """A branch or a tag."""

    type_name = "Ref"

    def __init__(self, seen: Seen, repository: Repository, prefix: str, name: str) -> None:
        self.id = f"REF_{repository.id}_{prefix}{name}"
        self.name = name
        self.prefix = prefix
        if prefix == "refs/heads/":
            commit = repository.commits[repository.branches[name]]
            self.target: View = CommitView(seen, repository, commit)
            return
        tag = repository.tags[name]
        commit = repository.commits[tag.sha]
        annotated = tag.tagged_at is not None
        self.target = (
            TagView(seen, repository, tag) if annotated else CommitView(seen, repository, commit)
        )
