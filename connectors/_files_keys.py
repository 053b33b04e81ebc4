"""Which facts a file held, so that those taken out of it can be told from the others."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dora.records import Record

LIMIT = 100_000
"""How many keys of a file are remembered; a larger file is not watched for rows taken out."""

_SEPARATOR = "\x1f"


class Keys:
    """The keys of the facts in a file: all of them while they are few, else how many repeat.

    Attributes:
        listed: Each key as JSON, in the order of the record's key columns; empty if too many.
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
        columns = [frame[name].tolist() for name in self.names(record_type)]
        texts = [_SEPARATOR.join(map(str, key)) for key in zip(*columns, strict=True)]
        hashed = pd.util.hash_array(np.array(texts, dtype=object), categorize=False)
        self._digests.append(hashed)
        if self.whole:
            self.listed.update(json.dumps(key) for key in zip(*columns, strict=True))
            self.whole = len(self.listed) <= LIMIT
        if not self.whole:
            self.listed = set()

    def repeated(self) -> int:
        """How many rows have the key of another row."""
        if not self._digests:
            return 0
        every = np.concatenate(self._digests)
        self._digests = []
        return len(every) - len(np.unique(every))

    def state(self) -> dict[str, Any]:
        """The keys for a cursor."""
        if not self.whole:
            return {"keys": None}
        packed = zlib.compress("\n".join(sorted(self.listed)).encode(), 6)
        return {"keys": base64.b85encode(packed).decode()}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Keys:
        """The keys in a cursor."""
        keys = cls()
        keys.whole = state.get("keys") is not None
        if keys.whole:
            text = zlib.decompress(base64.b85decode(state["keys"])).decode()
            keys.listed = set(text.splitlines()) - {""}
        return keys
