"""What can go wrong, as a tree; each error says what happened and what to do next.

    DoraError
    ├── UsageError            the caller asked for something that does not exist (exit code 2)
    │   ├── UnknownMetric
    │   └── BadWindow
    ├── ConfigError           dora.toml has faults; all of them are listed at once
    ├── StoreError            the store cannot be read or written
    │   ├── StoreMissing
    │   ├── StoreUnreadable
    │   ├── StoreTooNew
    │   ├── StoreBusy         another sync holds the lock
    │   └── StoreFull         no room left on the disk
    ├── SourceError           a source cannot be read
    │   ├── ConnectorMissing
    │   ├── RepositoryError   not a repository, empty, no matching tags, corrupt
    │   └── WaitEnded         waited for no longer: --max-wait, or the sync is being ended
    ├── NotRecorded           a deployment or an incident could not be written down
    ├── DeliveryFailed        a report did not arrive
    │   └── MayHaveArrived    nobody knows whether it did
    └── RecordError           a fact that breaks its own rules

An error that is also `Retryable` is transient: the same call may succeed later.
"""


class DoraError(Exception):
    """Anything this package raises on purpose.

    Args:
        message: What happened, in one sentence.
        hint: What to do about it, in one sentence.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}"

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the error and what to do, not where in our code it was noticed."""
        return [f"{type(self).__name__}: {self}"]


class Retryable(Exception):
    """Marks a transient error; retry loops look at this type and at nothing else."""


class UsageError(DoraError):
    """The caller asked for something that does not exist or does not fit."""


class UnknownMetric(UsageError):
    """No metric has that name."""


class BadWindow(UsageError):
    """A window, period, time or zone that cannot be understood."""


class ConfigError(DoraError):
    """The configuration has faults; `faults` lists every one, with its line where known."""

    def __init__(self, message: str, *, hint: str, faults: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(
            [self.message, *(f"  - {fault}" for fault in self.faults), f"  {self.hint}"]
        )


class StoreError(DoraError):
    """The store cannot be read or written."""


class StoreMissing(StoreError):
    """There is no store at that path yet."""


class StoreUnreadable(StoreError):
    """The file is there but is no store of ours, or is damaged."""


class StoreTooNew(StoreError):
    """The store was written by a newer version of this package."""


class StoreBusy(StoreError, Retryable):
    """Another sync is writing to this store."""


class StoreFull(StoreError):
    """There is no room left to write the store."""


class SourceError(DoraError):
    """A source cannot be read."""


class ConnectorMissing(SourceError):
    """No connector of that kind is installed."""


class RepositoryError(SourceError):
    """A git repository that is missing, empty, cut short or damaged."""


class WaitEnded(SourceError, Retryable):
    """A source asks to be left alone for longer than anybody wants to wait."""


class NotRecorded(DoraError):
    """A deployment or an incident could not be written to the spool."""


class DeliveryFailed(DoraError):
    """A report could not be delivered."""


class MayHaveArrived(DeliveryFailed):
    """A report was sent, and nobody knows whether it arrived."""


class RecordError(DoraError):
    """A fact that breaks its own rules, such as an unknown status or a time without a zone."""
