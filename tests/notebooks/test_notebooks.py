"""Every notebook runs from a clean kernel, and is committed without outputs."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks.clone import clone

TOP = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((TOP / "notebooks").glob("*.ipynb"))
DOCS = TOP / "docs" / "notebooks"


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS[0].name.startswith("01_")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_a_clean_kernel(path: Path, tmp_path: Path) -> None:
    clone(tmp_path / "shop")
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    ours = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    client.execute(env=os.environ | {"PATH": ours})
    shown = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]
    assert len(shown) >= len([c for c in notebook.cells if c.cell_type == "code"]) - 1
    for cell in shown:
        assert all(output.output_type != "error" for output in cell.outputs)
        assert all(output.get("name") != "stderr" for output in cell.outputs), cell.outputs


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_shown_with_its_outputs_in_the_docs(path: Path) -> None:
    """`python docs/notebooks.py` writes the pages; what stands in a cell must stand there."""
    page = (DOCS / f"{path.stem}.md").read_text(encoding="utf-8")
    place = 0
    for cell in nbformat.read(path, as_version=4).cells:
        place = page.find(cell.source.strip(), place)
        assert place >= 0, cell.source
        place += len(cell.source.strip())
    drawn = re.findall(r"!\[(.+?)\]\((.+?)\)", page, re.DOTALL)
    assert len(drawn) == page.count(".png)")
    for words, picture in drawn:
        assert len(words) > 20, "a picture without words"
        assert (DOCS / picture).read_bytes().startswith(b"\x89PNG")


def test_every_picture_of_a_notebook_is_shown() -> None:
    """A semicolon at the end of a cell would hide what it draws."""
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            assert not (cell.cell_type == "code" and cell.source.rstrip().endswith(";")), path
