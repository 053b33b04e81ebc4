"""What `dora record`, or a shell, has written down: a deployment, incident or change a line."""

from connectors.spool.connector import Spool, SpoolOptions

__all__ = ["Spool", "SpoolOptions"]
