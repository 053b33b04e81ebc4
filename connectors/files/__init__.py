"""Facts in CSV, JSON Lines and Parquet files."""

from connectors.files.connector import Files
from connectors.files.options import FilesOptions

__all__ = ["Files", "FilesOptions"]
