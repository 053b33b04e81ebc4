"""Which deployment first delivered each commit, and which deployments a rollback undid.

`walk` does it for one stream, in numbers and without a store; `update` for all of a store.
"""

from __future__ import annotations

from dora.lineage.graph import UNCLAIMED, UNKNOWN, Ancestry, Graph
from dora.lineage.stream import WAITING, Stream, Walk, walk
from dora.lineage.updating import update

__all__ = [
    "UNCLAIMED",
    "UNKNOWN",
    "WAITING",
    "Ancestry",
    "Graph",
    "Stream",
    "Walk",
    "update",
    "walk",
]
