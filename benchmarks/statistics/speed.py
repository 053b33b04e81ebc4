"""The overview with all verdicts, against the bare metrics it is made from.

    python benchmarks/statistics/speed.py                 # 5,000 services, 10 M commits; long
    python benchmarks/statistics/speed.py --scale 0.01    # a hundredth

The store is that of `benchmarks/history.py`. Bare are the five metrics of the last 90 days over all
services, from lineage on, as a notebook asks for them; the overview adds the window before, every
interval of a difference, its chance and smallest detectable size, and the grades of both windows.
Each runs in a process of its own, in turn; the goal is twice the time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROUNDS = 3


def once(store: Path, what: str) -> tuple[float, float]:
    """Seconds from an open store to all numbers: by the clock, and of computing."""
    from dora.delivery import open_delivery

    began, busy = time.perf_counter(), time.process_time()
    delivery = open_delivery(store).as_of("2025-12-28").window("90d")
    if what == "overview":
        shown = delivery.overview()
        assert all(c.sentence for c in shown.comparisons)
        assert all(c.change for c in shown.comparisons)
    else:
        assert all(delivery.metric(name).n for name in delivery.metrics)
    return time.perf_counter() - began, time.process_time() - busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--what", choices=("bare", "overview"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.store:
        print(*once(given.store, given.what))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        _generate(path, given.scale)
        times: dict[str, list[list[float]]] = {"bare": [], "overview": []}
        for _ in range(ROUNDS):
            for what, taken in times.items():
                command = [sys.executable, __file__, "--store", str(path), "--what", what]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                taken.append([float(seconds) for seconds in done.stdout.split()])
    for name, place in (("by the clock", 0), ("of computing", 1)):
        bare, overview = (median(t[place] for t in taken) for taken in times.values())
        ratio = overview / bare
        print(f"bare {bare:.2f} s, overview {overview:.2f} s {name}: {ratio:.2f} times")


def _generate(path: Path, scale: float) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from history import generate

    generate(path, scale)


if __name__ == "__main__":
    main()
