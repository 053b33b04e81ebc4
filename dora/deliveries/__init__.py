"""Reports that arrive by themselves: in a folder, by mail, in a chat; each period once.

`ledger` remembers what has been delivered. A delivery that plainly failed is tried again, here and
by the next run. One that was cut off after it could have arrived is not: a mail is sent again
under the same Message-ID, by which mail systems know a copy, and a chat message is left to whoever
runs it to decide (`dora run --again`), since chats cannot tell copies.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dora.errors import DeliveryFailed, Retryable

if TYPE_CHECKING:
    from dora.config.deliver import Deliver
    from dora.report import Contents
    from dora.windows import Window

TRIES = 4
"""How often a delivery is tried before it is left to the next run."""
_FIRST_WAIT, _LONGEST_WAIT = 2.0, 120.0

log = logging.getLogger(__name__)

Sent = Callable[[], None]
"""Told just before the step after which a delivery may have arrived."""


class TryAgain(DeliveryFailed, Retryable):
    """It plainly did not arrive, and may if tried again.

    Attributes:
        after: How long the other side asks to wait, in seconds.
    """

    def __init__(self, message: str, *, hint: str, after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.after = after


@dataclass(frozen=True, slots=True)
class Parcel:
    """A report to deliver.

    Attributes:
        delivery: What the configuration says of it.
        window: The window that is reported.
        contents: What it says.
        base: The folder that relative paths are seen from.
        id: The same for the same delivery and period, whenever it is tried.
    """

    delivery: Deliver
    window: Window
    contents: Contents
    base: Path
    id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a delivery.

    Attributes:
        name: The delivery.
        done: Whether the report has arrived, now or in an earlier run.
        message: What happened, in a sentence.
        hint: What to do about it.
    """

    name: str
    done: bool
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often to try.

    Attributes:
        tries: How often in all.
        sleep: What waits so many seconds.
        chance: A share from 0 to 1 by which waits differ, so that many do not come at once.
    """

    tries: int = TRIES
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = field(default=random.random)


def hand_over(parcel: Parcel, sent: Sent, patience: Patience) -> str:
    """Deliver a parcel, trying again what plainly failed; a sentence says where it went.

    Raises:
        DeliveryFailed: It did not arrive, or may not have.
    """
    from dora.deliveries import email, folder, webhook

    way = {"folder": folder.deliver, "email": email.deliver, "webhook": webhook.deliver}
    deliver = way[parcel.delivery.kind]
    for attempt in range(1, patience.tries + 1):
        try:
            return deliver(parcel, sent)
        except TryAgain as failure:
            if attempt == patience.tries:
                raise
            pause = _pause(attempt, failure.after, patience)
            log.info("%s: %s; again in %.0f s", parcel.delivery.name, failure.message, pause)
            patience.sleep(pause)
    raise AssertionError("a delivery is tried at least once")


def _pause(attempt: int, asked: float | None, patience: Patience) -> float:
    own: float = _FIRST_WAIT * 4 ** (attempt - 1) * (0.75 + patience.chance() / 2)
    return min(max(own, asked or 0.0), _LONGEST_WAIT)
