"""The facts: what connectors hand over and the store keeps, as they came.

A record says what happened at its source and nothing about how it is judged. Times are aware
datetimes in UTC. `key` names the columns that identify a fact; a later fact with the same key
replaces the earlier one. The store's tables are made from these classes: a field's type gives the
column's type, its text the column's comment.
"""

from __future__ import annotations

from dora.records.columns import Column, Record, columns, fact
from dora.records.facts import (
    RECORD_TYPES,
    Build,
    Commit,
    CommitPath,
    CommitReference,
    Deployment,
    DeploymentStatus,
    FlagChange,
    Incident,
    IncidentCause,
    ManualChange,
    PullRequest,
    PullRequestCommit,
    PullRequestState,
    Repository,
    Review,
    ReviewBy,
    ReviewState,
    join_labels,
    record_type,
)

__all__ = [
    "RECORD_TYPES",
    "Build",
    "Column",
    "Commit",
    "CommitPath",
    "CommitReference",
    "Deployment",
    "DeploymentStatus",
    "FlagChange",
    "Incident",
    "IncidentCause",
    "ManualChange",
    "PullRequest",
    "PullRequestCommit",
    "PullRequestState",
    "Record",
    "Repository",
    "Review",
    "ReviewBy",
    "ReviewState",
    "columns",
    "fact",
    "join_labels",
    "record_type",
]
