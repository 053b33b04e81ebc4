"""The formulas of other products, as far as facts allow: why does our number differ from theirs?

Each preset says of every metric what the product counts, and what of it is not reproduced here.
Taken from public documentation and code as of November 2026; products change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from dora.errors import ConfigError
from dora.rules import Hotfix, Rules
from dora.spelling import suggestion

_NOW = timedelta(0)
_EVER = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Preset:
    """How one product computes.

    Attributes:
        name: What it is called in code.
        title: What the product is called.
        source: Where it says so.
        rules: The rules that come nearest.
        definitions: What it counts, in a sentence, by the metric's name; a metric that is not
            among them is one that the product does not have.
        lacking: What of it these rules do not reproduce, by the metric's name.
    """

    name: str
    title: str
    source: str
    rules: Rules
    definitions: Mapping[str, str]
    lacking: Mapping[str, str] = field(default_factory=dict)


_ALL = Rules(maturity=_NOW, bot_changes=True, external_incidents=True, not_planned_incidents=True)
"""Nothing is too young, no bot, no cause and no outcome is passed over."""

PRESETS = (
    Preset(
        name="dora",
        title="dora.dev",
        source="https://dora.dev/guides/dora-metrics/",
        rules=Rules(),
        definitions={
            "deployment_frequency": "Successful production deployments per week.",
            "lead_time": "Median of the time from a change's first commit to production.",
            "change_failure_rate": "Distinct failed deployments over those old enough to judge.",
            "time_to_restore": (
                "Median of the time from detection to the end of a failed deployment's incidents, "
                "or else to its repair."
            ),
            "rework_rate": "Deployments made to repair over all deployments.",
        },
    ),
    Preset(
        name="gitlab",
        title="GitLab",
        source="https://docs.gitlab.com/user/analytics/dora_metrics/",
        rules=replace(
            _ALL,
            change="pull_request",
            clock_start="merge",
            caused_by="any",
            failures_counted="incidents",
            duplicate_incidents=True,
        ),
        definitions={
            "deployment_frequency": "Successful production deployments.",
            "lead_time": "Median of the time from merge to deployment of merge requests.",
            "change_failure_rate": (
                "All incidents opened, duplicates too, over successful deployments: can pass 100 %."
            ),
            "time_to_restore": "Median of the time that incidents were open, by day of closing.",
        },
        lacking={
            "deployment_frequency": "It is shown per day, not per week.",
            "lead_time": (
                "It takes the median of daily medians, and makes negative times zero; here it is "
                "the median of all, and negative times are left out."
            ),
            "change_failure_rate": "Without deployments it divides by one; here there is no value.",
            "time_to_restore": "It takes the median of daily medians.",
        },
    ),
    Preset(
        name="devlake",
        title="Apache DevLake",
        source="https://devlake.apache.org/docs/DORA/",
        rules=replace(
            _ALL,
            change="pull_request",
            average="lower_median",
            failure_rules=("window",),
            failure_window=None,
            incident_link="last_of_any",
            caused_by="linked",
            recovery_start="deployment",
            duplicate_incidents=True,
        ),
        definitions={
            "deployment_frequency": "Days with a successful production deployment.",
            "lead_time": (
                "The lower of the two middle values of the time from first commit to deployment "
                "of pull requests."
            ),
            "change_failure_rate": (
                "Deployments with an incident over all: each incident is put down to the last "
                "deployment before it, whatever its age, repository or service."
            ),
            "time_to_restore": (
                "The lower of the two middle values of the time from the finish of the blamed "
                "deployment to the end of each incident."
            ),
        },
        lacking={
            "deployment_frequency": (
                "It is the lower median over weeks of the days with a deployment; here deployments "
                "per week, and those days stand beside."
            ),
            "lead_time": "Its stages are rounded up to whole minutes, and negative ones dropped.",
            "change_failure_rate": (
                "An incident of the very second of a deployment is put down to the one before; "
                "a project is the whole store here; incidents marked external are not linked."
            ),
            "time_to_restore": "Only incidents whose deployment is in the window count there.",
        },
    ),
    Preset(
        name="datadog",
        title="Datadog",
        source="https://docs.datadoghq.com/dora_metrics/",
        rules=replace(
            _ALL,
            failure_rules=("rollback", "revert", "hotfix"),
            rollback_by="same_sha",
            rollback_blames="first",
            recovery_start="deployment",
        ),
        definitions={
            "deployment_frequency": "Deployments of a service to production.",
            "lead_time": "Median of the time from commit to deployment.",
            "change_failure_rate": (
                "Deployments followed by a rollback (the same commit again) or a roll-forward "
                "(revert, hotfix) over all: of those undone only the first after the target fails."
            ),
            "time_to_restore": "Median of the time from the failed deployment to what remedied it.",
        },
        lacking={
            "lead_time": "Its stages are other ones.",
            "change_failure_rate": "An older page divides by the deployments without rollbacks.",
        },
    ),
    Preset(
        name="sleuth",
        title="Sleuth",
        source="https://help.sleuth.io/",
        rules=replace(
            _ALL,
            change="pull_request",
            average="mean",
            failure_rules=("stated", "rollback", "window"),
            failure_window=None,
            incident_link="while_open",
        ),
        definitions={
            "deployment_frequency": "Deployments to production.",
            "lead_time": "Mean of the time from first commit to deployment of pull requests.",
            "change_failure_rate": (
                "Deployments in a state of failure over all: the last before an incident and each "
                "one made while it was open, and what was rolled back."
            ),
            "time_to_restore": "Mean of the time that deployments were in a state of failure.",
        },
        lacking={
            "deployment_frequency": "Changes of feature flags are deployments there, not here.",
            "lead_time": (
                "It is the mean of each deployment's mean; here every pull request weighs the same."
            ),
            "change_failure_rate": "Failures shorter than 7 minutes are passed over there.",
            "time_to_restore": (
                "A deployment's time is that of its incidents here, from their detection on."
            ),
        },
    ),
    Preset(
        name="linearb",
        title="LinearB",
        source="https://linearb.helpdocs.io/",
        rules=replace(
            _ALL,
            change="pull_request",
            average="mean",
            caused_by="any",
            failures_counted="incidents",
        ),
        definitions={
            "deployment_frequency": "Releases.",
            "lead_time": "Mean of the time from first commit to release of pull requests.",
            "change_failure_rate": "Incidents over deployments: can pass 100 %.",
            "time_to_restore": "Mean of the time that bugs were in progress.",
        },
        lacking={
            "change_failure_rate": (
                "By default its incidents are bugs of the highest priority alone: name them in "
                "severities."
            ),
            "time_to_restore": (
                "Its clock runs while an issue is in progress; here from detection to end."
            ),
        },
    ),
    Preset(
        name="middleware",
        title="Middleware",
        source="https://github.com/middlewarehq/middleware",
        rules=replace(
            _ALL,
            change="pull_request",
            average="mean",
            failure_rules=("hotfix",),
            hotfix=Hotfix(labels=(), branches=("revert-*",), titles=(r"^revert\b",)),
            hotfix_window=_EVER,
            failed_attempts="counted",
            recovery_start="deployment",
        ),
        definitions={
            "deployment_frequency": "Merges to a production branch, or runs of a chosen workflow.",
            "lead_time": "Mean of the time from first commit to deployment of pull requests.",
            "change_failure_rate": (
                "Deployments followed by a pull request that reverts, before the next one, over "
                "all attempts, failed ones too."
            ),
            "time_to_restore": "Mean of the time from a deployment to what reverted it.",
        },
        lacking={
            "deployment_frequency": "It counts from the start of a run; here from the finish.",
            "change_failure_rate": (
                "Blamed is the last deployment before the revert's, over hotfixes and rollbacks."
            ),
            "time_to_restore": (
                "It runs from the merge of the original to that of the revert; here between "
                "their deployments."
            ),
        },
    ),
    Preset(
        name="fourkeys",
        title="Four Keys",
        source="https://github.com/dora-team/fourkeys",
        rules=replace(
            _ALL,
            environments=("production", "staging", "test", "development", "other"),
            failure_rules=("stated",),
            failures_counted="links",
            caused_by="any",
            recovery_start="earlier",
            duplicate_incidents=True,
        ),
        definitions={
            "deployment_frequency": "Successful deployments to any environment.",
            "lead_time": "Median of the time from commit to deployment.",
            "change_failure_rate": (
                "Pairs of an incident and the deployment it names as its root cause, over "
                "deployments: two incidents count a deployment twice."
            ),
            "time_to_restore": (
                "Median of the time from the root cause's deployment, or the incident's opening if "
                "that was earlier, to its end."
            ),
        },
        lacking={
            "deployment_frequency": "It says daily, weekly or monthly, not a number.",
            "lead_time": (
                "Only the commits of the push that was deployed count there, and none below a "
                "minute."
            ),
            "time_to_restore": "It counts whole hours.",
        },
    ),
)
"""All presets, in the order they are shown."""


def of(rules: Rules) -> Preset | None:
    """The preset that has exactly these rules, if any does."""
    return next((preset for preset in PRESETS if preset.rules == rules), None)


def find(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: There is none; the hint names the nearest.
    """
    known = {preset.name: preset for preset in PRESETS}
    wanted = name.strip().casefold()
    if wanted in known:
        return known[wanted]
    raise ConfigError(f"There is no preset {name!r}.", hint=suggestion(wanted, known))
