"""Five metrics, weekly and monthly, of every service and team, against pandas and PostgreSQL.

    python benchmarks/metrics.py                  # 5,000 repositories, 10 M commits; long
    python benchmarks/metrics.py --scale 0.02     # a fiftieth, a minute

A generated history (seeded) goes into a store with real lineage. Measured is what a reader pays:
the models that metrics need from that lineage on, and the metrics with their intervals and
zero-filled frames; what only the records behind them need is told apart. The rivals start from the
same facts with more done for them: integer keys, positions instead of shas, frames in memory
(pandas) or indexed and analysed tables (PostgreSQL, on a twentieth). All count the same deployments
and changes, which is checked. Each contender runs in a process of its own.
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
from pathlib import Path

from history import AS_OF, GRAINS, START, generate
from metrics_in_pandas import in_pandas
from metrics_in_postgres import in_postgres
from timing import timed


def ours(path: Path) -> dict[str, float]:
    """Models, then all five metrics for every service and team by week and month."""
    from dora import metrics, store
    from dora.engines.duckdb import DuckDB
    from dora.metrics.question import Question
    from dora.metrics.scopes import Directory
    from dora.models import Workspace
    from dora.rules import Rules
    from dora.windows import Window

    connection = store.connect(path)
    connection.execute("set threads = 2")
    metrics.find("lead_time")
    rules = Rules(change="pull_request")
    times: dict[str, float] = {}
    space = Workspace(DuckDB(connection), rules=rules, as_of=AS_OF)
    asked = [metrics.find(name) for name in metrics.names()]
    with timed(times, "models"):
        space.need(*(model for metric in asked for model in metric.models))
    with timed(times, "scopes"):
        directory = Directory.read(space)
        whole = directory.scope()
        scopes = (whole, *directory.each(whole, ("service", "team")))
    window = Window(START.date(), AS_OF.date())
    question = Question(space, window, GRAINS, AS_OF, rules, scopes, directory)
    for metric in asked:
        with timed(times, metric.name):
            result = metric.ask(question)
        times[f"n {metric.name}"] = result.n
    times["cells"] = question.grid.size
    further = [model for metric in asked for model in metric.record_models]
    began = time.perf_counter()
    space.need(*further)
    times["records"] = time.perf_counter() - began
    return times


CONTENDERS: dict[str, Callable[[Path], dict[str, float]]] = {
    "ours": ours,
    "pandas": in_pandas,
    "postgres": in_postgres,
}


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


def _total(times: dict[str, float]) -> float:
    return sum(v for k, v in times.items() if not k.startswith("n ") and k not in _ASIDE)


def _show(name: str, times: dict[str, float]) -> None:
    steps = ", ".join(
        f"{k} {v:.2f}" for k, v in times.items() if not k.startswith("n ") and k not in _ASIDE
    )
    records = f"; the records behind them {times['records']:.2f} s" if "records" in times else ""
    used = f"{times['cpu']:.2f} s of CPU, {times['mib']:,.0f} MiB"
    print(f"  {name}: {_total(times):.2f} s ({steps}); {used}{records}")


def _same(ours_: dict[str, float], rival: dict[str, float]) -> None:
    for key in (k for k in rival if k.startswith("n ")):
        mark = "agrees" if ours_[key] == rival[key] else "DIFFERS"
        print(f"    {key[2:]}: n = {ours_[key]:,.0f} and {rival[key]:,.0f}, {mark}")


def compare(scale: float, rivals: tuple[str, ...]) -> dict[str, float]:
    """Generate a history, run all, print times and ratios; give ours."""
    print(f"scale {scale:g}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.duckdb"
        generate(path, scale)
        mine = _alone("ours", path)
        _show("ours", mine)
        for rival in rivals:
            try:
                theirs = _alone(rival, path)
            except RuntimeError as error:
                print(f"  {rival}: left out: {error}")
                continue
            _show(rival, theirs)
            _same(mine, theirs)
            print(f"  {rival} / ours: {_total(theirs) / _total(mine):.2f}")
    return mine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        times = CONTENDERS[given.contender](given.file)
        times["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({name: float(value) for name, value in times.items()}))
        return
    tenth = compare(given.scale / 10, ())
    compare(given.scale / 20, ("postgres",))
    whole = compare(given.scale, ("pandas",))
    growth = _total(whole) / _total(tenth)
    memory = whole["mib"] / tenth["mib"]
    print(f"ten times the history: {growth:.1f} times as long, {memory:.1f} times the memory")


if __name__ == "__main__":
    main()
