"""How much room a clone's history takes in the store, against PostgreSQL with the same rows.

    python benchmarks/size.py CLONE               # P9: at most a quarter

Every fact table that a first sync fills is copied, column by column. PostgreSQL gets each fact's
key as its primary key and nothing else, and is vacuumed; its size is told with and without them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import duckdb
from ingest import SYNC, configure, run
from metrics_in_postgres import server

_TYPES = {"VARCHAR": "text", "DOUBLE": "double precision"}
_SIZES = """
select sum(pg_table_size(oid)), sum(pg_total_relation_size(oid)) from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r'
"""


def tables(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The fact tables that have rows, with their columns' types in PostgreSQL."""
    from dora.records import RECORD_TYPES

    found: dict[str, dict[str, str]] = {}
    for one in RECORD_TYPES:
        relation = connection.table(one.table)
        if relation.limit(1).fetchall():
            kinds = zip(relation.columns, map(str, relation.types), strict=True)
            found[one.table] = {name: _TYPES.get(kind, kind.lower()) for name, kind in kinds}
    return found


def in_postgres(store: Path, keys: dict[str, str]) -> tuple[int, int]:
    """Bytes that the same rows take there: the rows alone, and with their keys."""
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as psql:
        connection = duckdb.connect(str(store), read_only=True)
        for table, columns in tables(connection).items():
            target = Path(folder) / f"{table}.csv"
            connection.execute(f"copy {table} to '{target}' (format csv, header false)")
            target.chmod(0o644)
            listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            psql(f"create table {table} ({listed}, primary key ({keys[table]}))")
            psql(f"\\copy {table} from '{target}' (format csv)")
        psql("vacuum full analyze")
        rows, whole = psql(_SIZES).strip().split("|")
    return int(rows), int(whole)


def main() -> None:
    from dora.records import RECORD_TYPES

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clone", type=Path)
    clone = parser.parse_args().clone.resolve()
    with tempfile.TemporaryDirectory() as folder:
        config = configure(Path(folder), clone, refs="refs/")
        run([sys.executable, "-c", SYNC, str(config)])
        [store] = Path(folder).glob("*.duckdb")
        keys = {one.table: ", ".join(one.key) for one in RECORD_TYPES}
        rows, whole = in_postgres(store, keys)
        ours = store.stat().st_size
    print(
        f"{clone}: {ours / 1e6:.1f} MB, against {rows / 1e6:.1f} MB of rows in PostgreSQL and"
        f" {whole / 1e6:.1f} MB with their keys\n"
        f"  P9: {ours / whole:.2f} of its size (goal 0.25), {ours / rows:.2f} of its rows alone"
    )


if __name__ == "__main__":
    main()
