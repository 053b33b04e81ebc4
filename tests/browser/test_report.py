"""The report in a real browser: at every width, by keyboard, to assistive technology, on paper."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

import dora
from dora import report
from dora.report import rendering, tables

AXE = Path(os.environ["DORA_AXE"])
"""axe-core's script, the accessibility checks."""
WIDTHS = (1440, 768, 390)
HOSTILE = ("<script>document.title = 'owned'</script>", '"><img src=x onerror=alert(1)>', "🚀" * 9)


@pytest.fixture(scope="module")
def said():
    """A report in which every part has something to show."""
    early = dora.sample().window("2026-Q1").as_of("2026-03-20T12:00:00Z")
    return report.gather(early, now=datetime.now(UTC))


@pytest.fixture(scope="module")
def hostile(said):
    names = (*HOSTILE, "x" * 10_000)
    rows = tuple((tables.Cell(n, n, "https://example.org/"),) * 3 for n in names)
    table = tables.Table(names[0], names[:3], rows)
    page = replace(said.release, said=tuple((n, n) for n in names), departures=table, freezes=table)
    told = {"scope": names[0], "warnings": names, "release": page}
    return replace(said, failures=table, services=table, **told)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ["DORA_BROWSER"], args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open a report from its file, as from a mail; what it asks for and complains of is noted."""
    contexts = []

    def open_page(said, width, scheme="light"):
        file = tmp_path / "report.html"
        file.write_text(rendering.html(said), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=False
        )
        contexts.append(context)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(file.as_uri())
        page.wait_for_load_state("networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows_nothing_is_asked_for_and_nothing_is_complained_of(opened, said, width):
    page = opened(said, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = [url for url in page.asked if not url.startswith(("file:", "data:"))]
    assert outside == []
    assert page.complaints == []
    broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
    assert page.evaluate(broken) == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_names_neither_run_nor_break_the_page(opened, hostile, width):
    page = opened(hostile, width)
    assert page.title().startswith("Software delivery")
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious(browser, opened, said, width, scheme):
    page = opened(said, width, scheme)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})")
    assert found["passes"]
    assert [(v["id"], v["nodes"][0]["html"][:120]) for v in found["violations"]] == []


def test_tables_sort_by_the_keyboard_alone(opened, said):
    page = opened(said, 1440)
    heading = page.locator("#waiting th").nth(2).locator("button")
    heading.focus()

    def ages():
        return [
            float(c.get_attribute("data-order"))
            for c in page.locator("#waiting td:nth-child(3)").all()
        ]

    page.keyboard.press("Enter")
    assert page.locator("#waiting th").nth(2).get_attribute("aria-sort") == "ascending"
    assert ages() == sorted(ages())
    page.keyboard.press("Enter")
    assert ages() == sorted(ages(), reverse=True)
    assert len(ages()) > 1


def test_the_first_tab_leads_past_the_head(opened, said):
    page = opened(said, 1440)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_it_prints_on_a4_from_the_browser(opened, said):
    page = opened(said, 1440)
    printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    width, height = (float(side) for side in printed.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (595, 842)
    assert len(printed.pages) <= 9
    text = " ".join(p.extract_text() for p in printed.pages)
    assert all(card.title in text for card in said.cards)


def test_the_pdf_says_the_same(said, tmp_path):
    report.render(said, tmp_path / "report.pdf")
    read = PdfReader(tmp_path / "report.pdf")
    text = " ".join(" ".join(p.extract_text() for p in read.pages).split())
    assert said.headline in text
    assert all(card.value in text for card in said.cards)
