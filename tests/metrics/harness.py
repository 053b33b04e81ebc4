"""Hand-filled marts in an engine, so that metrics are tested without facts, lineage and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from dora.engines import UTC_OFFSETS
from dora.engines.duckdb import DuckDB
from dora.metrics.question import Question
from dora.metrics.scopes import Directory
from dora.rules import Rules
from dora.windows import Window

TIME, TEXT, WHOLE, FLAG, DAY = "TIMESTAMP", "VARCHAR", "BIGINT", "BOOLEAN", "DATE"

COLUMNS: dict[str, dict[str, str]] = {
    "rules": dict.fromkeys(("caused_by", "failures_counted", "failed_attempts"), TEXT)
    | {"as_of": TIME, "external_incidents": FLAG},
    "services": {"service": TEXT, "team": TEXT},
    "team_services": {"team": TEXT, "service": TEXT, "from_day": DAY, "until_day": DAY},
    "teams": {"team": TEXT, "parent": TEXT},
    "covered_services": {"service": TEXT},
    "production_deployments": dict.fromkeys(
        ("source", "deployment", "service", "environment", "status", "url"), TEXT
    )
    | {"succeeded": FLAG, "finished_at": TIME},
    "judged_deployments": dict.fromkeys(
        (
            *("source", "deployment", "service", "environment", "sha", "version", "status"),
            *("rule", "confidence", "incident", "url", "rework_kind", "repairs"),
        ),
        TEXT,
    )
    | dict.fromkeys(("succeeded", "mature", "pending", "failed", "covered"), FLAG)
    | dict.fromkeys(("started_at", "finished_at"), TIME)
    | {"links": WHOLE},
    "production_steps": {"step": WHOLE}
    | dict.fromkeys(("source", "deployment", "service", "environment"), TEXT),
    "deployments": dict.fromkeys(
        (
            *("source", "id", "repository", "environment", "labels", "status", "service"),
            *("name", "tier"),
        ),
        TEXT,
    )
    | dict.fromkeys(("started_at", "finished_at"), TIME),
    "pull_requests": {"repository": TEXT, "number": WHOLE, "labels": TEXT},
    "pull_request_times": {"pull_request_id": WHOLE, "repository": TEXT, "number": WHOLE},
    "flag_changes": dict.fromkeys(
        ("source", "id", "flag", "environment", "service", "action", "url"), TEXT
    )
    | {"changed_at": TIME, "share": "DOUBLE", "temporary": FLAG},
    "flag_services": {"stated": TEXT, "service": TEXT},
    "production_kinds": {"kind": TEXT},
    "production_streams": {"route": WHOLE, "repository": TEXT, "service": TEXT},
    "repositories": dict.fromkeys(("repository", "default_branch"), TEXT),
    "builds": dict.fromkeys(
        ("source", "id", "repository", "sha", "name", "branch", "status", "url"), TEXT
    )
    | {"attempt": WHOLE, "started_at": TIME, "finished_at": TIME},
    "reviews": dict.fromkeys(("repository", "state", "by"), TEXT)
    | {"number": WHOLE, "submitted_at": TIME},
    "service_map": dict.fromkeys(("repository", "stated", "name", "environment", "service"), TEXT),
    "environment_kinds": dict.fromkeys(("environment", "tier", "kind"), TEXT),
    "linked_incidents": dict.fromkeys(("source", "incident", "service", "state", "reason"), TEXT)
    | {"detected_at": TIME, "resolved_at": TIME},
    "recovered_deployments": dict.fromkeys(
        (
            *("source", "deployment", "environment", "incident_source", "incident", "service"),
            *("kind", "rule", "left_out", "url"),
        ),
        TEXT,
    )
    | {"failed_at": TIME, "recovered_at": TIME, "us": WHOLE, "open": FLAG},
    "delivered_changes": dict.fromkeys(
        (
            *("change", "repository", "service", "sha", "landed_sha", "source", "deployment"),
            *("environment", "version", "left_out", "url"),
        ),
        TEXT,
    )
    | dict.fromkeys(
        (
            "change_id",
            "route",
            "pull_request",
            "us",
            "coding_us",
            "pickup_us",
            "review_us",
            "merge_to_deploy_us",
        ),
        WHOLE,
    )
    | dict.fromkeys(
        ("committed_at", "ready_at", "first_review_at", "merged_at", "delivered_at"), TIME
    )
    | dict.fromkeys(("is_bot", "is_hotfix", "reverts_change"), FLAG),
    "change_times": dict.fromkeys(("change_id", "route", "us", "step", "pull_request_id"), WHOLE)
    | dict.fromkeys(("committed_at", "merged_at", "delivered_at"), TIME)
    | {"service": TEXT, "left_out": TEXT, "shared": FLAG},
    "unlanded_changes": dict.fromkeys(("repository", "sha", "service", "left_out", "url"), TEXT)
    | {"number": WHOLE, "us": WHOLE, "started_at": TIME, "ended_at": TIME, "given_up": FLAG},
    "change_authors": {"change_id": WHOLE, "author": TEXT},
    "noted_deployments": dict.fromkeys(
        ("source", "deployment", "service", "environment", "note", "sha", "url"), TEXT
    )
    | {"finished_at": TIME, "day": DAY},
    "known_incidents": dict.fromkeys(("source", "incident", "service", "standing", "url"), TEXT)
    | dict.fromkeys(("detected_at", "resolved_at"), TIME),
    "reopened_incidents": dict.fromkeys(("source", "incident", "service", "url"), TEXT)
    | dict.fromkeys(("detected_at", "first_resolved_at", "resolved_at"), TIME)
    | {"day": DAY, "reopenings": WHOLE},
    "coverage_deployments": {"service": TEXT, "day": DAY}
    | dict.fromkeys(("deployments", "of_known_commit", "covered", "told_once", "in_order"), WHOLE),
    "coverage_changes": {"service": TEXT, "day": DAY}
    | dict.fromkeys(("changes", "with_pull_request", "own_beginning"), WHOLE)
    | dict.fromkeys(("delivered", "in_order", "certain"), WHOLE),
    "coverage_environments": {"service": TEXT, "day": DAY, "attempts": WHOLE, "classified": WHOLE},
    "coverage_incidents": {"source": TEXT, "incident": TEXT, "service": TEXT, "day": DAY}
    | dict.fromkeys(("counts", "invalid", "linked", "ended", "told_once"), FLAG),
    "coverage_gaps": {"service": TEXT} | dict.fromkeys(("since_us", "until_us", "usual_us"), WHOLE),
    "coverage_repositories": {"repository": TEXT, "service": TEXT, "whole": FLAG},
    "coverage_rows": {"fact": TEXT, "kept": WHOLE, "set_aside": WHOLE},
    "coverage_unread": {"fact": TEXT, "repository": TEXT},
    "coverage_sources": {"source": TEXT, "was_read": FLAG, "fresh": FLAG},
}


class Marts:
    """What metrics ask of a workspace, over marts that are filled by hand."""

    def __init__(self, engine: Any, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self.engine = engine
        engine.prepare(offsets=UTC_OFFSETS, patterns=())
        changes = numbered(rows.get("delivered_changes", ()))
        authors = [
            {"change_id": c["change_id"], "author": name}
            for c in changes
            for name in c.get("authors", ())
        ]
        rows = {
            "change_authors": authors,
            **rows,
            "delivered_changes": changes,
            "change_times": changes,
            "production_streams": changes,
        }
        for table, types in COLUMNS.items():
            given = rows.get(table, ())
            values = {name: [row.get(name) for row in given] for name in types}
            frame = pd.DataFrame(
                {name: pd.Series(column, dtype=object) for name, column in values.items()}
            )
            engine.load(table, frame, types)

    def need(self, *models: str) -> None:
        """Everything is there."""

    def load(self, table, frame, types=None):
        self.engine.load(table, frame, types)

    def query(self, sql, parameters=None):
        return self.engine.query(sql, parameters)

    def with_rules(self, rules):
        """The same marts: these tests fill them by hand, whatever the rules."""
        return self


def numbered(changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Changes with the numbers that stand for them, their routes and whether these share."""
    ids: dict[Any, int] = {}
    routes: dict[Any, int] = {}
    services: dict[Any, set[Any]] = {}
    for c in changes:
        ids.setdefault((c["repository"], c["change"]), len(ids) + 1)
        routes.setdefault((c["repository"], c["service"]), len(routes) + 1)
        services.setdefault(c["repository"], set()).add(c["service"])
    return [
        {
            **c,
            "change_id": ids[c["repository"], c["change"]],
            "route": routes[c["repository"], c["service"]],
            "shared": len(services[c["repository"]]) > 1,
        }
        for c in changes
    ]


def at(text: str) -> datetime:
    """A moment in UTC, `2026-03-02 12:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


AS_OF = at("2026-03-31 23:59:59")
MARCH = Window(date(2026, 3, 1), date(2026, 4, 1), name="2026-03")


def question(
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    window: Window = MARCH,
    by: str | tuple[str, ...] = (),
    services: Sequence[str] = (),
    teams: Sequence[str] = (),
    each: Sequence[str] = (),
    as_of: datetime = AS_OF,
    rules: Rules | None = None,
    engine: Any = None,
    least_authors: int = 1,
) -> Question:
    """A question to marts with these rows."""
    rules = rules or Rules()
    known = {name: getattr(rules, name, as_of) for name in COLUMNS["rules"]}
    tables = Marts(engine or DuckDB.empty(), {"rules": [known], **rows})
    directory = Directory.read(tables)
    scope = directory.scope(services, teams)
    scopes = (scope, *directory.each(scope, each))
    grains = (by,) if isinstance(by, str) else tuple(by)
    return Question(
        tables, window, grains, as_of, rules, scopes, directory, least_authors=least_authors
    )


def deployment(name: str, finished: str, service: str = "shop", **given: Any) -> dict[str, Any]:
    """A successful, judged production deployment; it fits both tables of deployments."""
    status = given.get("status", "succeeded")
    return {
        "source": "ci",
        "deployment": name,
        "service": service,
        "environment": "production",
        "finished_at": at(finished),
        "status": status,
        "succeeded": status == "succeeded",
        "mature": not given.get("pending", False),
        "pending": False,
        "failed": False,
        "covered": True,
        **given,
    }


def deployed(*deployments: dict[str, Any], **tables: Any) -> dict[str, Any]:
    """Marts with these deployments, whose services are covered if any deployment says so."""
    covered = {row["service"] for row in deployments if row["covered"]}
    return {
        "production_deployments": deployments,
        "judged_deployments": deployments,
        "covered_services": [{"service": service} for service in sorted(covered)],
        **tables,
    }


def change(name: str, delivered: str | None, hours: float, service: str = "shop", **given: Any):
    """A change that took so many hours; or one that waits, merged that many hours after 1 March."""
    start = at("2026-03-01 00:00")
    end = at(delivered) if delivered else None
    took = timedelta(hours=hours)
    return {
        "change": name,
        "repository": "org/shop",
        "service": service,
        "sha": name,
        "landed_sha": name,
        "deployment": "d" if delivered else None,
        "committed_at": end - took if end else start,
        "merged_at": end - took if end else start + took,
        "delivered_at": end,
        "us": took // timedelta(microseconds=1) if end else None,
        "merge_to_deploy_us": took // timedelta(microseconds=1) if end else None,
        "is_bot": False,
        "left_out": None if end else "not delivered",
        **given,
    }
