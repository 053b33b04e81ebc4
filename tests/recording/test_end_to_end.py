"""From what pipelines push to the five metrics, worked out by hand, by every way of pushing.

Commits of example.org/acme/shop, authored in February 2026: c1 on the 2nd at 11:00, c2 on the 3rd
at 10:00, c3 on the 4th at 10:00, c4 on the 5th at 9:00, c5 on the 6th at 8:00. Deployed to
production, each at 12:00: d1 = c1 on the 2nd, d2 = c3 on the 4th, d3 = c4 on the 5th, d4 = c5 on
the 6th. An incident from 12:30 to 13:30 on the 5th is put down to d3, and d4 says that it fixes d3
and was not planned. A deployment to staging on the 10th is the newest fact, and so the time that
counts as now.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dora.cli import run
from tests.connectors.events import event, uuid
from tests.repositories import History

AUTHORED = ("2T11", "3T10", "4T10", "5T09", "6T08")
DEPLOYED = {1: (0, "2"), 2: (2, "4"), 3: (3, "5"), 4: (4, "6")}
BEGAN, ENDED = "2026-02-05T12:30:00Z", "2026-02-05T13:30:00Z"
REPOSITORY = "example.org/acme/shop"

EXPECTED = {
    "deployment_frequency": ("4.0", "4"),  # four in seven days
    "lead_time": ("10800.0", "5"),  # 1 h, 50 h, 2 h, 3 h, 4 h; what d1 was made of counts
    "change_failure_rate": ("0.25", "4"),  # d3 of four
    "time_to_restore": ("3600.0", "1"),  # 12:30 to 13:30
    "rework_rate": ("0.25", "4"),  # d4 of four
}


def at(number: int) -> str:
    return f"2026-02-0{DEPLOYED[number][1]}T12:00:00Z"


def by_command(workplace: Path, shas: list[str]) -> None:
    spool = ("--spool", str(workplace / "dora.d"), "-q")
    usual = ("deployment", "--service", "checkout", "--status", "succeeded")
    for number, (commit, _) in DEPLOYED.items():
        fixing = ("--fixes", "d3", "--unplanned") if number == 4 else ()
        code = run(
            ["record", *usual, "--environment", "production", "--sha", shas[commit], "--id",
             f"d{number}", "--finished", at(number), *fixing, *spool]
        )  # fmt: skip
        assert code == 0
    staged = ("--environment", "staging", "--finished", "2026-02-10T12:00:00Z", "--sha", shas[4])
    assert run(["record", *usual, *staged, *spool]) == 0
    hurt = ("--service", "checkout", "--detected", BEGAN, "--resolved", ENDED)
    assert run(["record", "incident", *hurt, "--caused-by", "d3", *spool]) == 0


def by_shell(workplace: Path, shas: list[str]) -> None:
    usual = {"record": "deployment", "service": "checkout", "status": "success"}
    lines: list[dict[str, Any]] = [
        {"environment": "production", "sha": shas[commit], "id": f"d{number}",
         "finished_at": at(number), "repository": f"https://{REPOSITORY}.git"}
        for number, (commit, _) in DEPLOYED.items()
    ]  # fmt: skip
    lines[3] |= {"fixes": "d3", "unplanned": True}
    lines.append({"environment": "staging", "sha": shas[4], "finished_at": "2026-02-10T12:00:00Z"})
    hurt = {"record": "incident", "service": "checkout", "caused_by": "d3"}
    hurt |= {"detected_at": BEGAN, "resolved_at": ENDED}
    write(workplace / "dora.d" / "ci.jsonl", [*(usual | line for line in lines), hurt])


def by_cdevents(workplace: Path, shas: list[str]) -> None:
    def artifact(commit: int) -> str:
        return f"pkg:oci/checkout@sha256:{commit:064x}"

    events = []
    for commit, sha in enumerate(shas):
        change = {"change": {"id": sha, "source": f"https://{REPOSITORY}"}}
        events.append(event("artifact.packaged", artifact(commit), change, id=uuid(commit)))
    for number, (commit, _) in {**DEPLOYED, 5: (4, "")}.items():
        place = "production" if number < 5 else "staging"
        content = {"environment": {"id": place}, "artifactId": artifact(commit)}
        moment = at(number) if number < 5 else "2026-02-10T12:00:00Z"
        said = {"fixes": uuid(13), "unplanned": True} if number == 4 else None
        events.append(
            event(
                "service.deployed", "checkout", content, id=uuid(10 + number), at=moment, dora=said
            )
        )
    hurt = {"environment": {"id": "production"}, "service": {"id": "service/checkout"}}
    for number, (predicate, moment) in enumerate((("detected", BEGAN), ("resolved", ENDED))):
        said = {"caused_by": uuid(13)}
        name = f"incident.{predicate}"
        events.append(event(name, "I-1", hurt, id=uuid(20 + number), at=moment, dora=said))
    write(workplace / "events" / "all.jsonl", reversed(events))


def write(file: Path, lines: Any) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("push", [by_command, by_shell, by_cdevents])
def test_the_five_metrics_of_what_was_pushed(
    tmp_path: Path,
    push: Callable[[Path, list[str]], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL"):
        monkeypatch.delenv(name, raising=False)
    history = History(tmp_path / "shop")
    shas = [history.commit(f"c{n}", at=f"2026-02-0{day}:00Z") for n, day in enumerate(AUTHORED, 1)]
    assert history.path.exists()
    push(tmp_path, shas)
    configuration = tmp_path / "dora.toml"
    configuration.write_text(
        f'as_of = "newest"\n[[sources]]\nname = "shop"\nkind = "git"\npath = "shop"\n'
        f'repository = "{REPOSITORY}"\n'
    )
    if push is by_cdevents:
        with configuration.open("a") as file:
            file.write('[[sources]]\nname = "events"\nkind = "cdevents"\npath = "events"\n')
    assert run(["sync", "-c", str(configuration), "-q"]) == 0
    capsys.readouterr()
    asked = ["--window", "2026-02-02..2026-02-09", "--format", "csv"]
    assert run(["show", "-c", str(configuration), *asked]) == 0
    shown = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert {row["metric"]: (row["value"], row["n"]) for row in shown} == EXPECTED
