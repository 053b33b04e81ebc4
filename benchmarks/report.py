"""How long a report takes beyond the metrics it shows, and how large it is.

    python benchmarks/report.py                   # 50 services, three years, 100,000 commits

The rival is what a report cannot do without: the five metrics of the window, of the one before and
of every service, in the same process and run. Goals: under 10 s beyond them, and under 2 MB.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from history import AS_OF, generate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=50)
    parser.add_argument("--window", default="90d")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "dora.duckdb"
        generate(store, given.services / 5000)
        measure(store, given.window)


def measure(store: Path, window: str) -> None:
    import dora
    from dora import report

    delivery = dora.open(store).as_of(AS_OF).window(window)
    begun = time.perf_counter()
    for name in delivery.metrics:
        delivery.metric(name).compare()
        _ = delivery.each("service").metric(name).frame
    bare = time.perf_counter() - begun
    page = store.with_name("report.html")
    begun = time.perf_counter()
    said = report.write(delivery, page, now=datetime.now(UTC))
    whole = time.perf_counter() - begun
    print(f"services            {len(said.services.rows):>10,}")
    print(f"bare metrics        {bare:>10.2f} s, models built by them")
    print(f"report on top       {whole:>10.2f} s (goal 10), {whole / bare:.2f} x the bare metrics")
    print(f"size                {page.stat().st_size / 1e6:>10.2f} MB (goal 2)")


if __name__ == "__main__":
    main()
