"""Takes the picture of the report that the README shows, of the sample organisation.

`make test-browser` installs what it needs; then
`DORA_BROWSER=$(command -v chromium) .venv/bin/python docs/screenshot.py`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import dora

WIDTH, HEIGHT = 1280, 900
IMAGES = Path(__file__).resolve().parent / "images"


def main() -> None:
    """Write docs/images/report.png."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        dora.sample().window("2026-Q2").report(page_file)
        browser = playwright.chromium.launch(
            executable_path=os.environ["DORA_BROWSER"], args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(page_file.as_uri())
        page.screenshot(path=IMAGES / "report.png")
        browser.close()


if __name__ == "__main__":
    main()
