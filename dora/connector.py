"""What a connector is, and how one is found.

A connector reads one source and hands over what it finds, in order, as a stream of items:

* a `Record`, one fact;
* a `Block`, many facts at once, where one by one would be slow;
* `Rejected`, a fact that could not be understood, kept aside with its place and the reason;
* `Reread`, a place read from its beginning again, where earlier refusals no longer count;
* `Removed`, facts handed over earlier that the source no longer has;
* `Only`, the facts that are all there is of something; what else was handed over of it is gone;
* `Note`, something the user should know, such as that history was rewritten;
* `Unread`, facts that were asked for and could not be read, such as for want of a permission;
* `Checkpoint`, a promise that everything before it is complete and need not be asked for again.

A stream may be read in parts, a repository each, say: a checkpoint then names its part, and moves
the cursor of that part alone. A stream may also carry facts of other types that come with its own,
as commits and reviews come with a pull request; `carries` names them.

Connectors know nothing of the store or of metrics. They are found by the entry-point group
`dora.connectors`, this package's own through the same door as anybody's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    Protocol,
    TypeAlias,
    cast,
    runtime_checkable,
)

from dora.errors import ConnectorMissing
from dora.patience import Patience
from dora.records import Record

if TYPE_CHECKING:
    import pandas as pd
    from pydantic import BaseModel

GROUP = "dora.connectors"

Cursor: TypeAlias = Mapping[str, Any]
"""Where a stream stands: JSON values of the connector's own choosing, opaque to everybody else."""


@dataclass(frozen=True, slots=True)
class Block:
    """Many facts of one type at once, as a frame or as delimited text.

    Attributes:
        record_type: The fact that each row is.
        columns: The row's columns, in order; those left out take the record's default.
        frame: A frame with these columns; times are aware or UTC.
        delimited: UTF-8 text in chunks that end anywhere: one line a row, each ended by a newline,
            fields separated by 0x1f, nothing quoted, empty means null (or '' where required),
            times as whole seconds since 1970, booleans as 0 and 1.
    """

    record_type: type[Record]
    columns: tuple[str, ...]
    frame: pd.DataFrame | None = None
    delimited: Iterable[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row or answer that is no fact: where it stood, why it was refused, and what it said."""

    record_type: type[Record]
    location: str
    reason: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Reread:
    """A place, such as a file, that is read from its beginning again.

    What was refused there, at `location` itself or at `location:` and more, is judged anew.
    """

    record_type: type[Record]
    location: str


@dataclass(frozen=True, slots=True)
class Removed:
    """Facts that the source no longer has; `keys` are values of the record's own key columns."""

    record_type: type[Record]
    keys: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Only:
    """All that there is of something: of this source's facts within it, the others are gone.

    Attributes:
        record_type: The facts that are meant.
        where: Columns and their values that say within what: a repository, a pull request.
        keys: The facts that are there, by columns of the record's key, all of them the same ones.
            Where a key names fewer columns than the record's, all facts that fit it stay.
    """

    record_type: type[Record]
    where: Mapping[str, Any]
    keys: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know about what was read; shown in the summary of the sync."""

    message: str


@dataclass(frozen=True, slots=True)
class Unread:
    """Facts that were asked for and could not be read; the rest goes on without them.

    The summary of the sync names them once for each reason, and the grades of coverage fall until
    a reading of the stream to its end does without it.

    Attributes:
        record_type: The facts that are missing.
        part: Of what they are missing: a repository, say.
        reason: Why, as a sentence without its end.
    """

    record_type: type[Record]
    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All items before this one are complete; the next sync goes on from `cursor`.

    Attributes:
        cursor: Where to go on.
        part: The part of the stream that it is about; '' for the stream itself. An empty cursor
            lets the part be forgotten.
    """

    cursor: Cursor
    part: str = ""


Item: TypeAlias = Record | Block | Rejected | Reread | Removed | Only | Note | Unread | Checkpoint


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `dora check`: what was looked at, how it stands, and what to do."""

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str
    hint: str = ""


class Connector(Protocol):
    """One source, read incrementally.

    What else a connector may offer is in `Carries`, `Reconciles`, `Patient`, `Spends`, `Clones`,
    `Spares` and `Suggests`.

    Attributes:
        kind: The word that names it in the configuration.
        provides: The facts it can give, each a stream with a cursor of its own, but for those that
            another one carries.
        Options: The keys it takes in `[[sources]]`, beside `name` and `kind`, as a pydantic model.
        name: The source's name in the configuration.
    """

    kind: ClassVar[str]
    provides: ClassVar[tuple[type[Record], ...]]
    Options: ClassVar[type[BaseModel]]
    name: str

    def __init__(self, name: str, options: BaseModel, *, base: Path) -> None:
        """Take the options; touch nothing outside yet. Relative paths are seen from `base`."""

    def records(self, record_type: type[Record], cursor: Cursor | None) -> Iterator[Item]:
        """Everything new of one type since `cursor`, or everything when it is None.

        Ends with a `Checkpoint`; more may come before, wherever a restart could go on. Cursors of
        parts stand in `cursor` under `parts`, by the names of the parts.

        Raises:
            SourceError: The source cannot be read; what came before the last checkpoint is kept.
        """

    def check(self) -> Iterator[Finding]:
        """Whether the source is there, readable and whole; nothing is changed by asking."""


@runtime_checkable
class Carries(Protocol):
    """A connector some of whose streams bring facts of other types along.

    Attributes:
        carries: What comes along, by the stream that it comes with; it has no stream of its own.
    """

    carries: ClassVar[Mapping[type[Record], tuple[type[Record], ...]]]


@runtime_checkable
class Reconciles(Protocol):
    """A connector that can find what was deleted or rewritten at its source in silence.

    It does so by itself at intervals; being told only brings that forward.
    """

    def reconcile(self) -> None:
        """Let the readings that follow leave the store as if all were read for the first time."""


@runtime_checkable
class Patient(Protocol):
    """A connector that may have to wait for its source.

    Attributes:
        patience: How it waits; set by the sync before anything is read.
    """

    patience: Patience


@runtime_checkable
class Spends(Protocol):
    """A connector that counts what reading costs."""

    @property
    def spent(self) -> Mapping[str, int]:
        """How much of what was spent so far, such as `{"requests": 12}`."""


@runtime_checkable
class Clones(Protocol):
    """A connector that has whole repositories at hand, with all their commits."""

    def clones(self) -> Iterable[str]:
        """The canonical names of the repositories; only looked up, not read.

        Raises:
            SourceError: They cannot be told; somebody else had better read their commits.
        """


@runtime_checkable
class Spares(Protocol):
    """A connector that need not read commits of repositories which another source has cloned.

    Attributes:
        cloned: Their canonical names; set by the sync before anything is read.
    """

    cloned: Collection[str]


@runtime_checkable
class Suggests(Protocol):
    """A connector that can say by itself what counts as a deployment in a source."""

    def suggest(self, path: Path) -> tuple[str, str]:
        """A rule for the source at `path`, and a sentence that says why."""


def carried(kind: type[Connector] | Connector) -> dict[type[Record], type[Record]]:
    """The facts of a connector that have no stream of their own, each with what carries it."""
    carries: Mapping[type[Record], tuple[type[Record], ...]] = getattr(kind, "carries", {})
    return {one: carrier for carrier, along in carries.items() for one in along}


def streams(kind: type[Connector] | Connector) -> list[type[Record]]:
    """The facts to ask a connector for, each a stream; what others carry comes with them."""
    along = carried(kind)
    return [record_type for record_type in kind.provides if record_type not in along]


@cache
def installed() -> dict[str, EntryPoint]:
    """The connectors that are installed, by kind.

    Raises:
        ConnectorMissing: Two installed packages claim the same kind.
    """
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        other = found.get(entry.name)
        if other is not None and other.value != entry.value:
            raise ConnectorMissing(
                f"Two packages offer a connector {entry.name!r}: {other.value} and {entry.value}.",
                hint="Uninstall one of them.",
            )
        found[entry.name] = entry
    return found


def load(kind: str) -> type[Connector]:
    """The connector of that kind.

    Raises:
        ConnectorMissing: None is installed, or it needs an extra that is not installed.
    """
    entries = installed()
    entry = entries.get(kind)
    if entry is None:
        raise ConnectorMissing(
            f"There is no connector {kind!r}.",
            hint=f"Installed are: {', '.join(entries) or 'none'}.",
        )
    try:
        return cast("type[Connector]", entry.load())
    except ImportError as error:
        raise ConnectorMissing(
            f"The connector {kind!r} cannot be loaded: {error}.",
            hint=f'Install what it needs: pip install "{_needed(entry)}".',
        ) from error


def _needed(entry: EntryPoint) -> str:
    """What to install for a connector: its package, with the extra of its kind if it has one."""
    if entry.dist is None:
        return entry.module.partition(".")[0]
    extras = entry.dist.metadata.get_all("Provides-Extra") or ()
    return f"{entry.dist.name}[{entry.name}]" if entry.name in extras else entry.dist.name


def suggest(kind: str, path: Path) -> tuple[str, str]:
    """What would count as a deployment in a source, and a sentence that says why.

    Raises:
        ConnectorMissing: No such connector is installed, or it has no suggestion to make.
        SourceError: There is nothing to read at `path`.
    """
    chosen = load(kind)
    if not isinstance(chosen, Suggests):
        raise ConnectorMissing(
            f"The connector {kind!r} cannot tell what a deployment is.",
            hint="Say it in the configuration: deployments = [...].",
        )
    return chosen.suggest(path)
