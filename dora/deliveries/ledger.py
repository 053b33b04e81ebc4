"""What has been delivered, in a file beside the store: a line a step, never rewritten."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from dora.errors import DeliveryFailed

State = Literal["failed", "sent", "done"]


def place(store: Path) -> Path:
    """The ledger of a store."""
    return store.with_name(f"{store.name}.deliveries.jsonl")


@dataclass(frozen=True, slots=True)
class Ledger:
    """The steps of all deliveries so far.

    Attributes:
        path: The file.
    """

    path: Path

    def state(self, parcel: str) -> State | None:
        """How far a parcel got; None where it was never begun.

        Raises:
            DeliveryFailed: The file cannot be read.
        """
        last: State | None = None
        for line in self._lines():
            try:
                step = json.loads(line)
            except json.JSONDecodeError:  # cut off while it was written: that step was not taken
                continue
            if isinstance(step, dict) and step.get("id") == parcel:
                last = step.get("state")
        return last

    def note(self, parcel: str, delivery: str, period: str, state: State) -> None:
        """Write a step down, on the disk before anything follows from it.

        Raises:
            DeliveryFailed: It cannot be written; nothing may be sent then.
        """
        step = {"id": parcel, "delivery": delivery, "period": period, "state": state}
        line = json.dumps({**step, "time": datetime.now(UTC).isoformat(timespec="seconds")})
        try:
            whole = not self.path.exists() or self.path.read_bytes()[-1:] in (b"", b"\n")
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{'' if whole else chr(10)}{line}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from error

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> DeliveryFailed:
        return DeliveryFailed(
            f"{self.path} cannot be used: {error.strerror}.",
            hint="It remembers what was delivered: make room, or the file writable. "
            "Nothing is sent without it.",
        )
