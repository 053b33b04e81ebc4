"""What pipelines push: a deployment or an incident as one line of JSON in a folder, the spool.

Whoever writes such a line needs no store, no network and none of the heavy libraries; whoever reads
it, the connector `spool`, takes it from there. `dora record` writes it with every care, and a shell
can write the same.
"""

from __future__ import annotations

SPOOL = "dora.d"
"""The spool's folder, beside the configuration; also the name of the source that reads it."""

SPOOL_KIND = "spool"
"""The connector that reads it."""
