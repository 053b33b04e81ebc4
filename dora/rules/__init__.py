"""Every choice behind the numbers, in one frozen object.

The defaults follow dora.dev. Changing a rule changes no fact: derived tables are built anew from
the same store, so that "what if the failure window were three days" is one call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any, Literal, get_args

from dora.errors import ConfigError

ChangeUnit = Literal["commit", "pull_request"]
FailureRule = Literal["stated", "rollback", "revert", "hotfix", "window"]
Recovery = Literal["last_close", "first_close"]
CausedBy = Literal["deployment", "linked", "any"]
RecoveryStart = Literal["detection", "deployment", "earlier"]
ClockStart = Literal["first_commit", "merge"]
Average = Literal["median", "lower_median", "mean"]
FailuresCounted = Literal["deployments", "incidents", "links"]
FailedAttempts = Literal["apart", "counted", "failures"]
IncidentLink = Literal["last_of_service", "last_of_any", "while_open"]
RollbackBy = Literal["ancestry", "same_sha"]
RollbackBlames = Literal["all", "first"]
Delivered = Literal["first", "fully"]
EnvironmentKind = Literal["production", "staging", "test", "development", "other"]

FAILURE_RULES: tuple[FailureRule, ...] = get_args(FailureRule)
"""The kinds of failure evidence, strongest first."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.IGNORECASE)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str | timedelta) -> timedelta:
    """A length of time such as `72h`, `7d`, `90m` or `1w`.

    Raises:
        ConfigError: The text is not a number followed by s, m, h, d or w.
    """
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ConfigError(
            f"{text!r} is no length of time.", hint="Write it like 72h, 7d, 90m or 1w."
        )
    number, unit = match.groups()
    return timedelta(**{_UNITS[unit.lower()]: float(number)})


@dataclass(frozen=True, slots=True)
class Hotfix:
    """What marks a change as a hotfix.

    Attributes:
        labels: Labels, any one of them; case is ignored.
        branches: Patterns of the branch it comes from, `*` standing for anything.
        titles: Regular expressions looked for in the title or subject; case is ignored.
    """

    labels: tuple[str, ...] = ("hotfix", "emergency")
    branches: tuple[str, ...] = ("hotfix/*",)
    titles: tuple[str, ...] = (r"^hotfix\b",)


@dataclass(frozen=True, slots=True)
class Rules:
    """The definitions that a number was made with.

    Attributes:
        change: The unit of lead time: `commit`, or `pull_request` (first commit to delivery).
        baseline: Whether a stream's first deployment only marks where the record begins.
        failure_rules: The kinds of evidence that a deployment failed, strongest first.
        failure_window: How long after a deployment an incident is put down to it when nothing
            says more; None, or `"none"` in `dora.toml`, for no limit.
        hotfix_window: How long after a deployment a hotfix is put down to it.
        maturity: The age at which a deployment is judged; younger ones are pending. By default
            the failure window, or a day where that has no limit.
        recovery: Whether an incident ends with its last or its first close.
        caused_by: Whether recovery is counted for each failed deployment, for each incident that
            is linked to one, or for `any` incident.
        recovery_start: Whether recovery with an incident runs from its detection, from the finish
            of the deployment, or from the `earlier` of both.
        flag_window: How long before an incident's end a flag of the same service was turned off,
            to be what ended it.
        delivered: Whether a change counts as delivered at the first production environment that
            has it or, `fully`, at the last.
        clock_start: Whether lead time runs from the first commit, or from the merge.
        average: What the value of a lead time or a recovery is: the median, the lower of the two
            middle values, or the mean, which has no interval here.
        failures_counted: What is divided by the deployments: those that failed; or, as other
            products do, all incidents, or every link of an incident to a deployment, which can
            pass 100 %.
        failed_attempts: Whether attempts that never succeeded stand apart from the change fail
            rate, are counted among the deployments, or count as failures too.
        incident_link: What the `window` rule blames: the last deployment of the incident's
            service; the last of any service; or also those that finish `while_open`.
        rollback_by: Whether going back is told by git ancestry, or by a commit deployed again.
        rollback_blames: Whether all that a rollback undid failed, or the `first` of them.
        environments: The kinds of environment that count as production.
        hotfix: What marks a hotfix.
        failure_labels: Labels of a deployment that say it failed.
        bots: Patterns of authors that are machines.
        bot_changes: Whether changes authored by bots count in lead time.
        external_incidents: Whether incidents caused outside count in recovery of `any` incident,
            and where incidents are counted.
        not_planned_incidents: Whether incidents closed as not planned count.
        duplicate_incidents: Whether an incident that repeats another counts by itself.
        severities: The severity threshold: patterns of the severities that count, such as `sev1`;
            none named, all do. An incident that states no severity counts.
        follow_cherry_picks: Whether a change is delivered where a copy of it is.
    """

    change: ChangeUnit = "commit"
    baseline: bool = True
    failure_rules: tuple[FailureRule, ...] = FAILURE_RULES
    failure_window: timedelta | None = timedelta(hours=24)
    hotfix_window: timedelta = timedelta(days=7)
    maturity: timedelta | None = None
    recovery: Recovery = "last_close"
    caused_by: CausedBy = "deployment"
    recovery_start: RecoveryStart = "detection"
    flag_window: timedelta = timedelta(hours=1)
    delivered: Delivered = "first"
    clock_start: ClockStart = "first_commit"
    average: Average = "median"
    failures_counted: FailuresCounted = "deployments"
    failed_attempts: FailedAttempts = "apart"
    incident_link: IncidentLink = "last_of_service"
    rollback_by: RollbackBy = "ancestry"
    rollback_blames: RollbackBlames = "all"
    environments: tuple[EnvironmentKind, ...] = ("production",)
    hotfix: Hotfix = field(default_factory=Hotfix)
    failure_labels: tuple[str, ...] = ("failed", "failure", "rolled-back")
    bots: tuple[str, ...] = ("*[bot]*", "*-bot <*", "*-bot@*", "renovate*", "dependabot*")
    bot_changes: bool = False
    external_incidents: bool = False
    not_planned_incidents: bool = False
    duplicate_incidents: bool = False
    severities: tuple[str, ...] = ()
    follow_cherry_picks: bool = True

    @property
    def judged_after(self) -> timedelta:
        """The age at which a deployment is mature."""
        if self.maturity is not None:
            return self.maturity
        return self.failure_window if self.failure_window is not None else timedelta(hours=24)

    @classmethod
    def preset(cls, name: str) -> Rules:
        """The rules that come nearest to a product's formulas, such as `gitlab` or `devlake`.

        Raises:
            ConfigError: There is no such preset.
        """
        from dora.rules import presets

        return presets.find(str(name)).rules

    def but(self, **changes: Any) -> Rules:
        """These rules with some of them changed; durations may be text such as `72h`.

        With `preset="gitlab"` the change begins from that preset's rules.

        Raises:
            ConfigError: A rule or a value that does not exist; every one is named.
        """
        return replace(self, **parse(changes))


def parse(given: Mapping[str, Any]) -> dict[str, Any]:
    """Rules as written in a configuration or a call, as values of `Rules`.

    Raises:
        ConfigError: With every fault at once.
    """
    faults: list[str] = []
    known = {f.name for f in fields(Rules)}
    values: dict[str, Any] = {}
    if "preset" in given:
        try:
            chosen = Rules.preset(given["preset"])
            values = {name: getattr(chosen, name) for name in known}
        except ConfigError as error:
            faults.append(f"preset: {error.message} {error.hint}")
    for name, value in given.items():
        if name == "preset":
            continue
        if name not in known:
            faults.append(f"{name}: there is no such rule; there are {', '.join(sorted(known))}")
            continue
        try:
            values[name] = _value(name, value)
        except (ConfigError, ValueError, TypeError, re.error) as error:
            faults.append(f"{name}: {getattr(error, 'message', error)}")
    if faults:
        raise ConfigError(
            "The rules have faults:", hint="Correct them and try again.", faults=tuple(faults)
        )
    return values


_WORDS: dict[str, tuple[str, ...]] = {
    "change": get_args(ChangeUnit),
    "recovery": get_args(Recovery),
    "caused_by": get_args(CausedBy),
    "recovery_start": get_args(RecoveryStart),
    "clock_start": get_args(ClockStart),
    "average": get_args(Average),
    "failures_counted": get_args(FailuresCounted),
    "failed_attempts": get_args(FailedAttempts),
    "incident_link": get_args(IncidentLink),
    "rollback_by": get_args(RollbackBy),
    "rollback_blames": get_args(RollbackBlames),
    "delivered": get_args(Delivered),
    "failure_rules": FAILURE_RULES,
    "environments": get_args(EnvironmentKind),
}
_DURATIONS = {"failure_window", "hotfix_window", "maturity", "flag_window"}
_ALWAYS_LIMITED = {"hotfix_window": "7d", "flag_window": "1h"}
_LISTS = {"failure_rules", "environments", "failure_labels", "bots", "severities"}


def _value(name: str, value: Any) -> Any:
    if name in _DURATIONS:
        if value is None or value == "none":
            if name in _ALWAYS_LIMITED:
                raise ValueError(f"it needs a length of time, such as {_ALWAYS_LIMITED[name]}")
            return None
        if not isinstance(value, str | timedelta):
            raise ValueError(f"it is a length of time such as 72h, not {value!r}")
        return duration(value)
    if name in _LISTS:
        listed = tuple(_text(item) for item in ([value] if isinstance(value, str) else value))
        for item in listed if name in _WORDS else ():
            _known(item, _WORDS[name])
        return listed
    if name in _WORDS:
        return _known(value, _WORDS[name])
    if name == "hotfix":
        return value if isinstance(value, Hotfix) else _hotfix(value)
    if not isinstance(value, bool):
        raise ValueError(f"it is true or false, not {value!r}")
    return value


def _known(value: Any, words: tuple[str, ...]) -> Any:
    if value not in words:
        raise ValueError(f"{value!r} is none of {', '.join(words)}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"it takes texts, not {value!r}")
    return value


def _hotfix(value: Mapping[str, Any]) -> Hotfix:
    known = {f.name for f in fields(Hotfix)}
    unknown = set(value) - known
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: a hotfix has {', '.join(sorted(known))}")
    lists = {
        key: tuple(_text(item) for item in ([items] if isinstance(items, str) else items))
        for key, items in value.items()
    }
    for title in lists.get("titles", ()):
        re.compile(title)
    return Hotfix(**lists)
