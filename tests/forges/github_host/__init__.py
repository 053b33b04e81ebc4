"""GitHub made for tests: one organisation, real HTTP, GitHub's own schema."""

from tests.forges.github_host.apps import App
from tests.forges.github_host.faults import FAULTS, NOT_FOUND, UNAUTHORIZED, Fault, Trouble
from tests.forges.github_host.server import GitHubHost, Request
from tests.forges.github_host.values import FACTS, Token

__all__ = [
    "FACTS",
    "FAULTS",
    "NOT_FOUND",
    "UNAUTHORIZED",
    "App",
    "Fault",
    "GitHubHost",
    "Request",
    "Token",
    "Trouble",
]
