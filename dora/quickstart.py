"""From a local clone to the five metrics, with no configuration, token or network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dora import config as configuration
from dora import connector, plots, sync
from dora.delivery import Delivery
from dora.errors import SourceError, UsageError
from dora.export import export
from dora.frames import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dora.config import Config
    from dora.sync import Progress

WINDOW = "12mo"
INCIDENTS = (
    "No incidents are known to git, so failure and rework rates are lower bounds and recovery time"
    ' is unknown. Put incidents in a CSV file and add a source: kind = "files",'
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
    clone: Path,
    out: Path,
    *,
    config: Path | None = None,
    store: Path | None = None,
    as_of: str | None = None,
    progress: Progress | None = None,
) -> Quickstart:
    """Read a clone into a store of its own and look at its last twelve months.

    Args:
        clone: A git clone or bare repository.
        out: The folder for `dora.toml`, `dora.duckdb` and all that is written later. What an
            earlier quickstart left there is used again, its configuration as it was edited.
        config: The configuration, if not `dora.toml` in that folder.
        store: The store, if not `dora.duckdb` beside the configuration.
        as_of: What stands for now, instead of the newest fact.
        progress: Told how far the sync is.

    Raises:
        RepositoryError: There is nothing to read at `clone`.
        SourceError: The clone cannot be read to its end.
        UsageError: The configuration that is there reads another clone.
    """
    path = config or out / "dora.toml"
    rule, remark = connector.suggest("git", clone)
    if not path.exists():
        source = {"name": "git", "kind": "git", "path": str(clone.resolve()), "deployments": [rule]}
        kept = configuration.beside(path, store)
        write_text(path, configuration.starter([source], store=kept, as_of="newest"))
    loaded = configuration.load(path)
    _same_clone(loaded, clone)
    if store is not None:
        loaded = replace(loaded, store=store.absolute())
    summary = sync.sync(loaded, progress=progress)
    for one in summary.sources:
        if one.error:
            raise SourceError(one.error, hint=one.hint or "Mend that and run it again.")
    notes = [note for one in summary.sources for note in one.notes]
    delivery = Delivery.of(loaded).window(WINDOW, by="month")
    if as_of:
        delivery = delivery.as_of(as_of)
    return Quickstart(delivery, (remark, *notes, INCIDENTS), path, loaded.store)


def _same_clone(config: Config, clone: Path) -> None:
    """Refuse to show one clone's numbers where another was asked for."""
    read = [source.options.model_dump() for source in config.sources if source.kind == "git"]
    paths = [(config.base / options["path"]).resolve() for options in read]
    if clone.resolve() not in paths:
        raise UsageError(
            f"{config.path} is there already and does not read {clone}.",
            hint="Name another folder with --out, or go on with that one: dora sync -c.",
        )
