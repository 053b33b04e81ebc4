"""What `dora record`, or a shell, has written down: deployments and incidents, a line each."""

from connectors.spool.connector import Spool, SpoolOptions

__all__ = ["Spool", "SpoolOptions"]
