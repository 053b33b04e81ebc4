"""GitHub, the public one and Enterprise Server: commits, pull requests, deployments, incidents."""

from connectors.github.connector import GitHub

__all__ = ["GitHub"]
