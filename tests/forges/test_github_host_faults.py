"""The GitHub made for tests fails in every way, as often as it is meant to."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import requests
from github import GithubException

from tests.forges.github_host import FAULTS, Fault, GitHubHost, Trouble
from tests.forges.github_host.faults import Response
from tests.forges.organisation import Organisation
from tests.forges.talking import NEWEST, pages

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda one: one.name)
def test_a_fault_happens_as_often_as_it_is_meant_to(
    organisation: Organisation, fault: Fault
) -> None:
    now = [1_000_000.0]
    with GitHubHost(organisation, now=lambda: now[0]) as host:
        host.troubles.append(Trouble(replace(fault, wait=fault.wait and 10), after=1))
        if fault.name == "slow":
            host.troubles[0].fault = replace(fault, spoil=lambda right, _: right)
        asked = [_reached(host) for _ in range(3)]
        now[0] += 10
        asked.append(_reached(host))
    assert asked[0]
    assert asked[1] is (fault.name == "slow")
    assert asked[2] is not bool(fault.wait)
    assert asked[3]
    assert [one.fault for one in host.requests[:2]] == [None, fault.name]


def _reached(host: GitHubHost) -> bool:
    """Whether a question is answered rightly."""
    try:
        answer = requests.post(
            f"{host.web}/api/graphql",
            json={"query": "query Q { nodes(ids: []) { id } viewer { login } }"},
            headers={"Authorization": "Bearer ghp_good"},
            timeout=10,
        )
        return bool(answer.json() == {"data": {"nodes": [], "viewer": {"login": "ada"}}})
    except (requests.RequestException, ValueError):
        return False


def test_resource_limits_leave_half_of_the_rows_and_say_so() -> None:
    right = Response(200, json.dumps({"data": {"nodes": [1, 2, 3, 4]}}).encode())
    spoilt = json.loads(FAULTS["200 resource limits"].spoil(right, 0.0).body)
    assert spoilt["data"] == {"nodes": [1, 2, None, None]}
    assert spoilt["errors"][0]["type"] == "RESOURCE_LIMITS_EXCEEDED"


def test_a_fault_may_wait_for_large_pages(host: GitHubHost) -> None:
    host.troubles.append(Trouble(FAULTS["502"], times=99, above=4))
    assert len(pages(host, NEWEST, 4)) == 13
    with pytest.raises(GithubException) as error:
        pages(host, NEWEST, 5)
    assert error.value.status == 502
