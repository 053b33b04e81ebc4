"""The model files themselves: their headers, their order, and that other engines could run them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import sqlglot
from sqlglot import expressions

from dora.models import Model, build_order, models, parse, rules_row
from dora.rules import Hotfix, Rules
from tests.models.harness import Given, at

DIALECTS = (
    "duckdb",
    "postgres",
    "spark",
    "databricks",
    "sqlite",
    "bigquery",
    "snowflake",
    "trino",
    "clickhouse",
    "redshift",
)
SPELT_OUT = ("bigquery", "clickhouse")
"""Where `union` needs its `distinct`."""

PORTABLE = sorted(models().items())
ALL = [*PORTABLE, *sorted(models("duckdb").items() - models().items())]
"""With those that an engine has of its own."""


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("name", "model"), PORTABLE, ids=[name for name, _ in PORTABLE])
def test_every_model_parses_in_every_dialect(name: str, model: Model, dialect: str) -> None:
    sql = re.sub(r"\bunion\b(?! all)", "union distinct", model.sql)  # SQLite has no such word
    [statement] = sqlglot.parse(sql if dialect in SPELT_OUT else model.sql, read=dialect)
    assert isinstance(statement, expressions.Query)


@pytest.mark.parametrize(("name", "model"), ALL, ids=[name for name, _ in ALL])
def test_headers_name_exactly_the_tables_that_are_read(name: str, model: Model) -> None:
    [statement] = sqlglot.parse(model.sql, read="duckdb")
    assert statement is not None
    named = {table.name for table in statement.find_all(expressions.Table)}
    inner = {cte.alias for cte in statement.find_all(expressions.CTE)}
    assert set(model.reads) == named - inner
    assert model.grain
    assert model.key
    assert model.rule


FORBIDDEN = (
    expressions.Div,
    expressions.TimestampTrunc,
    expressions.DateTrunc,
    expressions.Qualify,
    expressions.Filter,
    expressions.PercentileCont,
    expressions.Quantile,
    expressions.Median,
    expressions.RegexpLike,
    expressions.Struct,
    expressions.Array,
    expressions.Lateral,
    expressions.Interval,
)


@pytest.mark.parametrize(("name", "model"), PORTABLE, ids=[name for name, _ in PORTABLE])
def test_nothing_is_used_that_engines_disagree_on(name: str, model: Model) -> None:
    [statement] = sqlglot.parse(model.sql, read="duckdb")
    assert statement is not None
    assert [type(found).__name__ for found in statement.find_all(*FORBIDDEN)] == []
    assert not [join for join in statement.find_all(expressions.Join) if join.method == "ASOF"]
    for union in statement.find_all(expressions.Union):
        for branch in (union.left, union.right):
            assert all(column.alias for column in branch.selects)
    for ranked in statement.find_all(expressions.Window):
        if isinstance(ranked.this, expressions.RowNumber):
            assert isinstance(ranked.parent, expressions.Cast | expressions.EQ)


def test_models_come_after_what_they_read() -> None:
    known = models()
    order = build_order(("delivered_changes",), known)
    assert order[-1] == "delivered_changes"
    for place, name in enumerate(order):
        assert set(known[name].reads) & set(known) <= set(order[:place])


def test_header_lines_go_on_over_several_comments() -> None:
    found = parse(
        "m", "-- grain: a thing\n-- key: a, b\n-- reads: t\n-- rule: One\n--  two.\nselect 1"
    )
    assert (found.grain, found.key, found.reads, found.rule) == (
        "a thing", ("a", "b"), ("t",), "One two.",
    )  # fmt: skip


def test_table_of_rules_says_what_the_rules_say() -> None:
    as_of = datetime(2026, 3, 1, tzinfo=UTC)
    rules = Rules(failure_window=None, failure_rules=("stated", "revert"))
    row = rules_row(rules.but(hotfix=Hotfix((), ("fix/*",), ())), as_of)
    day = 86_400_000_000
    assert row["as_of"] == as_of
    assert (row["failure_window_us"], row["maturity_us"]) == (None, day)
    assert row["hotfix_window_us"] == 7 * day
    assert [name for name, said in row.items() if name.startswith("rule_") and said] == [
        "rule_stated",
        "rule_revert",
    ]
    assert row["hotfix_title"] == row["hotfix_label"] == "a^"
    assert re.search(row["hotfix_branch"], "fix/pay")


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_other_rules_build_anew_only_what_hangs_on_them(engine: str) -> None:
    given = Given(engine)
    given.line("a")
    given.commit("bump", "a", 1, is_bot=True)
    given.deploy("v1", "bump", 10)
    first = given.workspace(Rules(), at(20))
    first.need("delivered_changes")
    asked = "select count(*) as n from delivered_changes where left_out is null"
    second = first.with_rules(Rules(bot_changes=True))
    assert "landed_pull_requests" in second.built
    assert "delivered_changes" not in second.built
    second.need("delivered_changes")
    assert (first.rows(asked), second.rows(asked)) == ([(0,)], [(1,)])
    assert first.with_rules(Rules(recovery="first_close")).built == first.built
    assert first.with_as_of(at(5)).built == {
        "cherry_picks",
        "marked_deployments",
        "numbered_commits",
    }
    assert first.with_rules(Rules(environments=("staging",))).built == set()


def test_each_row_has_its_own_key() -> None:
    given = Given("duckdb")
    given.line("a b c")
    given.deploy("v1", "a", 10)
    given.deploy("v2", "c", 11)
    workspace = given.workspace(Rules(), at(100))
    for name in build_order(("delivered_changes",), models()):
        workspace.need(name)
        key = ", ".join(models()[name].key)
        doubles = workspace.rows(
            f"select count(*) as n from (select {key} from {name} group by {key}"
            " having count(*) > 1) x"
        )
        assert (name, doubles) == (name, [(0,)])
