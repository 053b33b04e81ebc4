"""What is taken out of a store is gone from its bytes; the numbers that are left are the same."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from dora import config, sync
from dora.cli import run
from dora.delivery import Delivery
from dora.errors import StoreMissing, StoreUnreadable, UsageError
from dora.identities import FORGOTTEN, Identities
from dora.privacy import forgetting
from dora.records import RECORD_TYPES, columns
from dora.sync import sync as run_sync
from tests.repositories import History

EVE = "Eve Zyxwvut <eve.zyxwvut@example.org>"
BEN = "Ben Qponmlk <ben.qponmlk@example.org>"
NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = NOW - timedelta(days=900)


def commits(history: History, number: int, first: datetime, *, author: str, tag: str) -> None:
    """Some commits an hour apart, and the release that ships them."""
    for hour in range(number):
        moment = first + timedelta(hours=hour)
        head = history.commit(f"Change {tag}-{hour} by {author[:3]}", at=moment, author=author)
    history.tag(tag, head, at=first + timedelta(hours=number))


@pytest.fixture
def organisation(tmp_path: Path) -> Path:
    """A clone with two old releases and two new ones, and incidents of then and now."""
    history = History(tmp_path / "shop")
    commits(history, 3, LONG_AGO, author=EVE, tag="v0.1")
    commits(history, 3, LONG_AGO + timedelta(days=2), author=EVE, tag="v0.2")
    commits(history, 4, NOW - timedelta(days=60), author=BEN, tag="v1.0")
    commits(history, 5, NOW - timedelta(days=30), author=EVE, tag="v1.1")
    history.save()
    pd.DataFrame(
        {
            "id": ["OLD-1", "NEW-1"],
            "title": ["Old outage seen by Eve Zyxwvut", "New outage"],
            "detected_at": [LONG_AGO + timedelta(hours=4), NOW - timedelta(days=29, hours=18)],
            "resolved_at": [LONG_AGO + timedelta(hours=9), NOW - timedelta(days=29, hours=17)],
        }
    ).to_csv(tmp_path / "incidents.csv", index=False)
    path = tmp_path / "dora.toml"
    path.write_text(
        '[[sources]]\nname = "shop"\nkind = "git"\npath = "shop"\ndeployments = ["tags:v*"]\n'
        '[[sources]]\nname = "operations"\nkind = "files"\npath = "incidents.csv"\ncovers = ["*"]\n'
    )
    return path


def amended(path: Path, line: str) -> config.Config:
    """The configuration with a line more at its top."""
    path.write_text(f"{line}\n{path.read_text()}")
    return config.load(path)


def holds(path: Path, text: str) -> bool:
    """Whether any file beside the store has a text in its bytes."""
    files = [file for file in path.parent.iterdir() if file.name.startswith("dora.duckdb")]
    assert path.parent / "dora.duckdb" in files
    return any(text.lower().encode() in file.read_bytes().lower() for file in files)


def count(path: Path, query: str) -> int:
    with duckdb.connect(str(path.parent / "dora.duckdb"), read_only=True) as connection:
        return int(connection.execute(query).fetchall()[0][0])


def numbers(settings: config.Config) -> list[object]:
    """The five metrics of the last 90 days, each with everything it says."""
    delivery = Delivery.of(settings).as_of(NOW).window("90d")
    results = [delivery.metric(name) for name in delivery.metrics]
    return [(r.name, r.value, r.low, r.high, r.n, r.reason, r.counts) for r in results]


def test_what_is_older_than_it_may_be_kept_is_gone_and_newer_numbers_are_the_same(organisation):
    whole = config.load(organisation)
    run_sync(whole)
    before = numbers(whole)
    assert [n for _, _, _, _, n, _, _ in before if n]
    assert holds(organisation, "Change v0.1-1 by Eve")
    assert holds(organisation, "OLD-1")
    short = amended(organisation, 'privacy = { retention = "6mo" }')
    summary = run_sync(short)
    assert "1 deployment" in " ".join(summary.notes)
    assert "1 incident" in " ".join(summary.notes)
    for text in ("Change v0.1", "Change v0.2", "OLD-1", "Old outage"):
        assert not holds(organisation, text), text
    assert holds(organisation, "Change v1.1-1 by Eve")
    assert count(organisation, "select count(*) from deployments") == 3  # the anchor and the new
    assert count(organisation, "select count(*) from commits") == 15  # the graph is whole
    assert numbers(short) == before


def test_a_sync_with_nothing_new_takes_nothing_out_again_and_writes_no_file_anew(organisation):
    settings = amended(organisation, 'privacy = { retention = "6mo" }')
    assert run_sync(settings).notes
    assert run_sync(settings).notes == ()
    assert count(organisation, "select count(*) from meta where key = 'erased'") == 0


def test_reading_everything_again_brings_nothing_old_back(organisation):
    settings = amended(organisation, 'privacy = { retention = "6mo" }')
    run_sync(settings)
    run_sync(settings, full=True)
    assert not holds(organisation, "Change v0.1")
    assert count(organisation, "select count(*) from incidents") == 1


def test_a_change_of_long_ago_that_was_delivered_lately_stays(organisation):
    history = History(organisation.parent / "shop")
    old = history.commit("Waited for years", at=LONG_AGO + timedelta(days=5), author=BEN)
    history.tag("v1.2", old, at=NOW - timedelta(days=10))
    history.save()
    run_sync(amended(organisation, 'privacy = { retention = "6mo" }'))
    assert holds(organisation, "Waited for years")


def test_titles_are_not_kept_where_they_are_not_wanted(organisation):
    run_sync(config.load(organisation))
    assert holds(organisation, "Change v1.0-1")
    settings = amended(organisation, "store_titles = false")
    assert "without their texts" in " ".join(run_sync(settings).notes)
    run_sync(settings, full=True)
    for text in ("Change v", "outage"):
        assert not holds(organisation, text), text
    assert numbers(settings)


def test_one_person_is_forgotten_now_and_by_every_later_sync(organisation):
    settings = replace(config.load(organisation), identities="plain")
    run_sync(settings)
    assert holds(organisation, "eve.zyxwvut")
    before = numbers(settings)
    gone = forgetting.forget(settings, EVE)
    assert gone.rows == 11  # 3 + 3 + 5 commits
    assert gone.texts == 1  # the title of the old incident
    assert numbers(settings) == before
    History(organisation.parent / "shop").commit("One more", at=NOW, author=EVE.upper())
    run_sync(settings)
    incidents = organisation.parent / "incidents.csv"  # texts are a source's own to mend
    incidents.write_text(incidents.read_text().replace("Eve Zyxwvut", "a user"))
    run_sync(settings, full=True)
    for text in ("zyxwvut", "eve.z"):
        assert not holds(organisation, text), text
    assert holds(organisation, "qponmlk")
    assert count(organisation, f"select count(*) from commits where author = '{FORGOTTEN}'") == 12


def test_a_pseudonym_is_forgotten_too(organisation):
    settings = config.load(organisation)
    run_sync(settings)
    kept = Identities.for_store(settings.store, "pseudonyms", ()).trace(EVE)
    assert holds(organisation, kept)
    assert forgetting.forget(settings, "EVE.ZYXWVUT@example.org").rows == 11
    assert not holds(organisation, kept)
    # Cut short before it was published, or asked for again: it holds what it promises.
    assert forgetting.forget(settings, EVE).rows == 0


def test_who_is_forgotten_stands_in_no_file(organisation):
    settings = config.load(organisation)
    run_sync(settings)
    forgetting.forget(settings, EVE)
    kept = settings.store.with_name("dora.duckdb.forgotten")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert b"eve" not in kept.read_bytes().lower()
    assert Identities.for_store(settings.store, "pseudonyms", ()).pseudonym(EVE) == FORGOTTEN


def test_another_key_leaves_no_pseudonym_of_the_old_one(organisation):
    settings = config.load(organisation)
    run_sync(settings)
    before = numbers(settings)
    old = [Identities.for_store(settings.store, "pseudonyms", ()).trace(p) for p in (EVE, BEN)]
    key = settings.store.with_name("dora.duckdb.key")
    first = key.read_text()
    assert forgetting.forget_all(settings).rows == 15
    assert key.read_text() != first
    assert not any(holds(organisation, kept) for kept in old)
    run_sync(settings)  # under the new key, everything
    assert count(organisation, "select count(distinct author) from commits") == 2
    assert not any(holds(organisation, kept) for kept in old)
    assert numbers(settings) == before


def test_an_unreadable_list_of_the_forgotten_stops_the_sync(organisation):
    settings = config.load(organisation)
    settings.store.with_name("dora.duckdb.forgotten").write_bytes(b"")
    with pytest.raises(StoreUnreadable, match="forgotten"):
        run_sync(settings)


def test_forgetting_says_what_it_cannot_do(organisation, monkeypatch):
    settings = config.load(organisation)
    with pytest.raises(StoreMissing):
        forgetting.forget(settings, EVE)
    with pytest.raises(UsageError, match="Nobody"):
        forgetting.forget(settings, " ")
    with pytest.raises(UsageError, match="no key"):
        forgetting.forget_all(replace(settings, identities="plain"))
    monkeypatch.setenv("DORA_IDENTITY_KEY", "a key of ours")
    run_sync(settings)
    with pytest.raises(StoreUnreadable, match="DORA_IDENTITY_KEY"):
        forgetting.forget_all(settings)


def test_the_commands_say_what_they_did(organisation, capsys):
    run_sync(config.load(organisation))
    assert run(["forget", EVE, "-c", str(organisation)]) == 0
    assert "11 facts" in capsys.readouterr().out
    assert run(["forget", "--all", "-c", str(organisation)]) == 0
    assert "15 facts" not in capsys.readouterr().out  # eleven of them said nothing any more
    assert run(["forget", "-c", str(organisation)]) == 2
    assert run(["forget", EVE, "--all", "-c", str(organisation)]) == 2
    assert run(["privacy", "-c", str(organisation), "--format", "csv"]) == 0
    listed = capsys.readouterr().out
    for record_type in RECORD_TYPES:
        for column in columns(record_type).values():
            assert column.name in listed
    assert "commits,author,pseudonym" in listed


def test_exports_name_nobody(organisation, capsys):
    """Every command's output, planted names nowhere, also where the store has them in plain."""
    settings = amended(organisation, 'identities = "plain"')
    run_sync(settings)
    out = organisation.parent / "out"
    base = ["-c", str(organisation), "--window", "3y"]
    for form in ("csv", "parquet"):
        assert run(["export", *base, "--out", str(out / form), "--format", form]) == 0
    assert run(["report", *base, "-o", str(out / "report.html")]) in (0, 1)
    assert run(["report", *base, "-o", str(out / "report.md")]) in (0, 1)
    for metric in Delivery.of(settings).metrics:
        assert run(["show", metric, *base, "--by", "month"]) == 0
        assert run(["explain", metric, *base]) == 0
        assert run(["plot", metric, *base, "-o", str(out / f"{metric}.svg")]) == 0
    assert run(["status", "-c", str(organisation)]) == 0
    said = capsys.readouterr()
    texts = [said.out.encode(), said.err.encode()]
    texts += [file.read_bytes() for file in out.rglob("*") if file.is_file()]
    assert len(texts) > 30
    for text in texts:
        for name in (b"qponmlk", b"@example.org"):
            assert name not in text.lower()


def test_a_sync_killed_between_erasing_and_publishing_is_gone_on_with(organisation, monkeypatch):
    run_sync(config.load(organisation))
    settings = amended(organisation, 'privacy = { retention = "6mo" }')

    def killed(*_args: object, **_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sync.Writer, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            run_sync(settings)
    assert settings.store.with_name("dora.duckdb.sync").exists()
    run_sync(settings)
    assert not holds(organisation, "Change v0.1")
