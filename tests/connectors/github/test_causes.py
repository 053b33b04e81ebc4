"""An incident may name a deployment by its address, whose number is not the id of the fact."""

from __future__ import annotations

import pytest

from connectors.testing import read
from dora.records import Deployment, Incident, IncidentCause
from tests.connectors.github.asking import source
from tests.forges.github_host import GitHubHost
from tests.forges.organisation import Organisation
from tests.forges.scenario import ADA

ONE = "/repos/{owner}/{repo}/deployments/{deployment_id}"


@pytest.fixture
def organisation() -> Organisation:
    """Two deployments of one repository."""
    made = Organisation("acme")
    shop = made.add("shop")
    for day in ("03-02", "03-03"):
        sha = shop.commit("Change", f"{day} 08:00", ADA)
        shop.deploy(sha, f"{day} 09:00", (f"{day} 09:10", "succeeded"))
    return made


def causes(host: GitHubHost) -> list[str]:
    """What the incidents state, in the order of their texts."""
    given = read(source(host, incidents={"labels": ["incident"]}), Incident).records
    return [one.cause for one in given if isinstance(one, IncidentCause)]


def report(organisation: Organisation, *addresses: str) -> None:
    for number, address in enumerate(addresses):
        organisation["shop"].report(
            f"Down {number}", f"03-04 0{number}:00", ADA, "incident", body=f"Caused by {address}."
        )


@pytest.mark.parametrize("place", ["{url}/repos/acme/shop", "http://127.0.0.1/acme/shop"])
def test_an_address_of_a_deployment_is_the_deployment(
    host: GitHubHost, organisation: Organisation, place: str
) -> None:
    _, second = organisation["shop"].deployments
    report(organisation, f"{place.format(url=host.url)}/deployments/{second}")
    (cause,) = causes(host)
    (known,) = [
        one.id
        for one in read(source(host), Deployment).records
        if isinstance(one, Deployment) and one.started_at and one.started_at.day == 3
    ]
    assert cause == known != str(second)


def test_an_address_is_asked_for_once(host: GitHubHost, organisation: Organisation) -> None:
    first, _ = organisation["shop"].deployments
    report(organisation, *[f"{host.url}/repos/acme/shop/deployments/{first}"] * 3)
    assert len(causes(host)) == 3
    assert [one.kind for one in host.requests].count(ONE) == 1


def test_an_address_that_is_none_of_ours_stays_a_number(
    host: GitHubHost, organisation: Organisation
) -> None:
    report(
        organisation,
        f"{host.url}/repos/acme/shop/deployments/999",
        "https://github.example/acme/shop/deployments/31",
    )
    assert sorted(causes(host)) == ["31", "999"]
    assert [one.kind for one in host.requests].count(ONE) == 1
