"""What may not be read is named and costs nothing else; projects are found under any name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.gitlab import GitLab
from connectors.testing import read
from dora.records import Deployment, Repository
from tests.connectors.gitlab.asking import connector, rows, synced
from tests.forges.gitlab_host import Fault, GitLabHost
from tests.forges.organisation import Organisation
from tests.forges.scenario import ADA

NAMES = {
    "commits": "commits",
    "pull_requests": "pull requests",
    "deployments": "deployments",
    "runs": "builds",
    "issues": "incidents",
}


@pytest.mark.parametrize("fact", NAMES)
def test_a_fact_that_may_not_be_read_is_named_and_costs_nothing_else(
    host: GitLabHost, tmp_path: Path, fact: str
) -> None:
    whole = tmp_path / "whole.duckdb"
    assert not synced(host, whole).failed
    host.organisation["shop"].forbidden = frozenset({fact})
    store = tmp_path / "dora.duckdb"
    summary = synced(host, store)
    assert not summary.failed
    said = [note for note in summary.sources[0].notes if note.startswith(NAMES[fact])]
    assert said
    assert all("acme/shop" in note and "403" in note for note in said)
    missing = {"commits": "commits", "pull_requests": "pull_requests", "runs": "builds"}
    kept, all_of_it = rows(store), rows(whole)
    for table, found in kept.items():
        own = missing.get(fact, {"deployments": "deployments", "issues": "incidents"}.get(fact))
        expected = all_of_it[table]
        if table == own:
            expected = [row for row in expected if not any("acme/shop" in str(v) for v in row)]
            assert found == expected

    host.organisation["shop"].forbidden = frozenset()  # once it may be read, it is
    assert not synced(host, store).failed
    assert rows(store) == all_of_it


def test_a_project_that_is_hidden_is_named_and_its_facts_stay(
    host: GitLabHost, tmp_path: Path
) -> None:
    store = tmp_path / "dora.duckdb"
    assert not synced(host, store, groups=[], projects=["acme/shop", "acme/cli"]).failed
    before = rows(store)
    host.organisation["cli"].forbidden = frozenset({"repository"})
    summary = synced(host, store, groups=[], projects=["acme/shop", "acme/cli"])
    assert not summary.failed
    assert any(
        note.startswith("acme/cli is left out") and "may not see it" in note
        for note in summary.sources[0].notes
    )
    assert rows(store) == before


def paths(host: GitLabHost, **options: Any) -> set[str]:
    """The projects that a connector finds."""
    made: GitLab = connector(host, **options)
    found = read(made, Repository).records
    return {fact.repository.partition("/")[2] for fact in found if isinstance(fact, Repository)}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"groups": ["acme"]}, {"shop", "search", "ledger", "cli", "tools/lint"}),
        ({"groups": ["ACME"]}, {"shop", "search", "ledger", "cli", "tools/lint"}),
        ({"groups": ["acme/tools"]}, {"tools/lint"}),
        ({"groups": ["acme"], "exclude": ["*/s*"]}, {"ledger", "cli", "tools/lint"}),
        (
            {"groups": ["acme"], "archived": True, "forks": True},
            {"shop", "search", "ledger", "cli", "tools/lint", "attic", "lib"},
        ),
        ({"groups": [], "projects": ["acme/s*"]}, {"shop", "search"}),
        ({"groups": [], "projects": ["acme/*"]}, {"shop", "search", "ledger", "cli", "tools/lint"}),
        ({"groups": [], "projects": ["*/lint"]}, {"tools/lint"}),
        ({"groups": [], "projects": ["acme/shop", "acme/attic"]}, {"shop", "attic"}),
        ({"groups": [], "repositories": ["acme/finder"]}, {"search"}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",  # a set has no order
)
def test_projects_are_chosen(host: GitLabHost, options: dict[str, Any], expected: set[str]) -> None:
    lint = host.organisation.add("lint", owner="acme/tools")
    lint.commit("Begin", "03-03 09:00", ADA)
    assert paths(host, **options) == {f"acme/{name}" for name in expected}


def test_a_name_that_is_not_there_is_named(host: GitLabHost) -> None:
    made = connector(host, groups=["nowhere"], projects=["acme/shop", "acme/shpo"])
    notes = read(made, Repository).notes
    assert any(note.startswith("acme/shpo is left out") for note in notes)
    assert any(note.startswith("nowhere is left out") for note in notes)


def test_a_project_that_was_renamed_is_followed_by_its_id(host: GitLabHost) -> None:
    only: dict[str, Any] = {"groups": [], "projects": ["acme/shop"]}
    first = read(connector(host, **only), Repository)
    host.organisation.rename("shop", "store")
    host.organisation.moved.clear()  # the host forgets old names in the end
    second = read(connector(host, **only), Repository, first.cursor)
    assert [fact.repository for fact in second.records if isinstance(fact, Repository)] == [
        "127.0.0.1/acme/store"
    ]
    assert any("acme/shop is now called acme/store" in note for note in second.notes)


def test_a_moved_project_is_found_on_a_host_that_is_reached_by_another_name(
    host: GitLabHost,
) -> None:
    with GitLabHost(host.organisation).serving() as other:
        host.named = other.url.replace("127.0.0.1", "localhost")
        assert paths(host, groups=[], projects=["acme/finder"]) == {"acme/search"}
        assert not other.requests


def test_a_group_may_be_a_user(host: GitLabHost) -> None:
    host.faults.add(Fault("404", "^/groups/", times=None))
    assert paths(host) == {f"acme/{name}" for name in ("shop", "search", "ledger", "cli")}


def test_all_that_a_token_is_a_member_of(host: GitLabHost) -> None:
    made = paths(host, groups=[], projects=["*"])
    assert made == {f"acme/{name}" for name in ("shop", "search", "ledger", "cli")}
    (listed,) = (one for one in host.requests if one.path == "/projects")
    assert listed.query["pagination"] == "keyset"


def test_a_host_below_a_path_names_projects_as_their_clones_do(
    tmp_path: Path, host: GitLabHost
) -> None:
    with GitLabHost(host.organisation, root="/gitlab").serving() as below:
        made = connector(below, url=f"{below.url}/api/v4/")
        found = [one for one in read(made, Deployment).records if isinstance(one, Deployment)]
    assert {one.repository for one in found} == {
        f"127.0.0.1/gitlab/acme/{name}" for name in ("shop", "search", "ledger", "cli")
    }


def test_an_empty_project_and_one_without_features_are_no_trouble(
    host: GitLabHost, tmp_path: Path
) -> None:
    organisation: Organisation = host.organisation
    organisation.add("empty")
    host.off[organisation["shop"].id] = frozenset({"merge_requests", "builds"})
    summary = synced(host, tmp_path / "dora.duckdb")
    assert not summary.failed
    assert not summary.sources[0].notes
    assert not [one for one in host.requests if one.status == 403]
