"""What all facts are made of: columns with a type and a meaning, and the promises they keep."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, get_args, get_type_hints

from dora.errors import RecordError


def fact(
    doc: str,
    *,
    identity: bool = False,
    free_text: bool = False,
    nameless: bool = False,
    default: Any = dataclasses.MISSING,
) -> Any:
    """One column of a fact: its meaning, and whether a person, people's words or nothing is in it.

    Args:
        doc: What it means.
        identity: Whether it names a person.
        free_text: Whether people wrote it.
        nameless: Whether it may be empty although it is part of the key.
        default: The value when none is given.
    """
    metadata = {"doc": doc, "identity": identity, "free_text": free_text, "nameless": nameless}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Record:
    """What all facts have in common."""

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        """Hold the promises every fact makes: nothing missing, aware UTC times, known words.

        Raises:
            RecordError: A missing value, a time without a zone, or a word that is not one of ours.
        """
        for name, column in columns(type(self)).items():
            value = getattr(self, name)
            if column.required and value is None:
                raise RecordError(
                    f"{type(self).__name__}.{name} is missing",
                    hint="Every such fact needs it; see the schema of the fact tables.",
                )
            if isinstance(value, datetime):
                if value.tzinfo is None:
                    raise RecordError(
                        f"{type(self).__name__}.{name} has no time zone: {value.isoformat()}",
                        hint="Give every time its offset, for example 2026-03-01T12:00:00Z.",
                    )
                object.__setattr__(self, name, value.astimezone(UTC))
            if column.words and value is not None and value not in column.words:
                raise RecordError(
                    f"{type(self).__name__}.{name} is {value!r}",
                    hint=f"It is one of: {', '.join(column.words)}.",
                )


_SQL_TYPES = {
    str: "VARCHAR",
    int: "BIGINT",
    float: "DOUBLE",
    bool: "BOOLEAN",
    datetime: "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a fact table.

    Attributes:
        name: Its name.
        python_type: `str`, `int`, `float`, `bool` or `datetime`.
        sql_type: Its type in the store; times are UTC in TIMESTAMP.
        required: Whether a value must be given.
        doc: What it means.
        identity: Whether it names a person, and so is kept as a pseudonym.
        free_text: Whether it is what people wrote, and so is only kept where that is wanted.
        nameless: Whether it may be empty although it is part of the key.
        words: The values it may have, if they are few.
        default: The value when none is given.
    """

    name: str
    python_type: type
    sql_type: str
    required: bool
    doc: str
    identity: bool
    free_text: bool
    nameless: bool
    words: tuple[str, ...]
    default: Any


_COLUMNS: dict[type[Record], dict[str, Column]] = {}


def columns(record_type: type[Record]) -> dict[str, Column]:
    """The columns of a fact, in order, by name. `source` is added by the store, not listed here."""
    known = _COLUMNS.get(record_type)
    if known is None:
        hints = get_type_hints(record_type)
        known = {f.name: _column(f, hints[f.name]) for f in dataclasses.fields(record_type)}
        _COLUMNS[record_type] = known
    return known


def _column(f: dataclasses.Field[Any], hint: Any) -> Column:
    alternatives = [t for t in get_args(hint) if t is not type(None)]
    is_literal = bool(alternatives) and all(isinstance(t, str) for t in alternatives)
    python_type = str if is_literal else (alternatives[0] if alternatives else hint)
    required = f.default is dataclasses.MISSING
    return Column(
        name=f.name,
        python_type=python_type,
        sql_type=_SQL_TYPES[python_type],
        required=required,
        doc=f.metadata["doc"],
        identity=f.metadata["identity"],
        free_text=f.metadata["free_text"],
        nameless=f.metadata["nameless"],
        words=tuple(alternatives) if is_literal else (),
        default=None if required else f.default,
    )
