"""Lineage in the store: which repositories changed, their graphs in, what became of them out.

Work goes repository by repository, in batches of about a million commits: the joins from
object ids to numbers are DuckDB's, the walks are plain Python over one repository at a time, and
the rows go back as arrays. Memory follows the batch, not the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dora.lineage import tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dora.lineage.batch import Rows

BATCH_COMMITS = 1_000_000
"""Commits read at once; a larger repository is one batch."""

_TEMPORARY = (
    "now",
    "todo",
    "wanted",
    "gone",
    "commits",
    "deployments_0",
    "deployments_1",
    "walked",
)


def update(connection: DuckDBPyConnection) -> bool:
    """Bring `streams`, `stream_deployments`, `lineage` and `undone` up to date with the facts.

    Reads commits, deployments, repositories, service_map and commit_services where the connection
    stands, and writes into its current schema. Only repositories whose facts or services changed
    are done again. Each batch is a transaction of its own, so that an update that was killed goes
    on where it was; call it outside a transaction.

    Returns:
        Whether anything had changed.
    """
    fingerprint = tables.unchanged(connection)
    if fingerprint is None:
        return False
    with _transaction(connection):
        tables.create(connection)
        batches = tables.find_changes(connection, BATCH_COMMITS)
    for batch, rows in _walked(connection, batches):
        _replace(connection, batch, rows)
    tables.remember(connection, fingerprint)
    for name in _TEMPORARY:
        connection.execute(f"drop table if exists temp.lineage_{name}")
    return True


def _walked(connection: DuckDBPyConnection, batches: Sequence[int]) -> Iterator[tuple[int, Rows]]:
    """Walk every batch; while one is walked, which is Python, DuckDB reads the next."""
    if not batches:
        return
    from dora.lineage.batch import load  # numpy only where there is work

    with ThreadPoolExecutor(1) as reader:
        loading = [reader.submit(load, connection, batch) for batch in batches[:1]]
        for place, batch in enumerate(batches):
            loaded = loading.pop().result()
            loading = [reader.submit(load, connection, b) for b in batches[place + 1 : place + 2]]
            rows = loaded.walk()
            del loaded
            wait(loading)  # whoever gets the rows writes them with the same connection
            yield batch, rows


def _replace(connection: DuckDBPyConnection, batch: int, rows: Rows) -> None:
    """Write what came of one batch of repositories in the place of what there was."""
    from dora.lineage.rows import write

    with _transaction(connection):
        write(connection, rows, batch)


@contextmanager
def _transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
