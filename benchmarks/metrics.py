"""Five metrics, weekly and monthly, of every service and team, against pandas and PostgreSQL.

    python benchmarks/metrics.py                  # 5,000 repositories, 10 M commits; long
    python benchmarks/metrics.py --scale 0.02     # a fiftieth, a minute

A generated history (seeded) goes into a store with real lineage. Measured is what a reader pays:
the models that metrics need from that lineage on, and the metrics with their intervals and
zero-filled frames; what only the records behind them need is told apart. Loading numpy, pandas and
scipy is timed for nobody.

Each rival comes twice. "Same cells" starts from the same tables, in memory (pandas) or indexed and
analysed (PostgreSQL, on a twentieth), and gives every number of every cell, which is checked. With
"a head start" it has integer keys and positions on the trunk instead of shas and lineage, and gives
fewer numbers; only what they count is checked. Beside them stands what DuckDB takes for the SQL
that every engine can run, without its own files under dora/metrics/duckdb. Each contender runs in a
process of its own. The exit code is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cells_agree
import pandas as pd
from cells_in_pandas import cells_in_pandas
from cells_in_postgres import cells_in_postgres
from history import AS_OF, GRAINS, START, generate
from metrics_in_pandas import in_pandas
from metrics_in_postgres import in_postgres
from timing import timed


def ours(path: Path, *, portable: bool = False) -> tuple[dict[str, float], dict[str, pd.DataFrame]]:
    """Models, then all five metrics for every service and team by week and month.

    Args:
        path: The store.
        portable: Whether DuckDB runs what every engine can, without files of its own.
    """
    from dora import metrics, store
    from dora.engines.duckdb import DuckDB
    from dora.metrics.question import Question
    from dora.metrics.scopes import Directory
    from dora.models import Workspace
    from dora.rules import Rules
    from dora.windows import Window

    connection = store.connect(path)
    connection.execute("set threads = 2")
    asked = [metrics.find(name) for name in metrics.names()]
    rules = Rules(change="pull_request")
    times: dict[str, float] = {}
    engine = type("Portable", (DuckDB,), {"name": "portable"}) if portable else DuckDB
    space = Workspace(engine(connection), rules=rules, as_of=AS_OF)
    with timed(times, "models"):
        space.need(*(model for metric in asked for model in metric.models))
    with timed(times, "scopes"):
        directory = Directory.read(space)
        whole = directory.scope()
        scopes = (whole, *directory.each(whole, ("service", "team")))
    window = Window(START.date(), AS_OF.date())
    question = Question(space, window, GRAINS, AS_OF, rules, scopes, directory)
    results = []
    for metric in asked:
        with timed(times, metric.name):
            results.append(metric.ask(question))
    times |= {f"n {result.name}": result.n for result in results}
    times["cells"] = len(results[0].frame)
    further = [model for metric in asked for model in metric.record_models]
    began = time.perf_counter()
    space.need(*further)
    times["records"] = time.perf_counter() - began
    told = [
        {"metric": r.name, "value": r.value, "n": r.n, "low": r.low, "high": r.high, **r.counts}
        for r in results
    ]
    return times, {r.name: r.frame for r in results} | {"window": pd.DataFrame(told)}


@dataclass(frozen=True)
class Contender:
    """Who computes, and what that one starts from and gives."""

    run: Callable[[Path], tuple[dict[str, float], dict[str, pd.DataFrame]]]
    title: str
    same_cells: bool = False


CONTENDERS = {
    "ours": Contender(ours, "ours"),
    "portable": Contender(
        lambda path: ours(path, portable=True), "ours, by the portable SQL alone", True
    ),
    "pandas": Contender(lambda path: (in_pandas(path), {}), "pandas, a head start, fewer numbers"),
    "cells_in_pandas": Contender(cells_in_pandas, "pandas, same cells", True),
    "postgres": Contender(
        lambda path: (in_postgres(path), {}), "PostgreSQL, a head start, fewer numbers"
    ),
    "cells_in_postgres": Contender(cells_in_postgres, "PostgreSQL, same cells", True),
}


def _peak() -> float:
    """The most memory this process had, in MiB; getrusage may count the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [x for x in status.read_text().splitlines() if x.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _alone(contender: str, path: Path) -> dict[str, float]:
    """Run a contender in a process of its own."""
    command = [sys.executable, __file__, "--contender", contender, "--file", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


_ASIDE = ("cells", "cpu", "mib", "records")
"""What is measured and no part of the time that is compared."""


def _steps(times: dict[str, float]) -> dict[str, float]:
    return {k: v for k, v in times.items() if not k.startswith("n ") and k not in _ASIDE}


def _total(times: dict[str, float]) -> float:
    return sum(_steps(times).values())


def _show(title: str, times: dict[str, float]) -> None:
    steps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in _steps(times).items())
    records = f"; the records behind them {times['records']:.2f} s" if "records" in times else ""
    used = f"; {times['cpu']:.2f} s of CPU, {times['mib']:,.0f} MiB" if "cpu" in times else ""
    print(f"  {title}: {_total(times):.2f} s ({steps}){used}{records}")


def _same(ours_: dict[str, float], rival: dict[str, float]) -> bool:
    """Whether both counted the same."""
    same = True
    for key in (k for k in rival if k.startswith("n ")):
        agrees = ours_[key] == rival[key]
        same &= agrees
        mark = "agrees" if agrees else "DIFFERS"
        print(f"    {key[2:]}: n = {ours_[key]:,.0f} and {rival[key]:,.0f}, {mark}")
    return same


def _same_cells(folder: Path, rival: str) -> bool:
    """Whether all numbers of all cells are the same."""
    compared, said = cells_agree.differences(folder, "ours", rival)
    for sentence in said:
        print(f"    DIFFERS: {sentence}")
    if not said:
        print(f"    all {compared:,} numbers and reasons agree")
    return not said


def compare(scale: float, rivals: tuple[str, ...]) -> tuple[dict[str, float], bool]:
    """Generate a history, run all, print times and ratios; give ours, and whether all agree."""
    print(f"scale {scale:g}")
    same = True
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        generate(path, scale)
        mine = _alone("ours", path)
        _show("ours", mine)
        for rival in rivals:
            contender = CONTENDERS[rival]
            title = contender.title
            try:
                theirs = _alone(rival, path)
            except RuntimeError as error:
                print(f"  {title}: left out: {error}")
                continue
            _show(title, theirs)
            if contender.same_cells:
                same &= _same_cells(Path(folder), rival)
            else:
                same &= _same(mine, theirs)
            print(f"  {title} / ours: {_total(theirs) / _total(mine):.2f}")
    return mine, same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        times, frames = CONTENDERS[given.contender].run(given.file)
        times["mib"] = _peak()
        cells_agree.write(frames, given.file.parent, given.contender)
        print(json.dumps({name: float(value) for name, value in times.items()}))
        return
    tenth, _ = compare(given.scale / 10, ())
    _, in_sql = compare(given.scale / 20, ("postgres", "cells_in_postgres"))
    whole, in_memory = compare(given.scale, ("portable", "pandas", "cells_in_pandas"))
    growth = _total(whole) / _total(tenth)
    memory = whole["mib"] / tenth["mib"]
    print(f"ten times the history: {growth:.1f} times as long, {memory:.1f} times the memory")
    sys.exit(not (in_sql and in_memory))


if __name__ == "__main__":
    main()
