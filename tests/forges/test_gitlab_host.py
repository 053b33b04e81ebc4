"""The GitLab made for tests answers the real client as GitLab would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import gitlab
import pytest
import requests

from tests.forges.gitlab_host import GOOD, Fault, GitLabHost, Sizes, Token
from tests.forges.scenario import acme


@pytest.fixture
def host() -> Iterator[GitLabHost]:
    with GitLabHost(acme()).serving() as serving:
        yield serving


def client(host: GitLabHost, token: str = GOOD) -> gitlab.Gitlab:
    return gitlab.Gitlab(host.url, private_token=token, timeout=10)


def get(host: GitLabHost, path: str, **query: str) -> requests.Response:
    return requests.get(
        f"{host.url}/api/v4{path}",
        params=query,
        headers={"PRIVATE-TOKEN": GOOD},
        timeout=10,
        allow_redirects=False,
    )


def test_the_client_reads_whole_lists(host: GitLabHost) -> None:
    host.sizes = Sizes(rows=4)
    project = client(host).projects.get("acme/shop")
    found = project.mergerequests.list(state="all", get_all=True)
    assert len(found) == len(host.organisation["shop"].pulls)
    notes = project.mergerequests.get(found[-1].iid, lazy=True).notes.list(get_all=True)
    assert notes[0].author["username"]


def test_jobs_come_by_keyset_and_so_do_projects(host: GitLabHost) -> None:
    host.sizes = Sizes(rows=3)
    at = client(host)
    project = at.projects.get("acme/ledger")
    keyset = {"pagination": "keyset", "order_by": "id"}
    jobs = project.jobs.list(iterator=True, sort="desc", **keyset)
    ids = [job.id for job in jobs]
    every = [job.id for run in host.organisation["ledger"].runs.values() for job in run.jobs]
    assert ids == sorted(every, reverse=True)
    projects = at.projects.list(iterator=True, sort="asc", **keyset)
    assert [one.id for one in projects] == sorted(host.organisation.repositories)
    assert get(host, "/projects", pagination="keyset", order_by="name").status_code == 400


def test_long_lists_come_without_their_length(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    path = f"/projects/{shop.id}/merge_requests"
    short = get(host, path).headers
    assert short["X-Total"] == str(len(shop.pulls))
    host.sizes = Sizes(counted=5)
    long = get(host, path, per_page="2").headers
    assert "X-Total" not in long
    assert 'rel="last"' not in long["Link"]
    assert long["X-Next-Page"] == "2"


def test_filters_compare_what_is_kept_not_what_is_shown(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    path = f"/projects/{shop.id}/merge_requests"
    order = {"order_by": "updated_at", "sort": "desc"}
    (newest, *_) = get(host, path, **order).json()
    before = newest["updated_at"]
    ids = [one["id"] for one in get(host, path, updated_before=before, **order).json()]
    assert newest["id"] not in ids  # it is some microseconds later than is shown
    later = datetime.fromisoformat(before) + timedelta(milliseconds=1)
    found = get(host, path, updated_before=later.isoformat(), **order).json()
    assert found[0]["id"] == newest["id"]


def test_deployments_are_filtered_and_ordered_alike(host: GitLabHost) -> None:
    path = f"/projects/{host.organisation['shop'].id}/deployments"
    assert get(host, path, order_by="updated_at").status_code == 400
    good = get(host, path, order_by="updated_at", updated_after="2026-03-01T00:00:00Z")
    assert good.status_code == 200


def test_a_renamed_project_is_elsewhere(host: GitLabHost) -> None:
    answer = get(host, "/projects/acme%2Ffinder")
    assert answer.status_code == 301
    search = host.organisation["search"]
    assert answer.headers["Location"].endswith(f"/projects/{search.id}")
    assert client(host).projects.get("acme/finder").path_with_namespace == "acme/search"


def test_a_reopened_issue_forgets_when_it_was_closed(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    number = shop.issue("Words are missing").number
    path = f"/projects/{shop.id}/issues"
    shop.turn(number, "04-01 10:00", "reopened", None)
    row = next(one for one in get(host, path, per_page="100").json() if one["iid"] == number)
    assert (row["state"], row["closed_at"]) == ("opened", None)
    events = get(host, f"{path}/{number}/resource_state_events").json()
    assert [one["state"] for one in events] == ["closed", "reopened"]


def test_retried_jobs_are_left_out_unless_asked_for(host: GitLabHost) -> None:
    ledger = host.organisation["ledger"]
    run = next(one for one in ledger.runs.values() if one.attempts == 3)
    path = f"/projects/{ledger.id}/pipelines/{run.id}/jobs"
    assert len(get(host, path).json()) == 2
    assert len(get(host, path, include_retried="true").json()) == len(run.jobs) == 5


def test_ranges_of_commits_and_what_they_share(host: GitLabHost) -> None:
    shop = host.organisation["shop"]
    head = shop.branches["main"]
    old = shop.commits[head].parents[0]
    path = f"/projects/{shop.id}/repository"
    found = get(host, f"{path}/commits", ref_name=f"{old}..{head}").json()
    assert [one["id"] for one in found] == [head]
    shared = requests.get(
        f"{host.url}/api/v4{path}/merge_base",
        params={"refs[]": [old, head]},
        headers={"PRIVATE-TOKEN": GOOD},
        timeout=10,
    )
    assert shared.json()["id"] == old


@pytest.mark.parametrize(
    ("token", "status", "word"),
    [
        (None, 401, "401 Unauthorized"),
        (Token(expired=True), 401, "expired"),
        (Token(revoked=True), 401, "revoked"),
        (Token(scopes=("read_user",)), 403, "insufficient_scope"),
    ],
)
def test_tokens_are_refused_each_in_its_way(
    host: GitLabHost, token: Token | None, status: int, word: str
) -> None:
    host.tokens = {GOOD: token} if token else {}
    answer = get(host, "/projects/acme%2Fshop")
    assert answer.status_code == status
    assert word in answer.text


def test_a_limit_is_told_with_its_end(host: GitLabHost) -> None:
    host.limit, host.period = 2, 30.0
    answers = [get(host, "/projects/acme%2Fshop") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 30
    assert int(answers[-1].headers["RateLimit-Reset"]) > host.now().timestamp()


def test_faults_strike_as_often_as_they_are_told_to(host: GitLabHost) -> None:
    host.faults.add(Fault("502", "/deployments", after=1, times=2))
    path = f"/projects/{host.organisation['shop'].id}/deployments"
    assert [get(host, path).status_code for _ in range(4)] == [200, 502, 502, 200]
    host.faults.add(Fault("truncated"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(host, path)
