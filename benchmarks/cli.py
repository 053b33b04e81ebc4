"""How soon the command line answers, against a bare interpreter and against importing pandas.

    python benchmarks/cli.py [--rounds 9]

Whole processes in turn, medians. `dora --help` is held against `python -c pass`, which nothing
written in Python can beat; exporting one metric as CSV against importing pandas and duckdb, which
any tool that gives frames has to do first.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dora import config, samples, sync


def main() -> None:
    """Time each command and print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        path = samples.write(Path(folder))
        sync.sync(config.load(path))
        python = [sys.executable]
        dora = [*python, "-m", "dora"]
        export = [*dora, "show", "lead-time", "-c", str(path), "--window", "2026-H1"]
        commands = {
            "python -c pass": [*python, "-c", "pass"],
            "import pandas, duckdb": [*python, "-c", "import pandas, duckdb"],
            "dora --help": [*dora, "--help"],
            "dora show lead-time --format csv": [*export, "--by", "week", "--format", "csv"],
        }
        seconds = _in_turn(commands, rounds)
    for name, taken in seconds.items():
        print(f"{name:34} {taken:7.3f} s")
    bare, frames, helped, shown = seconds.values()
    print(
        f"\ndora --help against a bare interpreter: {helped / bare:.1f} times, "
        f"{helped - bare:.3f} s more (goal: 0.15 s in all)"
    )
    print(
        f"a metric as CSV against importing pandas and duckdb: {shown / frames:.1f} times, "
        f"{shown - frames:.3f} s more (goal: 0.5 s)"
    )


def _in_turn(commands: dict[str, list[str]], rounds: int) -> dict[str, float]:
    """The median seconds of each command; one after the other, so that all see the same load."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if number:  # the first round only warms up
                taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in taken.items()}


if __name__ == "__main__":
    main()
