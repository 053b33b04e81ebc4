"""What of GitHub is a deployment by which rule, and what later readings make of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.github.connector import due
from connectors.github.runs import own_branch
from connectors.testing import Reading, read
from dora.connector import Cursor, Only
from dora.records import Build, Deployment
from tests.connectors.github.asking import on, source
from tests.forges.github_host import GitHubHost
from tests.forges.organisation import Organisation, Repository
from tests.forges.scenario import ADA


@pytest.fixture
def organisation() -> Organisation:
    made = Organisation("acme")
    made.add("shop")
    return made


@pytest.fixture
def shop(organisation: Organisation) -> Repository:
    return organisation["shop"]


def deployed(reading: Reading) -> list[tuple[str, str, str | None, str]]:
    """Environment, status, service and rule of what is held, by time."""
    held = [one for one in reading.facts().values() if isinstance(one, Deployment)]
    held.sort(key=lambda one: str(one.started_at or one.finished_at))
    return [(one.environment, one.status, one.service, str(one.rule)) for one in held]


def test_a_repository_that_went_from_tags_to_deployments_keeps_its_history(
    host: GitHubHost, shop: Repository
) -> None:
    for number, day in enumerate(("03-02", "03-03", "03-10", "03-11"), 1):
        sha = shop.commit(f"Change {number}", f"{day} 08:00", ADA)
        shop.tag(f"v{number}", sha, f"{day} 09:00")
        if number > 2:
            shop.deploy(sha, f"{day} 09:10", (f"{day} 09:20", "succeeded"))
    made = source(host, "deployments", "tags:v*")
    # v1 and v2 are of the time before; v3 led to the first deployment, v4 to the second.
    first = read(made, Deployment)
    assert [rule for *_, rule in deployed(first)] == ["tags:v*"] * 2 + ["deployments"] * 2
    shop.tag("v5", shop.commit("Change 5", "03-12 08:00", ADA), "03-12 09:00")
    later = read(source(host, "deployments", "tags:v*"), Deployment, first.cursor)
    assert on(first, later).facts() == first.facts()  # deployments tells of it
    assert [r for *_, r in deployed(read(source(host, "tags:v*"), Deployment))] == ["tags:v*"] * 5


def test_names_of_environments_and_jobs_say_what_is_deployed_where(
    host: GitHubHost, shop: Repository
) -> None:
    sha = shop.commit("Begin", "03-02 08:00", ADA)
    for name in ("checkout-prod", "search-prod", "checkout-staging", "preview"):
        shop.deploy(sha, "03-02 09:00", ("03-02 09:10", "succeeded"), environment=name)
    shop.run(
        "Ship it", sha, "03-02 10:00",
        ("ship cart to live", "03-02 10:00", "03-02 10:10", "succeeded"),
        ("ship cart to test", "03-02 10:20", "03-02 10:30", "cancelled"),
        ("lint", "03-02 10:00", "03-02 10:10", "succeeded"),
    )  # fmt: skip
    apart = r"environment:^(?P<service>\w+)-(?P<environment>prod|staging)$"
    jobs = r"job:^ship (?P<service>\w+) to (?P<environment>\w+)$"
    found = deployed(read(source(host, apart, jobs), Deployment))
    assert sorted(found) == [
        ("live", "succeeded", "cart", jobs),
        ("prod", "succeeded", "checkout", apart),
        ("prod", "succeeded", "search", apart),
        ("staging", "succeeded", "checkout", apart),
        ("test", "cancelled", "cart", jobs),
    ]


def test_a_workflow_is_found_by_its_name_or_its_file(host: GitHubHost, shop: Repository) -> None:
    sha = shop.commit("Begin", "03-02 08:00", ADA)
    shop.run("Ship it", sha, "03-02 10:00", ("all", "03-02 10:00", "03-02 10:10", "succeeded"))
    shop.run("Test", sha, "03-02 11:00", ("all", "03-02 11:00", "03-02 11:10", "succeeded"))
    assert len(deployed(read(source(host, "workflow:^ship it$"), Deployment))) == 1
    (path,) = {
        one["path"]
        for page in source(host).client.pages("/repos/acme/shop/actions/workflows", {}, "workflows")
        for one in page
        if one["name"] == "Ship it"
    }
    file = path.rpartition("/")[2].replace(".", r"\.")
    assert len(deployed(read(source(host, f"workflow:^{file}$"), Deployment))) == 1


def test_what_lands_on_a_branch_is_deployed_in_its_order_and_forgotten_when_it_is_rewritten(
    host: GitHubHost, shop: Repository
) -> None:
    shas = [shop.commit(f"Change {n}", f"03-0{n} 08:00", ADA) for n in (1, 2, 3)]
    first = read(source(host, "merges:main"), Deployment)
    assert [one.sha for one in first.records if isinstance(one, Deployment)] == shas
    more = shop.commit("Change 4", "03-04 08:00", ADA)
    second = on(first, read(source(host, "merges:main"), Deployment, first.cursor))
    assert len(second.given) == 4
    shop.force_push("main", shas[0])
    other = shop.commit("Another", "03-05 08:00", ADA)
    third = on(second, read(source(host, "merges:main"), Deployment, second.cursor))
    held = {one.sha for one in third.facts().values() if isinstance(one, Deployment)}
    assert held == {shas[0], other}
    assert more not in held


def test_other_rules_replace_what_the_old_ones_made(host: GitHubHost, shop: Repository) -> None:
    sha = shop.commit("Begin", "03-02 08:00", ADA)
    shop.tag("v1", sha, "03-02 09:00")
    shop.deploy(sha, "03-02 10:00", ("03-02 10:10", "succeeded"))
    first = read(source(host, "tags:v*"), Deployment)
    second = on(first, read(source(host, "deployments"), Deployment, first.cursor))
    assert [rule for *_, rule in deployed(second)] == ["deployments"]
    again = read(source(host, "deployments"), Deployment, second.cursor)
    assert again.given == []


def test_a_failed_deployment_may_still_be_made_to_succeed_and_then_stays_so(
    host: GitHubHost, shop: Repository
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    sha = shop.commit("Begin", now - timedelta(hours=9), ADA)
    shop.deploy(sha, now - timedelta(hours=8), (now - timedelta(hours=7), "failed"))
    for hour in (6, 5):  # others come after it
        at = now - timedelta(hours=hour)
        shop.deploy(sha, at, (at + timedelta(minutes=5), "succeeded"))
    first = read(source(host, "deployments"), Deployment)
    assert [status for _, status, *_ in deployed(first)] == ["failed", "succeeded", "succeeded"]
    shop.status(min(shop.deployments), now - timedelta(hours=1), "succeeded")
    second = read(source(host, "deployments"), Deployment, first.cursor)
    held = on(first, second)
    assert [status for _, status, *_ in deployed(held)] == ["succeeded"] * 3
    ended = [one.finished_at for one in held.facts().values() if isinstance(one, Deployment)]
    assert max(filter(None, ended)) == now - timedelta(hours=1)


RERUN = ("ship", "03-20 10:00", "03-20 10:10", "succeeded")


@pytest.mark.parametrize("rule", ["job:^ship$", "workflow:^Ship$"])
def test_a_re_run_of_an_old_run_is_found_now_and_then_and_moves_nothing(
    host: GitHubHost, shop: Repository, rule: str
) -> None:
    sha = shop.commit("Begin", "03-02 08:00", ADA)
    runs = [
        shop.run("Ship", sha, f"{day} 09:00", ("ship", f"{day} 09:00", f"{day} 09:10", "succeeded"))
        for day in ("03-02", "03-09", "03-16", "03-23")
    ]
    first = read(source(host, rule), Deployment)
    assert len(deployed(first)) == 4
    shop.rerun(runs[2], RERUN)  # more than two days before the newest run
    assert read(source(host, rule), Deployment, first.cursor).given == []
    weekly = source(host, rule, reconcile_days=1e-9)
    with host.counting() as asked:
        later = read(weekly, Deployment, first.cursor)
    held = on(first, later)
    assert len(deployed(held)) == 5
    finished = [one.finished_at for one in first.records if isinstance(one, Deployment)]
    kept = [one.finished_at for one in held.facts().values() if isinstance(one, Deployment)]
    assert set(finished) < set(kept)
    assert sum("/jobs" in one.kind or "/attempts/" in one.kind for one in asked) <= 2


def test_runs_that_the_host_has_forgotten_stay_until_a_reconciliation_is_asked_for(
    host: GitHubHost, shop: Repository
) -> None:
    sha = shop.commit("Begin", "03-02 08:00", ADA)
    ids = [
        shop.run("Ship", sha, f"{day} 09:00", ("ship", f"{day} 09:00", f"{day} 09:10", "succeeded"))
        for day in ("03-02", "03-09")
    ]
    first = {kind: read(source(host, "job:^ship$"), kind) for kind in (Deployment, Build)}
    del shop.runs[ids[0]]
    for kind in (Deployment, Build):
        weekly = source(host, "job:^ship$", reconcile_days=1e-9)
        held = on(first[kind], read(weekly, kind, first[kind].cursor))
        assert len(held.facts()) == 2
        asked = source(host, "job:^ship$", reconcile=True)
        held = on(held, read(asked, kind, held.cursor))
        assert len(held.facts()) == 1


def test_what_was_deleted_is_found_by_itself_after_some_days(
    host: GitHubHost, shop: Repository
) -> None:
    sha = shop.commit("Begin", "03-02 08:00", ADA)
    for hour in (9, 10, 11):
        shop.deploy(sha, f"03-02 {hour:02}:00", (f"03-02 {hour:02}:10", "succeeded"))
    first = read(source(host, "deployments"), Deployment)
    del shop.deployments[min(shop.deployments)]
    cursor: Cursor = first.cursor
    assert read(source(host, "deployments"), Deployment, cursor).given == []
    parts = {
        name: {**part, "reconciled": (datetime.now(UTC) - timedelta(days=8)).isoformat()}
        for name, part in cursor["parts"].items()
    }
    due = read(source(host, "deployments"), Deployment, {"parts": parts})
    assert any(isinstance(one, Only) for one in due.given)
    held = on(first, due)
    assert len(held.facts()) == 2
    assert read(source(host, "deployments"), Deployment, held.cursor).given == []


def test_runs_that_are_as_they_were_cost_nothing(host: GitHubHost, shop: Repository) -> None:
    sha = shop.commit("Begin", "03-02 08:00", ADA)
    shop.run("Ship", sha, "03-02 09:00", ("ship", "03-02 09:00", "03-02 09:10", "succeeded"))
    first = read(source(host), Build)
    with host.counting() as asked:
        second = read(source(host), Build, first.cursor)
    assert second.given == []
    assert [one.status for one in asked if "runs" in one.kind] == [304]
    shop.run("Ship", sha, "03-02 11:00", ("ship", "03-02 11:00", "03-02 11:10", "failed"))
    with host.counting() as asked:
        third = read(source(host), Build, second.cursor)
    assert [one.status for one in asked if "runs" in one.kind] == [200]
    assert len(on(first, third).facts()) == 2


def test_a_run_whose_jobs_the_host_has_forgotten_does_not_stand_in_the_way(
    host: GitHubHost, shop: Repository
) -> None:
    sha = shop.commit("Begin", "03-02 08:00", ADA)
    runs = [
        shop.run("Ship", sha, f"{day} 09:00", ("ship", f"{day} 09:00", f"{day} 09:10", "succeeded"))
        for day in ("03-02", "03-03")
    ]

    def forget(kind: str) -> None:
        if kind.endswith("/runs"):  # it is in the list that is being sent
            shop.runs.pop(runs[0], None)

    host.before = forget
    found = read(source(host, "job:^ship$"), Deployment)
    assert host.count("/repos/{owner}/{repo}/actions/runs/{run_id}/jobs") == 2
    assert (len(deployed(found)), found.unread) == (1, [])


def test_check_says_what_rules_tell_together(host: GitHubHost, shop: Repository) -> None:
    for number, day in enumerate(("03-02", "03-03", "03-10", "03-11"), 1):
        sha = shop.commit(f"Change {number}", f"{day} 08:00", ADA)
        shop.tag(f"v{number}", sha, f"{day} 09:00")
        if number == 2:
            shop.release("v2", f"{day} 09:00", f"{day} 09:05")
        if number > 2:
            shop.deploy(sha, f"{day} 09:10", (f"{day} 09:20", "succeeded"))
    said = [one.message for one in source(host, "deployments", "releases", "tags:v*").check()]
    told = [text.partition(" takes, in acme/shop: ")[::2] for text in said if " takes, " in text]
    newest, twice = "the newest is", "3 of them are told by a rule before it, and count once"
    assert told == [
        ("deployments", f"2 succeeded to production; {newest} deploy of 2026-03-11 09:20"),
        ("releases", f"1 succeeded to production; {newest} v2 of 2026-03-03 09:05"),
        (
            "tags:v*",  # v3 and v4 led to deployments, v2 is the release
            f"4 succeeded to production; {newest} v4 of 2026-03-11 09:00; {twice}",
        ),
    ]


def test_repositories_that_were_read_together_are_not_read_again_all_at_once() -> None:
    def share(days: float) -> float:
        told = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        return sum(due(told, f"R_{number}", 9) for number in range(900)) / 900

    assert (share(5.9), share(9.1)) == (0, 1)
    assert 0.2 < share(7) < 0.5 < share(8) < 0.8
    assert not due(None, "R_1", 9)


@pytest.mark.parametrize(
    ("head", "branch"),
    [({"full_name": "acme/shop"}, "main"), ({"full_name": "eve/shop"}, None), (None, "main")],
)
def test_a_branch_of_a_fork_is_none_of_the_repository(head: Any, branch: str | None) -> None:
    """A pull request from a fork's main branch says nothing of ours."""
    run = {"head_branch": "main", "repository": {"full_name": "acme/shop"}, "head_repository": head}
    assert own_branch(run) == branch
