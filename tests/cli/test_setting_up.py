"""quickstart, init, check, sync and status, from real repositories to their exit codes."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dora import config, metrics, samples, sync
from dora.cli import dora as group
from tests.cli.conftest import Ran
from tests.repositories import History

Command = Callable[..., Ran]

HEAVY = {
    "duckdb", "pandas", "numpy", "matplotlib", "scipy", "github", "gitlab", "rich", "pydantic",
}  # fmt: skip


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """Three releases of one commit each, a week apart, and a commit after them."""
    history = History(tmp_path / "shop")
    for week in range(3):
        day = f"2026-01-{5 + 7 * week:02d}"
        sha = history.commit(f"Change {week}", at=f"{day}T10:00Z")
        history.tag(f"v1.{week}", sha, at=f"{day}T12:00Z")
    history.commit("Not released", at="2026-02-01T10:00Z")
    return history.path


def test_quickstart_shows_five_metrics_and_names_every_file_it_made(
    dora: Command, tagged: Path, tmp_path: Path
) -> None:
    ran = dora("quickstart", tagged, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    made = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    hidden = {path for path in made if path.suffix in (".key", ".lock")}
    assert {str(path) for path in made - hidden} <= {line.strip() for line in ran.out.splitlines()}
    names = {path.name for path in made}
    for metric in (
        "deployment_frequency", "lead_time", "change_failure_rate", "time_to_restore",
        "rework_rate",
    ):  # fmt: skip
        assert metric in ran.out
        assert f"{metric}.png" in names
    assert {"dora.toml", "dora.duckdb"} <= names
    assert "incident" in ran.out  # what it could not know, and how to add it


def test_quickstart_counts_what_is_there(dora: Command, tagged: Path, tmp_path: Path) -> None:
    dora("quickstart", tagged, "--out", tmp_path / "out")
    evidence = (tmp_path / "out" / "evidence" / "lead_time.csv").read_text().splitlines()
    header = evidence[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in evidence[1:]]
    # v1.0 is where the record begins: of what it contains only the commit tagged itself counts
    assert [(row["version"], float(row["seconds"])) for row in rows] == [
        ("v1.0", 7200.0),
        ("v1.1", 7200.0),
        ("v1.2", 7200.0),
    ]


def test_quickstart_without_tags_takes_merges_and_says_so(dora: Command, tmp_path: Path) -> None:
    history = History(tmp_path / "shop")
    for hour in range(3):
        history.commit(f"Change {hour}", at=f"2026-01-05T1{hour}:00Z")
    ran = dora("quickstart", history.path, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert 'deployments = ["merges:main"]' in (tmp_path / "out" / "dora.toml").read_text()
    assert "main" in ran.out


def test_quickstart_again_reads_only_what_is_new(
    dora: Command, tagged: Path, tmp_path: Path
) -> None:
    first = dora("quickstart", tagged, "--out", tmp_path / "out")
    again = dora("quickstart", tagged, "--out", tmp_path / "out")
    assert again.code == 0
    assert again.out == first.out


@pytest.mark.parametrize("what", ["missing", "folder", "file", "empty"])
def test_quickstart_of_what_is_no_history_is_one_clear_error(
    dora: Command, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "thing"
    if what == "folder":
        path.mkdir()
    elif what == "file":
        path.write_text("no repository")
    elif what == "empty":
        subprocess.run(["git", "init", "-q", str(path)], check=True)
    ran = dora("quickstart", path, "--out", tmp_path / "out")
    assert ran.code == 1
    assert ran.err.startswith("Error: ")
    assert "Traceback" not in ran.err
    assert not (tmp_path / "out" / "dora.duckdb").exists()


def test_init_writes_a_configuration_that_can_be_synced(
    dora: Command, tagged: Path, tmp_path: Path
) -> None:
    path = tmp_path / "dora.toml"
    assert dora("init", "-c", path, "--path", tagged).code == 0
    assert config.load(path).sources[0].kind == "git"
    assert dora("sync", "-c", path).code == 0
    assert dora("show", "-c", path, "--window", "2026-01").code == 0


def test_init_overwrites_nothing(dora: Command, tmp_path: Path) -> None:
    path = tmp_path / "dora.toml"
    path.write_text("# mine\n")
    ran = dora("init", "-c", path)
    assert ran.code == 2
    assert path.read_text() == "# mine\n"


def test_check_passes_where_all_is_well(dora: Command, organisation: Path) -> None:
    ran = dora("check", "-c", organisation)
    assert ran.code == 0, ran.out
    assert "installation" in ran.out
    assert "holds no fact twice" in ran.out


def test_check_names_every_fault_of_a_configuration(dora: Command, tmp_path: Path) -> None:
    path = tmp_path / "dora.toml"
    path.write_text('timezone = "Mars/Base"\nstroe = "x"\n[rules]\nchange = "line"\n')
    ran = dora("check", "-c", path)
    assert ran.code == 1
    for word in ("Mars/Base", "stroe", "change"):
        assert word in ran.err


def test_check_says_that_a_source_is_gone(dora: Command, tagged: Path, tmp_path: Path) -> None:
    path = tmp_path / "dora.toml"
    dora("init", "-c", path, "--path", tagged)
    shutil.rmtree(tagged)
    ran = dora("check", "-c", path)
    assert ran.code == 1
    assert "git" in ran.out


def test_check_finds_another_distribution_of_the_same_name(
    dora: Command, organisation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "dora_search-0.1.13.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dora-search\nVersion: 0.1.13\n")
    (info / "top_level.txt").write_text("dora\n")
    (info / "RECORD").write_text("dora/__init__.py,,\n")
    (info / "entry_points.txt").write_text("[console_scripts]\ndora = dora.__main__:main\n")
    monkeypatch.syspath_prepend(tmp_path)
    ran = dora("check", "-c", organisation)
    assert ran.code == 1
    assert "dora-search installs a package 'dora' as well" in ran.out
    assert "dora-search installs a command 'dora' as well" in ran.out


def test_sync_tells_what_came_and_then_that_nothing_is_new(
    dora: Command, tagged: Path, tmp_path: Path
) -> None:
    path = tmp_path / "dora.toml"
    dora("init", "-c", path, "--path", tagged)
    first = dora("sync", "-c", path)
    assert (first.code, first.out) == (0, "")
    assert "4 commits new" in first.err
    assert "3 deployments new" in first.err
    assert "nothing new" in dora("sync", "-c", path).err


def test_sync_of_a_source_that_fails_exits_with_1_and_says_which(
    dora: Command, tagged: Path, tmp_path: Path
) -> None:
    path = tmp_path / "dora.toml"
    dora("init", "-c", path, "--path", tagged)
    dora("sync", "-c", path)
    shutil.rmtree(tagged)
    ran = dora("sync", "-c", path)
    assert ran.code == 1
    assert "git: failed" in ran.err
    assert dora("show", "-c", path, "--window", "2026-01").code == 0  # what was read is kept


def test_without_a_configuration_or_store_the_way_on_is_said(
    dora: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = dora("show")
    assert ran.code == 1
    assert "dora init" in ran.err


def test_a_store_that_was_never_synced_says_so(dora: Command, tagged: Path, tmp_path: Path) -> None:
    path = tmp_path / "dora.toml"
    dora("init", "-c", path, "--path", tagged)
    ran = dora("show", "-c", path)
    assert ran.code == 1
    assert "dora sync" in ran.err


def test_status_says_how_complete_the_record_is(dora: Command, organisation: Path) -> None:
    ran = dora("status", "-c", organisation, "--format", "csv")
    assert ran.code == 0
    assert "incidents mapped to a service,14 of 14," in ran.out
    assert "services with an incident source,3 of 3," in ran.out


def test_status_grades_each_metric_and_notes_what_to_mind(
    dora: Command, organisation: Path
) -> None:
    ran = dora("status", "-c", organisation, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    graded = {row["item"]: row["state"] for row in rows if row["area"] == "grade"}
    assert list(graded) == list(metrics.names())
    assert set(graded.values()) <= set("ABCDE")
    [note] = [row["state"] for row in rows if row["area"] == "note"]
    assert "brought nothing new" in note  # the sample ships some commits twice
    assert f"- {note}\n" in dora("show", "-c", organisation).out


def test_goals_are_shown_and_those_of_nobody_named(dora: Command, tmp_path: Path) -> None:
    path = samples.write(tmp_path)
    with path.open("a") as file:
        file.write('[goals]\nlead_time = "30d"\n[goals.services.checkuot]\nlead_time = "1d"\n')
        file.write('[goals.teams.payments]\nlead_time = "1h"\n')
    sync.sync(config.load(path))
    assert "30 d: met" in dora("show", "-c", path).out
    assert "1 h: missed" in dora("show", "-c", path, "--team", "payments").out
    rows = csv.DictReader(io.StringIO(dora("status", "-c", path, "--format", "csv").out))
    [gap] = [row for row in rows if row["item"].startswith("goals of")]
    assert gap["state"] == "1: checkuot"


def test_status_knows_nothing_of_what_came_after_its_time(
    dora: Command, organisation: Path
) -> None:
    ran = dora("status", "-c", organisation, "--format", "csv", "--as-of", "2020-01-01")
    assert "deployments whose commit is known,none yet," in ran.out
    assert "incidents with an end,none yet," in ran.out
    assert "incidents mapped to a service,none yet," in ran.out


def test_status_names_what_no_rule_classifies(dora: Command, tmp_path: Path) -> None:
    (tmp_path / "deployments.csv").write_text(
        "id,repository,environment,status,finished_at\n"
        "1,example.org/acme/shop,moonbase,succeeded,2026-01-05T10:00:00Z\n"
    )
    path = tmp_path / "dora.toml"
    path.write_text('[[sources]]\nname = "csv"\nkind = "files"\npath = "deployments.csv"\n')
    dora("sync", "-c", path)
    ran = dora("status", "-c", path)
    assert "moonbase" in ran.out


UNMAPPED = """
[[sources]]
name = "facts"
kind = "files"
path = "."

[[services]]
name = "web"
team = "shops"
repositories = ["shop"]
deployments = ["deploy-web"]

[[services]]
name = "docs"
repositories = ["docs"]
paths = ["pages/**"]
"""


def test_status_lists_whatever_no_rule_maps(dora: Command, tmp_path: Path) -> None:
    (tmp_path / "deployments.csv").write_text(
        "id,repository,name,environment,status,finished_at\n"
        "1,example.org/acme/shop,deploy-web,prod,succeeded,2026-01-05T10:00:00Z\n"
        "2,example.org/acme/shop,deploy-api,prod,succeeded,2026-01-06T10:00:00Z\n"
        "3,example.org/acme/docs,docs,prod,succeeded,2026-01-06T10:00:00Z\n"
    )
    (tmp_path / "incidents.csv").write_text(
        "id,detected_at,service\nI-1,2026-01-06T10:30:00Z,Web (prod)\nI-2,2026-01-06T10:30:00Z,\n"
    )
    (tmp_path / "flag_changes.csv").write_text(
        "id,flag,environment,changed_at,share\n1,new-basket,prod,2026-01-06T10:30:00Z,0\n"
    )
    commits = {"a" * 40: "pages/index.md", "b" * 40: "README.md"}
    made = "2026-01-01T10:00:00Z"
    (tmp_path / "commits.csv").write_text(
        "repository,sha,parents,authored_at,committed_at\n"
        + "".join(f"example.org/acme/docs,{sha},,{made},{made}\n" for sha in commits)
    )
    (tmp_path / "commit_paths.csv").write_text(
        "repository,sha,path\n"
        + "".join(f"example.org/acme/docs,{sha},{path}\n" for sha, path in commits.items())
    )
    path = tmp_path / "dora.toml"
    path.write_text(UNMAPPED)
    assert dora("sync", "-c", path).code == 0
    ran = dora("status", "-c", path, "--format", "csv")
    for line in (
        "deployments that no rule of [[services]] maps,1: acme/shop,",
        "incidents that no service is mapped to,1: I-2,",
        "services that incidents name and nothing is deployed to,1: Web (prod),",
        "commits that touch no service's paths,1: bbbbbbbbbb,",
        "services that no team owns,2: acme/shop and docs,",
        "flags that no service is mapped to,1: new-basket,",
    ):
        assert line in ran.out
    bare = dora("status", "--store", tmp_path / "dora.duckdb", "--format", "csv")
    assert "maps,1: acme/shop," in bare.out
    path.write_text(UNMAPPED.replace('"deploy-web"', '"deploy-*"'))
    assert "[[services]] maps" not in dora("status", "-c", path, "--format", "csv").out


def test_a_command_leaves_with_its_code_and_nothing_to_look_through_for_garbage() -> None:
    script = (
        "import atexit, gc, sys; from dora.cli import main;"
        "atexit.register(lambda: print(len(gc.get_objects()) < 1000, flush=True));"
        "sys.argv = ['dora', 'show', '--levels', 'lead-time']; main()"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.splitlines()[-1:]) == (2, ["True"])
    assert "Error: " in ended.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dora.cli import run; run(['--help']);"
        "print(*sorted(m for m in sys.modules if '.' not in m), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "quickstart" in ran.stdout
    assert set(ran.stderr.split()) & HEAVY == set()


def test_the_module_runs_like_the_script() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "dora", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("dora, version ")


def test_wrong_options_are_wrong_usage(dora: Command) -> None:
    assert dora("show", "--no-such-option").code == 2


def test_a_reader_that_stops_reading_is_no_error(organisation: Path) -> None:
    command = f"{sys.executable} -m dora query 'from commits' -c {organisation} | head -n 1"
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in ran.stderr
    assert ran.returncode == 0


def test_a_reader_that_stops_early_in_a_long_explanation_is_no_error(organisation: Path) -> None:
    asked = f"explain lead-time --window 2026-H1 -c {organisation}"
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m dora {asked} | head -n 1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("command", [c for c in group.commands if c != "record"])  # opens no store
def test_every_command_takes_a_configuration_a_store_and_a_time(
    dora: Command, command: str
) -> None:
    said = dora(command, "--help").out
    for option in ("-c, --config", "--store", "--as-of", "-v, --verbose"):
        assert option in said


@pytest.mark.parametrize("command", ["init", "check", "sync", "status", "show"])
def test_a_time_that_is_none_is_refused_by_every_command(
    dora: Command, organisation: Path, command: str
) -> None:
    place = organisation.parent / "new.toml" if command == "init" else organisation
    ran = dora(command, "-c", place, "--as-of", "yesterdayish")
    assert (ran.code, ran.out) == (2, "")
    assert "yesterdayish" in ran.err
    assert not (organisation.parent / "new.toml").exists()


def test_init_names_the_store_as_the_configuration_sees_it(
    dora: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert dora("init", "-c", "settings/my.toml", "--store", "kept/all.duckdb").code == 0
    loaded = config.load(Path("settings/my.toml"))
    assert loaded.store.resolve() == tmp_path / "kept" / "all.duckdb"


def test_quickstart_puts_configuration_and_store_where_it_is_told(
    dora: Command, tagged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("quickstart", tagged, "--out", "out", "-c", "mine.toml", "--store", "kept/my.duckdb")
    ran = dora(*asked)
    assert ran.code == 0, ran.err
    assert {"mine.toml", "kept/my.duckdb"} <= {line.strip() for line in ran.out.splitlines()}
    assert Path("kept/my.duckdb").exists()
    assert config.load(Path("mine.toml")).store.resolve() == tmp_path / "kept" / "my.duckdb"
    assert not Path("out/dora.toml").exists()


def test_quickstart_never_shows_one_clone_as_another(
    dora: Command, tagged: Path, tmp_path: Path
) -> None:
    other = History(tmp_path / "other")
    other.commit("Its own", at="2026-01-05T10:00Z")
    assert dora("quickstart", tagged, "--out", tmp_path / "out").code == 0
    ran = dora("quickstart", other.path, "--out", tmp_path / "out")
    assert (ran.code, ran.out) == (2, "")
    assert "does not read" in ran.err
    assert "--out" in ran.err


def test_a_sync_that_fails_says_what_to_do(dora: Command, tmp_path: Path) -> None:
    history = History(tmp_path / "shop")
    history.commit("Only one", at="2026-01-05T10:00Z")
    path = history.path.parent / "dora.toml"
    path.write_text(
        '[[sources]]\nname = "shop"\nkind = "git"\npath = "shop"\ndeployments = ["tags:v*"]\n'
    )
    ran = dora("sync", "-c", path)
    assert ran.code == 1
    assert "No tag of local/shop fits tags:v*." in ran.err
    assert "git fetch --tags" in ran.err


def test_a_sync_that_rejects_rows_says_where_they_are_named(dora: Command, tmp_path: Path) -> None:
    (tmp_path / "incidents.csv").write_text("id,detected_at\nINC-1,2026-01-05\n")
    path = tmp_path / "dora.toml"
    path.write_text('[[sources]]\nname = "i"\nkind = "files"\npath = "incidents.csv"\n')
    ran = dora("sync", "-c", path)
    assert ran.code == 0
    assert "dora status" in ran.err
    assert "incidents.csv:2" in dora("status", "-c", path).out


def test_a_wait_that_is_no_length_of_time_is_refused(
    dora: Command, tagged: Path, tmp_path: Path
) -> None:
    path = tmp_path / "dora.toml"
    dora("init", "-c", path, "--path", tagged)
    assert dora("sync", "-c", path, "--max-wait", "30m", "--reconcile").code == 0
    ran = dora("sync", "-c", path, "--max-wait", "soon")
    assert ran.code == 1
    assert "'soon' is no length of time" in ran.err
