"""What the variables of a pipeline tell of the deployment it makes, where they leave no doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dora.addresses import repository_name

_GITHUB_CHECKED_OUT = frozenset(
    {
        "push",
        "release",
        "deployment",
        "workflow_dispatch",
        "repository_dispatch",
        "schedule",
        "merge_group",
    }
)
"""Events of GitHub whose GITHUB_SHA is the commit that is built, not a trial merge or another."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a pipeline says of itself.

    Attributes:
        name: What it is called.
        run: Its name for this run of this job, another one when the job is run again.
        values: Columns of a deployment.
        doubts: Why a value that one might expect is not taken.
    """

    name: str = ""
    run: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


def pipeline(environment: Mapping[str, str]) -> Pipeline:
    """The pipeline that these environment variables belong to; an empty one outside of any."""
    found = [
        read(environment)
        for sign, read in (
            ("GITHUB_ACTIONS", _github),
            ("GITLAB_CI", _gitlab),
            ("JENKINS_URL", _jenkins),
        )
        if environment.get(sign)
    ]
    if len(found) > 1:
        names = " and ".join(one.name for one in found)
        return Pipeline(doubts=(f"Variables of {names} are set; nothing is taken from them.",))
    return found[0] if found else Pipeline()


def _github(given: Mapping[str, str]) -> Pipeline:
    server, repository = given.get("GITHUB_SERVER_URL", ""), given.get("GITHUB_REPOSITORY", "")
    event, run = given.get("GITHUB_EVENT_NAME", ""), given.get("GITHUB_RUN_ID", "")
    sure = event in _GITHUB_CHECKED_OUT
    doubt = f"GITHUB_SHA of the event {event!r} may not be what is deployed; give --sha."
    return _told(
        "GitHub Actions",
        f"github-{run}.{given.get('GITHUB_RUN_ATTEMPT', '1')}" if run else "",
        address=f"{server}/{repository}" if server and repository else "",
        sha=given.get("GITHUB_SHA", "") if sure else "",
        url=f"{server}/{repository}/actions/runs/{run}" if server and repository and run else "",
        doubts=() if sure else (doubt,),
    )


def _gitlab(given: Mapping[str, str]) -> Pipeline:
    job = given.get("CI_JOB_ID", "")
    trial = given.get("CI_MERGE_REQUEST_EVENT_TYPE") in ("merged_result", "merge_train")
    doubt = "CI_COMMIT_SHA is a trial merge, which no branch has; give --sha."
    return _told(
        "GitLab CI",
        f"gitlab-{job}" if job else "",
        address=given.get("CI_PROJECT_URL", ""),
        sha="" if trial else given.get("CI_COMMIT_SHA", ""),
        url=given.get("CI_JOB_URL", ""),
        started_at=given.get("CI_JOB_STARTED_AT", ""),
        doubts=(doubt,) if trial else (),
    )


def _jenkins(given: Mapping[str, str]) -> Pipeline:
    several, trial = "GIT_URL_1" in given, "CHANGE_ID" in given
    doubts = []
    if several:
        doubts.append("Several repositories are checked out; give --repository and --sha.")
    if trial:
        doubts.append("GIT_COMMIT of a change request may be a trial merge; give --sha.")
    tag = given.get("BUILD_TAG", "")
    return _told(
        "Jenkins",
        tag,
        address="" if several else given.get("GIT_URL", ""),
        sha="" if several or trial else given.get("GIT_COMMIT", ""),
        url=given.get("BUILD_URL", ""),
        doubts=tuple(doubts),
    )


def _told(name: str, run: str, *, address: str, doubts: tuple[str, ...], **said: str) -> Pipeline:
    values = {"repository": repository_name(address) or "", **said}
    return Pipeline(name, run, {key: text for key, text in values.items() if text}, doubts)
