"""What flags stood at, and what was changed by hand."""

from __future__ import annotations

from dora.records import FlagChange, ManualChange
from dora.rules import Rules
from tests.oracle.changes import Row
from tests.oracle.world import Known, us


def flag_states(known: Known, rules: Rules) -> list[Row]:
    """Changes known by now, each with what it ended."""
    lines: dict[tuple[str, str, str], list[FlagChange]] = {}
    for source, fact in known.world.of(FlagChange):
        if fact.changed_at <= known.as_of:
            lines.setdefault((source, fact.flag, fact.environment), []).append(fact)
    rows = []
    for (source, flag, environment), facts in lines.items():
        facts.sort(key=lambda f: (f.changed_at, f.id))
        for place, fact in enumerate(facts):
            before = facts[place - 1] if place else None
            after = facts[place + 1] if place + 1 < len(facts) else None
            off = fact.action == "changed" and fact.share == 0
            if fact.service is None:
                continue
            rows.append(
                {
                    "source": source,
                    "id": fact.id,
                    "service": fact.service,
                    "flag": flag,
                    "environment": environment,
                    "in_production": in_production(known, rules, environment),
                    "action": fact.action,
                    "temporary": fact.temporary,
                    "us": us(fact.changed_at),
                    "until_us": us(after.changed_at) if after else None,
                    "share": fact.share,
                    "turned_off": off and (before is None or before.share > 0),
                }
            )
    return rows


def in_production(known: Known, rules: Rules, environment: str) -> bool:
    return known.world.kinds.get(environment, "other") in rules.environments


def manual_changes(known: Known, rules: Rules) -> list[Row]:
    return [
        {
            "source": source,
            "id": fact.id,
            "service": fact.service,
            "environment": fact.environment,
            "changed_at": fact.changed_at,
        }
        for source, fact in known.world.of(ManualChange)
        if fact.changed_at <= known.as_of
        and fact.service is not None
        and in_production(known, rules, fact.environment)
    ]
