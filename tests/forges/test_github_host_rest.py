"""The GitHub made for tests answers REST as GitHub describes it."""

from __future__ import annotations

import jwt
import pytest
import requests

from tests.contracts.reading import github_openapi
from tests.contracts.validation import github_faults
from tests.forges.github_host import App, GitHubHost
from tests.forges.organisation import Organisation
from tests.forges.talking import get

pytestmark = pytest.mark.timeout(60)


def paths(organisation: Organisation) -> list[str]:
    """A path for everything that REST answers here."""
    ledger = organisation["ledger"]
    again = max(ledger.runs.values(), key=lambda run: run.attempts)
    runs = "/repos/acme/ledger/actions/runs"
    return [
        "/user",
        "/rate_limit",
        "/repos/acme/shop",
        f"/repositories/{ledger.id}",
        *(f"/repos/acme/shop/deployments/{id_}" for id_ in organisation["shop"].deployments),
        "/repos/acme/ledger/actions/workflows",
        f"/repos/acme/ledger/actions/workflows/{ledger.id * 100}/runs",
        runs,
        f"{runs}?per_page=2&page=2&created=<=2026-03-20T00:00:00Z",
        *(f"{runs}/{id_}" for id_ in ledger.runs),
        *(f"{runs}/{again.id}/attempts/{number}" for number in (1, 2, 3)),
        *(f"{runs}/{id_}/jobs?filter=all" for id_ in ledger.runs),
        f"{runs}/{again.id}/attempts/2/jobs",
    ]


def test_every_rest_answer_is_what_githubs_description_promises(host: GitHubHost) -> None:
    for path in paths(host.organisation):
        answer = get(host, path)
        template = host.requests[-1].kind
        assert (path, answer.status_code) == (path, 200)
        assert (path, github_faults(template, answer.json())) == (path, [])
    assert {one.kind for one in host.requests} == set(github_openapi()["paths"]) - {
        "/app/installations/{installation_id}/access_tokens"
    }


def test_who_holds_an_apps_key_gets_tokens_for_an_hour(organisation: Organisation) -> None:
    now = [1_000_000_000.0]
    app = App()
    with GitHubHost(organisation, [], app=app, now=lambda: now[0]) as host:
        claims = {"iss": str(app.id), "iat": int(now[0]), "exp": int(now[0]) + 540}
        signed = jwt.encode(claims, app.private_key, "RS256")
        other = jwt.encode(claims, App().private_key, "RS256")
        path = f"{host.url}/app/installations/70/access_tokens"
        refused = requests.post(path, headers={"Authorization": f"Bearer {other}"}, timeout=10)
        assert refused.status_code == 401
        given = requests.post(path, headers={"Authorization": f"Bearer {signed}"}, timeout=10)
        assert given.status_code == 201
        template = "/app/installations/{installation_id}/access_tokens"
        assert github_faults(template, given.json(), method="post", status=201) == []
        token = given.json()["token"]
        assert get(host, "/repos/acme/shop", Authorization=f"Bearer {token}").ok
        now[0] += 3600
        assert not get(host, "/repos/acme/shop", Authorization=f"Bearer {token}").ok


def test_the_description_would_notice_a_wrong_answer(host: GitHubHost) -> None:
    right = get(host, "/repos/acme/ledger/actions/runs").json()
    for wrong in (
        {**right, "total_count": "5"},
        {**right, "workflow_runs": [{**right["workflow_runs"][0], "created_at": "yesterday"}]},
        {**right, "workflow_runs": [{**right["workflow_runs"][0], "head_sha": None}]},
        {**right, "workflow_runs": [{"id": 1}]},
    ):
        assert github_faults("/repos/{owner}/{repo}/actions/runs", wrong)


def test_rest_lists_link_their_pages_and_an_unchanged_one_costs_nothing(host: GitHubHost) -> None:
    found: list[int] = []
    answer = get(host, "/repos/acme/ledger/actions/runs?per_page=2")
    found += [run["id"] for run in answer.json()["workflow_runs"]]
    while "next" in answer.links:
        answer = get(host, answer.links["next"]["url"].removeprefix(host.url))
        found += [run["id"] for run in answer.json()["workflow_runs"]]
    assert sorted(found) == sorted(host.organisation["ledger"].runs)
    used = answer.headers["X-RateLimit-Used"]
    again = get(
        host,
        host.requests[-1].path.removeprefix("/api/v3"),
        **{"If-None-Match": answer.headers["ETag"]},
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["X-RateLimit-Used"] == used


@pytest.mark.parametrize(
    ("created", "days"),
    [
        ("2026-03-18", [18, 18]),
        (">=2026-03-16T09:50:00Z", [18, 18, 16]),
        ("<2026-03-10T12:50:00Z", [3]),
        ("2026-03-10..2026-03-16", [16, 10]),
        ("*..2026-03-10T12:50:00Z", [10, 3]),
    ],
)
def test_runs_are_filtered_as_githubs_search_writes_ranges(
    host: GitHubHost, created: str, days: list[int]
) -> None:
    runs = get(host, f"/repos/acme/ledger/actions/runs?created={created}").json()["workflow_runs"]
    assert [int(run["created_at"][8:10]) for run in runs] == days


def test_jobs_are_those_of_the_last_attempt_unless_all_are_asked_for(host: GitHubHost) -> None:
    ledger = host.organisation["ledger"]
    again = max(ledger.runs.values(), key=lambda run: run.attempts)
    path = f"/repos/acme/ledger/actions/runs/{again.id}/jobs"
    listed = [job["name"] for job in get(host, path).json()["jobs"]]
    every = [job["name"] for job in get(host, f"{path}?filter=all").json()["jobs"]]
    assert listed == ["production", "smoke"]
    assert every == ["production", "smoke", "smoke", "production", "smoke"]
