"""From a local clone to the five metrics, with no configuration, token or network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dora import config as configuration
from dora import connector, plots, sync
from dora.delivery import Delivery
from dora.errors import SourceError
from dora.export import export
from dora.frames import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dora.sync import Progress

WINDOW = "12mo"
INCIDENTS = (
    "No incidents are known to git, so failure rates are lower bounds and recovery is seen only"
    ' where a deployment repairs another. Put them in a CSV file and add a source: kind = "files",'
    ' path = "incidents.csv", covers = ["*"].'
)


@dataclass(frozen=True, slots=True)
class Quickstart:
    """What a quickstart set up.

    Attributes:
        delivery: The last twelve months of the clone's history, by month.
        remarks: What it could not know, and how to add it.
        config: The configuration written, to go on from.
        store: The store it names.
    """

    delivery: Delivery
    remarks: tuple[str, ...]
    config: Path
    store: Path

    def write(self, out: Path) -> Iterator[Path]:
        """Every CSV file and a picture per metric, giving each file once it is there."""
        for name in self.delivery.metrics:
            yield plots.save(self.delivery.metric(name).plot(), out / f"{name}.png")
        yield from export(self.delivery, out)


def quickstart(
    clone: Path, out: Path, *, as_of: str | None = None, progress: Progress | None = None
) -> Quickstart:
    """Read a clone into a store of its own and look at its last twelve months.

    Args:
        clone: A git clone or bare repository.
        out: The folder for `dora.toml`, `dora.duckdb` and all that is written later. What an
            earlier quickstart left there is used again, its configuration as it was edited.
        as_of: What stands for now, instead of the newest fact.
        progress: Told how far the sync is.

    Raises:
        RepositoryError: There is nothing to read at `clone`.
        SourceError: The clone cannot be read to its end.
    """
    path = out / "dora.toml"
    rule, remark = connector.suggest("git", clone)
    if not path.exists():
        source = {"name": "git", "kind": "git", "path": str(clone.resolve()), "deployments": [rule]}
        write_text(path, configuration.starter([source], as_of="newest"))
    loaded = configuration.load(path)
    summary = sync.sync(loaded, progress=progress)
    for one in summary.sources:
        if one.error:
            raise SourceError(one.error, hint="Mend that and run it again.")
    notes = [note for one in summary.sources for note in one.notes]
    delivery = Delivery.of(loaded).window(WINDOW, by="month")
    if as_of:
        delivery = delivery.as_of(as_of)
    return Quickstart(delivery, (remark, *notes, INCIDENTS), path, loaded.store)
