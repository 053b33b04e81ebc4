"""Shows the notebooks with what they print: runs each and writes it to docs/notebooks as Markdown.

    python docs/notebooks.py [NAME ...]

The second notebook reads a local clone: it is run on one that is made for it. A test runs every
notebook and fails where the text of a page here is not that of its notebook.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from terminal import left_standing

DOCS = Path(__file__).resolve().parent
NOTEBOOKS = sorted((DOCS.parent / "notebooks").glob("*.ipynb"))
PAGES = DOCS / "notebooks"


def executed(path: Path, folder: Path) -> nbformat.NotebookNode:
    """A notebook with its outputs, run in a clean kernel in a folder."""
    notebook = nbformat.read(path, as_version=4)
    ours = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute(env=os.environ | {"PATH": ours})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _settled(cell.outputs)
    return notebook


def _settled(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Outputs with pieces of a stream joined, and without what a terminal has wiped out again."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        if output.output_type != "stream":
            joined.append(output)
        elif joined and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    for output in joined:
        if output.output_type == "stream":
            output.text = left_standing(output.text)
    return joined


def page(notebook: nbformat.NotebookNode, name: str) -> tuple[str, dict[str, bytes]]:
    """A notebook as Markdown, and its pictures by the names that the page gives them."""
    exporter = MarkdownExporter()
    exporter.exclude_input_prompt = True
    resources = {"unique_key": name, "output_files_dir": name}
    text, resources = exporter.from_notebook_node(notebook, resources=resources)
    text = re.sub(r"<style scoped>.*?</style>\n", "", text, flags=re.DOTALL)
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    described = iter(_described(notebook))
    text = re.sub(r"!\[png\]", lambda _: f"![{next(described)}]", text)
    return re.sub(r"\n{3,}", "\n\n", text), resources["outputs"]


def _described(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """The words that go with each picture."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                yield output["metadata"]["image/png"]["alt"].replace("[", "(").replace("]", ")")


def write(path: Path, folder: Path) -> None:
    """Run one notebook and write its page and pictures."""
    text, pictures = page(executed(path, folder), path.stem)
    for name, content in pictures.items():
        target = PAGES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    PAGES.mkdir(exist_ok=True)
    (PAGES / f"{path.stem}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(DOCS.parent))
    from tests.notebooks.clone import clone

    for notebook in NOTEBOOKS:
        if not sys.argv[1:] or notebook.stem in sys.argv[1:]:
            with tempfile.TemporaryDirectory() as scratch:
                clone(Path(scratch) / "shop")
                write(notebook, Path(scratch))
            print(notebook.stem)
