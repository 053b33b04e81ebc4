"""A local git clone or bare repository: its commits, and deployments inferred from it."""

from connectors.git.connector import Git

__all__ = ["Git"]
