"""Whether two contenders of `metrics.py` give the same numbers in every cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

KEYS = ["metric", "scope", "service", "team", "period_start", "period_end"]
TOLERANCE = 1e-9
"""How far real numbers may be apart, relative to themselves; whole ones and reasons not at all."""


def write(frames: dict[str, pd.DataFrame], folder: Path, contender: str) -> None:
    """Keep the frames of a contender."""
    for name, frame in frames.items():
        frame.to_pickle(_file(folder, contender, name))


def _file(folder: Path, contender: str, name: str) -> Path:
    return folder / f"{contender}-{name}.pickle"


def differences(folder: Path, ours: str, theirs: str) -> tuple[int, list[str]]:
    """How many cells were compared, and what to say of the columns that differ."""
    compared, said = 0, []
    mine = sorted(path.stem.removeprefix(f"{ours}-") for path in folder.glob(f"{ours}-*.pickle"))
    for name in mine:
        frames = (pd.read_pickle(_file(folder, who, name)) for who in (ours, theirs))
        left, right = (_plain(frame) for frame in frames)
        keys = [key for key in KEYS if key in left and key in right]
        both = left.merge(right, on=keys, how="outer", suffixes=("", " theirs"), indicator="side")
        lone = both["side"] != "both"
        if lone.any():
            said.append(f"{name}: {lone.sum():,} of {len(both):,} cells are in one alone")
            both = both[~lone]
        for column in left.columns.intersection(right.columns).difference(keys):
            apart = _apart(both[column], both[f"{column} theirs"])
            compared += len(both)
            if apart.any():
                said.append(_told(name, column, both[apart], keys))
        lacking = left.columns.difference(right.columns)
        if len(lacking):
            said.append(f"{name}: there is no {', '.join(lacking)}")
    return compared, said


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with text as text, days as times, and NaN for no number."""
    columns = {}
    for name, column in frame.items():
        if name in ("period_start", "period_end"):
            columns[name] = column.astype("datetime64[s]")
        elif isinstance(column.dtype, pd.CategoricalDtype) or column.dtype.kind == "O":
            columns[name] = column.astype(object).where(column.notna(), "")
        else:
            columns[name] = column.astype("float64")
    return pd.DataFrame(columns)


def _apart(mine: pd.Series[Any], theirs: pd.Series[Any]) -> pd.Series[bool]:
    if mine.dtype.kind != "f":
        return mine.astype(str) != theirs.astype(str)
    a, b = mine.to_numpy(), theirs.to_numpy(np.float64)
    far = np.abs(a - b) > TOLERANCE * np.abs(a)
    return pd.Series(far | (np.isnan(a) != np.isnan(b)), index=mine.index)


def _told(name: str, column: str, cells: pd.DataFrame, keys: list[str]) -> str:
    first = cells.iloc[0]
    where = ", ".join(str(first[key]) for key in keys if str(first[key]))
    values = f"{first[column]!r} and {first[f'{column} theirs']!r}"
    return f"{name}: {column} differs in {len(cells):,} cells; of {where}: {values}"
