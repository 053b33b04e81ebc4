"""Pseudonyms: stable under one key, useless without it, and the names behind them nowhere."""

from __future__ import annotations

import hmac
import stat
from pathlib import Path

import pytest

from dora import store
from dora.connector import Block, Checkpoint, Rejected
from dora.errors import StoreUnreadable
from dora.identities import Identities
from dora.records import Commit
from dora.rules import Rules
from tests.sync.fake import commit

BOTS = Rules().bots


def test_a_pseudonym_is_the_keyed_hash_of_the_address_whatever_the_name_and_case() -> None:
    identities = Identities("pseudonyms", "secret", BOTS)
    expected = hmac.new(b"secret", b"ada@example.org", "sha256").hexdigest()[:16]
    for raw in ("Ada <ada@example.org>", "A. Lovelace <ADA@Example.org>", "ada@example.org"):
        assert identities.pseudonym(raw) == expected
    assert identities.pseudonym("ada") == identities.pseudonym("ADA") != expected
    assert Identities("pseudonyms", "other", BOTS).pseudonym("ada@example.org") != expected


def test_an_empty_address_is_no_address() -> None:
    identities = Identities("pseudonyms", "secret", ())
    assert identities.pseudonym("Ada <>") != identities.pseudonym("Bob <>")


def test_plain_identities_are_kept_as_they_are() -> None:
    assert Identities("plain", "", ()).pseudonym("Ada <ada@example.org>") == "Ada <ada@example.org>"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>", True),
        ("Renovate Bot <bot@renovateapp.com>", True),
        ("release-bot <release@example.org>", True),
        ("Ada Lovelace <ada@example.org>", False),
        ("Abbott <abbott@example.org>", False),
    ],
)
def test_machines_are_recognised_by_pattern_before_their_names_are_gone(
    raw: str, expected: bool
) -> None:
    assert Identities("pseudonyms", "secret", BOTS).is_bot(raw) is expected


def test_a_machine_is_one_if_either_the_source_or_a_pattern_says_so(tmp_path: Path) -> None:
    names = ("repository", "sha", "parents", "authored_at", "committed_at", "author", "is_bot")
    text = b"".join(
        b"r\x1f%d\x1f\x1f0\x1f0\x1f%s\x1f%s\n" % (number, author, stated)
        for number, (author, stated) in enumerate(
            [(b"x[bot]", b"0"), (b"ada", b"1"), (b"ada", b"0"), (b"", b"1"), (b"", b"")]
        )
    )
    identities = Identities("pseudonyms", "secret", BOTS)
    with store.Writer.open(tmp_path / "s.duckdb", identities=identities) as writer:
        block = Block(Commit, names, delimited=[text])
        writer.write("git", [block, Checkpoint({})], stream="commits")
        rows = writer.connection.execute("select is_bot, author from commits order by sha")
        ada = identities.pseudonym("ada")
        assert rows.fetchall() == [
            (True, identities.pseudonym("x[bot]")),
            (True, ada),
            (False, ada),
            (True, None),
            (False, None),
        ]


def test_the_key_is_made_once_beside_the_store_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DORA_IDENTITY_KEY", raising=False)
    path = tmp_path / "new" / "s.duckdb"
    first = Identities.for_store(path, "pseudonyms", ())
    key = tmp_path / "new" / "s.duckdb.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text().strip()) == 64
    again = Identities.for_store(path, "pseudonyms", ())
    assert first.pseudonym("ada") == again.pseudonym("ada")
    key.unlink()
    assert Identities.for_store(path, "pseudonyms", ()).pseudonym("ada") != first.pseudonym("ada")


def test_a_key_in_the_environment_needs_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORA_IDENTITY_KEY", "secret")
    identities = Identities.for_store(tmp_path / "s.duckdb", "pseudonyms", ())
    assert identities.pseudonym("a") == Identities("pseudonyms", "secret", ()).pseudonym("a")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_cannot_be_read_is_said_with_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DORA_IDENTITY_KEY", raising=False)
    (tmp_path / "s.duckdb.key").mkdir()
    with pytest.raises(StoreUnreadable, match="DORA_IDENTITY_KEY"):
        Identities.for_store(tmp_path / "s.duckdb", "pseudonyms", ())


def test_a_store_kept_under_another_key_is_refused_unless_it_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    one, other = Identities("pseudonyms", "1", ()), Identities("pseudonyms", "2", ())
    with store.Writer.open(path, identities=one) as writer:
        writer.write("git", [commit(1), Checkpoint({})], stream="commits")
        writer.publish()
    with pytest.raises(StoreUnreadable, match="--full"), store.Writer.open(path, identities=other):
        pass
    with store.Writer.open(path, identities=one) as writer:
        assert writer.notes == []
    with store.Writer.open(path, identities=other, afresh=True) as writer:
        assert writer.cursor("git", "commits") is None
        assert writer.connection.execute("select count(*) from commits").fetchall() == [(0,)]
        writer.publish()
    with store.Writer.open(path, identities=other) as writer:
        assert writer.connection.execute("select count(*) from commits").fetchall() == [(0,)]


def test_names_are_in_no_file_neither_while_writing_nor_published(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    names = ("repository", "sha", "parents", "authored_at", "committed_at", "author")
    line = "r\x1f%d\x1f\x1f0\x1f0\x1fPlanted Name%d <planted%d@example.org>\n"
    block = Block(Commit, names, delimited=[(line % (n, n, n)).encode() for n in range(3000)])
    refused = Rejected(Commit, "commits.csv:2", "Planted <planted@example.org>?", "Planted Name9")
    with store.Writer.open(path, identities=Identities("pseudonyms", "secret", ())) as writer:
        writer.write("git", [commit(1), block, refused, Checkpoint({})], stream="commits")
        assert _files_naming(tmp_path) == []
        writer.connection.execute("checkpoint")
        assert _files_naming(tmp_path) == []
        writer.publish()
    assert _files_naming(tmp_path) == []


def _files_naming(folder: Path) -> list[Path]:
    """The files below a folder in which one of the planted addresses stands."""
    found = []
    for path in folder.rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        if b"@example.org" in content or b"planted name9" in content:
            found.append(path)
    return found
