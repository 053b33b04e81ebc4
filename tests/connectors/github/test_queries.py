"""Every query that is put to GitHub is valid by its schema, within its limits, and cheap."""

from __future__ import annotations

import graphql
import pytest

from connectors.github import queries
from tests.contracts.reading import github_schema
from tests.forges.github_host.costs import MOST_NODES, Cost, cost

ALL = dict.fromkeys(("pulls", "issues", "deployments", "versions"), True)
HUNDRED = {"size": 100, "ids": ["x"] * 100, **ALL}
"""Variables for the largest page that is ever asked for."""

POINTS = {
    "PULL_REQUESTS": 4,  # 1 + 100 * (labels, commits, reviews, timeline) = 401 lists
    "ISSUES": 2,  # 1 + 100 * (labels, timeline) = 201 lists
    "OWNED": 5,  # 1 + 100 * (newest pull request, issue, deployment, releases, tag) = 501 lists
    "HEADS": 5,  # the same for 100 ids = 500 lists
}
"""What a full page of a query costs, where that is more than a point."""


def asked(name: str) -> Cost:
    return cost(github_schema(), graphql.parse(queries.QUERIES[name]), HUNDRED)


@pytest.mark.parametrize("name", queries.QUERIES)
def test_a_query_is_valid_by_the_official_schema(name: str) -> None:
    faults = graphql.validate(github_schema(), graphql.parse(queries.QUERIES[name]))
    assert [fault.message for fault in faults] == []


@pytest.mark.parametrize("name", queries.QUERIES)
def test_a_full_page_stays_within_the_limits_and_the_price(name: str) -> None:
    assert asked(name).nodes <= MOST_NODES
    assert asked(name).points == POINTS.get(name, 1)


@pytest.mark.parametrize("name", queries.QUERIES)
def test_a_query_has_a_name_and_says_what_it_costs(name: str) -> None:
    (operation,) = (
        one
        for one in graphql.parse(queries.QUERIES[name]).definitions
        if isinstance(one, graphql.OperationDefinitionNode)
    )
    assert operation.name is not None
    assert operation.name.value.lower() == name.lower().replace("_", "")
    chosen = [getattr(one, "name", None) for one in operation.selection_set.selections]
    assert "rateLimit" in [one.value for one in chosen if one is not None]
