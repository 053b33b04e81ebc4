"""Every notebook runs from a clean kernel, and is committed without outputs."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.repositories import History

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def _clone(path: Path) -> None:
    """The clone that a reader would have: releases every other week, and work that waits."""
    history = History(path)
    for week in range(1, 13):
        for day in (1, 3, 5):
            at = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(weeks=week, days=day)
            sha = history.commit(f"Change {week}.{day}", at=f"{at:%Y-%m-%dT%H:%MZ}")
        if week % 2:
            shipped = at + timedelta(hours=20)
            history.tag(f"v1.{week}", sha, at=f"{shipped:%Y-%m-%dT%H:%MZ}")
    assert history.path == path


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS[0].name.startswith("01_")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_a_clean_kernel(path: Path, tmp_path: Path) -> None:
    _clone(tmp_path / "shop")
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
