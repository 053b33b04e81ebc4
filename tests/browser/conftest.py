"""A real browser, which `make test-browser` installs; these tests run only there."""

from __future__ import annotations

import os

if not os.environ.get("DORA_BROWSER"):
    collect_ignore_glob = ["test_*.py"]
