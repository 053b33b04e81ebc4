"""What the store holds about people: every column, what it is for, and how long it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dora.records import (
    RECORD_TYPES,
    Build,
    Column,
    Commit,
    CommitPath,
    CommitReference,
    Deployment,
    FlagChange,
    Incident,
    IncidentCause,
    ManualChange,
    PullRequest,
    PullRequestCommit,
    Record,
    Repository,
    Review,
    columns,
)

if TYPE_CHECKING:
    import pandas as pd

    from dora.config import Config

PURPOSE_NOTE = (
    "These numbers are for improving how software is delivered. They are about services and teams,"
    " never about persons, and are no measure of anybody's performance."
)

PURPOSES: dict[type[Record], str] = {
    Repository: "where code lives, and which branch it lands on",
    Commit: "lead time, and which deployment delivered what",
    CommitPath: "which service of a repository a commit belongs to",
    CommitReference: "reverts and copies of commits",
    PullRequest: "lead time, its stages, and hotfixes",
    PullRequestCommit: "when work on a change began",
    Review: "how long changes wait for a review",
    Deployment: "deployment frequency, and what failed",
    Incident: "failures, and how long recovery took",
    IncidentCause: "which deployment an incident is put down to",
    Build: "the state of continuous integration",
    FlagChange: "when a feature reached its users",
    ManualChange: "how much is changed by hand, past the pipeline",
}
"""What each fact is kept for."""


def inventory(config: Config) -> pd.DataFrame:
    """Every column of the fact tables that people are behind, and then all others in one row each.

    Returns:
        A row a column: `table`; `field`; `data`: `pseudonym`, `name`, `text people wrote`, or
        `no personal data`; `purpose`; `retention`.
    """
    import pandas as pd

    rows = [row for record_type in RECORD_TYPES for row in _rows(record_type, config)]
    names = ["table", "field", "data", "purpose", "retention"]
    return pd.DataFrame(rows, columns=names, dtype=object)


def _rows(record_type: type[Record], config: Config) -> list[tuple[str, ...]]:
    kept = columns(record_type).values()
    personal = [column for column in kept if column.identity or column.free_text]
    purpose, lasts = PURPOSES[record_type], _lasts(record_type, config)
    rows = [
        (record_type.table, column.name, _data(column, config), _why(column), lasts)
        for column in personal
    ]
    others = ", ".join(column.name for column in kept if column not in personal)
    return [*rows, (record_type.table, others, "no personal data", purpose, lasts)]


def _data(column: Column, config: Config) -> str:
    if column.free_text:
        return "text people wrote" if config.store_titles else "not kept"
    return "pseudonym" if config.identities == "pseudonyms" else "name"


def _why(column: Column) -> str:
    if column.free_text:
        return "marks of hotfixes and reverts, and to recognise a record"
    return "counting how many people are behind a number, and telling original commits from copies"


def _lasts(record_type: type[Record], config: Config) -> str:
    span = config.privacy.retention
    if span is None or record_type in (Repository, CommitReference):
        return "as long as the store"
    if record_type is Commit:
        return f"{span} after delivery; the bare graph as long as the store"
    return f"{span} after it ended"
