"""Whether a report can be up to date: when each source was read, and whether that went well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dora import store, words

if TYPE_CHECKING:
    from dora.delivery import Delivery


def warnings(delivery: Delivery, now: datetime, stale_after: timedelta) -> Iterator[str]:
    """A sentence for each source that failed last time, was not read lately, or never was."""
    connection = delivery.connect()
    try:
        finished = store.freshness(connection)
        failed = {
            source: moment.replace(tzinfo=UTC)
            for source, moment in connection.execute(
                "select source, max(started_at) from syncs where status = 'failed'"
                " group by source order by source"
            ).fetchall()
        }
    finally:
        connection.close()
    for name in delivery.sources or sorted({*finished, *failed}):
        read, broke = finished.get(name), failed.get(name)
        if broke is not None and (read is None or broke > read):
            since = (
                f"what is shown of it ends at {words.instant(read)}"
                if read
                else "it was never read"
            )
            yield f"The source {name} failed at {words.instant(broke)}; {since}."
        elif read is None:
            yield f"The source {name} has never been read."
        elif now - read > stale_after:
            age = words.duration((now - read).total_seconds())
            yield f"The source {name} was last read {age} ago, at {words.instant(read)}."
