"""The analyses of how releases are managed, by hand and from the definition alone."""
