"""GitLab, gitlab.com and self-managed: merge requests, deployments, pipelines, incidents."""

from connectors.gitlab.connector import GitLab

__all__ = ["GitLab"]
