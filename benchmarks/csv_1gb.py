"""How fast and in how much memory a large CSV of deployments comes in, against pandas and DuckDB.

    python benchmarks/csv_1gb.py [--megabytes 1000]

Each reader runs in a process of its own over the same file, which is made anew in a temporary
folder. Ours checks every row, keeps bad ones aside with their line and watches for repeated keys;
pandas reads the same columns in chunks and parses the two times; DuckDB sniffs and counts. The
last lines are the ratios.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADER = "id,repository,environment,status,started_at,finished_at,sha,version,labels,url\n"


def generate(target: Path, megabytes: int) -> int:
    """Write that much; gives the number of rows."""
    rows, size = 0, 0
    with target.open("w", encoding="utf-8") as file:
        size += file.write(HEADER)
        while size < megabytes * 1_000_000:
            size += file.write("".join(_row(n) for n in range(rows, rows + 10_000)))
            rows += 10_000
    return rows


def _row(n: int) -> str:
    day, second = 1 + n // 86_400 % 28, n % 86_400
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    when = f"2026-03-{day:02d}T{clock}"
    return (
        f"run-{n},github.com/acme/service-{n % 500},production,succeeded,{when}Z,"
        f"{when}.250+02:00,{n * 2654435761:040x},v1.{n % 1000}.0,"
        f'"team-{n % 40},canary",https://ci.example.com/runs/{n}\n'
    )


def ours(path: Path) -> int:
    from connectors.files import Files, FilesOptions
    from dora.connector import Block
    from dora.records import Deployment

    files = Files("files", FilesOptions(path=path, table="deployments"), base=path.parent)
    return sum(
        len(item.frame)
        for item in files.records(Deployment, None)
        if isinstance(item, Block) and item.frame is not None
    )


def with_pandas(path: Path) -> int:
    import pandas as pd

    rows = 0
    for frame in pd.read_csv(path, dtype=str, chunksize=50_000, keep_default_na=False):
        for name in ("started_at", "finished_at"):
            frame[name] = pd.to_datetime(frame[name], format="ISO8601", utc=True)
        rows += len(frame)
    return rows


def with_duckdb(path: Path) -> int:
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set threads = 1")
    connection.execute("create temp table t as select * from read_csv($path)", {"path": str(path)})
    return int(connection.execute("select count(*) from t").fetchall()[0][0])


READERS = {"ours": ours, "pandas": with_pandas, "duckdb": with_duckdb}


def measure(reader: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--reader", reader, "--path", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run(reader: str, path: Path) -> None:
    started = time.perf_counter()
    rows = READERS[reader](path)
    took = time.perf_counter() - started
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"rows": rows, "seconds": took, "megabytes": kilobytes / 1000}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--reader", choices=READERS)
    parser.add_argument("--path", type=Path)
    given = parser.parse_args()
    if given.reader:
        run(given.reader, given.path)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deployments.csv"
        rows = generate(path, given.megabytes)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB")
        found = {reader: measure(reader, path) for reader in READERS}
    for reader, result in found.items():
        assert result["rows"] == rows, (reader, result)
        print(
            f"{reader:7} {result['seconds']:7.1f} s {rows / result['seconds']:10,.0f} rows/s"
            f" {result['megabytes']:7,.0f} MB peak"
        )
    for rival in ("pandas", "duckdb"):
        ratio = found["ours"]["seconds"] / found[rival]["seconds"]
        memory = found["ours"]["megabytes"] / found[rival]["megabytes"]
        print(f"ours / {rival}: time {ratio:.2f}, memory {memory:.2f}")


if __name__ == "__main__":
    main()
