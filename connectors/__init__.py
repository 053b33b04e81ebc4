"""Connectors, one file for each kind of source; named in the configuration, never imported."""
