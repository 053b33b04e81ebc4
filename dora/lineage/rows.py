"""What came of a batch, written back in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dora.lineage.batch import OUTCOMES, Rows, deployments_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NOTHING = np.empty(0, dtype=np.int32)
_NAMES = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)

_DEPLOYMENTS = f"""
insert into stream_deployments
select w.stream, w.position, d.source, d.id, d.finished_at, d.sha, d.commit_id,
    [{_NAMES}][w.outcome + 1], w.uncertain, w.rollback, d.inferred, w.cumulative
from lineage_rows w
join {{deployments}} d on d.n = w.n
order by w.stream, w.position
"""

_SAME = "l.stream = n.stream and l.commit_id = n.commit_id and l.position = n.position"

# Most of what a repository's new facts leave as it was is not written again.
_STALE = f"""
delete from lineage where rowid in (
    select l.rowid from lineage l join lineage_walked w on w.stream = l.stream
    where not exists (select 1 from lineage_rows n where {_SAME}))
"""
_FRESH = f"""
insert into lineage select n.stream, n.commit_id, n.position from lineage_rows n
where not exists (select 1 from lineage l where {_SAME})
"""


def write(connection: DuckDBPyConnection, rows: Rows, batch: int) -> None:
    """Replace what the store has of the batch's streams, and remember what it was made from."""
    connection.execute(
        "create or replace temp table lineage_walked as select s.stream"
        " from streams s join lineage_todo t on t.repository = s.repository where t.batch = ?",
        [batch],
    )
    for table in ("stream_deployments", "undone"):
        connection.execute(f"delete from {table} where stream in (from lineage_walked)")
    _insert(connection, rows.deployments, _DEPLOYMENTS.format(deployments=deployments_table(batch)))
    _insert(connection, rows.undone, "insert into undone from lineage_rows")
    _write_lineage(connection, rows.lineage)
    connection.execute(
        "delete from lineage_state where repository in"
        " (select repository from lineage_todo where batch = ?)",
        [batch],
    )
    connection.execute(
        "insert into lineage_state select repository, fingerprint from lineage_todo"
        " where batch = ?",
        [batch],
    )


def _write_lineage(connection: DuckDBPyConnection, columns: dict[str, list[Any]]) -> None:
    [(known,)] = connection.execute(
        "select count(*) from lineage where stream in (from lineage_walked)"
    ).fetchall()
    if known:
        _insert(connection, columns, _STALE, _FRESH)
    else:
        _insert(connection, columns, "insert into lineage from lineage_rows")


def _insert(
    connection: DuckDBPyConnection, columns: dict[str, list[Any]], *statements: str
) -> None:
    pieces = {name: np.concatenate(parts or [_NOTHING]) for name, parts in columns.items()}
    connection.register("lineage_rows", pieces)
    try:
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.unregister("lineage_rows")
