"""Which deployment was each incident put down to, and why did each deployment fail, or not?"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from dora import patterns, words
from dora.errors import UsageError
from dora.metrics.base import parts
from dora.metrics.sensitivity import only_of_links
from dora.metrics.tidying import tidy
from dora.words import links

if TYPE_CHECKING:
    import pandas as pd

    from dora.metrics.question import Question
    from dora.metrics.result import Result

_MODELS = (
    "deployments_before_incidents",
    "judged_deployments",
    "linked_incidents",
    "production_sequence",
)
_ASKED_TYPES = {"source": "VARCHAR", "incident": "VARCHAR", "service": "VARCHAR", "us": "BIGINT"}
_NOTHING = ""
"""An id that nothing has."""
_INCIDENT = ("incident", "service", "detected_at", "resolved_at", "state", "reason")
_CANDIDATE = (
    *("deployment", "deployment_service", "environment", "finished_at", "rule", "confidence"),
    *("seconds", "outcome"),
)
_DEPLOYMENT = (
    *("deployment", "service", "environment", "finished_at", "standing", "why", "rule"),
    *("confidence", "incident", "repaired_by", "seconds", "decides", "url"),
)


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Every incident with what it could be put down to, every deployment with what speaks of it.

    Attributes:
        metric: The metric that it explains.
        incidents: A row for each incident and deployment that it could be put down to: incident,
            service (all of them), detected_at, resolved_at, state (linked, unlinked, unmapped,
            duplicate, external, not planned, less severe, invalid), reason; then deployment,
            deployment_service, environment, finished_at, rule, confidence, seconds (from the
            finish to the detection), outcome (`linked`, or why another one is meant), url.
        deployments: A row for each attempt and piece of evidence: deployment, service,
            environment, finished_at, standing (failed, fine, pending, not judged), why (a
            sentence), rule, confidence, incident, repaired_by, seconds (from its finish to what
            speaks of it), decides, url.
    """

    metric: str
    incidents: pd.DataFrame
    deployments: pd.DataFrame

    @classmethod
    def of(
        cls, result: Result, *, incident: str | None = None, deployment: str | None = None
    ) -> Explanation:
        """Explain the incidents and deployments of a result's window and scope.

        Args:
            result: A result of a metric that hangs on links.
            incident: Only incidents of that id, whenever they were; `*` stands for anything.
            deployment: Only deployments of that id, whenever they were; `*` stands for anything.

        Raises:
            UsageError: The metric hangs on no link, or nothing has such an id.
        """
        only_of_links(result.name)
        question = result.question.pooled()
        question.tables.need(*_MODELS)
        everything = incident is None and deployment is None
        others = None if everything else _NOTHING
        of_incidents = _incidents(question, incident or others)
        of_deployments = _deployments(question, deployment or others)
        for noun, name, frame in (
            ("incident", incident, of_incidents),
            ("deployment", deployment, of_deployments),
        ):
            if name is not None and frame.empty:
                raise UsageError(
                    links.unknown(noun, name),
                    hint=f"`dora explain {result.name}` lists those of the window; * stands for "
                    "anything, and --service or --team narrow it down.",
                )
        if result.veiled:
            of_incidents, of_deployments = of_incidents.iloc[:0], of_deployments.iloc[:0]
        return cls(result.name, of_incidents, of_deployments)

    def __repr__(self) -> str:
        shown = [
            f"{len(self.incidents):,} rows of incidents and their candidates",
            f"{len(self.deployments):,} rows of deployments and their evidence",
        ]
        return f"explanation of {self.metric}: {', '.join(shown)}"

    def _repr_html_(self) -> str:
        told = [
            f"<p><b>{escape(title)}</b></p>{words.html_table(frame)}"
            for title, frame in (("Incidents", self.incidents), ("Deployments", self.deployments))
            if not frame.empty
        ]
        return "".join(told) or "<p>Nothing to explain.</p>"


def _asked(question: Question, what: str, name: str | None) -> pd.DataFrame:
    sql = parts(f"explaining/{what}")["within" if name is None else "named"]
    given = None if name is None else {"name": patterns.any_wildcard([name])}
    return question.query(sql, given)


def _incidents(question: Question, name: str | None) -> pd.DataFrame:
    found = _asked(question, "incidents", name)
    may_be_linked = found["state"].isin(("linked", "unlinked"))
    asked = found.loc[may_be_linked, ["incident_source", "incident", "service", "us"]]
    asked = asked.rename(columns={"incident_source": "source"})
    question.tables.load("asked_incidents", asked.astype(object), _ASKED_TYPES)
    candidates = question.query(parts("explaining/candidates")["rows"])
    keys = ["incident_source", "incident"]
    services = found.groupby(keys, sort=False)["service"].agg(_joined).rename("service")
    told = found.drop_duplicates(keys).drop(columns="service").join(services, on=keys)
    merged = told.merge(candidates, on=keys, how="left", sort=False)
    return tidy(merged[[*_INCIDENT, *_CANDIDATE, "url"]])


def _joined(names: pd.Series[Any]) -> str | None:
    return ", ".join(sorted(names.dropna())) or None


def _deployments(question: Question, name: str | None) -> pd.DataFrame:
    frame = tidy(_asked(question, "deployments", name))
    judged_after = words.length(question.rules.judged_after)
    rows = frame.to_dict(orient="records")
    frame["why"] = [links.why({str(k): v for k, v in row.items()}, judged_after) for row in rows]
    return frame[list(_DEPLOYMENT)]
