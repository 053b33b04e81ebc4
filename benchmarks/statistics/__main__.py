"""Simulations with fixed seeds of every statistic, and their place in the documentation.

    python benchmarks/statistics                  # all of them, some minutes
    python benchmarks/statistics waiting signals  # some of them
    python benchmarks/statistics --write          # and into docs/statistics.md

Same seeds, same figures; the speed of the overview is measured by `speed.py`.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import intervals
import signals
import verdicts
import waiting

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
TABLES = {
    "medians": intervals.medians,
    "rates": intervals.rates,
    "differences": intervals.differences,
    "alarms": verdicts.alarms,
    "power": verdicts.power,
    "charts": signals.medians,
    "counted": signals.counted,
    "shifts": signals.power,
    "waiting": waiting.windows,
    "freeze": waiting.freeze,
}


def written(page: str, name: str, made: str) -> str:
    """A page with one of its tables replaced."""
    pattern = rf"(<!-- simulation: {name} -->\n).*?(<!-- /simulation -->)"
    return re.sub(pattern, lambda found: f"{found[1]}{made}\n{found[2]}", page, flags=re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *TABLES])
    parser.add_argument("--write", action="store_true", help="Put them into docs/statistics.md.")
    given = parser.parse_args()
    for name in given.names or TABLES:
        began = time.process_time()
        made = TABLES[name]()
        print(f"\n{name} ({time.process_time() - began:.0f} s)\n\n{made}", flush=True)
        if given.write:
            PAGE.write_text(written(PAGE.read_text("utf-8"), name, made), "utf-8")


if __name__ == "__main__":
    main()
