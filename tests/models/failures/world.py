"""A small made-up world of deployments and incidents, for given/expect tests of the failure models.

What the tests give are facts; which deployment contains which commit is found here by comparing
whole sets of ancestors, another way than the package's own walk.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from dora.engines import UTC_OFFSETS, Engine
from dora.models import models

HOUR = 3_600_000_000
DAY = 24 * HOUR

_RULES: dict[str, Any] = {
    "change": "commit",
    "baseline": True,
    "failure_window_us": DAY,
    "hotfix_window_us": 7 * DAY,
    "maturity_us": DAY,
    "recovery": "last_close",
    "caused_by": "deployment",
    "recovery_start": "detection",
    "flag_window_us": HOUR,
    "delivered": "first",
    "clock_start": "first_commit",
    "failures_counted": "deployments",
    "failed_attempts": "apart",
    "incident_link": "last_of_service",
    "rollback_by": "ancestry",
    "rollback_blames": "all",
    "bot_changes": False,
    "external_incidents": False,
    "not_planned_incidents": False,
    "duplicate_incidents": False,
    "counted_severity": "",
    "follow_cherry_picks": True,
    "rule_stated": True,
    "rule_rollback": True,
    "rule_revert": True,
    "rule_hotfix": True,
    "rule_window": True,
    "hotfix_title": r"^hotfix\b",
    "hotfix_branch": "^hotfix/.*$",
    "hotfix_label": "(^|,) *(hotfix|emergency) *(,|$)",
    "failure_label": "(^|,) *(failed|failure) *(,|$)",
}

_COLUMNS: dict[str, str] = {
    "commits": "commit_id:BIGINT repository sha parents subject",
    "commit_paths": "repository sha path",
    "commit_references": "repository sha kind target",
    "commit_services": "commit_id:BIGINT service",
    "pull_requests": "repository number:BIGINT title labels head_branch reverts:BIGINT url",
    "landed_pull_requests": "repository number:BIGINT landed_sha landed_id:BIGINT rule",
    "originals": "repository sha commit_id:BIGINT number:BIGINT landed_sha",
    "replaced_commits": "commit_id:BIGINT",
    "copies": "repository sha carrier",
    "cherry_picks": "repository sha original",
    "production_deployments": (
        "source deployment service environment repository version sha status succeeded:BOOLEAN "
        "started_at:TIMESTAMP finished_at:TIMESTAMP baseline:BOOLEAN rollback:BOOLEAN "
        "inferred:BOOLEAN unplanned:BOOLEAN fixes rolls_back failure_label:BOOLEAN url"
    ),
    "streams": "stream:INTEGER repository service environment",
    "stream_deployments": (
        "stream:INTEGER position:INTEGER source deployment finished_at:TIMESTAMP sha "
        "commit_id:BIGINT outcome uncertain:BOOLEAN rollback:BOOLEAN inferred:BOOLEAN"
    ),
    "lineage": "stream:INTEGER commit_id:BIGINT position:INTEGER",
    "undone": "stream:INTEGER position:INTEGER rollback_position:INTEGER",
    "incidents": (
        "source id detected_at:TIMESTAMP resolved_at:TIMESTAMP first_resolved_at:TIMESTAMP "
        "service repository severity external:BOOLEAN not_planned:BOOLEAN duplicate_of "
        "reopenings:BIGINT url"
    ),
    "incident_causes": "source incident cause",
    "incident_services": "source incident service",
    "flag_changes": (
        "source id flag environment changed_at:TIMESTAMP share:DOUBLE service action"
        " temporary:BOOLEAN url"
    ),
    "flag_services": "stated service",
    "environment_kinds": "environment tier kind",
    "production_kinds": "kind",
    "covered_services": "service",
    "service_map": "repository stated service by_paths:BOOLEAN",
}


def sha(name: str) -> str:
    """The full id of the commit that a test calls by a name."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def at(text: str) -> datetime:
    """A moment in March 2026, `day hour:minute[:second[.microsecond]]`."""
    day, _, clock = text.partition(" ")
    hours, minutes, seconds = [*map(float, (clock or "0").split(":")), 0.0, 0.0][:3]
    return datetime(2026, 3, 1) + timedelta(  # noqa: DTZ001  (UTC throughout)
        days=int(day) - 1, hours=hours, minutes=minutes, seconds=seconds
    )


@dataclass
class World:
    """Facts, in the words of the tests, and what the models make of them on one engine."""

    engine: Engine
    as_of: datetime = field(default_factory=lambda: at("31"))
    rules: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {name: [] for name in _COLUMNS}
    )
    parents: dict[str, list[str]] = field(default_factory=dict)
    repositories: dict[str, str] = field(default_factory=dict)
    built: bool = False

    def commit(
        self,
        name: str,
        *parents: str,
        subject: str = "change",
        reverts: str | None = None,
        copies: str | None = None,
        repository: str = "hub/shop",
    ) -> None:
        """A commit; what it reverts or copies is given as a name or as digits."""
        self.parents[name] = list(parents)
        self.repositories[name] = repository
        row = {"repository": repository, "sha": sha(name)}
        listed = " ".join(sha(p) for p in parents)
        number = len(self.tables["commits"]) + 1
        self.tables["commits"].append(
            {**row, "commit_id": number, "parents": listed, "subject": subject}
        )
        for kind, target in (("reverts", reverts), ("cherry_picked_from", copies)):
            if target is not None:
                digits = target if re.fullmatch("[0-9a-f]{7,}", target) else sha(target)
                self.tables["commit_references"].append({**row, "kind": kind, "target": digits})
        if copies is not None:
            copied = {"repository": repository, "sha": sha(copies), "carrier": sha(name)}
            self.tables["copies"].append(copied)
            self.tables["cherry_picks"].append({**row, "original": sha(copies)})

    def line(self, *names: str) -> None:
        """Commits, each the parent of the next."""
        for parent, name in zip((None, *names), names, strict=False):
            if name not in self.parents:
                self.commit(name, *([parent] if parent else []))

    def pull_request(self, number: int, landed: str | None, **columns: Any) -> None:
        """A pull request, and the commit with which it landed."""
        row = {"repository": "hub/shop", "number": number}
        self.tables["pull_requests"].append({**row, **columns})
        if landed is not None:
            self.tables["landed_pull_requests"].append(
                {**row, "landed_sha": sha(landed), "rule": "merge sha"}
            )

    def deploy(
        self,
        name: str,
        finished: str | None,
        commit: str | None = None,
        *,
        status: str = "succeeded",
        services: Iterable[str] = ("shop",),
        environment: str = "production",
        also: Iterable[str] = (),
        **columns: Any,
    ) -> None:
        """An attempt to deploy a commit, `also` those of other repositories; `name` is its id."""
        parts: dict[str, str | None] = {self.repositories[c]: c for c in also}
        if commit or not parts:
            parts[self.repositories.get(commit or "", "hub/shop")] = commit
        for service in services:
            row = {
                "source": "ci",
                "deployment": name,
                "service": service,
                "environment": environment,
                "parts": parts,
                "repository": min(parts),
                "sha": sha(commit) if commit else None,
                "status": status,
                "succeeded": status == "succeeded",
                "finished_at": at(finished) if finished else None,
                "baseline": False,
                "rollback": False,
                "inferred": False,
                "unplanned": False,
                "failure_label": False,
                **columns,
            }
            self.tables["production_deployments"].append(row)

    def incident(
        self,
        name: str,
        detected: str,
        resolved: str | None = None,
        *,
        first_resolved: str | None = None,
        services: Iterable[str] = ("shop",),
        causes: Iterable[str] = (),
        source: str = "pager",
        **columns: Any,
    ) -> None:
        """An incident, the services it is mapped to, and the causes it states."""
        self.tables["incidents"].append(
            {
                "source": source,
                "id": name,
                "detected_at": at(detected),
                "resolved_at": at(resolved) if resolved else None,
                "first_resolved_at": at(first_resolved) if first_resolved else None,
                "external": False,
                "not_planned": False,
                "reopenings": 0,
                **columns,
            }
        )
        key = {"source": source, "incident": name}
        self.tables["incident_services"] += [{**key, "service": s} for s in services]
        self.tables["incident_causes"] += [{**key, "cause": c} for c in causes]

    def flag(
        self, when: str, share: float, service: str = "shop", *, flag: str = "basket",
        environment: str = "production", action: str = "changed",
    ) -> None:  # fmt: skip
        """A feature flag of a service is set to a share of users."""
        changes = self.tables["flag_changes"]
        row = {"source": "flags", "id": str(len(changes)), "flag": flag, "share": share}
        named = {"environment": environment, "service": service, "changed_at": at(when)}
        named["action"] = action
        changes.append(row | named)
        if {"stated": service, "service": service} not in self.tables["flag_services"]:
            self.tables["flag_services"].append({"stated": service, "service": service})

    def rows(self, model: str, *columns: str, where: str = "1 = 1") -> list[tuple[Any, ...]]:
        """The columns of a model, sorted; the world stands still from the first call on."""
        if not self.built:
            _build(self)
            self.built = True
        picked = ", ".join(f"m.{c} as {c}" for c in columns)
        found = self.engine.rows(f"select {picked} from {model} m where {where}")
        truths = [i for i, c in enumerate(columns) if c in _TRUTHS]
        return sorted(
            (tuple(bool(v) if i in truths else v for i, v in enumerate(row)) for row in found),
            key=repr,
        )

    def failed(self) -> list[tuple[Any, ...]]:
        """Failed deployments, with the rule and the incident they show."""
        return self.rows("judged_deployments", "deployment", "rule", "incident", where="m.failed")

    def evidence(self) -> list[tuple[Any, ...]]:
        """Deployment, rule, incident or repair, and whether it decides."""
        found = self.rows(
            "deployment_failures", "deployment", "rule", "incident", "repair_deployment", "decides"
        )
        return [(d, rule, i or b, decides) for d, rule, i, b, decides in found]

    def links(self) -> list[tuple[Any, ...]]:
        """Each incident's service and what became of it."""
        return self.rows("linked_incidents", "incident", "service", "state")

    def recovered(self) -> list[tuple[Any, ...]]:
        """Deployment, incident, hours to recover (null while open), kind, why left out."""
        found = self.rows(
            "recovered_deployments", "deployment", "incident", "us", "kind", "left_out"
        )
        return [(d, i, None if us is None else us / HOUR, k, o) for d, i, us, k, o in found]

    def rework(self) -> list[tuple[Any, ...]]:
        """Repairing deployments, their kind, and what they repair."""
        return self.rows(
            "judged_deployments", "deployment", "rework_kind", "repairs",
            where="m.rework_kind is not null",
        )  # fmt: skip


_TRUTHS = {
    "open", "decides", "failed", "mature", "pending", "covered", "rollback", "hotfix", "succeeded"
}  # fmt: skip


def _build(world: World) -> None:
    tables = {**world.tables, **_lineage(world), **_numbered(world)}
    if not world.rules.get("follow_cherry_picks", True):
        tables |= {"copies": [], "cherry_picks": []}
    for name in ("incidents", "production_deployments"):
        tables[name] = [r for r in tables[name] if _known(r, world.as_of)]
    tables["production_kinds"] = [{"kind": "production"}]
    tables["environment_kinds"] = [
        {"environment": name, "tier": "", "kind": kind}
        for name, kind in (("production", "production"), ("staging", "staging"))
    ]
    tables["rules"] = [{**_RULES, "as_of": world.as_of, **world.rules}]
    world.engine.prepare(offsets=UTC_OFFSETS, patterns=[])
    for name, rows in tables.items():
        types = _types(name)
        listed = list(types or rows[0])
        frame = pd.DataFrame([[r.get(c) for c in listed] for r in rows], columns=listed)
        world.engine.load(name, frame.astype(object).where(frame.notna(), None), types or None)
    built = set(tables)
    wanted = (
        "recovered_deployments",
        "linked_incidents",
        "noted_deployments",
        "reopened_incidents",
        "coverage_deployments",
        "coverage_incidents",
    )
    for model in wanted:
        _need(world.engine, model, built)


def _types(name: str) -> dict[str, str]:
    pairs = (c.partition(":") for c in _COLUMNS.get(name, "").split())
    types = {column: kind or "VARCHAR" for column, _, kind in pairs}
    if name == "rules":
        types = {c: "BOOLEAN" for c, v in _RULES.items() if isinstance(v, bool)}
        types |= {c: "BIGINT" for c in _RULES if c.endswith("_us")}
        types |= {c: "VARCHAR" for c, v in _RULES.items() if isinstance(v, str)}
        types["as_of"] = "TIMESTAMP"
    return types


def _known(row: dict[str, Any], as_of: datetime) -> bool:
    """What production_deployments promises: nothing of it is later than now."""
    times = [row.get(c) for c in ("started_at", "finished_at")]
    return all(t is None or t <= as_of for t in times)


def _need(engine: Engine, model: str, built: set[str]) -> None:
    if model in built:
        return
    known = models(engine.name)[model]
    for table in known.reads:
        _need(engine, table, built)
    engine.build(model, known.sql)
    built.add(model)


def _numbered(world: World) -> dict[str, list[dict[str, Any]]]:
    """What names commits by their sha, with the ids of those that are in the store."""
    ids = {(r["repository"], r["sha"]): r["commit_id"] for r in world.tables["commits"]}
    landed = [
        {**r, "landed_id": ids.get((r["repository"], r["landed_sha"]))}
        for r in world.tables["landed_pull_requests"]
    ]
    originals = [
        {**r, "commit_id": ids.get((r["repository"], r["sha"]))} for r in world.tables["originals"]
    ]
    return {"landed_pull_requests": landed, "originals": originals}


def _lineage(world: World) -> dict[str, list[dict[str, Any]]]:
    """Streams, what each deployment is the first to contain, and what rollbacks undid."""
    made: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("streams", "stream_deployments", "lineage", "undone")
    }
    ids = {r["sha"]: r["commit_id"] for r in world.tables["commits"]}
    streams: dict[tuple[str, str, str], list[Any]] = {}
    for row in world.tables["production_deployments"]:
        for repository, commit in row["parts"].items() if row["succeeded"] else ():
            key = (repository, row["service"], row["environment"])
            streams.setdefault(key, []).append((row, commit))
    for stream, (key, rows) in enumerate(sorted(streams.items()), start=1):
        made["streams"].append(
            dict(
                zip(("stream", "repository", "service", "environment"), (stream, *key), strict=True)
            )
        )
        rows.sort(
            key=lambda r: (r[0]["finished_at"], len(_ancestors(world, r[1])), r[0]["deployment"])
        )
        contents = [_ancestors(world, commit) for _, commit in rows]
        _walk(made, stream, rows, contents, ids)
    return made


def _walk(
    made: dict[str, list[dict[str, Any]]],
    stream: int,
    rows: list[Any],
    contents: list[set[str]],
    ids: dict[str, int],
) -> None:
    delivered: set[str] = set()
    rollbacks: set[int] = set()
    begun = False
    for position, ((row, commit), content) in enumerate(zip(rows, contents, strict=True)):
        new = content - delivered
        outcome = "unknown" if not content else "nothing" if not new else "delivered"
        if content and not begun:
            outcome, begun = "baseline", True
        before = contents[position - 1] if position else set()
        if content and content < before and not row["inferred"]:
            rollbacks.add(position)
            made["undone"] += [
                {"stream": stream, "position": p, "rollback_position": position}
                for p in _undone(contents, position)
                if p not in rollbacks
            ]
        made["stream_deployments"].append(
            {
                "stream": stream,
                "position": position,
                "source": row["source"],
                "deployment": row["deployment"],
                "finished_at": row["finished_at"],
                "sha": sha(commit) if commit else None,
                "commit_id": ids[sha(commit)] if commit else None,
                "outcome": outcome,
                "uncertain": False,
                "rollback": position in rollbacks,
                "inferred": row["inferred"],
            }
        )
        row["rollback"] = row["rollback"] or position in rollbacks
        made["lineage"] += [
            {"stream": stream, "commit_id": ids[sha(n)], "position": position} for n in sorted(new)
        ]
        delivered |= content


def _undone(contents: list[set[str]], position: int) -> list[int]:
    """Those directly before, back to but excluding the newest that the rollback contains."""
    undone = []
    for before in range(position - 1, -1, -1):
        if contents[before] <= contents[position]:
            break
        undone.append(before)
    return undone


def _ancestors(world: World, name: str | None) -> set[str]:
    if name is None:
        return set()
    return {name}.union(*(_ancestors(world, parent) for parent in world.parents[name]))
