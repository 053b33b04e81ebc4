"""What the documentation shows runs, and what it lists is what there is."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from dora import config
from dora.connector import load
from dora.rules import Rules
from tests.repositories import History

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    """The module that writes the pages, as `python docs/generate.py` sees it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs"))
        yield importlib.import_module("generate")


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with the clone that the README speaks of."""
    history = History(tmp_path / "shop")
    for week in range(8):
        sha = history.commit(f"Change {week}", at=f"2026-02-0{week + 1}T10:00Z")
        history.tag(f"v1.{week}", sha, at=f"2026-02-0{week + 1}T12:00Z")
    return history.path.parent


def test_every_shell_block_of_the_readme_runs(workplace: Path) -> None:
    script = [block for block in blocks("sh") if not block.startswith("make ")]
    assert len(script) >= 3
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    }
    ran = subprocess.run(
        ["bash", "-eu", "-c", "\n".join(script)],
        cwd=workplace,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for made in (
        "delivery/dora.toml",
        "report.html",
        "overview.png",
        "frequency.png",
        "csv/metrics/lead_time.csv",
    ):
        assert (workplace / made).stat().st_size > 0
    assert "INC-1" in ran.stdout  # the incident that the README adds reached its explanation
    assert "dora.d: 2 deployments new, 1 incident new" in ran.stderr


def test_the_two_commands_are_what_continuous_integration_runs() -> None:
    (commands,) = [block for block in blocks("sh") if block.startswith("make ")]
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    for command in commands.splitlines():
        assert command in script


def test_every_python_block_of_the_readme_runs() -> None:
    namespace: dict[str, object] = {}
    found = blocks("python")
    assert found
    for block in found:
        exec(compile(block, "README.md", "exec"), namespace)
    assert repr(namespace["lead"]).startswith("lead_time ")


def test_every_configuration_of_the_readme_and_of_its_page_is_a_good_one(workplace: Path) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    found = [*blocks("toml"), *blocks("toml", page)]
    assert len(found) == 2
    for block in found:
        (workplace / "dora.toml").write_text(block)
        config.load(workplace / "dora.toml")


def test_the_usual_rules_of_the_manual_are_the_usual_rules(tmp_path: Path) -> None:
    """Each as it is written there, read back as a configuration."""
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    table = page.partition("<!-- rules -->")[2].partition("<!-- /rules -->")[0]
    given = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", table, flags=re.MULTILINE)
    assert len(given) >= 25
    written = "\n".join(f"{name} = {value}" for name, value in given)
    (tmp_path / "dora.toml").write_text(f"[rules]\n{written}\n")
    assert config.load(tmp_path / "dora.toml").rules == Rules()


def test_the_readme_names_every_source_there_is() -> None:
    table = README.partition("### Sources")[2].partition("\n## ")[0]
    _, *named = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert sorted(named) == sorted(point.name for point in entry_points(group="dora.connectors"))


def test_the_readme_leads_to_every_page() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in README, page.name


def test_anchors_within_the_documentation_exist() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text("utf-8")):
            text = (page.parent / target if target else page).read_text("utf-8")
            heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
            plain = {re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-") for head in heads}
            assert anchor in plain, (page.name, target, anchor)


def test_generated_parts_are_up_to_date(generate: ModuleType) -> None:
    assert generate.readme(README) == README, "run python docs/generate.py"
    defined = (ROOT / "docs" / "definitions.md").read_text("utf-8")
    assert generate.definitions(defined) == defined, "run python docs/generate.py"
    configured = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert generate.configuration(configured) == configured, "run python docs/generate.py"
    stored = (ROOT / "docs" / "store.md").read_text("utf-8")
    assert generate.store() == stored, "run python docs/generate.py"
    drawn = (ROOT / "docs" / "pictures.md").read_text("utf-8")
    assert generate.gallery() == drawn, "run python docs/generate.py"


def test_pictures_can_be_made_again(generate: ModuleType, tmp_path: Path) -> None:
    made = {path.name for path in generate.pictures(tmp_path)}
    by_browser = {"report.png"}  # docs/screenshot.py makes it
    images = ROOT / "docs" / "images"
    assert made | by_browser == {path.name for path in images.iterdir() if path.is_file()}
    kinds = {path.name for path in generate.kinds(tmp_path / "kinds")}
    assert kinds == {path.name for path in (images / "kinds").iterdir()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_documentation_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


SCHEDULES = ROOT / "docs" / "schedules"


def test_the_ready_files_run_commands_that_exist(tmp_path: Path) -> None:
    """Each starts `dora` with options that the command line knows."""
    seen = 0
    for file in sorted(SCHEDULES.iterdir()):
        text = file.read_text("utf-8").replace('", "', " ").replace('["', "").replace('"]', "")
        for line in re.findall(r"(?:^|[/ ])dora (run[^\n#]*)", text, flags=re.MULTILINE):
            arguments = [*line.split(), "--help"]
            ran = subprocess.run(
                [sys.executable, "-m", "dora", *arguments], capture_output=True, text=True
            )
            assert ran.returncode == 0, (file.name, line, ran.stderr)
            seen += 1
    assert seen >= 5


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml", "kubernetes.yaml"])
def test_the_ready_files_are_yaml(name: str) -> None:
    loaded = yaml.safe_load((SCHEDULES / name).read_text("utf-8"))
    assert isinstance(loaded, dict)


def test_the_deliveries_of_the_manual_are_a_configuration_without_faults(tmp_path: Path) -> None:
    manual = (ROOT / "docs" / "report.md").read_text("utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```", manual, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "dora.toml").write_text(block, "utf-8")
    loaded = config.load(tmp_path / "dora.toml")
    assert [one.name for one in loaded.deliver] == ["archive", "leads", "chat"]


SOURCES = re.findall(
    r"^```toml\n(.*?)^```",
    (ROOT / "docs" / "sources.md").read_text("utf-8"),
    flags=re.DOTALL | re.MULTILINE,
)


@pytest.mark.parametrize("block", SOURCES, ids=range(len(SOURCES)))
def test_every_source_of_the_manual_is_a_configuration_without_faults(
    block: str, tmp_path: Path
) -> None:
    (tmp_path / "dora.toml").write_text(block, "utf-8")
    assert config.load(tmp_path / "dora.toml").sources


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_the_manual_names_every_key_of_a_forge(kind: str) -> None:
    manual = (ROOT / "docs" / "sources.md").read_text("utf-8")
    keys = {f.alias or name for name, f in load(kind).Options.model_fields.items()}
    assert not [key for key in sorted(keys) if f"`{key}" not in manual]
