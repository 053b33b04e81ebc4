"""Workflows, their runs and jobs, as REST shows them."""

from __future__ import annotations

import re
from typing import Any

from tests.forges import facts
from tests.forges.github_host.replies import (
    Query,
    Reply,
    account,
    not_found,
    paged,
    repository,
    words,
)
from tests.forges.github_host.values import CONCLUSIONS, Seen, time
from tests.forges.organisation import Repository

MOST_FILTERED = 1000
"""Runs that a list with filters shows; what is beyond is not told of."""


def _run(seen: Seen, one: Repository, run: facts.Run, attempt: int) -> dict[str, Any]:
    api = f"{seen.api}/repos/{one.path}/actions/runs/{run.id}"
    jobs = run.of(attempt)
    began = [job.started_at for job in jobs if job.started_at] or [run.created_at]
    ended = [job.finished_at for job in jobs if job.finished_at] or began
    commit = one.commits[run.sha]
    status, conclusion = _outcome(jobs)
    links = words("jobs logs check_suite artifacts cancel rerun")
    return {
        "id": run.id,
        "name": run.workflow,
        "node_id": f"WFR_{run.id}",
        "check_suite_id": run.id,
        "check_suite_node_id": f"CS_{run.id}",
        "head_branch": run.branch,
        "head_sha": run.sha,
        "path": f".github/workflows/{run.workflow.lower()}.yml",
        "run_number": run.number,
        "run_attempt": attempt,
        "event": "push",
        "display_title": commit.subject,
        "status": status,
        "conclusion": conclusion,
        "workflow_id": _workflow_id(one, run.workflow),
        "url": api,
        "html_url": f"{seen.web}/{one.path}/actions/runs/{run.id}",
        "pull_requests": [],
        "created_at": time(run.created_at),
        "updated_at": time(max(ended)),
        "run_started_at": time(min(began)),
        "actor": account(seen, commit.author),
        "triggering_actor": account(seen, commit.author),
        **{f"{link}_url": f"{api}/{link}" for link in links},
        "previous_attempt_url": f"{api}/attempts/{attempt - 1}" if attempt > 1 else None,
        "workflow_url": f"{seen.api}/repos/{one.path}/actions/workflows/{run.workflow}",
        "head_commit": {
            "id": run.sha,
            "tree_id": run.sha,
            "message": commit.subject,
            "timestamp": time(commit.committed_at),
            "author": {"name": commit.author.name, "email": commit.author.email},
            "committer": {"name": commit.author.name, "email": commit.author.email},
        },
        "repository": repository(seen, one),
        "head_repository": repository(seen, one),
    }


def _outcome(jobs: tuple[facts.Job, ...]) -> tuple[str, str | None]:
    """How a run's attempt stands, by its jobs."""
    states = {job.state for job in jobs}
    if states & {"queued", "running"} or not states:
        return "in_progress", None
    for state in ("failed", "cancelled"):
        if state in states:
            return "completed", CONCLUSIONS[state]
    return "completed", "success"


def _job(seen: Seen, one: Repository, run: facts.Run, job: facts.Job) -> dict[str, Any]:
    api = f"{seen.api}/repos/{one.path}/actions"
    going = job.state in ("queued", "running")
    began = time(job.started_at or run.created_at)
    return {
        "id": job.id,
        "run_id": run.id,
        "run_url": f"{api}/runs/{run.id}",
        "run_attempt": job.attempt,
        "node_id": f"CR_{job.id}",
        "head_sha": run.sha,
        "head_branch": run.branch,
        "url": f"{api}/jobs/{job.id}",
        "html_url": f"{seen.web}/{one.path}/actions/runs/{run.id}/job/{job.id}",
        "status": {"queued": "queued", "running": "in_progress"}.get(job.state, "completed"),
        "conclusion": CONCLUSIONS[job.state],
        "created_at": began,
        "started_at": began,
        "completed_at": None if going else time(job.finished_at),
        "name": job.name,
        "workflow_name": run.workflow,
        "steps": [],
        "check_run_url": f"{seen.api}/repos/{one.path}/check-runs/{job.id}",
        "labels": ["ubuntu-latest"],
        "runner_id": None,
        "runner_name": None,
        "runner_group_id": None,
        "runner_group_name": None,
    }


def _workflow_id(one: Repository, name: str) -> int:
    return one.id * 100 + sorted({run.workflow for run in one.runs.values()}).index(name)


def list_workflows(seen: Seen, query: Query, one: Repository) -> Reply:
    """The workflows of a repository."""
    api = f"{seen.api}/repos/{one.path}/actions/workflows"
    rows = [
        {
            "id": _workflow_id(one, name),
            "node_id": f"W_{_workflow_id(one, name)}",
            "name": name,
            "path": f".github/workflows/{name.lower()}.yml",
            "state": "active",
            "created_at": time(one.created_at),
            "updated_at": time(one.created_at),
            "url": f"{api}/{_workflow_id(one, name)}",
            "html_url": f"{seen.web}/{one.path}/blob/main/.github/workflows/{name.lower()}.yml",
            "badge_url": f"{seen.web}/{one.path}/workflows/{name}/badge.svg",
        }
        for name in sorted({run.workflow for run in one.runs.values()})
    ]
    return paged(rows, query, "workflows")


def list_runs(seen: Seen, query: Query, one: Repository, workflow: str | None = None) -> Reply:
    """The runs of a repository or of one workflow, the newest first."""
    runs = sorted(one.runs.values(), key=lambda run: (run.created_at, run.id), reverse=True)
    if workflow is not None:
        names = {str(_workflow_id(one, run.workflow)): run.workflow for run in runs}
        if workflow not in names:
            return not_found()
        runs = [run for run in runs if run.workflow == names[workflow]]
    total = len(runs)
    filters = {"created", "status", "branch", "event", "head_sha", "actor", "check_suite_id"}
    if filters & set(query):
        runs = [run for run in runs if _fits(seen, one, run, query)]
        total = len(runs)
        runs = runs[:MOST_FILTERED]
    page = paged(runs, query, "workflow_runs", total=total)
    shown = [_run(seen, one, run, run.attempts) for run in page.body["workflow_runs"]]
    return Reply({**page.body, "workflow_runs": shown}, pages=page.pages)


def _fits(seen: Seen, one: Repository, run: facts.Run, query: Query) -> bool:
    status, conclusion = _outcome(run.of(run.attempts))
    return (
        _created(str(time(run.created_at)), query.get("created", ""))
        and query.get("status", status) in (status, conclusion)
        and query.get("branch", run.branch) == run.branch
        and query.get("head_sha", run.sha) == run.sha
        and query.get("event", "push") == "push"
    )


def _created(moment: str, asked: str) -> bool:
    """Whether a time is in a range as GitHub's search writes them: a day alone means all of it."""
    if not asked:
        return True
    if ".." in asked:
        low, _, high = asked.partition("..")
        return _created(moment, f">={low}" if low != "*" else "") and _created(
            moment, f"<={high}" if high != "*" else ""
        )
    match = re.fullmatch(r"(>=|<=|>|<)?(.+)", asked)
    assert match is not None
    sign, value = match[1], match[2].replace("+00:00", "Z")
    short = moment[: len(value)]
    if sign is None:
        return short == value
    return {
        ">=": short >= value,
        "<=": short <= value,
        ">": short > value,
        "<": short < value,
    }[sign]


def one_run(seen: Seen, query: Query, one: Repository, run_id: str) -> Reply:
    """A run as its last attempt stands."""
    run = one.runs.get(int(run_id))
    return Reply(_run(seen, one, run, run.attempts)) if run else not_found()


def one_attempt(seen: Seen, query: Query, one: Repository, run_id: str, number: str) -> Reply:
    """One attempt of a run."""
    run = one.runs.get(int(run_id))
    if run is None or not 1 <= int(number) <= run.attempts:
        return not_found()
    return Reply(_run(seen, one, run, int(number)))


def list_jobs(
    seen: Seen, query: Query, one: Repository, run_id: str, number: str | None = None
) -> Reply:
    """The jobs of a run's last attempt, of one attempt, or of all."""
    run = one.runs.get(int(run_id))
    if run is None:
        return not_found()
    if number is not None:
        jobs = run.of(int(number))
    else:
        every = query.get("filter") == "all"
        jobs = run.jobs if every else run.of(run.attempts)
    return paged([_job(seen, one, run, job) for job in jobs], query, "jobs")
