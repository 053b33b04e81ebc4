"""Jira, Cloud and Data Center: issues that are incidents, with the history of their status."""

from connectors.jira.connector import Jira

__all__ = ["Jira"]
