"""A clock for the steps of a contender, by the wall and of its computing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def timed(times: dict[str, float], name: str) -> Iterator[None]:
    """Note how long a step took, and add its computing to that of the others."""
    began, busy = time.perf_counter(), time.process_time()
    yield
    times[name] = time.perf_counter() - began
    times["cpu"] = times.get("cpu", 0.0) + time.process_time() - busy
