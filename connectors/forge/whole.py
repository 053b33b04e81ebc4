"""Reading a part of a source from its beginning, so that what it no longer has is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dora.connector import Checkpoint, Cursor, Item, Only
from dora.records import Record


def without_the_rest(
    items: Iterator[Item],
    cursor: Cursor,
    kind: type[Record],
    key: tuple[str, ...],
    where: Mapping[str, Any],
    along: tuple[type[Record], ...] = (),
) -> Iterator[Item]:
    """The items of a whole reading, and in its end that they are all there is.

    The cursor of the part stays where it was until then: a reading that is cut off begins again.

    Args:
        items: What the reading gives; it ends with a checkpoint.
        cursor: Where the part stood before.
        kind: The facts that are read.
        key: The columns that tell them apart within the part; those of `along` have them too.
        where: The columns that say which part it is, and their values.
        along: The facts that come along; each belongs to one of `kind`.
    """
    there: set[tuple[Any, ...]] = set()
    last: Checkpoint | None = None
    for item in items:
        if isinstance(item, Checkpoint):
            last = item
            yield Checkpoint(cursor, part=item.part)
            continue
        if isinstance(item, kind):
            there.add(tuple(getattr(item, name) for name in key))
        yield item
    keys = tuple(dict(zip(key, one, strict=True)) for one in sorted(there))
    for one in (kind, *along):
        yield Only(one, where, keys)
    if last is not None:
        yield last
