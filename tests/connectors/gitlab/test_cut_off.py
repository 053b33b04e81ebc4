"""A sync that is cut off goes on where it was, and what changes meanwhile costs no other row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.testing import Reading, read
from dora.connector import Checkpoint
from dora.records import Commit, Deployment, Incident, PullRequest, Record
from tests.connectors.gitlab.asking import InNoTime, connector, rows, synced
from tests.forges.gitlab_host import Fault, GitLabHost, Sizes
from tests.forges.gitlab_host.server import Request
from tests.forges.organisation import Organisation, at
from tests.forges.scenario import ADA, acme


@pytest.fixture
def host() -> Any:
    """The scenario, in pages of seven rows."""
    with GitLabHost(acme(), sizes=Sizes(rows=7)).serving() as serving:
        yield serving


@pytest.mark.parametrize("after", [3, 11, 29, 47, 73, 97, 119])
def test_a_sync_goes_on_where_the_network_went_away(
    host: GitLabHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr("dora.sync.Patience", InNoTime)
    whole = tmp_path / "whole.duckdb"
    assert not synced(host, whole).failed
    asked = len(host.requests)
    host.requests.clear()

    cut = tmp_path / "cut.duckdb"
    host.faults.add(Fault("dropped", after=after, times=None))
    assert synced(host, cut).failed
    good = [request for request in host.requests[:after] if request.status == 200]
    host.faults.clear()
    host.requests.clear()
    assert not synced(host, cut).failed
    assert rows(cut) == rows(whole)
    # Of each of four projects that were read at once a page may have been lost, with what is asked
    # for each of its rows; streams that were finished look once whether there is more.
    again = 4 * (7 * 2 + 1) + 8 * 5
    assert len(good) + len(host.requests) <= asked + again


def _touch(organisation: Organisation) -> None:
    shop = organisation["shop"]
    shop.touch(max(shop.pulls), "04-01 10:00", labels=("late",))
    shop.touch(min(shop.pulls), "04-01 10:01", labels=("later",))


def _add(organisation: Organisation) -> None:
    shop = organisation["shop"]
    sha = shop.commit("Be new", "04-01 10:00", ADA, branch="new")
    shop.propose("Be new", "04-01 10:00", ADA, [sha], head="new")
    shop.deploy(sha, "04-01 10:00", ("04-01 10:05", "succeeded"))
    shop.report("New trouble", "04-01 10:00", ADA, "incident")


def _delete(organisation: Organisation) -> None:
    shop = organisation["shop"]
    del shop.pulls[max(shop.pulls)]
    del shop.deployments[max(shop.deployments)]
    del shop.issues[max(shop.issues)]


PATHS = {PullRequest: "/merge_requests", Deployment: "/deployments", Incident: "/issues"}


class Meanwhile:
    """Lets something happen right after a page of the shop's list was answered."""

    def __init__(self, host: GitLabHost, path: str, page: int, change: Any) -> None:
        self.host, self.page, self.change, self.done = host, page, change, False
        self.path = f"/projects/{host.organisation['shop'].id}{path}"
        self.answer = host.answer

    def __call__(self, target: str, token: str) -> Any:
        given = self.answer(target, token)
        asked = sum(one.path == self.path for one in self.host.requests)
        if asked == self.page and not self.done:
            self.done = True
            self.change(self.host.organisation)
        return given


@pytest.mark.parametrize("change", [_touch, _add, _delete], ids=lambda one: one.__name__)
@pytest.mark.parametrize("kind", [PullRequest, Deployment, Incident])
@pytest.mark.parametrize("page", [1, 2])
def test_what_changes_between_two_pages_costs_no_other_row(
    host: GitLabHost, monkeypatch: pytest.MonkeyPatch, change: Any, kind: Any, page: int
) -> None:
    monkeypatch.setattr(host, "sizes", Sizes(rows=3))
    quiet = read(connector(host), kind).facts()
    host.requests.clear()
    meanwhile = Meanwhile(host, PATHS[kind], page, change)
    monkeypatch.setattr(host, "answer", meanwhile)
    first = read(connector(host), kind)
    second = read(connector(host), kind, first.cursor)
    assert meanwhile.done
    held = {**first.facts(), **second.facts()}
    expected = read(connector(host), kind).facts()
    deleted = quiet.keys() - expected.keys()
    assert {key: fact for key, fact in held.items() if key not in deleted} == expected


def _touch_all(organisation: Organisation) -> None:
    shop = organisation["shop"]
    shop.touch(min(shop.pulls), "04-01 10:00", labels=("late",))
    old = shop.deployments[min(shop.deployments)]
    shop.deployments[old.id] = replace(old, updated_at=at("04-01 10:00"))
    shop.change(shop.issue("The stock is wrong").number, "04-01 10:00", title="It was wrong")


@pytest.mark.parametrize("kind", [PullRequest, Deployment, Incident])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_what_is_touched_while_a_reconciliation_lists_is_not_taken_for_gone(
    host: GitLabHost, monkeypatch: pytest.MonkeyPatch, kind: Any, page: int
) -> None:
    monkeypatch.setattr(host, "sizes", Sizes(rows=3))
    first = read(connector(host), kind)
    host.requests.clear()
    meanwhile = Meanwhile(host, PATHS[kind], page, _touch_all)
    monkeypatch.setattr(host, "answer", meanwhile)
    again = connector(host)
    again.reconcile()
    second = read(again, kind, first.cursor)
    assert meanwhile.done
    held = Reading(given=[*first.given, *second.given]).facts()
    assert held.keys() == first.facts().keys()


def test_rows_of_the_same_moment_fill_more_than_a_page(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    for number in list(shop.pulls):
        shop.touch(number, "04-01 10:00")
    before = read(connector(host), PullRequest)
    assert {fact.number for fact in before.records if isinstance(fact, PullRequest)} >= set(
        shop.pulls
    )
    listed: list[Request] = [one for one in host.requests if one.path.endswith("/merge_requests")]
    assert len(listed) < 15


def test_a_history_that_is_rewritten_while_it_is_read_is_read_anew(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    cut: list[Any] = []
    for item in connector(host, at_once=1).records(Commit, None):
        cut.append(item)
        if isinstance(item, Checkpoint) and "reading" in item.cursor:
            break
    part = cut[-1].part
    old = shop.commits.pop(shop.branches["main"])
    shop.force_push("main", old.parents[0])
    cursor = {"parts": {part: cut[-1].cursor}}
    facts = [one for one in cut if isinstance(one, Record)]
    resumed = Reading(given=[*facts, *read(connector(host), Commit, cursor).given])
    assert resumed.facts() == read(connector(host), Commit).facts()
