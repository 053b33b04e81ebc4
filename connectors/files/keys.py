"""Which facts a file held, so that those taken out of it can be told from the others."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dora.records import Record, columns

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 100_000
"""How many keys of a file are remembered; a larger file is not watched for rows taken out."""

_SEPARATOR = "\x1f"


class Keys:
    """The keys of the facts in a file: all of them while they are few, else how many repeat.

    Attributes:
        listed: Each key as text, its columns separated by 0x1f; empty if too many.
        whole: Whether `listed` is all of them.
    """

    def __init__(self) -> None:
        self.listed: set[str] = set()
        self.whole = True
        self._digests: list[np.ndarray[Any, Any]] = []

    @staticmethod
    def names(record_type: type[Record]) -> tuple[str, ...]:
        """The record's own key columns; `source` is the store's."""
        return tuple(name for name in record_type.key if name != "source")

    def add(self, record_type: type[Record], frame: pd.DataFrame) -> None:
        """Take in the keys of some rows."""
        parts = [frame[name].tolist() for name in self.names(record_type)]
        hashes = map(hash, zip(*parts, strict=True))
        self._digests.append(np.fromiter(hashes, dtype=np.int64, count=len(frame)))
        if self.whole:
            texts = [_SEPARATOR.join(map(str, key)) for key in zip(*parts, strict=True)]
            self.listed.update(texts)
            clear = "".join(texts).count(_SEPARATOR) == (len(parts) - 1) * len(texts)
            self.whole = clear and len(self.listed) <= LIMIT
        if not self.whole:
            self.listed = set()

    @classmethod
    def named(cls, record_type: type[Record], text: str) -> dict[str, Any]:
        """A key by the names of its columns."""
        known = columns(record_type)
        values = zip(cls.names(record_type), text.split(_SEPARATOR), strict=True)
        return {name: known[name].python_type(value) for name, value in values}

    def repeated(self) -> int:
        """How many rows have the key of another row."""
        if not self._digests:
            return 0
        every = np.concatenate(self._digests)
        self._digests = []
        every.sort()
        return int(np.count_nonzero(every[1:] == every[:-1]))

    def state(self) -> dict[str, Any]:
        """The keys for a cursor."""
        if not self.whole:
            return {"keys": None}
        packed = zlib.compress(json.dumps(sorted(self.listed)).encode(), 6)
        return {"keys": base64.b85encode(packed).decode()}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Keys:
        """The keys in a cursor."""
        keys = cls()
        keys.whole = state.get("keys") is not None
        if keys.whole:
            keys.listed = set(json.loads(zlib.decompress(base64.b85decode(state["keys"]))))
        return keys
