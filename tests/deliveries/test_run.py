"""One command for a clock: it may be started twice, killed, or find its disk full."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dora import cli, config, samples, sync
from dora.deliveries import Patience
from dora.deliveries.ledger import Ledger, place
from dora.errors import StoreBusy, UsageError
from dora.running import run
from dora.store import files
from tests.deliveries.servers import Inbox, chat, mail_server

FOLDER = '[[deliver]]\nname = "f"\nkind = "folder"\nformats = ["html"]\nwindow = "2026-Q2"\n'
PATIENCE = Patience(sleep=lambda _: None)


@pytest.fixture(scope="module")
def synced(tmp_path_factory):
    """The sample organisation, its store filled."""
    folder = tmp_path_factory.mktemp("synced")
    sync.sync(config.load(samples.write(folder)))
    return folder


@pytest.fixture
def place_of(synced, tmp_path):
    """A copy of it with deliveries."""

    def make(*deliveries: str) -> Path:
        shutil.copytree(synced, tmp_path / "org")
        path = tmp_path / "org" / "dora.toml"
        path.write_text("\n".join([path.read_text(), *deliveries]))
        return path

    return make


def hook(name="w"):
    return f'[[deliver]]\nname = "{name}"\nkind = "webhook"\nurl_env = "HOOK"\nwindow = "2026-Q2"\n'


def go(path, **given):
    return run(config.load(path), patience=PATIENCE, **given)


def command(path):
    return [sys.executable, "-m", "dora", "run", "-c", str(path), "-q"]


def test_a_period_is_delivered_once(place_of, monkeypatch):
    with chat() as server:
        monkeypatch.setenv("HOOK", server.url)
        path = place_of(FOLDER, hook())
        first, second = go(path), go(path)
    assert not first.failed
    assert [one.message for one in second.outcomes] == [
        "2026-04-01..2026-07-01 is there already"
    ] * 2
    assert len(server.posts) == 1
    assert (path.parent / "reports" / "report.html").read_text().rstrip().endswith("</html>")


def test_another_period_is_another_delivery(place_of, monkeypatch):
    with chat() as server:
        monkeypatch.setenv("HOOK", server.url)
        path = place_of(hook())
        go(path)
        path.write_text(path.read_text().replace("2026-Q2", "2026-Q1"))
        go(path)
    assert len(server.posts) == 2


def test_what_plainly_failed_is_tried_by_the_next_run(place_of, monkeypatch):
    with chat(answers=[500] * 4) as server:
        monkeypatch.setenv("HOOK", server.url)
        path = place_of(hook())
        first, second = go(path), go(path)
    assert first.failed
    assert not second.failed
    assert len(server.posts) == 5


def test_a_post_that_may_have_arrived_waits_for_a_decision(place_of, monkeypatch):
    with chat(answers=["drop"]) as server:
        monkeypatch.setenv("HOOK", server.url)
        path = place_of(hook())
        first, second = go(path), go(path)
        assert first.failed
        assert second.failed
        assert "run --again 'w'" in second.outcomes[0].hint
        assert len(server.posts) == 1
        assert not go(path, again=["w"]).failed
    assert len(server.posts) == 2


def test_one_failing_delivery_does_not_stop_the_others(place_of, monkeypatch):
    monkeypatch.setenv("HOOK", "")
    came = go(place_of(hook(), FOLDER))
    assert [one.done for one in came.outcomes] == [False, True]
    assert came.failed


def test_a_mail_is_sent_through_a_real_server(place_of):
    inbox = Inbox()
    with mail_server(inbox) as port:
        path = place_of(
            '[[deliver]]\nname = "m"\nkind = "email"\nto = "a@example.org"\n'
            f'from = "d@example.org"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
            'window = "2026-Q2"\n'
        )
        go(path)
        go(path)
    assert len(inbox.mails) == 1


def test_a_failing_source_makes_a_report_that_says_so_and_a_failed_run(place_of):
    path = place_of(FOLDER)
    (path.parent / "commits.jsonl").chmod(0)
    path.write_text(
        path.read_text() + '\n[[sources]]\nname = "gone"\nkind = "git"\npath = "nowhere"\n'
    )
    came = go(path)
    assert came.failed
    assert any("gone" in problem for problem in came.problems)
    page = (path.parent / "reports" / "report.html").read_text()
    assert page.index("The source gone failed") < page.index("<main>")


def test_an_old_record_makes_a_failed_run(place_of):
    came = go(place_of(FOLDER), now=datetime.now(UTC) + timedelta(days=30))
    assert came.failed
    assert "last read 30 d ago" in came.warnings[0]
    assert came.outcomes[0].done


def test_two_at_once_are_refused_by_one_clear_message(place_of):
    path = place_of(FOLDER)
    store = config.load(path).store
    lock = files.Lock(store.with_name(f"{store.name}.run.lock"))
    try:
        with pytest.raises(StoreBusy, match="Another run is going on"):
            go(path)
    finally:
        lock.release()
    assert not go(path).failed


def test_two_processes_deliver_once(place_of, monkeypatch):
    with chat() as server:
        monkeypatch.setenv("HOOK", server.url)
        path = place_of(hook())
        both = [subprocess.Popen(command(path), stderr=subprocess.PIPE) for _ in range(2)]
        codes = sorted(one.wait(120) for one in both)
        said = b"".join(one.stderr.read() for one in both)
        for one in both:
            one.stderr.close()
    assert codes in ([0, 1], [0, 0])
    assert codes == [0, 0] or b"Another run is going on" in said
    assert len(server.posts) == 1


def test_killed_at_any_point_the_last_good_report_stays_and_the_next_run_ends_well(place_of):
    path = place_of(FOLDER.replace('["html"]', '["html", "md"]'))
    started = time.monotonic()
    assert subprocess.run(command(path), timeout=120).returncode == 0
    takes = time.monotonic() - started
    newest = path.parent / "reports" / "report.html"
    chance = random.Random(20261123)
    for number in range(5):
        path.write_text(path.read_text().replace('window = "2026-Q2"', 'window = "2026-Q1"'))
        process = subprocess.Popen([*command(path), "--again", "f"], stderr=subprocess.DEVNULL)
        time.sleep(takes * (number + chance.random()) / 5)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        for page in [newest, *newest.parent.glob("*/report.html")]:
            if not page.parent.name.startswith("."):
                assert page.read_text().rstrip().endswith("</html>")
    assert subprocess.run(command(path), timeout=120).returncode == 0
    assert "2026-Q1 (2026-01-01 to 2026-03-31) · UTC" in newest.read_text()
    assert not list(newest.parent.glob(".*"))


def test_on_a_full_disk_the_last_good_report_stays(place_of):
    path = place_of(FOLDER)
    assert not go(path).failed
    newest = path.parent / "reports" / "report.html"
    before = newest.read_bytes()
    path.write_text(path.read_text().replace("2026-Q2", "2026-Q1"))
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        " resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        " from dora.cli import run; from dora import deliveries; deliveries.TRIES = 1;"
        " deliveries.Patience.__init__.__defaults__ = (1, lambda s: None, lambda: 0.5);"
        f" sys.exit(run(['run', '-c', {str(path)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert "not delivered" in done.stderr
    assert "Traceback" not in done.stderr
    assert newest.read_bytes() == before
    assert not go(path).failed
    assert newest.read_bytes() != before


def test_how_long_a_source_is_waited_for_may_be_bounded(place_of, monkeypatch):
    asked, real = [], sync.sync

    def watched(given, **more):
        asked.append(more["max_wait"])
        return real(given, **more)

    monkeypatch.setattr(sync, "sync", watched)
    path = str(place_of(FOLDER))
    assert cli.run(["run", "-c", path, "-q", "--max-wait", "30m", "--stale-after", "9999d"]) == 0
    cli.run(["run", "-c", path, "-q"])
    assert asked == [timedelta(minutes=30), None]


def test_nothing_to_deliver_is_said(place_of):
    with pytest.raises(UsageError, match="No report is to go anywhere"):
        go(place_of())


def test_an_unknown_delivery_is_said(place_of):
    with pytest.raises(UsageError, match="no delivery 'x'"):
        go(place_of(FOLDER), again=["x"])


def test_what_happened_is_in_the_log_beside_the_store(place_of):
    path = place_of(FOLDER)
    go(path)
    text = (path.parent / "dora.duckdb.run.log").read_text()
    assert "run begins" in text
    assert "f: 2026-04-01..2026-07-01 written to" in text


def test_the_command_says_where_each_report_went(place_of, capsys):
    path = place_of(FOLDER)
    assert cli.run(["run", "-c", str(path)]) == 0
    assert capsys.readouterr().out.startswith("f: 2026-04-01..2026-07-01 written to ")
    assert Ledger(place(config.load(path).store)).path.exists()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('kind = "pigeon"', "line 2: deliver[1].kind: there is no delivery 'pigeon'"),
        ('kind = "webhook"', "deliver[1].url_env: it is missing"),
        ('kind = "folder"\nwindow = "soon"', "line 3: deliver[1].window: "),
        ('kind = "folder"\nfolder = "x"', "line 3: deliver[1].folder: there is no key 'folder'"),
        (
            'kind = "email"\nto = "a"\nfrom = "b@c"\nhost = "h"',
            "line 3: deliver[1].to[1]: ",
        ),
        (
            'kind = "email"\nto = "a@b"\nfrom = "b@c"\nhost = "h"\npassword = "hush"',
            "line 6: deliver[1].password: a secret may not stand in this file",
        ),
    ],
)
def test_faults_in_the_configuration_have_their_line(tmp_path, text, fault):
    path = tmp_path / "dora.toml"
    path.write_text(f"[[deliver]]\n{text}\n")
    from dora.errors import ConfigError

    with pytest.raises(ConfigError) as found:
        config.load(path)
    assert any(fault in one for one in found.value.faults), found.value.faults
    assert "hush" not in str(found.value)
