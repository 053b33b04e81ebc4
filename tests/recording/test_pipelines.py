"""What the variables of GitHub Actions, GitLab CI and Jenkins tell, and when they are not taken.

Names and meanings of the variables are those of the products' own documentation.
"""

from __future__ import annotations

from dora.recording.pipelines import Pipeline, pipeline

SHA = "4f2a9c1d0b7e8f6a5c4d3b2a1f0e9d8c7b6a5948"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_SHA": SHA,
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.example.com/acme/web/shop",
    "CI_JOB_ID": "4711",
    "CI_JOB_URL": "https://gitlab.example.com/acme/web/shop/-/jobs/4711",
    "CI_JOB_STARTED_AT": "2026-03-01T11:55:00Z",
    "CI_COMMIT_SHA": SHA,
}
JENKINS = {
    "JENKINS_URL": "https://ci.example.com/",
    "BUILD_TAG": "jenkins-deploy-12",
    "BUILD_URL": "https://ci.example.com/job/deploy/12/",
    "GIT_URL": "git@github.com:acme/shop.git",
    "GIT_COMMIT": SHA,
}


def test_outside_of_a_pipeline_nothing_is_known() -> None:
    assert pipeline({"PATH": "/bin", "CI": "true"}) == Pipeline()


def test_github_actions() -> None:
    assert pipeline(GITHUB) == Pipeline(
        "GitHub Actions",
        "github-77.2",
        {
            "repository": "github.com/acme/shop",
            "sha": SHA,
            "url": "https://github.com/acme/shop/actions/runs/77",
        },
    )


def test_the_sha_of_a_pull_request_is_a_trial_merge_and_is_not_taken() -> None:
    for event in ("pull_request", "workflow_run", "issue_comment"):
        told = pipeline({**GITHUB, "GITHUB_EVENT_NAME": event})
        assert "sha" not in told.values
        assert event in told.doubts[0]


def test_gitlab() -> None:
    assert pipeline(GITLAB) == Pipeline(
        "GitLab CI",
        "gitlab-4711",
        {
            "repository": "gitlab.example.com/acme/web/shop",
            "sha": SHA,
            "url": "https://gitlab.example.com/acme/web/shop/-/jobs/4711",
            "started_at": "2026-03-01T11:55:00Z",
        },
    )


def test_the_sha_of_a_merged_result_is_not_taken() -> None:
    for kind in ("merged_result", "merge_train"):
        told = pipeline({**GITLAB, "CI_MERGE_REQUEST_EVENT_TYPE": kind})
        assert "sha" not in told.values
        assert told.doubts


def test_jenkins() -> None:
    assert pipeline(JENKINS) == Pipeline(
        "Jenkins",
        "jenkins-deploy-12",
        {
            "repository": "github.com/acme/shop",
            "sha": SHA,
            "url": "https://ci.example.com/job/deploy/12/",
        },
    )


def test_several_repositories_or_a_change_request_leave_jenkins_in_doubt() -> None:
    several = pipeline({**JENKINS, "GIT_URL_1": "https://github.com/acme/other"})
    assert set(several.values) == {"url"}
    trial = pipeline({**JENKINS, "CHANGE_ID": "7"})
    assert set(trial.values) == {"url", "repository"}
    assert several.doubts
    assert trial.doubts


def test_two_pipelines_at_once_leave_everything_in_doubt() -> None:
    told = pipeline(GITHUB | JENKINS)
    assert told.values == {}
    assert told.run == ""
    assert "GitHub Actions and Jenkins" in told.doubts[0]
