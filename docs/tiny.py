"""Tiny organisations that the pages speak of, each made to show one thing."""

from __future__ import annotations

import csv
from pathlib import Path

import dora
from dora import config, sync
from dora.delivery import Delivery
from dora.samples import write

GOALS = '[goals]\nlead_time = "2d"\nchange_failure_rate = "10%"\ntime_to_restore = "1h"\n'
MONTHS = (  # month, service, failed, deployments
    (4, "website", 12, 600), (4, "ledger", 120, 400),
    (5, "website", 2, 200), (5, "ledger", 192, 800),
)  # fmt: skip


def with_goals() -> Delivery:
    """The sample organisation with goals of its own."""
    dora.sample("goals")
    with Path("goals/dora.toml").open("a", encoding="utf-8") as file:
        file.write(GOALS)
    return dora.open("goals/dora.toml").window("2026-Q2")


def without_incidents() -> Delivery:
    """The sample organisation, had nobody told of incidents."""
    path = write(Path("blind"))
    for file in path.parent.glob("incident*.jsonl"):
        file.unlink()
    path.write_text(path.read_text("utf-8").replace('covers = ["*"]', ""), encoding="utf-8")
    return _synced(path).window("2026-Q2")


def two_services() -> Delivery:
    """Two services that both fail less often than the month before, and together more often."""
    path = Path("two/dora.toml")
    path.parent.mkdir()
    with path.with_name("deployments.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ("id", "repository", "service", "environment", "status", "finished_at", "labels")
        )
        for month, service, failed, count in MONTHS:
            for i in range(count):
                finish = f"2026-{month:02}-{1 + i // 40:02}T{i % 40 // 2:02}:{i % 2 * 30:02}:00Z"
                label = "failed" if i < failed else ""
                where = (f"example.org/acme/{service}", service, "production")
                rows.writerow((f"{service}-{month}-{i}", *where, "succeeded", finish, label))
    source = 'name = "two"\nkind = "files"\npath = "deployments.csv"\ncovers = ["*"]\n'
    path.write_text(f"[[sources]]\n{source}", encoding="utf-8")
    return _synced(path).window("2026-05").as_of("2026-06-30")


def _synced(path: Path) -> Delivery:
    loaded = config.load(path)
    sync.sync(loaded)
    return Delivery.of(loaded)
