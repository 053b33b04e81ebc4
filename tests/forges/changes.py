"""What may happen to the organisation after its month: each by itself, in any order.

Every change takes the organisation and a time. A sync sees the `VISIBLE` ones because something is
newer than before; of the `SILENT` ones there is no trace but what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias

from tests.forges.facts import Tag
from tests.forges.organisation import Organisation, Repository
from tests.forges.scenario import ADA, GRACE, LINUS, NOW

Change: TypeAlias = Callable[[Organisation, datetime], None]


def play(organisation: Organisation, changes: Sequence[str], start: datetime = NOW) -> None:
    """Let changes happen, six hours apart; one of what is gone by then does not happen."""
    for number, name in enumerate(changes, 1):
        with organisation.lock, suppress(LookupError):
            ALL[name](organisation, start + timedelta(hours=6 * number))


def _of(organisation: Organisation, *names: str) -> Repository:
    """A repository by any of the names it may have by now."""
    found = [one for one in organisation.repositories.values() if one.name in names]
    return found[0]


def _shop(organisation: Organisation) -> Repository:
    return _of(organisation, "shop", "store")


def _work_is_delivered(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    sha = shop.commit("Wrap gifts", now, ADA, branch="gifts")
    number = shop.propose("Wrap gifts", now, ADA, [sha], head="gifts")
    shop.review(number, now + timedelta(minutes=10), GRACE, "approved")
    landed = shop.merge(number, now + timedelta(minutes=20), "squash", ADA)
    end = now + timedelta(minutes=40)
    shop.deploy(landed, now + timedelta(minutes=30), (end, "succeeded"))


def _an_open_incident_is_closed(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    shop.turn(shop.issue("Checkout is slow").number, now, "closed", ADA)


def _a_closed_incident_is_reopened(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    shop.turn(shop.issue("Words are missing").number, now, "reopened", LINUS)


def _an_incident_is_no_longer_one(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    shop.change(shop.issue("The stock is wrong").number, now, labels=("bug",))


def _a_bug_becomes_an_incident(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    shop.change(shop.issue("A price is cut off").number, now, labels=("bug", "incident"))


def _a_cause_is_found(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    cause = shop.pull("Sort the catalogue").merge_sha
    shop.change(shop.issue("Checkout is slow").number, now, caused_by=cause)


def _a_cause_was_wrong(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    shop.change(shop.issue("Words are missing").number, now, caused_by=None)


def _a_draft_becomes_ready(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    number = shop.pull("Try a new basket").number
    shop.make_ready(number, now)
    shop.review(number, now + timedelta(hours=1), LINUS, "changes_requested")


def _a_branch_is_rewritten(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    pull = shop.pull("Try a new basket")
    first = shop.commits[pull.commits[0]]
    parents = list(first.parents)
    again = shop.commit(
        "Try a basket", now, GRACE, branch=None, parents=parents, authored=first.authored_at
    )
    more = shop.commit("Try it again", now, GRACE, branch=None, parents=[again])
    shop.touch(pull.number, now, commits=(again, more))


def _work_given_up_is_taken_up(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    shop.touch(shop.pull("Sell bonds").number, now, closed_at=None)


def _a_label_comes_late(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    shop.touch(shop.pull("Sort the catalogue").number, now, labels=("hotfix", "late"))


def _an_approval_is_dismissed(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    pull = shop.pull("Pay by card")
    dismissed = tuple(replace(one, state="dismissed") for one in pull.reviews)
    shop.touch(pull.number, now, reviews=dismissed)


def _a_running_deployment_succeeds(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    running = [
        one.id
        for one in shop.deployments.values()
        if one.statuses and one.statuses[-1].state == "running"
    ]
    for id_ in running:
        shop.status(id_, now, "succeeded")


def _a_deployment_begins(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    shop.deploy(shop.branches[shop.default_branch], now, (now, "running"))


def _somebody_pushes(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    shop.commit("Mend a typo", now, LINUS, branch=shop.default_branch)


def _history_is_rewritten(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    old = shop.commits[shop.branches[shop.default_branch]]
    shop.commit(
        f"{old.subject}, again", now, ADA, branch=shop.default_branch, parents=list(old.parents)
    )


def _the_default_branch_is_another(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    shop.branches["trunk"] = shop.branches.pop(shop.default_branch)
    shop.default_branch = "trunk"
    shop.commit("Grow", now, LINUS, branch="trunk")


def _a_run_runs_again(organisation: Organisation, now: datetime) -> None:
    ledger = _of(organisation, "ledger", "books")
    newest = max(ledger.runs.values(), key=lambda run: (run.created_at, run.id))
    end = now + timedelta(minutes=10)
    ledger.rerun(newest.id, ("production", now, end, "succeeded"))


def _a_new_run_deploys(organisation: Organisation, now: datetime) -> None:
    ledger = _of(organisation, "ledger", "books")
    sha = ledger.commit("Add interest", now, LINUS)
    end = now + timedelta(minutes=10)
    ledger.run("Deploy", sha, now, ("production", now, end, "succeeded"))


def _a_draft_is_published(organisation: Organisation, now: datetime) -> None:
    cli = _of(organisation, "cli")
    for one in cli.releases.values():
        if one.draft:
            cli.releases[one.id] = replace(one, published_at=now, updated_at=now)
            return


def _a_version_is_tagged(organisation: Organisation, now: datetime) -> None:
    cli = _of(organisation, "cli")
    cli.tag(f"v2.{now:%d%H}", cli.commit("Page the list", now, ADA), now)


def _a_repository_is_renamed(organisation: Organisation, now: datetime) -> None:
    organisation.rename(_of(organisation, "ledger", "books").name, "books")


def _the_shop_is_renamed(organisation: Organisation, now: datetime) -> None:
    organisation.rename(_shop(organisation).name, "store")


def _a_repository_is_new(organisation: Organisation, now: datetime) -> None:
    fresh = organisation.add("fresh")
    sha = fresh.commit("Begin", now, ADA)
    fresh.deploy(sha, now, (now + timedelta(minutes=5), "succeeded"))


def _the_attic_is_opened(organisation: Organisation, now: datetime) -> None:
    _of(organisation, "attic").archived = False


# What leaves no trace
def _an_incident_is_deleted(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    del shop.issues[shop.issue("The network was slow").number]


def _a_cause_is_deleted_with_its_incident(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    del shop.issues[shop.issue("Words are missing").number]


def _a_deployment_is_deleted(organisation: Organisation, now: datetime) -> None:
    shop = _shop(organisation)
    del shop.deployments[min(shop.deployments)]


def _a_run_is_deleted(organisation: Organisation, now: datetime) -> None:
    ledger = _of(organisation, "ledger", "books")
    del ledger.runs[min(ledger.runs)]


def _a_tag_is_moved(organisation: Organisation, now: datetime) -> None:
    cli = _of(organisation, "cli")
    tag = cli.tags["v1.2.0"]
    parent = cli.commits[tag.sha].parents[0]
    cli.tags["v1.2.0"] = Tag(tag.name, parent, tag.tagged_at)


def _a_version_is_deleted(organisation: Organisation, now: datetime) -> None:
    cli = _of(organisation, "cli")
    cli.tags.pop("v1.0.0")
    for one in list(cli.releases.values()):
        if one.tag == "v1.0.0":
            del cli.releases[one.id]


def _a_repository_is_deleted(organisation: Organisation, now: datetime) -> None:
    organisation.delete("search")


def _a_repository_is_archived(organisation: Organisation, now: datetime) -> None:
    _of(organisation, "cli").archived = True


def _named(*changes: Change) -> Mapping[str, Change]:
    return MappingProxyType({one.__name__.strip("_").replace("_", " "): one for one in changes})


VISIBLE = _named(
    _work_is_delivered,
    _an_open_incident_is_closed,
    _a_closed_incident_is_reopened,
    _an_incident_is_no_longer_one,
    _a_bug_becomes_an_incident,
    _a_cause_is_found,
    _a_cause_was_wrong,
    _a_draft_becomes_ready,
    _a_branch_is_rewritten,
    _work_given_up_is_taken_up,
    _a_label_comes_late,
    _an_approval_is_dismissed,
    _a_deployment_begins,
    _somebody_pushes,
    _history_is_rewritten,
    _the_default_branch_is_another,
    _a_new_run_deploys,
    _a_draft_is_published,
    _a_version_is_tagged,
    _a_repository_is_renamed,
    _the_shop_is_renamed,
    _a_repository_is_new,
    _the_attic_is_opened,
)
"""By name; a later sync finds them by itself."""

SILENT = _named(
    _a_running_deployment_succeeds,
    _a_run_runs_again,
    _an_incident_is_deleted,
    _a_cause_is_deleted_with_its_incident,
    _a_deployment_is_deleted,
    _a_run_is_deleted,
    _a_tag_is_moved,
    _a_version_is_deleted,
    _a_repository_is_deleted,
    _a_repository_is_archived,
)
"""By name; only a reconciliation must find them, of what is as old as this."""

ALL: Mapping[str, Change] = MappingProxyType({**VISIBLE, **SILENT})
"""Everything that may happen."""
