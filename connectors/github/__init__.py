"""GitHub, the public one and Enterprise Server: pull requests, deployments, builds, incidents."""

from connectors.github.connector import GitHub

__all__ = ["GitHub"]
