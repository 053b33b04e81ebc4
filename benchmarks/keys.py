"""Keys of a tracker looked up in the subjects of commits: DuckDB's own model against the portable.

    python benchmarks/keys.py [--commits 1000000] [--keys 100]

Every other subject begins with a key, and incidents state some of these keys as their causes. Both
run on DuckDB in the same process, on two threads, and must find the same commits.
"""

from __future__ import annotations

import argparse
import time

import duckdb

from dora.engines import UTC_OFFSETS
from dora.engines.duckdb import DuckDB
from dora.models import models

FACTS = """
create table commits as
select i as commit_id, 'hub/shop' as repository, md5(cast(i as varchar)) as sha,
    case when i % 2 = 0 then 'CHG-' || (i // 10) || ': rename the basket everywhere'
        else 'Rename basket ' || i || ' everywhere' end as subject
from range($commits) t(i);
create table stated_causes as select distinct 'CHG-' || (i * 7919) as cause from range($keys) t(i);
create table pull_requests (repository varchar, number bigint, title varchar, head_branch varchar);
create table landed_pull_requests (repository varchar, number bigint, landed_sha varchar);
create table reverts (commit_id bigint);
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commits", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=100)
    given = parser.parse_args()
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    text = FACTS.replace("$commits", str(given.commits)).replace("$keys", str(given.keys))
    connection.execute(text)
    engine = DuckDB(connection)
    engine.prepare(offsets=UTC_OFFSETS, patterns=())
    times, found = {}, {}
    for name, known in (("portable", models()), ("its own", models("duckdb"))):
        table = name.replace(" ", "_")
        began = time.perf_counter()
        engine.build(table, known["keyed_commits"].sql)
        times[name] = time.perf_counter() - began
        rows = engine.rows(f"select cause, commit_id from {table} order by 1, 2")
        found[name] = rows
        print(f"{name}: {times[name]:.2f} s, {len(rows):,} commits")
    assert found["portable"] == found["its own"]
    print(f"portable / its own: {times['portable'] / times['its own']:.1f}")


if __name__ == "__main__":
    main()
