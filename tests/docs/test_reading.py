"""What the page on reading the numbers quotes and draws is what the package says and draws now."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reading.md").read_text("utf-8")


@pytest.fixture(scope="module")
def docs() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs"))
        yield patch


@pytest.fixture
def examples(docs: pytest.MonkeyPatch) -> ModuleType:
    return importlib.import_module("examples")


def test_the_page_is_up_to_date(docs: pytest.MonkeyPatch, tmp_path: Path) -> None:
    generate = importlib.import_module("generate")
    assert generate.reading(PAGE, tmp_path) == PAGE, "run python docs/generate.py"
    drawn = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.png")}
    images = ROOT / "docs" / "images" / "reading"
    assert drawn == {path.relative_to(ROOT / "docs") for path in images.iterdir()}


def test_the_goals_it_judges_are_those_it_shows(docs: pytest.MonkeyPatch) -> None:
    assert f"```toml\n{importlib.import_module('tiny').GOALS}```" in PAGE


def test_the_freeze_it_speaks_of_is_the_one_that_was_simulated() -> None:
    (row,) = (
        line
        for line in (ROOT / "docs" / "statistics.md").read_text("utf-8").splitlines()
        if line.startswith("| in the freeze |")
    )
    _, _, begun, true, delivered, *_ = (cell.strip(" d") for cell in row.split("|"))
    said = " ".join(PAGE.split())
    assert f"said {delivered} days, while {begun} new ones" in said
    assert f"the median of all was to be {true}." in said


def test_the_alarms_it_speaks_of_are_those_that_were_simulated() -> None:
    statistics = (ROOT / "docs" / "statistics.md").read_text("utf-8")
    table = statistics.partition("<!-- simulation: alarms -->\n")[2].partition("<!--")[0]
    rows = [[cell.strip(" %") for cell in row.split("|")[2:5]] for row in table.splitlines()[2:]]
    spoken, _, arrows = ([float(cell) for cell in column] for column in zip(*rows, strict=True))
    said = " ".join(PAGE.split())
    assert f"better or worse in at most {math.ceil(max(spoken))} of 100" in said
    assert f"pointed somewhere in at least {math.floor(min(arrows))} of 100" in said


def test_the_answer_below_an_example_is_what_it_is_worth_now(
    examples: ModuleType, tmp_path: Path
) -> None:
    page = "```python\na = 2\n```\n\nText.\n\n<!-- python\na + b\n-->\n\n> old\n> older\n\nMore.\n"
    expected = page.replace("> old\n> older", "> 42")
    assert examples.answered(page, tmp_path, {"b": 40}) == expected


def test_lines_of_an_answer_are_paragraphs(examples: ModuleType, tmp_path: Path) -> None:
    page = "```python\n'one\\ntwo'\n```\n\n> ?\n"
    assert examples.answered(page, tmp_path, {}).endswith("> one\n>\n> two\n")


def test_an_example_that_fails_is_no_page(examples: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        examples.answered("```python\n1 / 0\n```\n", tmp_path, {})


@pytest.mark.parametrize("block", ["```python\n7\n```\n", "<!-- python\n7\n-->\n"])
def test_a_block_without_an_answer_stays_as_it_is(
    examples: ModuleType, tmp_path: Path, block: str
) -> None:
    page = f"{block}\nText, and no answer.\n"
    assert examples.answered(page, tmp_path, {}) == page
