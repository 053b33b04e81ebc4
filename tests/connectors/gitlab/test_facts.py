"""What GitLab's words become: the scenario's own facts, and the cases that it does not have."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.gitlab.merging import landed
from connectors.gitlab.pipelines import outcome, rounds
from connectors.gitlab.values import is_bot, login, made_by_bot
from connectors.testing import read
from dora.records import (
    Build,
    Commit,
    Deployment,
    Incident,
    IncidentCause,
    PullRequest,
    PullRequestCommit,
    Record,
    Repository,
    Review,
)
from tests.connectors.gitlab.asking import connector
from tests.forges.gitlab_host import GitLabHost
from tests.forges.records import Expected
from tests.forges.scenario import ADA

IDS = {"id", "url", "name", "incident", "duplicate_of", "original_status", "started_at", "tier"}
"""Columns in which a forge has words of its own."""


def facts(host: GitLabHost, kind: type[Record], **options: Any) -> list[Any]:
    """What a stream gives of one kind."""
    streams = {PullRequestCommit: PullRequest, Review: PullRequest, IncidentCause: Incident}
    found = read(connector(host, **options), streams.get(kind, kind)).records
    return [one for one in found if type(one) is kind]


def plain(record: Record, without: set[str]) -> tuple[Any, ...]:
    """A fact but for some columns."""
    return tuple(
        (one.name, getattr(record, one.name)) for one in fields(record) if one.name not in without
    )


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        (Repository, {"url"}),
        (Commit, {"is_bot"}),  # the store tells bots among them by their names
        (PullRequest, {"url", "author", "head_sha"}),
        (Review, {"id"}),
        (Deployment, {*IDS, "version", "service", "labels"}),
        (Incident, {*IDS, "severity", "labels"}),
        (IncidentCause, {"incident"}),
    ],
    ids=lambda one: getattr(one, "table", ""),
)
def test_the_scenarios_facts_come_as_they_are(
    host: GitLabHost, kind: type[Record], own: set[str]
) -> None:
    expected = [
        one for one in Expected(host.organisation, "127.0.0.1").records() if type(one) is kind
    ]
    made = [plain(one, own) for one in facts(host, kind)]
    assert sorted(made, key=repr) == sorted((plain(one, own) for one in expected), key=repr)


def test_originals_are_those_of_the_author_but_for_rebases_which_replace_them(
    host: GitLabHost,
) -> None:
    shop = host.organisation["shop"]
    rebased = shop.pull("Show prices")
    made = [one for one in facts(host, PullRequestCommit) if one.repository.endswith("/shop")]
    for pull in shop.pulls.values():
        own = {one.sha: one for one in made if one.number == pull.number}
        times = {shop.commits[sha].authored_at for sha in pull.commits}
        assert {one.authored_at for one in own.values()} == times
        assert (own.keys() == set(pull.commits)) == (pull.number != rebased.number)


@pytest.mark.parametrize(
    ("row", "sha"),
    [
        ({"squash_commit_sha": "s", "merge_commit_sha": "m", "sha": "h"}, "s"),
        ({"squash_commit_sha": None, "merge_commit_sha": "m", "sha": "h"}, "m"),
        ({"squash_commit_sha": None, "merge_commit_sha": None, "sha": "h"}, "h"),
    ],
)
def test_a_merge_request_landed_as_squash_merge_or_head(row: Any, sha: str) -> None:
    assert landed(row) == sha


@pytest.mark.parametrize(
    ("account", "bot"),
    [
        ({"username": "project_42_bot_0a1b2c"}, True),
        ({"username": "group_7_bot"}, True),
        ({"username": "service_account_group_7_0a1b"}, True),
        ({"username": "gitlab-bot"}, True),
        ({"username": "renovate-bot"}, True),
        ({"username": "ada", "bot": True}, True),
        ({"username": "ada"}, False),
        ({"username": "botany"}, False),
        ({"username": "project_manager"}, False),
        (None, False),
    ],
)
def test_accounts_of_machines_are_told_by_name(account: Any, bot: bool) -> None:
    assert is_bot(account) is bot


def test_a_deleted_account_is_nobody() -> None:
    assert login({"username": "ghost"}) is None
    assert login({"username": "ada"}) == "ada"


def test_commits_of_tokens_are_made_by_machines() -> None:
    address = "project_42_bot_0a1b2c@noreply.gitlab.example.org"
    assert made_by_bot({"author_name": "release", "author_email": address})
    assert not made_by_bot({"author_name": "Ada", "author_email": "ada@example.org"})


def job(number: int, name: str, status: str, end: int | None = None, **more: Any) -> dict[str, Any]:
    """A job as the host tells it; it ends at that minute."""
    moment = f"2026-03-02T10:{end:02}:00.000Z" if end is not None else None
    return {"id": number, "name": name, "status": status, "finished_at": moment, **more}


def at(minute: int) -> datetime:
    """A minute of that hour."""
    return datetime(2026, 3, 2, 10, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([job(1, "a", "success", 5), job(2, "b", "success", 7)], ("succeeded", at(7))),
        ([job(1, "a", "success", 5), job(2, "b", "failed", 7)], ("failed", at(7))),
        ([job(1, "a", "success", 5), job(2, "b", "manual")], ("succeeded", at(5))),
        ([job(1, "a", "skipped"), job(2, "b", "manual")], None),
        ([job(1, "a", "running"), job(2, "b", "failed", 7)], ("running", None)),
        ([job(1, "a", "success", 5), job(2, "b", "canceled", 6)], ("cancelled", at(6))),
        (
            [job(1, "a", "success", 5), job(2, "lint", "failed", 6, allow_failure=True)],
            ("succeeded", at(6)),
        ),
    ],
)
def test_jobs_end_together(jobs: list[Any], expected: Any) -> None:
    assert outcome(jobs) == expected


def test_each_try_has_the_jobs_of_its_round() -> None:
    jobs = [job(1, "build", "success"), job(2, "test", "failed"), job(3, "test", "success")]
    assert [[one["id"] for one in of_try] for of_try in rounds(jobs)] == [[1, 2], [3]]


def test_tries_of_a_pipeline_are_builds_of_their_own(host: GitLabHost) -> None:
    ledger = host.organisation["ledger"]
    again = [run for run in ledger.runs.values() if run.attempts == 2]
    (run,) = (one for one in again if {job.name for job in one.jobs} == {"build", "production"})
    made = {one.attempt: one.status for one in facts(host, Build) if one.id.startswith(f"{run.id}")}
    assert made == {1: "failed", 2: "succeeded"}


def test_a_deployment_through_the_api_ends_when_it_last_changed(host: GitLabHost) -> None:
    id_ = min(host.organisation["shop"].deployments)
    said = {"deployable": None, "status": "success", "updated_at": "2026-03-02T09:03:00.000Z"}
    host.said["deployment", id_] = said
    (made,) = (one for one in facts(host, Deployment) if one.id == str(id_))
    assert (made.status, made.finished_at) == ("succeeded", datetime(2026, 3, 2, 9, 3, tzinfo=UTC))
    assert made.url.endswith("/acme/shop/-/environments")


@pytest.mark.parametrize(
    ("kind", "row", "said"),
    [
        (PullRequest, "merge_request", {"created_at": "some time ago"}),
        (PullRequest, "merge_request", {"labels": None}),
        (Deployment, "deployment", {"created_at": None, "deployable": None}),
        (Incident, "issue", {"created_at": None}),
    ],
)
def test_a_row_that_cannot_be_understood_costs_no_other(
    host: GitLabHost, kind: Any, row: str, said: Any
) -> None:
    shop = host.organisation["shop"]
    things: dict[str, dict[int, Any]] = {
        "merge_request": shop.pulls,
        "deployment": shop.deployments,
        "issue": {n: one for n, one in shop.issues.items() if "incident" in one.labels},
    }
    number = max(things[row])  # no other project has as many
    whole = facts(host, kind)
    host.said[row, number] = said
    reading = read(connector(host), kind)
    assert len([one for one in reading.records if type(one) is kind]) == len(whole) - 1
    (rejected,) = reading.rejected
    assert rejected.location.startswith("acme/shop ")
    assert rejected.location.endswith(f" {number}")


@pytest.mark.parametrize(
    ("word", "status"),
    [("blocked", "running"), ("skipped", "cancelled"), ("canceled", "cancelled")],
)
def test_statuses_of_deployments(host: GitLabHost, word: str, status: str) -> None:
    id_ = min(host.organisation["shop"].deployments)
    host.said["deployment", id_] = {"status": word}
    (made,) = (one for one in facts(host, Deployment) if one.id == str(id_))
    assert (made.status, made.original_status) == (status, word)


def test_a_rule_by_branch_takes_pipelines_that_have_no_name(host: GitLabHost) -> None:
    ledger = host.organisation["ledger"]
    for run in ledger.runs:
        host.said["pipeline", run] = {"name": None}
    rules = {"deployments": ["workflow:^main$ job:^production$"]}
    assert len(facts(host, Deployment, **rules)) == 5
    assert not facts(host, Deployment, deployments=["workflow:^release job:^production$"])


def test_a_job_started_by_hand_weeks_later_is_found(host: GitLabHost) -> None:
    ledger = host.organisation["ledger"]
    sha = ledger.branches["main"]
    run = ledger.run("Deploy", sha, "03-25 10:00", ("production", "", "", "skipped"))
    rules = {"deployments": ["job:^production$"]}
    first = read(connector(host, **rules), Deployment)
    (job_,) = ledger.runs[run].jobs
    when = datetime(2026, 4, 20, 12, tzinfo=UTC)
    ended = type(job_)(job_.id, job_.name, 1, "succeeded", when, when)
    ledger.runs[run] = type(ledger.runs[run])(
        run, "Deploy", 9, sha, "main", ledger.runs[run].created_at, when, (ended,)
    )
    (made,) = read(connector(host, **rules), Deployment, first.cursor).records
    assert isinstance(made, Deployment)
    assert (made.id, made.finished_at) == (f"{run}/{job_.id}", when)


def test_without_a_choice_incidents_are_what_gitlab_calls_so(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    number = shop.report("It burns", "03-28 10:00", ADA)
    said = {"issue_type": "incident", "type": "INCIDENT", "severity": "CRITICAL"}
    host.said["issue", number] = said
    (made,) = facts(host, Incident, incidents={})
    assert (made.title, made.severity) == ("It burns", "critical")
    assert made.id == f"{shop.id}#{number}"
    asked = {"where": "type:incident and severity:critical"}
    assert [one.id for one in facts(host, Incident, incidents=asked)] == [made.id]


def test_a_cause_by_the_address_of_a_job_is_the_deployment_it_made(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    deployment = max(shop.deployments)
    shop.report("Slow", "03-29 20:00", ADA, "incident", caused_by_deployment=deployment)
    causes = {one.cause for one in facts(host, IncidentCause)}
    (made,) = (one for one in facts(host, Deployment) if one.id == str(deployment))
    assert made.url in causes


def test_a_merge_request_that_reverts_another_says_so(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    number = shop.pull("Sell bonds").number
    text = "This reverts merge request acme/other!4"
    host.said["merge_request", number] = {"description": text}
    made = {one.number: one for one in facts(host, PullRequest) if "/shop" in one.repository}
    assert made[number].reverts is None  # one of another project
    host.said["merge_request", number] = {"description": "This reverts merge request !4"}
    made = {one.number: one for one in facts(host, PullRequest) if "/shop" in one.repository}
    assert made[number].reverts == 4


def test_what_lands_on_a_branch_may_deploy(host: GitLabHost) -> None:
    search = host.organisation["search"]
    rules = {"deployments": ["merges:main"], "projects": ["acme/search"], "groups": []}
    made = facts(host, Deployment, **rules)
    head = search.branches["main"]
    first_parents = []
    while head:
        first_parents.append(head)
        parents = search.commits[head].parents
        head = parents[0] if parents else ""
    assert {one.sha for one in made} == set(first_parents)
    assert {(one.environment, one.inferred) for one in made} == {("production", True)}


def test_branches_beside_the_default_one_are_read_where_asked_for(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    plain_ones = {one.sha for one in facts(host, Commit)}
    more = {one.sha for one in facts(host, Commit, branches=["basket", "bonds"])}
    assert more - plain_ones == {shop.branches["basket"], shop.branches["bonds"]}


def test_what_is_older_is_not_read(host: GitLabHost) -> None:
    since = datetime(2026, 3, 20, tzinfo=UTC)
    given = {"since": since}
    assert min(one.committed_at for one in facts(host, Commit, **given)) >= since
    assert {one.sha for one in facts(host, Deployment, **given)} < {
        one.sha for one in facts(host, Deployment)
    }
    assert all(one.incomplete for one in facts(host, Repository, **given))
