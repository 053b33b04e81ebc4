"""The keys of a files source."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from connectors.causes import CAUSED_BY
from connectors.fields import CausePattern, Zone
from connectors.files import paths
from dora.errors import RecordError
from dora.records import RECORD_TYPES, columns, record_type
from dora.spelling import closest

Format = Literal["csv", "jsonl", "json", "parquet"]
Scalar = str | bool | int | float | datetime | date


class Updates(BaseModel):
    """Where an incident's history stands: a list of updates, each with a time and a state."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str = Field(description="Path of the list")
    time: str = Field(description="Path of an update's time, within it")
    status: str = Field(description="Path of the state from then on, within it")
    resolved: list[str] = Field(min_length=1, description="States in which it is over")


class FilesOptions(BaseModel):
    """What `[[sources]]` of kind `files` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(description="A file, a folder, or a glob such as exports/*.csv")
    table: str | None = Field(None, description="Fact table; else the file's name tells")
    format: Format | None = Field(
        None, description="csv, jsonl, json or parquet; else its suffix tells"
    )
    rows: str | None = Field(None, description="Path of the list of rows in a JSON document")
    columns: dict[str, str] = Field({}, description="Our column = the file's, or a path in JSON")
    defaults: dict[str, Scalar] = Field({}, description="Value where the file has none")
    values: dict[str, dict[str, str]] = Field(
        {}, description="Column = { their word = ours }; * is any other"
    )
    cuts: dict[str, CausePattern] = Field(
        {}, description="Column = expression whose first group is the value, out of a longer text"
    )
    where: dict[str, list[str]] = Field(
        {}, description="Rows kept: their column = words it may have"
    )
    updates: Updates | None = Field(None, description="Where the history of an incident stands")
    caused_by: str = Field("caused_by", description="Where incidents state their causes")
    cause_pattern: CausePattern = Field(
        CAUSED_BY, description="Expression whose first group is the cause, where they are sentences"
    )
    epochs: dict[str, Literal["s", "ms", "us", "ns"]] = Field(
        {}, description="Columns whose times are numbers since 1970, and their unit"
    )
    timezone: Zone = Field(None, description="Zone of times that state none")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="Else a comma")
    encoding: str = Field("utf-8", description="Of the text; utf-8 unless set")

    @field_validator("table")
    @classmethod
    def _a_table(cls, table: str | None) -> str | None:
        try:
            return table and record_type(table).table
        except RecordError as error:
            raise ValueError(f"{error.message} {error.hint}") from None

    @field_validator("encoding")
    @classmethod
    def _an_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError:
            raise ValueError(f"there is no encoding {name!r}") from None
        return name

    @field_validator("rows", "caused_by")
    @classmethod
    def _a_path(cls, path: str | None) -> str | None:
        if path is not None and (why := paths.fault(path)):
            raise ValueError(why)
        return path

    @field_validator("columns", "defaults", "values", "epochs", "cuts")
    @classmethod
    def _known_columns(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        known = _columns_of(info.data.get("table"))
        for name in given:
            if name not in known:
                close = closest(name, known)
                meant = f"; did you mean {close[0]!r}?" if close else ""
                raise ValueError(f"it names {name!r}, which no such fact has{meant}")
        return given


def _columns_of(table: str | None) -> set[str]:
    wanted = [record_type(table)] if table else list(RECORD_TYPES)
    return {name for one in wanted for name in columns(one)}
