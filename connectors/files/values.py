"""From the texts of a file to the values of a fact: whole columns at once where they are clean.

`Values.value` says what a text means, one at a time. Whole columns are read in faster ways that
only take what they surely read the same; every other text goes through `value`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd

from dora import zones
from dora.records import Column, Record, columns

EPOCHS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0.001}
_START = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_INTEGER = re.compile(r"[+-]?\d+(?:\.0+)?", re.ASCII)
_NO_TIME = np.iinfo(np.int64).min
_TRUE = frozenset({"true", "1", "yes", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "f", "n"})

Faults = dict[int, str]


class Values:
    """Reads the columns of one fact.

    Args:
        record_type: The fact.
        zone: The zone of times that state none; without it they are refused.
        epochs: Columns whose times are whole numbers since 1970: s, ms, us or ns.
        words: What the file's words mean, by column.
        defaults: What an empty or absent value means, by column.
    """

    def __init__(
        self,
        record_type: type[Record],
        *,
        zone: str | None = None,
        epochs: Mapping[str, str] | None = None,
        words: Mapping[str, Mapping[str, str]] | None = None,
        defaults: Mapping[str, str] | None = None,
    ) -> None:
        self._columns = columns(record_type)
        self._keys = frozenset(record_type.key)
        self._zone = zones.zone(zone) if zone else None
        self._zone_name = zone or ""
        self._epochs = {} if epochs is None else epochs
        self._words = words or {}
        self._defaults = defaults or {}

    def frame(self, texts: Mapping[str, Sequence[str]], rows: int) -> tuple[pd.DataFrame, Faults]:
        """The columns that are given or need not be; and why rows are no facts, by number."""
        faults: Faults = {}
        series = {}
        for name, column in self._columns.items():
            if name in texts:
                listed = texts[name]
            elif name in self._defaults or column.nameless:
                listed = [""] * rows
            else:
                continue
            series[name], found = self._column(column, listed)
            for row, reason in found.items():
                faults.setdefault(row, reason)
        return pd.DataFrame(series), faults

    def value(self, column: Column, text: str) -> Any:
        """What one text means.

        Raises:
            ValueError: It means nothing; the message says why.
        """
        words = self._words.get(column.name, {})
        text = words.get(text, words.get("*", text) if text else "")
        text = text or self._defaults.get(column.name, "")
        if not text:
            if column.required and not self._may_be_empty(column):
                raise ValueError(f"{column.name} is missing")
            return "" if column.required else column.default
        if not _clean(text):
            raise ValueError(f"{column.name} holds bytes that are no text in this encoding")
        try:
            return self._typed(column, text)
        except OverflowError:
            raise ValueError(f"{column.name} is out of range: {text[:40]!r}") from None

    def _may_be_empty(self, column: Column) -> bool:
        if column.python_type is not str or column.words:
            return False
        return column.nameless or column.name not in self._keys

    def _typed(self, column: Column, text: str) -> Any:
        if column.python_type is datetime:
            return self._time(column.name, text)
        if column.words:
            if text not in column.words:
                raise ValueError(
                    f"{column.name} is {text[:40]!r}, which is none of {', '.join(column.words)}"
                )
            return text
        if column.python_type is bool:
            return _boolean(column.name, text)
        if column.python_type is int:
            if not _INTEGER.fullmatch(text.strip()):
                raise ValueError(f"{column.name} is no whole number: {text[:40]!r}")
            return _in_range(int(text.strip().split(".")[0]))
        if column.python_type is float:
            return _number(column.name, text)
        return text

    def _time(self, name: str, text: str) -> datetime:
        if name in self._epochs:
            if not _INTEGER.fullmatch(text.strip()):
                raise ValueError(f"{name} is no whole number of time since 1970: {text[:40]!r}")
            count = int(text.strip().split(".")[0])
            factor = EPOCHS[self._epochs[name]]
            whole = count // 1000 if factor < 1 else count * int(factor)
            return _START + timedelta(microseconds=whole)
        match = _TIME.fullmatch(text.strip())
        try:
            return self._iso(name, text, match) if match else self._no_time(name, text)
        except ValueError as error:
            if "zone" in str(error):
                raise
            return self._no_time(name, text)

    def _iso(self, name: str, text: str, match: re.Match[str]) -> datetime:
        day, clock, offset = match.groups()
        if offset:
            sign = "+00:00" if offset in "Zz" else offset
            return datetime.fromisoformat(f"{day}T{clock}{sign}").astimezone(UTC)
        if self._zone is None:
            raise ValueError(
                f"{name} has no time zone: {text[:40]!r}; give times an offset, or set `timezone`"
            )
        if not clock:
            return zones.first_instant(date.fromisoformat(day), self._zone_name)
        local = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock))
        return local.replace(tzinfo=self._zone).astimezone(UTC)

    def _no_time(self, name: str, text: str) -> datetime:
        raise ValueError(f"{name} is no time: {text[:40]!r}")

    def _column(self, column: Column, texts: Sequence[str]) -> tuple[pd.Series, Faults]:
        if column.python_type is datetime and column.name not in self._epochs:
            return self._times(column, texts)
        many = column.python_type is str and not column.words and column.name not in self._words
        if many and _clean("".join(texts)):
            return self._plain(column, texts)
        return self._distinct(column, texts)

    def _plain(self, column: Column, texts: Sequence[str]) -> tuple[pd.Series, Faults]:
        if "" not in texts:
            return pd.Series(texts, dtype=object), {}
        faults: Faults = {}
        empty: str | None = None
        try:
            empty = self.value(column, "")
        except ValueError as error:
            faults = {row: str(error) for row, text in enumerate(texts) if not text}
        values = [text or empty for text in texts]
        return pd.Series(values, dtype=object), faults

    def _distinct(self, column: Column, texts: Sequence[str]) -> tuple[pd.Series, Faults]:
        """Read each distinct text once."""
        known: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for text in set(texts):
            try:
                known[text] = self.value(column, text)
            except ValueError as error:
                known[text], wrong[text] = None, str(error)
        faults = (
            {row: wrong[text] for row, text in enumerate(texts) if text in wrong} if wrong else {}
        )
        return _series(column, list(map(known.__getitem__, texts))), faults

    def _times(self, column: Column, texts: Sequence[str]) -> tuple[pd.Series, Faults]:
        sure = texts if _alike(texts) else [t if _surely_a_time(t) else None for t in texts]
        parsed = pd.to_datetime(
            np.array(sure, dtype=object), format="ISO8601", utc=True, errors="coerce"
        )
        instants = pd.DatetimeIndex(parsed).as_unit("us").asi8.copy()
        faults: Faults = {}
        for row in np.flatnonzero(instants == _NO_TIME).tolist():
            try:
                moment = self.value(column, texts[row])
            except ValueError as error:
                faults[row] = str(error)
                continue
            if moment is not None:
                instants[row] = (moment - _START) // timedelta(microseconds=1)
        return _at(instants), faults


def _series(column: Column, values: list[Any]) -> pd.Series:
    if column.python_type is datetime:
        micro = timedelta(microseconds=1)
        numbers = [_NO_TIME if v is None else (v - _START) // micro for v in values]
        return _at(np.array(numbers, dtype=np.int64))
    kinds = {int: "Int64", float: "Float64", bool: "boolean"}
    return pd.Series(values, dtype=kinds.get(column.python_type, object))


def _at(microseconds: np.ndarray[Any, Any]) -> pd.Series:
    return pd.Series(pd.DatetimeIndex(microseconds.view("M8[us]")).tz_localize("UTC"))


def _alike(texts: Sequence[str]) -> bool:
    """Whether all of a column are of one form, as they mostly are; much quicker than one by one."""
    sizes = set(map(len, texts))
    size = sizes.pop()
    if sizes or size not in (20, 24, 27, 25, 29, 32):
        return False
    joined = "".join(texts)
    if size in (20, 24, 27):
        return set(joined[size - 1 :: size]) == {"Z"} and set(joined[10::size]) == {"T"}
    signs, colons, middles = (set(joined[at::size]) for at in (size - 6, size - 3, 10))
    return signs <= {"+", "-"} and colons == {":"} and middles <= {"T", " "}


def _surely_a_time(text: str) -> bool:
    """Whether pandas reads a text just as `value` does, or not at all."""
    size = len(text)
    if size in (20, 24, 27):
        return text[-1] == "Z" and text[10] == "T"
    return size in (25, 29, 32) and text[-6] in "+-" and text[-3] == ":" and text[10] in "T "


def _clean(text: str) -> bool:
    """Whether a text is one: no byte of another encoding, no NUL."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _boolean(name: str, text: str) -> bool:
    folded = text.strip().casefold()
    if folded in _TRUE or folded in _FALSE:
        return folded in _TRUE
    raise ValueError(f"{name} is neither true nor false: {text[:40]!r}")


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in text:
        raise ValueError(f"{name} is no number: {text[:40]!r}")
    return number


def _in_range(number: int) -> int:
    if not -(2**63) <= number < 2**63:
        raise OverflowError
    return number
