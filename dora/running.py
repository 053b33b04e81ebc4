"""Everything in one go, for a clock to start: sync, build, report, deliver.

It may be started as often as one likes: what has been delivered is not delivered again, two at
once are refused, and one that is killed leaves the store and the last good report as they were.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from dora import deliveries, report, sync
from dora.deliveries import Outcome, Parcel, Patience
from dora.deliveries.ledger import Ledger, place
from dora.delivery import Delivery
from dora.errors import DeliveryFailed, DoraError, MayHaveArrived, StoreBusy, UsageError
from dora.store import files

if TYPE_CHECKING:
    from dora.config import Config
    from dora.config.deliver import Deliver
    from dora.report import Contents
    from dora.sync import Progress, Summary

_LOG_SIZE, _LOGS = 1_000_000, 3

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run.

    Attributes:
        summary: What came of each source; None where the store could not be written.
        problems: What went wrong before anything was delivered, in sentences.
        outcomes: What came of each delivery, in the order of dora.toml.
        warnings: What makes the reports out of date.
    """

    summary: Summary | None
    problems: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether somebody should look: a source, a delivery, or a report out of date."""
        return bool(self.problems or self.warnings) or not all(one.done for one in self.outcomes)


def run(
    config: Config,
    *,
    again: Sequence[str] = (),
    progress: Progress | None = None,
    patience: Patience | None = None,
    now: datetime | None = None,
    stale_after: timedelta = report.STALE_AFTER,
    max_wait: timedelta | None = None,
) -> Run:
    """Read what is new, and deliver every report whose period has not been delivered yet.

    Args:
        config: Sources, and where reports go.
        again: Names of deliveries to make once more, though they may have arrived.
        progress: Told how far the sync is.
        patience: How long and how often a delivery is tried.
        now: The time by the clock on the wall.
        stale_after: How long ago a source may have been read.
        max_wait: How long the sync may wait for a source in all; None if it does not matter.

    Raises:
        UsageError: No report is to go anywhere, or there is no delivery of a name in `again`.
        StoreBusy: Another run is going on.
    """
    _known(config, again)
    with _alone(config.store), _logged(config.store):
        log.info("run begins")
        summary, problems = _synced(config, progress, max_wait)
        desk = _Desk(config, patience or Patience(), now or datetime.now(UTC), stale_after)
        outcomes = tuple(desk.deliver(one, one.name in again) for one in config.deliver)
        for outcome in outcomes:
            log.info("%s: %s", outcome.name, outcome.message)
        log.info("run ends")
        return Run(summary, problems, outcomes, desk.warnings)


def _known(config: Config, again: Sequence[str]) -> None:
    names = [one.name for one in config.deliver]
    if not names:
        raise UsageError(
            "No report is to go anywhere.",
            hint='Add to dora.toml: [[deliver]] kind = "folder", path = "reports".',
        )
    for name in again:
        if name not in names:
            raise UsageError(
                f"There is no delivery {name!r}.", hint=f"There are: {', '.join(names)}."
            )


@contextmanager
def _alone(store: Path) -> Iterator[None]:
    """One run at a time, whatever started them."""
    store.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = files.Lock(store.with_name(f"{store.name}.run.lock"))
    except StoreBusy as error:
        raise StoreBusy(
            "Another run is going on.", hint="Let it end; this one would do the same."
        ) from error
    try:
        yield
    finally:
        lock.release()


class _Log(RotatingFileHandler):
    """A log whose own faults are passed over, also those that come while it is written."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the library's name)
        """Say nothing of a line that could not be written."""


@contextmanager
def _logged(store: Path) -> Iterator[None]:
    """Keep what happened beside the store; a full disk must not stop a run because of its log."""
    ours = logging.getLogger("dora")
    handler: logging.Handler = logging.NullHandler()
    with suppress(OSError):
        handler = _Log(
            store.with_name(f"{store.name}.run.log"),
            maxBytes=_LOG_SIZE,
            backupCount=_LOGS,
            encoding="utf-8",
        )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    level = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.INFO if level in (logging.NOTSET, logging.WARNING) else level)
    try:
        yield
    finally:
        ours.removeHandler(handler)
        ours.setLevel(level)
        handler.close()


def _synced(
    config: Config, progress: Progress | None, max_wait: timedelta | None
) -> tuple[Summary | None, tuple[str, ...]]:
    """Sync; what fails there is said, and the reports are made of what was known before."""
    try:
        summary = sync.sync(config, max_wait=max_wait, progress=progress)
    except UsageError:
        raise
    except DoraError as error:
        log.info("sync failed: %s", error.message)
        return None, (f"The sync failed: {error.message} {error.hint}",)
    failed = (one for one in summary.sources if one.error)
    return summary, tuple(f"The source {one.name} failed: {one.error}" for one in failed)


class _Desk:
    """Where parcels are made and handed over; a report that several want is made once."""

    def __init__(
        self, config: Config, patience: Patience, now: datetime, stale_after: timedelta
    ) -> None:
        self._config = config
        self._patience = patience
        self._now = now
        self._stale_after = stale_after
        self._ledger = Ledger(place(config.store))
        self._made: dict[tuple[object, ...], Contents] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the reports out of date, each said once."""
        said = (warning for made in self._made.values() for warning in made.warnings)
        return tuple(dict.fromkeys(said))

    def deliver(self, wanted: Deliver, again: bool) -> Outcome:
        """Deliver one report, unless it has been."""
        try:
            return self._deliver(wanted, again)
        except DoraError as error:
            return Outcome(wanted.name, False, error.message, error.hint)

    def _deliver(self, wanted: Deliver, again: bool) -> Outcome:
        delivery = Delivery.of(self._config).window(wanted.window)
        window = delivery.question().window
        period = f"{window.start}..{window.end}"
        parcel = _id(self._config.store, wanted, period)
        state = self._ledger.state(parcel)
        if state == "done" and not again:
            return Outcome(wanted.name, True, f"{period} is there already")
        if state == "sent" and wanted.kind == "webhook" and not again:
            raise MayHaveArrived(
                f"{period} may be there already: the last run was cut off while it was sent.",
                hint=f"Look there; `dora run --again {wanted.name!r}` sends it once more.",
            )
        contents = self._contents(wanted, delivery)
        package = Parcel(wanted, window, contents, self._config.base, parcel)
        return self._hand_over(package, period)

    def _hand_over(self, parcel: Parcel, period: str) -> Outcome:
        name = parcel.delivery.name

        def sent() -> None:
            self._ledger.note(parcel.id, name, period, "sent")

        try:
            message = deliveries.hand_over(parcel, sent, self._patience)
        except MayHaveArrived:
            raise
        except DeliveryFailed:
            self._ledger.note(parcel.id, name, period, "failed")
            raise
        self._ledger.note(parcel.id, name, period, "done")
        return Outcome(name, True, f"{period} {message}")

    def _contents(self, wanted: Deliver, delivery: Delivery) -> Contents:
        key = (wanted.window, wanted.service, wanted.team)
        if key not in self._made:
            if wanted.service:
                delivery = delivery.service(*wanted.service)
            if wanted.team:
                delivery = delivery.team(*wanted.team)
            self._made[key] = report.gather(delivery, now=self._now, stale_after=self._stale_after)
        return self._made[key]


def _id(store: Path, wanted: Deliver, period: str) -> str:
    """The same for the same delivery and period, whenever it is asked for."""
    scope = "|".join((*wanted.service, "", *wanted.team))
    text = "\n".join((str(store), wanted.kind, wanted.name, period, scope))
    return hashlib.sha256(text.encode()).hexdigest()[:24]
