"""How much room facts take in the store, against PostgreSQL with the same rows.

    python benchmarks/size.py CLONE               # a clone's history; P9: at most a quarter
    python benchmarks/size.py --generated 0.05    # commits, pull requests, deployments, incidents

Every fact table that has rows is copied, column by column: those of a first sync, or those of the
organisation that `history.py` generates, taken alone into a store of the package's own making.
PostgreSQL gets each fact's key as its primary key and nothing else, and is vacuumed; its size is
told with and without them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import duckdb
from history import generate
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


def _cloned(folder: Path, clone: Path) -> Path:
    """The store that a first sync makes of a clone."""
    config = configure(folder, clone, refs="refs/")
    run([sys.executable, "-c", SYNC, str(config)])
    [store] = folder.glob("*.duckdb")
    return store


def _generated(folder: Path, scale: float) -> Path:
    """A store of the generated facts and nothing that is derived from them."""
    from dora.identities import Identities
    from dora.store import Writer

    generate(folder / "generated", scale)
    store = folder / "dora.duckdb"
    with Writer.open(store, identities=Identities("plain", "", ())) as writer:
        connection = writer.connection
        connection.execute(f"attach '{folder / 'generated'}' as generated (read_only)")
        for table in ("commits", "pull_requests", "deployments", "incidents"):
            connection.execute(f"insert into {table} by name from generated.{table}")
        connection.execute("detach generated")
        writer.publish()
    return store


def main() -> None:
    from dora.records import RECORD_TYPES

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("clone", type=Path, nargs="?")
    what.add_argument("--generated", type=float, nargs="?", const=0.05, metavar="SCALE")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.clone:
            store, name = _cloned(Path(folder), given.clone.resolve()), str(given.clone)
        else:
            store = _generated(Path(folder), given.generated)
            name = f"a generated organisation, scale {given.generated:g}"
        keys = {one.table: ", ".join(one.key) for one in RECORD_TYPES}
        rows, whole = in_postgres(store, keys)
        ours = store.stat().st_size
    print(
        f"{name}: {ours / 1e6:.1f} MB, against {rows / 1e6:.1f} MB of rows in PostgreSQL and"
        f" {whole / 1e6:.1f} MB with their keys\n"
        f"  P9: {ours / whole:.2f} of its size (goal 0.25), {ours / rows:.2f} of its rows alone"
    )


if __name__ == "__main__":
    main()
