from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import BaseModel

from dora import lineage, services
from dora.config import Config, Membership, Service, Source, Team
from dora.engines.duckdb import DuckDB
from dora.models import Workspace
from dora.rules import Rules
from dora.store import create_tables

SHOP, DOCS, API = "github.com/acme/shop", "github.com/acme/docs", "github.com/acme/api"


class NoOptions(BaseModel):
    pass


@pytest.fixture
def store() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    create_tables(connection)
    return connection


def insert(store: duckdb.DuckDBPyConnection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        store.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def deployed(
    store: duckdb.DuckDBPyConnection, repository: str, service: str | None = None, **more: Any
) -> None:
    row = {"source": "ci", "id": "1", "environment": "production", "status": "succeeded"} | more
    insert(store, "deployments", [{**row, "repository": repository, "service": service}])


def configured(*listed: Service, covers: tuple[str, ...] = (), **environments: Any) -> Config:
    source = Source("ci", "files", NoOptions(), covers)
    base = Path("/nowhere")
    return Config(
        path=base / "dora.toml",
        base=base,
        store=base / "dora.duckdb",
        sources=(source,),
        services=listed,
        environments=environments,
    )


def rows(store: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    told = "exclude (name, environment)" if table == "service_map" else ""
    return sorted(store.execute(f"select * {told} from {table}").fetchall(), key=str)


def test_without_a_configuration_each_repository_is_a_service(
    store: duckdb.DuckDBPyConnection,
) -> None:
    deployed(store, SHOP)
    deployed(store, SHOP, id="2")
    deployed(store, "local/clone")
    insert(store, "repositories", [{"source": "git", "repository": DOCS, "incomplete": False}])
    services.write(store, None)
    assert rows(store, "service_map") == [
        (DOCS, "", "acme/docs", False),
        (SHOP, "", "acme/shop", False),
        ("local/clone", "", "clone", False),
    ]
    assert rows(store, "services") == [("acme/docs", None), ("acme/shop", None), ("clone", None)]
    assert rows(store, "team_services") == []
    assert rows(store, "covered_services") == []


def test_a_stated_service_is_that_service_as_configured_or_as_it_is(
    store: duckdb.DuckDBPyConnection,
) -> None:
    deployed(store, SHOP, "Checkout")
    deployed(store, SHOP, "cart")
    services.write(store, configured(Service("checkout", repositories=("other",))))
    assert rows(store, "service_map") == [
        (SHOP, "Checkout", "checkout", False),
        (SHOP, "cart", "cart", False),
    ]


@pytest.mark.parametrize(
    "pattern", [SHOP, "acme/shop", "shop", "SHOP", "github.com/acme/*", "*/shop", "sh*"]
)
def test_an_unstated_service_goes_by_its_repository(
    store: duckdb.DuckDBPyConnection, pattern: str
) -> None:
    deployed(store, SHOP)
    deployed(store, API.replace("acme", "other"))
    services.write(store, configured(Service("web", repositories=(pattern,))))
    assert rows(store, "service_map") == [
        (SHOP, "", "web", False),
        ("github.com/other/api", "", "other/api", False),
    ]


def test_one_deployment_counts_for_every_service_its_repository_is_built_into(
    store: duckdb.DuckDBPyConnection,
) -> None:
    deployed(store, SHOP)
    web = Service("web", repositories=("shop",))
    checkout = Service("checkout", repositories=("shop",), paths=("services/checkout",))
    services.write(store, configured(web, checkout))
    assert rows(store, "service_map") == [
        (SHOP, "", "checkout", True),
        (SHOP, "", "web", False),
    ]


def commit(store: duckdb.DuckDBPyConnection, number: int, repository: str, *paths: str) -> None:
    row = {"repository": repository, "sha": f"{number:040x}", "commit_id": number}
    insert(store, "commits", [row])
    insert(
        store,
        "commit_paths",
        [{"repository": repository, "sha": f"{number:040x}", "path": path} for path in paths],
    )


def test_commits_belong_to_the_services_whose_paths_they_touch(
    store: duckdb.DuckDBPyConnection,
) -> None:
    commit(store, 1, SHOP, "services/checkout/a.py", "services/cart/b.py")
    commit(store, 2, SHOP, "services/checkout/deep/a.py", "services/checkout/b.py")
    commit(store, 3, SHOP, "README.md")
    commit(store, 4, SHOP, "services/cart/été\n.py")
    commit(store, 5, API, "services/cart/b.py")
    deployed(store, SHOP)
    services.write(
        store,
        configured(
            Service("checkout", repositories=("shop",), paths=("services/checkout/**",)),
            Service("cart", repositories=("shop",), paths=("services/cart", "lib/*")),
        ),
    )
    assert rows(store, "commit_services") == [
        (1, "cart"),
        (1, "checkout"),
        (2, "checkout"),
        (4, "cart"),
    ]


def test_paths_without_repositories_go_by_where_they_are_found(
    store: duckdb.DuckDBPyConnection,
) -> None:
    commit(store, 1, SHOP, "services/checkout/a.py")
    commit(store, 2, API, "main.py")
    deployed(store, SHOP)
    deployed(store, API)
    services.write(store, configured(Service("checkout", paths=("services/checkout/**",))))
    assert rows(store, "service_map") == [
        (API, "", "acme/api", False),
        (SHOP, "", "checkout", True),
    ]
    assert rows(store, "commit_services") == [(1, "checkout")]


def incident(store: duckdb.DuckDBPyConnection, id: str, **more: Any) -> None:
    insert(store, "incidents", [{"source": "pager", "id": id, **more}])


def test_an_incident_is_mapped_as_stated_else_by_repository_else_left_unmapped(
    store: duckdb.DuckDBPyConnection,
) -> None:
    deployed(store, SHOP)
    deployed(store, API, "gateway")
    incident(store, "stated", service="WEB", repository=API)
    incident(store, "unknown service", service="mail")
    incident(store, "by configured repository", repository=SHOP)
    incident(store, "by the one service deployed from it", repository=API)
    incident(store, "in a repository of incidents", repository="github.com/acme/incidents")
    incident(store, "nothing said")
    services.write(store, configured(Service("web", repositories=("shop",))))
    assert rows(store, "incident_services") == [
        ("pager", "by configured repository", "web"),
        ("pager", "by the one service deployed from it", "gateway"),
        ("pager", "stated", "web"),
        ("pager", "unknown service", "mail"),
    ]
    assert rows(store, "covered_services") == [("gateway",), ("mail",), ("web",)]


def test_an_incident_may_name_several_services(store: duckdb.DuckDBPyConnection) -> None:
    deployed(store, API, "Billing, EU")
    incident(store, "two", service="WEB, mail,web")
    incident(store, "deployed", service="Billing, EU")
    incident(store, "configured", service="Shop, old")
    incident(store, "empty", service=" , mail,")
    services.write(store, configured(Service("web"), Service("shop", aliases=("shop, old",))))
    assert rows(store, "incident_services") == [
        ("pager", "configured", "shop"),
        ("pager", "deployed", "Billing, EU"),
        ("pager", "empty", "mail"),
        ("pager", "two", "mail"),
        ("pager", "two", "web"),
    ]


def test_an_incident_that_says_nothing_belongs_to_the_only_service(
    store: duckdb.DuckDBPyConnection,
) -> None:
    deployed(store, SHOP)
    insert(store, "repositories", [{"source": "git", "repository": DOCS}])
    incident(store, "1")
    incident(store, "2", repository="github.com/acme/incidents")
    services.write(store, None)
    assert rows(store, "incident_services") == [
        ("pager", "1", "acme/shop"),
        ("pager", "2", "acme/shop"),
    ]


def test_a_source_covers_services_that_have_had_no_incident(
    store: duckdb.DuckDBPyConnection,
) -> None:
    deployed(store, SHOP)
    deployed(store, API)
    deployed(store, DOCS)
    services.write(store, configured(covers=("acme/s*", "api")))
    assert rows(store, "covered_services") == [("acme/api",), ("acme/shop",)]


def test_teams_own_services_by_dates(store: duckdb.DuckDBPyConnection) -> None:
    moved = date(2026, 1, 1)
    teams = (Membership("web", until_day=moved), Membership("payments", from_day=moved))
    services.write(
        store,
        configured(
            Service("cart", team="payments", teams=teams),
            Service("docs", team="writers", teams=(Membership("writers"),)),
            Service("alone"),
            Service("always", team="web"),
        ),
    )
    assert rows(store, "services") == [
        ("alone", None),
        ("always", "web"),
        ("cart", "payments"),
        ("docs", "writers"),
    ]
    assert rows(store, "team_services") == [
        ("payments", "cart", moved, date(9999, 12, 31)),
        ("web", "always", date(1, 1, 1), date(9999, 12, 31)),
        ("web", "cart", date(1, 1, 1), moved),
        ("writers", "docs", date(1, 1, 1), date(9999, 12, 31)),
    ]


def names(store: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    told = "select stated, name, environment, service from service_map where repository = ?"
    return sorted(store.execute(told, [SHOP]).fetchall())


def test_names_of_deployments_tell_services_of_one_repository_apart(
    store: duckdb.DuckDBPyConnection,
) -> None:
    deployed(store, SHOP, id="1", name="deploy-web-7")
    deployed(store, SHOP, id="2", name="Deploy-API")
    deployed(store, SHOP, id="3", name="migrate")
    deployed(store, SHOP, id="4")
    deployed(store, SHOP, "web", id="5", name="deploy-api")
    web = Service("web", repositories=("shop",), deployments=("deploy-web*",))
    api = Service("api", repositories=("shop",), deployments=("deploy-api",))
    services.write(store, configured(web, api))
    assert names(store) == [
        ("", "", "*", "acme/shop"),
        ("", "Deploy-API", "*", "api"),
        ("", "deploy-web-7", "*", "web"),
        ("", "migrate", "*", "acme/shop"),
        ("web", "*", "*", "web"),  # what a source states goes before every rule
    ]


def test_environments_tell_services_apart_and_every_rule_of_a_service_must_fit(
    store: duckdb.DuckDBPyConnection,
) -> None:
    for number, (name, environment) in enumerate(
        [("ship", "web-prod"), ("ship", "api-prod"), ("test", "web-prod")]
    ):
        deployed(store, SHOP, id=str(number), name=name, environment=environment)
    deployed(store, API, id="9", name="ship", environment="web-prod")
    web = Service("web", environments=("web-*",), deployments=("ship",))
    whole = Service("whole", repositories=("shop",))
    services.write(store, configured(web, whole))
    assert names(store) == [
        ("", "ship", "api-prod", "whole"),
        ("", "ship", "web-prod", "web"),
        ("", "ship", "web-prod", "whole"),
        ("", "test", "web-prod", "whole"),
    ]
    elsewhere = "select service from service_map where repository = ?"
    assert store.execute(elsewhere, [API]).fetchall() == [("web",)]  # wherever its code lives


def test_models_follow_the_names_of_deployments(store: duckdb.DuckDBPyConnection) -> None:
    web = Service("web", repositories=("shop",), deployments=("deploy-web*",))
    finished = datetime(2026, 3, 1, tzinfo=UTC)
    for number, name in enumerate(("deploy-web", "deploy-api")):
        deployed(store, SHOP, id=name, name=name, finished_at=finished + timedelta(number))
    services.write(store, configured(web))
    lineage.update(store)
    space = Workspace(DuckDB(store), rules=Rules(), as_of=finished + timedelta(9))
    space.need("production_sequence", "coverage_environments")
    found = "select deployment, service from production_sequence order by 1"
    assert space.rows(found) == [("deploy-api", "acme/shop"), ("deploy-web", "web")]
    assert sorted(store.execute("select service from streams").fetchall()) == [
        ("acme/shop",),
        ("web",),
    ]
    services.write(store, configured())  # the same names mean another service now
    assert lineage.update(store)
    assert store.execute("select service from streams").fetchall() == [("acme/shop",)]


FLAG = {"source": "f", "id": "1", "environment": "production"}


def test_an_alias_is_the_service_wherever_a_source_says_it(
    store: duckdb.DuckDBPyConnection,
) -> None:
    deployed(store, SHOP, "web-frontend")
    insert(store, "incidents", [{"source": "p", "id": "1", "service": "Web Shop (prod)"}])
    insert(store, "flag_changes", [FLAG | {"service": "WEB"}])
    aliases = ("Web Shop (Prod)", "web-frontend")
    services.write(store, configured(Service("web", aliases=aliases)))
    assert rows(store, "service_map") == [(SHOP, "web-frontend", "web", False)]
    assert rows(store, "incident_services") == [("p", "1", "web")]
    assert rows(store, "flag_services") == [("WEB", "web")]


def test_a_flag_of_no_service_is_of_the_only_one(store: duckdb.DuckDBPyConnection) -> None:
    deployed(store, SHOP)
    insert(store, "flag_changes", [FLAG])
    services.write(store, None)
    assert rows(store, "flag_services") == [("", "acme/shop")]
    deployed(store, API)
    services.write(store, None)
    assert rows(store, "flag_services") == []


def test_a_manual_change_is_of_the_service_that_it_says_as_a_flag_is(
    store: duckdb.DuckDBPyConnection,
) -> None:
    deployed(store, SHOP)
    insert(store, "flag_changes", [FLAG])
    by_hand = [FLAG | {"service": "shop", "environment": "prod"}, FLAG | {"id": "2"}]
    insert(store, "manual_changes", by_hand)
    services.write(store, None)
    assert rows(store, "flag_services") == [("", "acme/shop"), ("shop", "shop")]
    assert ("prod", "", "production") in rows(store, "environment_kinds")


def test_every_environment_of_the_facts_has_a_kind(store: duckdb.DuckDBPyConnection) -> None:
    deployed(store, SHOP, environment="prod-eu")
    deployed(store, SHOP, environment="blue", tier="production")
    deployed(store, SHOP, environment="blue")
    deployed(store, SHOP, environment="shop")
    insert(store, "flag_changes", [{"source": "f", "id": "1", "environment": "qa"}])
    services.write(store, configured(staging=("sh*",)))
    assert rows(store, "environment_kinds") == [
        ("blue", "", "other"),
        ("blue", "production", "production"),
        ("prod-eu", "", "production"),
        ("qa", "", "test"),
        ("shop", "", "staging"),
    ]


WHOLE = replace(
    configured(
        Service("web", "a", ("shop",), ("src/**",), (Membership("a", date(2025, 1, 1)),)),
        covers=("*",),
        production=("blue",),
    ),
    teams=(Team("a", "all"),),
)
EMPTY = ("incident_services", "flag_services")


def test_the_store_remembers_what_the_configuration_said(
    store: duckdb.DuckDBPyConnection,
) -> None:
    commit(store, 1, SHOP, "src/a.py")
    deployed(store, SHOP, environment="blue")
    services.write(store, WHOLE)
    before = {table: rows(store, table) for table in services.TABLES}
    assert all(before[table] for table in services.TABLES if table not in EMPTY)
    services.write(store, None)
    assert {table: rows(store, table) for table in services.TABLES} == before
    services.write(store, configured())
    assert rows(store, "services") == [("acme/shop", None)]


def test_a_reader_maps_anew_in_memory_beside_the_store(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with duckdb.connect(str(path)) as written:
        create_tables(written)
        deployed(written, SHOP, environment="blue")
        services.write(written, WHOLE)
    reader = duckdb.connect()
    reader.execute(f"attach '{path}' as facts (read_only)")
    for (table,) in reader.execute(
        "select table_name from duckdb_tables() where database_name = 'facts'"
    ).fetchall():
        reader.execute(f"create view {table} as from facts.{table}")
    stored = services.fingerprint(reader)
    assert services.remembered(reader) == services.Directory.of(WHOLE)
    services.write(reader, None)
    assert services.fingerprint(reader) == stored
    services.write(reader, configured())
    assert rows(reader, "services") == [("acme/shop", None)]
    assert rows(reader, "facts.services") == [("web", "a")]


def test_the_fingerprint_changes_with_the_mapping_only(store: duckdb.DuckDBPyConnection) -> None:
    assert services.fingerprint(store) == ""
    deployed(store, SHOP)
    services.write(store, None)
    first = services.fingerprint(store)
    services.write(store, None)
    deployed(store, SHOP, id="2")
    services.write(store, None)
    assert services.fingerprint(store) == first
    deployed(store, API)
    services.write(store, None)
    assert services.fingerprint(store) != first


def test_what_is_remembered_equals_what_was_said() -> None:
    moved = date(2026, 1, 1)
    backwards = (Membership("new", from_day=moved), Membership("old", until_day=moved))
    said = services.Directory.of(
        configured(
            Service("cart", "new", ("a",), ("b",), backwards, ("c",), ("d",), ("e",)),
            covers=("x",),
            production=("p", "q"),
        )
    )
    said = replace(said, teams=(Team("new", "all"), Team("all")))
    assert services.Directory.read(said.text()) == said
