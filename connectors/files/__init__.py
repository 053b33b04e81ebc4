"""Facts in CSV, JSON Lines and Parquet files."""

from connectors.files.connector import Files, FilesOptions

__all__ = ["Files", "FilesOptions"]
