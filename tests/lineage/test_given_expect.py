"""Sentence by sentence what the definitions say of delivering and undoing, worked out by hand."""

from __future__ import annotations

import duckdb
import pytest

from dora import lineage
from tests.lineage.stores import (
    Connection,
    commits,
    delivered,
    deploy,
    deployments,
    line,
    repository,
    services,
    sha,
    store,
    undone,
)


@pytest.fixture
def shop() -> Connection:
    """One repository, one service; commits a b c d e, one after the other, e the head."""
    connection = store()
    services(connection, "shop")
    line(connection, "a b c d e")
    repository(connection, head="e")
    return connection


def by_name(
    connection: Connection, names: str, environment: str = "production", service: str = "shop"
) -> dict[str, int]:
    found = delivered(connection)[service, environment]
    known = {sha(name): name for name in names.split()}
    return {known[commit]: position for commit, position in found.items()}


def test_a_commit_is_delivered_by_the_first_deployment_that_contains_it(shop: Connection) -> None:
    deploy(shop, "v1", "a", 1)
    deploy(shop, "v2", "c", 2)
    deploy(shop, "v3", "d", 3)
    assert lineage.update(shop)
    assert by_name(shop, "a b c d e") == {"a": 0, "b": 1, "c": 1, "d": 2, "e": -1}
    assert deployments(shop, "deployment, position, outcome, uncertain, rollback") == [
        ("v1", 0, "baseline", False, False),
        ("v2", 1, "delivered", False, False),
        ("v3", 2, "delivered", False, False),
    ]


def test_deploying_again_and_rolling_forward_again_deliver_nothing(shop: Connection) -> None:
    for when, what in enumerate("abbab"):
        deploy(shop, f"d{when}", what, when)
    lineage.update(shop)
    assert deployments(shop, "outcome") == [
        ("baseline",),
        ("delivered",),
        ("nothing",),
        ("nothing",),
        ("nothing",),
    ]
    assert by_name(shop, "a b c d e") == {"a": 0, "b": 1, "c": -1, "d": -1, "e": -1}


def test_failed_cancelled_and_running_attempts_deliver_nothing_and_have_no_position(
    shop: Connection,
) -> None:
    deploy(shop, "v1", "a", 1)
    for when, status in enumerate(("failed", "cancelled", "running"), 2):
        deploy(shop, status, "b", when, status=status)
    deploy(shop, "v2", "c", 9)
    lineage.update(shop)
    assert deployments(shop, "deployment, position") == [("v1", 0), ("v2", 1)]
    assert by_name(shop, "a b c d e")["b"] == 1


def test_a_success_without_a_finish_is_not_walked(shop: Connection) -> None:
    deploy(shop, "v1", "a", 1)
    shop.execute("update deployments set finished_at = null")
    lineage.update(shop)
    assert deployments(shop, "deployment") == []


@pytest.mark.parametrize(
    ("deployed", "expected_undone", "expected_rollbacks"),
    [
        ("a b a b", {("1", "2")}, ["2"]),
        ("a b c a", {("1", "3"), ("2", "3")}, ["3"]),
        ("a b c b a", {("2", "3"), ("2", "4"), ("1", "4")}, ["3", "4"]),
        ("a b a b a", {("1", "2"), ("3", "4")}, ["2", "4"]),
        ("a c b", {("1", "2")}, ["2"]),
        ("b c a", {("0", "2"), ("1", "2")}, ["2"]),
        ("a b b a", {("1", "3"), ("2", "3")}, ["3"]),
        ("a b b", set(), []),
    ],
)
def test_a_rollback_undoes_what_came_after_the_newest_deployment_it_contains(
    shop: Connection,
    deployed: str,
    expected_undone: set[tuple[str, str]],
    expected_rollbacks: list[str],
) -> None:
    for when, what in enumerate(deployed.split()):
        deploy(shop, str(when), what, when)
    lineage.update(shop)
    assert set(undone(shop)) == expected_undone
    found = deployments(shop, "deployment, rollback")
    assert [name for name, is_one in found if is_one] == expected_rollbacks


def test_nothing_inferred_from_tags_rolls_back_or_is_undone(shop: Connection) -> None:
    deploy(shop, "v1", "a", 1, inferred=True)
    deploy(shop, "v2", "b", 2, inferred=True)
    deploy(shop, "v1.1", "a", 3, inferred=True)
    deploy(shop, "v3", "c", 4, inferred=True)
    deploy(shop, "really back", "b", 5)
    lineage.update(shop)
    assert deployments(shop, "deployment, rollback") == [
        ("v1", False),
        ("v2", False),
        ("v1.1", False),
        ("v3", False),
        ("really back", True),
    ]
    assert undone(shop) == []


def test_going_to_another_branch_is_no_rollback() -> None:
    shop = store()
    services(shop, "shop")
    commits(shop, {"a": "", "main": "a", "side": "a"})
    deploy(shop, "1", "main", 1)
    deploy(shop, "2", "side", 2)
    deploy(shop, "3", "main", 3)
    lineage.update(shop)
    assert deployments(shop, "outcome, rollback") == [
        ("baseline", False),
        ("delivered", False),
        ("nothing", False),
    ]


def test_the_other_side_of_a_merge_is_an_ancestor_too() -> None:
    shop = store()
    services(shop, "shop")
    commits(shop, {"a": "", "main": "a", "side": "a", "merge": ["main", "side"]})
    deploy(shop, "1", "side", 1)
    deploy(shop, "2", "merge", 2)
    deploy(shop, "3", "side", 3)
    lineage.update(shop)
    assert undone(shop) == [("2", "3")]


def test_parallel_release_branches_deliver_each_commit_once() -> None:
    """1.1 is cut from 1.0 after 2.0 was; the fix is merged back and comes with 2.1."""
    shop = store()
    services(shop, "shop")
    commits(shop, {"a": "", "b": "a", "fix": "a", "merge": ["b", "fix"], "c": ["merge"]})
    deploy(shop, "v1.0", "a", 1)
    deploy(shop, "v2.0", "b", 2)
    deploy(shop, "v1.1", "fix", 3)
    deploy(shop, "v2.1", "c", 4)
    lineage.update(shop)
    assert by_name(shop, "a b fix merge c") == {"a": 0, "b": 1, "fix": 2, "merge": 3, "c": 3}


def test_an_unknown_sha_delivers_nothing_and_makes_the_next_delivery_uncertain(
    shop: Connection,
) -> None:
    deploy(shop, "v1", "a", 1)
    deploy(shop, "lost", "nowhere", 2)
    deploy(shop, "none", None, 3)
    deploy(shop, "v1 again", "a", 4)
    deploy(shop, "v2", "b", 5)
    deploy(shop, "v3", "c", 6)
    lineage.update(shop)
    assert deployments(shop, "deployment, outcome, uncertain, rollback, commit_id") == [
        ("v1", "baseline", False, False, 1),
        ("lost", "unknown", False, False, None),
        ("none", "unknown", False, False, None),
        ("v1 again", "nothing", False, False, 1),
        ("v2", "delivered", True, False, 2),
        ("v3", "delivered", False, False, 3),
    ]


def test_the_baseline_is_the_first_deployment_with_a_known_sha(shop: Connection) -> None:
    deploy(shop, "lost", "nowhere", 1)
    deploy(shop, "v1", "b", 2)
    deploy(shop, "v2", "c", 3)
    lineage.update(shop)
    assert deployments(shop, "outcome, uncertain") == [
        ("unknown", False),
        ("baseline", True),
        ("delivered", False),
    ]
    assert by_name(shop, "a b c d e") == {"a": 1, "b": 1, "c": 2, "d": -1, "e": -1}


def test_what_replaces_an_unknown_sha_is_no_rollback_but_an_unknown_sha_can_be_undone(
    shop: Connection,
) -> None:
    deploy(shop, "1", "a", 1)
    deploy(shop, "2", "b", 2)
    deploy(shop, "3", "nowhere", 3)
    deploy(shop, "4", "a", 4)
    deploy(shop, "5", "nowhere", 5)
    deploy(shop, "6", "c", 6)
    deploy(shop, "7", "a", 7)
    lineage.update(shop)
    assert undone(shop) == [("5", "7"), ("6", "7")]


def test_at_one_instant_ancestors_go_first_and_then_ids(shop: Connection) -> None:
    commits(shop, {"other": ""})
    for identity, what in (("1", "c"), ("2", "other"), ("3", "a"), ("4", "b"), ("0", "b")):
        deploy(shop, identity, what, 1)
    lineage.update(shop)
    assert [d for (d,) in deployments(shop, "deployment")] == ["2", "3", "0", "4", "1"]
    assert undone(shop) == []


def test_at_one_instant_going_back_is_told_by_ancestry_alone(shop: Connection) -> None:
    """What was delivered before comes first however its id sorts."""
    deploy(shop, "0", "b", 1)
    deploy(shop, "1", "c", 2)
    deploy(shop, "2", "a", 2)
    lineage.update(shop)
    assert deployments(shop, "deployment, rollback") == [("0", False), ("2", True), ("1", False)]


def test_environments_and_services_are_streams_of_their_own(shop: Connection) -> None:
    services(shop, "blog", stated="blog")
    deploy(shop, "1", "a", 1)
    deploy(shop, "2", "c", 2, to="staging")
    deploy(shop, "3", "b", 3, service="blog")
    lineage.update(shop)
    assert deployments(shop, "service, environment, deployment, outcome") == [
        ("blog", "production", "3", "baseline"),
        ("shop", "production", "1", "baseline"),
        ("shop", "staging", "2", "baseline"),
    ]
    assert by_name(shop, "a b c d e", "staging") == {"a": 0, "b": 0, "c": 0, "d": -1, "e": -1}


def test_a_deployment_counts_for_every_service_it_is_mapped_to(shop: Connection) -> None:
    services(shop, "blog")
    deploy(shop, "1", "a", 1)
    deploy(shop, "2", "b", 2)
    lineage.update(shop)
    assert by_name(shop, "a b c d e", service="blog") == by_name(shop, "a b c d e")
    assert len(deployments(shop, "deployment")) == 4


def test_a_service_of_paths_has_only_the_commits_that_touch_them(shop: Connection) -> None:
    services(shop, "api", "docs", by_paths=True)
    shop.execute("insert into commit_services values (1, 'api'), (3, 'api'), (5, 'api')")
    for when, what in enumerate("abc"):
        deploy(shop, f"d{when}", what, when)
    lineage.update(shop)
    assert by_name(shop, "a b c d e", service="api") == {"a": 0, "c": 2, "e": -1}
    assert ("docs", "production") not in delivered(shop)
    assert deployments(shop, "service, outcome") == [
        ("api", "baseline"),
        ("api", "nothing"),
        ("api", "delivered"),
        ("docs", "baseline"),
        ("docs", "nothing"),
        ("docs", "nothing"),
        ("shop", "baseline"),
        ("shop", "delivered"),
        ("shop", "delivered"),
    ]


def test_a_sha_may_be_shortened_and_in_capitals(shop: Connection) -> None:
    deploy(shop, "1", f"sha:{sha('a')[:7]}", 1)
    deploy(shop, "2", f"sha:{sha('b').upper()}", 2)
    deploy(shop, "3", f"sha: {sha('c')[:12].upper()} ", 3)
    deploy(shop, "4", f"sha:{sha('d')[:6]}", 4)
    lineage.update(shop)
    assert deployments(shop, "deployment, commit_id") == [("1", 1), ("2", 2), ("3", 3), ("4", None)]


def test_a_shortened_sha_that_could_be_two_commits_is_unknown(shop: Connection) -> None:
    twin = sha("b")[:10] + "0" * 30
    shop.execute(
        "insert into commits (source, commit_id, repository, sha, parents, is_bot)"
        " values ('git', 99, 'shop', ?, '', false)",
        [twin],
    )
    deploy(shop, "1", f"sha:{sha('b')[:10]}", 1)
    deploy(shop, "2", f"sha:{sha('b')[:11]}", 2)
    lineage.update(shop)
    assert deployments(shop, "commit_id, outcome") == [(None, "unknown"), (2, "baseline")]


def test_a_sha_of_another_repository_is_unknown(shop: Connection) -> None:
    line(shop, "x y", of="blog")
    deploy(shop, "1", "x", 1)
    lineage.update(shop)
    assert deployments(shop, "outcome") == [("unknown",)]


def test_history_cut_short_is_walked_to_the_boundary() -> None:
    shop = store()
    services(shop, "shop")
    commits(shop, {"b": ["?a"], "c": ["b"], "side": ["?x"], "d": ["?y", "c", "side", "?z"]})
    deploy(shop, "1", "b", 1)
    deploy(shop, "2", "d", 2)
    lineage.update(shop)
    assert by_name(shop, "b c side d") == {"b": 0, "c": 1, "side": 1, "d": 1}


def test_several_roots_octopus_and_criss_cross_merges_are_walked_whole() -> None:
    shop = store()
    services(shop, "shop")
    commits(
        shop,
        {
            "a": "",
            "other": "",
            "b": "a",
            "c": "a",
            "bc": ["b", "c"],
            "cb": ["c", "b"],
            "wide": ["bc", "cb", "other"],
        },
    )
    deploy(shop, "1", "bc", 1)
    deploy(shop, "2", "cb", 2)
    deploy(shop, "3", "wide", 3)
    lineage.update(shop)
    assert by_name(shop, "a other b c bc cb wide") == {
        "a": 0,
        "b": 0,
        "c": 0,
        "bc": 0,
        "cb": 1,
        "other": 2,
        "wide": 2,
    }


def test_nothing_waits_where_the_head_is_not_known(shop: Connection) -> None:
    repository(shop, head=None)
    deploy(shop, "1", "b", 1)
    lineage.update(shop)
    assert by_name(shop, "a b c d e") == {"a": 0, "b": 0}


def test_damaged_facts_that_make_a_ring_lose_no_deployment() -> None:
    shop = store()
    services(shop, "shop")
    commits(shop, {"a": ["c"], "b": ["a"], "c": ["b"]})
    for identity, what in (("1", "a"), ("2", "b"), ("3", "c")):
        deploy(shop, identity, what, 1)
    deploy(shop, "4", "a", 2)
    lineage.update(shop)
    assert sorted(str(d) for (d,) in deployments(shop, "deployment")) == ["1", "2", "3", "4"]
    assert len(delivered(shop)["shop", "production"]) == 3


def test_two_sources_may_use_the_same_id(shop: Connection) -> None:
    deploy(shop, "1", "b", 1, source="github")
    deploy(shop, "1", "a", 1, source="ci")
    lineage.update(shop)
    assert deployments(shop, "source, outcome") == [("ci", "baseline"), ("github", "delivered")]


def test_tables_and_columns_say_what_they_mean(shop: Connection) -> None:
    lineage.update(shop)
    rows = shop.execute(
        "select table_name, column_name, comment from duckdb_columns() where not internal"
        " and table_name in ('streams', 'stream_deployments', 'lineage', 'undone')"
    ).fetchall()
    assert len(rows) == 4 + 12 + 3 + 3
    assert all(comment for _, _, comment in rows)


def test_a_failing_update_leaves_the_store_as_it_was(shop: Connection) -> None:
    deploy(shop, "1", "a", 1)
    lineage.update(shop)
    deploy(shop, "2", "b", 2)
    shop.execute("alter table commit_services rename to away")
    with pytest.raises(duckdb.Error):
        lineage.update(shop)
    shop.execute("alter table away rename to commit_services")
    assert deployments(shop, "deployment") == [("1",)]
    assert lineage.update(shop)
    assert deployments(shop, "deployment") == [("1",), ("2",)]
