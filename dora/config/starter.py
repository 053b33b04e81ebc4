"""The text of a `dora.toml` to begin with: what is set, and in comments what could be."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

_HEAD = """\
# Where the facts come from, what they are called here, and the rules to judge by.
# `dora check` reads this file and names every fault; `dora sync` fills the store.

store = {store}
timezone = {timezone}            # decides on which day, week or month a thing falls
identities = {identities}  # people as keyed pseudonyms, or "plain"
as_of = {as_of}              # what counts as now: the last "sync", or the "newest" fact
# store_titles = false           # keeps no subjects and titles; hotfixes by title go
"""

_SOURCES = """
# ---- Sources: each has a name of your choice and a kind. Relative paths are seen from here.
# What pipelines push with `dora record` is read from the folder dora.d without being named.
"""

_MORE_SOURCES = """
# [[sources]]
# name = "deployments"
# kind = "git"
# path = "."
# deployments = ["tags:v*"]      # or "merges:main": every merge to a branch ships
#
# [[sources]]
# name = "incidents"
# kind = "files"
# path = "incidents.csv"         # columns: id, detected_at, resolved_at, service, title ...
# table = "incidents"
# covers = ["*"]                 # services it would know of, even while they have no incident
#
# Other kinds with keys of their own; tokens stand in environment variables, only named here:
#   github: token_env = "GITHUB_TOKEN", groups = ["acme"], deployments = ["deployments"]
#   gitlab: token_env = "GITLAB_TOKEN", groups = ["acme"], incidents = { types = ["incident"] }
#   jira: token_env = "JIRA_TOKEN", url = "https://jira.acme.example", jql = "project = OPS"
#   pagerduty: token_env = "PAGERDUTY_TOKEN", services = ["checkout*"], urgency = "high"
"""

_ENVIRONMENTS = """
# ---- Environments: which names are production, staging, test or development. The usual names
# (prod, production, live, staging, uat, qa, dev ...) are known without being listed.
[environments]
"""

_SOME_ENVIRONMENTS = """\
# production = ["prod*", "live-*"]
# staging = ["stage*"]
"""

_SERVICES = """
# ---- Services: what is deployed and fails as one. Without any, each repository is one.
"""

_SOME_SERVICES = """
# [[services]]
# name = "checkout"
# team = "payments"
# repositories = ["github.com/acme/shop"]
# paths = ["services/checkout/**"]   # its part of the repository; without, all of it
# deployments = ["deploy-checkout*"] # names of its deployments
# aliases = ["Checkout (prod)"]      # what incident systems call it
"""

_TEAMS = """
# ---- Teams: only where they are in groups; --team commerce is then every team below it.
# [[teams]]
# name = "payments"
# parent = "commerce"
"""

_RULES = """
# ---- Rules: every choice behind the numbers, here with its default.
[rules]
"""

_PRESET = """\
# preset = "gitlab"              # begin from the formulas of another product
"""

_GOALS = """
# ---- Goals: judged by the whole interval; also [goals.services.NAME] and [goals.teams.NAME].
# [goals]
# lead_time = "2d"
# change_failure_rate = "10%"
# deployment_frequency = "5/week"   # of each service
"""

_PRIVACY = """
# ---- Privacy: nothing is about persons. `dora privacy` says what is kept about them.
# [privacy]
# k = 5                          # a team's number is not shown with fewer authors behind it
# retention = "2y"               # what ended longer ago is taken out of the store by each sync
"""

_CALENDAR = """
# ---- Calendar: when releases are meant to happen, and when not; `dora release` measures it.
# [calendar]
# office_hours = "09:00-17:00"
# [[calendar.windows]]
# name = "tuesdays and thursdays"
# rrule = "FREQ=WEEKLY;BYDAY=TU,TH"
# start = 2026-01-06T10:00:00    # its first time, by the clock of its zone
# duration = "4h"
# [[calendar.freezes]]
# name = "end of the year"
# start = 2026-12-19T00:00:00
# until = 2027-01-04T00:00:00
# [[calendar.trains]]
# name = "weekly"
# rrule = "FREQ=WEEKLY;BYDAY=WE"
# start = 2026-01-07T09:00:00
"""

_SOME_RULES = {
    "change": '# change = "commit"              # or "pull_request"',
    "failure_rules": '# failure_rules = ["stated", "rollback", "revert", "hotfix", "window"]',
    "failure_window": '# failure_window = "24h"         # incidents this soon are put down to it',
    "maturity": '# maturity = "24h"               # younger deployments are not yet judged',
    "hotfix": '# hotfix = { labels = ["hotfix", "emergency"], branches = ["hotfix/*"] }',
    "severities": '# severities = []                # such as ["sev1"]; none named, all count',
    "bots": '# bots = ["*[bot]*", "renovate*", "dependabot*"]',
}


def starter(
    sources: Sequence[Mapping[str, Any]],
    *,
    store: str = "dora.duckdb",
    timezone: str = "UTC",
    identities: str = "pseudonyms",
    as_of: str = "sync",
    environments: Mapping[str, Sequence[str]] | None = None,
    services: Sequence[Mapping[str, Any]] = (),
    rules: Mapping[str, Any] | None = None,
) -> str:
    """A commented configuration that says just this; `load` gives it back.

    Args:
        sources: The keys of each `[[sources]]`: `name`, `kind` and the connector's own.
        store: Where the store is, seen from the configuration.
        timezone: IANA name of the reporting zone.
        identities: `pseudonyms` or `plain`.
        as_of: `sync` or `newest`.
        environments: Wildcards by kind of environment.
        services: The keys of each `[[services]]`.
        rules: Rules that differ from the defaults.
    """
    tops = {"store": store, "timezone": timezone, "identities": identities, "as_of": as_of}
    unset = [line for rule, line in _SOME_RULES.items() if rule not in (rules or {})]
    return "".join(
        [
            _HEAD.format(**{key: value_text(value) for key, value in tops.items()}),
            _SOURCES,
            *(_entry("sources", entry) for entry in sources),
            _MORE_SOURCES,
            _ENVIRONMENTS,
            _table(environments) if environments else _SOME_ENVIRONMENTS,
            _SERVICES,
            *(_entry("services", entry) for entry in services),
            "" if services else _SOME_SERVICES,
            _TEAMS,
            _RULES,
            "" if rules else _PRESET,
            _table(rules or {}),
            *(f"{line}\n" for line in unset),
            _GOALS,
            _CALENDAR,
            _PRIVACY,
        ]
    )


def _entry(part: str, entry: Mapping[str, Any]) -> str:
    return f"\n[[{part}]]\n{_table(entry)}"


def _table(entry: Mapping[str, Any]) -> str:
    kept = {key: value for key, value in entry.items() if value is not None}
    return "".join(f"{_key(key)} = {value_text(value)}\n" for key, value in kept.items())


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else value_text(key)


def value_text(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {value_text(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_text(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def beside(config: Path, store: Path | None) -> str:
    """How a configuration names a store: seen from its own folder, wherever it is called from."""
    if store is None:
        return "dora.duckdb"
    return str(store) if store.is_absolute() else os.path.relpath(store, config.parent)
