"""A made-up organisation whose true numbers are known, for trying things out and for tests.

Three services of two teams over 27 weeks. Their history is played out event by event with a seeded
generator, and what truly happened is written down beside it: which deployment delivered a change,
which one hurt users and when that was over. `Truth` holds these notes; nothing in it comes from the
metrics of this package, so the two can be held against each other.
"""

from __future__ import annotations

import atexit
import dataclasses
import json
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dora.records import Record
from dora.samples.history import END, SERVICES, START, History, Service, Truth

if TYPE_CHECKING:
    from dora.delivery import Delivery

__all__ = [
    "END",
    "SEED",
    "SERVICES",
    "START",
    "WINDOW",
    "Service",
    "Truth",
    "facts",
    "sample",
    "write",
]

SEED = 20260105
WINDOW = "2026-H1"


def facts(seed: int = SEED) -> tuple[list[Record], dict[str, Truth]]:
    """Every fact of the organisation, and what truly happened, by service."""
    histories = [History(service, seed) for service in SERVICES]
    for history in histories:
        history.play()
    records = [record for history in histories for record in history.facts]
    return records, {history.service.name: history.truth for history in histories}


def write(folder: Path, seed: int = SEED) -> Path:
    """Write the organisation as files of facts with a configuration; gives the configuration.

    `dora sync -c FOLDER/dora.toml` reads it like any other source.
    """
    records, _ = facts(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for table in sorted({record.table for record in records}):
        lines = (json.dumps(_cells(r)) + "\n" for r in records if r.table == table)
        (folder / f"{table}.jsonl").write_text("".join(lines), encoding="utf-8")
    path = folder / "dora.toml"
    path.write_text(_configuration(), encoding="utf-8")
    return path


_CALENDAR = """
[[calendar.windows]]
name = "working hours"
rrule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH"
start = 2026-01-05T08:00:00
duration = "10h"

[[calendar.trains]]
name = "every other week"
rrule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"
start = 2026-01-06T10:00:00
cutoff = "24h"
tolerance = "24h"
services = ["ledger"]

[[calendar.freezes]]
name = "end of the quarter"
start = 2026-03-26
until = 2026-04-02
"""
"""What the organisation means to keep to, and does not always."""


def _cells(record: Record) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in dataclasses.asdict(record).items()
        if value is not None
    }


def _configuration() -> str:
    services = (
        f'[[services]]\nname = "{s.name}"\nteam = "{s.team}"\nrepositories = ["{s.repository}"]\n'
        for s in SERVICES
    )
    source = '[[sources]]\nname = "sample"\nkind = "files"\npath = "*.jsonl"\ncovers = ["*"]\n'
    return "\n".join(['as_of = "newest"\n', source, *services, _CALENDAR])


def sample(folder: str | Path | None = None) -> Delivery:
    """A made-up organisation to try things out on; its true numbers are known.

    Args:
        folder: Where to keep it; by default a temporary folder that goes with the program.

    Returns:
        The first half of 2026, by month.
    """
    from dora import config, sync
    from dora.delivery import Delivery

    if folder is None:
        folder = tempfile.mkdtemp(prefix="dora-sample-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    loaded = config.load(write(Path(folder)))
    sync.sync(loaded)
    return Delivery.of(loaded).window(WINDOW, by="month")
