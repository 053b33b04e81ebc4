"""Asking a host over HTTP: every fault ends with the same page, bounded, and shows no secret."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.http import judging
from connectors.http.errors import Absent
from connectors.http.pacing import Pace
from connectors.http.parallel import read_all
from connectors.http.rest import Refusal, Rest
from connectors.http.retrying import Caller, GiveUp, Policy, Refused, Retry, Wait
from connectors.http.scrubbing import Scrubber
from connectors.http.tokens import Token, Tokens, from_command, from_netrc, from_variables
from connectors.testing import Waits
from dora.connector import Checkpoint, Item, Note
from dora.errors import SourceError, WaitEnded
from dora.patience import Patience
from tests.connectors.hosts import Reply, in_turn, serving

SECRET = "s3cret-planted-token"
GOOD = Reply({"rows": [1, 2]})


def rest(url: str, *tokens: str, patience: Patience | None = None, timeout: float = 5) -> Rest:
    shown = Tokens([Token(f"T{number}", value) for number, value in enumerate(tokens)])
    return Rest(url, Caller(shown, patience or Waits()), timeout=timeout)


FAULTS = {
    "500": Reply({}, 500),
    "502 page": Reply(text="<html>Bad gateway</html>", status=502),
    "503 with Retry-After": Reply({}, 503, {"Retry-After": "7"}),
    "429": Reply({}, 429),
    "429 with Retry-After": Reply({}, 429, {"Retry-After": "3"}),
    "429 with reset": Reply({}, 429, {"RateLimit-Reset": "5"}),
    "408": Reply({}, 408),
    "web page": Reply(text="<html>Sign in</html>"),
    "nothing": Reply(text=""),
    "half a body": Reply({"rows": [1, 2, 3, 4, 5, 6]}, cut=True),
    "bad JSON": Reply(text='{"rows": [1,'),
    "dropped": Reply(dropped=True),
    "slow": Reply(GOOD.content, seconds=0.4),
}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_costs_requests_but_no_rows(fault: str, times: int) -> None:
    with serving(in_turn(*[FAULTS[fault]] * times, GOOD)) as host:
        answer = rest(host.url, SECRET, timeout=0.2).get("/rows", {"page": 1})
    assert answer.content == {"rows": [1, 2]}
    assert len(host.asked) == times + 1
    assert {one.path for one in host.asked} == {"/rows?page=1"}


def test_a_page_without_what_it_must_have_is_asked_for_again() -> None:
    with serving(in_turn(Reply({"took": 3}), Reply([]), GOOD)) as host:
        asking = rest(host.url, SECRET)
        answer = asking.post("/rows", {"page": 1}, whole=lambda said: "rows" in said)
        assert answer.content == GOOD.content
        with pytest.raises(SourceError, match="not what was asked for"):
            asking.get("/rows", whole=lambda said: "columns" in said)
    assert len(host.asked) == 3 + 6


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "slow"])
def test_a_fault_that_stays_ends_with_an_error_after_a_bounded_number_of_requests(
    fault: str,
) -> None:
    with (
        serving(in_turn(FAULTS[fault])) as host,
        pytest.raises(SourceError, match="did not answer as it should") as failed,
    ):
        rest(host.url, SECRET).get("/rows")
    assert len(host.asked) <= 21
    assert failed.value.hint


def test_what_is_not_there_is_told_apart_from_a_host_that_fails() -> None:
    with serving(in_turn(Reply({"message": "Not Found"}, 404))) as host:
        with pytest.raises(Absent, match="404 Not Found"):
            rest(host.url, SECRET).get("/rows")
        assert len(host.asked) == 1


@pytest.mark.parametrize("status", [400, 418, 422])
def test_a_question_that_is_wrong_is_asked_once(status: int) -> None:
    with serving(in_turn(Reply({"message": "no such field"}, status))) as host:
        with pytest.raises(SourceError, match=rf"answers {status}: no such field"):
            rest(host.url, SECRET).get("/rows")
        assert len(host.asked) == 1


def test_pages_are_followed_to_the_last() -> None:
    def answer(asked: Any, _: int) -> Reply:
        page = int(asked.path.rpartition("=")[2])
        link = {"Link": f'</rows?page={page + 1}>; rel="next"'} if page < 3 else {}
        return Reply([page], headers=link)

    with serving(answer) as host:
        pages = [one.content for one in rest(host.url).pages("/rows", {"page": 1})]
    assert pages == [[1], [2], [3]]


def test_a_host_may_send_its_readers_on_but_never_the_token_elsewhere() -> None:
    moved = Reply({}, 301, {"Location": "/moved?page=1"})
    with serving(in_turn(moved, GOOD)) as host:
        assert rest(host.url, SECRET).get("/rows").content == GOOD.content
        assert [one.path for one in host.asked] == ["/rows", "/moved?page=1"]
    with serving(in_turn(GOOD)) as other:
        away = Reply({}, 302, {"Location": f"{other.url}/rows"})
        with serving(in_turn(away)) as host, pytest.raises(SourceError, match="elsewhere"):
            rest(host.url, SECRET).get("/rows")
        assert other.asked == []


def shown(host: Any) -> list[str]:
    return [one.headers.get("Authorization", "").removeprefix("Bearer ") for one in host.asked]


def test_tokens_take_turns() -> None:
    with serving(in_turn(GOOD)) as host:
        reading = rest(host.url, "aaaa", "bbbb")
        for _ in range(4):
            reading.get("/rows")
        assert sorted(shown(host)) == ["aaaa", "aaaa", "bbbb", "bbbb"]


def test_a_token_that_must_rest_is_passed_over_and_only_all_of_them_are_waited_for() -> None:
    def answer(asked: Any, _: int) -> Reply:
        tired = asked.headers["Authorization"].endswith("aaaa")
        return Reply({}, 429, {"Retry-After": "100"}) if tired else GOOD

    patience = Waits()
    with serving(answer) as host:
        reading = rest(host.url, "aaaa", "bbbb", patience=patience)
        for _ in range(4):
            reading.get("/rows")
        assert patience.said == []
        assert shown(host).count("aaaa") == 1
    with serving(in_turn(*[Reply({}, 429, {"Retry-After": "100"})] * 2, GOOD)) as host:
        rest(host.url, "aaaa", "bbbb", patience=patience).get("/rows")
    assert [(why, round(left)) for why, left in patience.said] == [("rate limit (429)", 100)]


def test_a_token_that_is_refused_is_done_without_and_named_when_none_is_left() -> None:
    def answer(asked: Any, _: int) -> Reply:
        good = asked.headers["Authorization"].endswith("bbbb")
        return GOOD if good else Reply({"message": "Bad credentials"}, 401)

    with serving(answer) as host:
        reading = rest(host.url, "aaaa", "bbbb")
        for _ in range(3):
            reading.get("/rows")
        assert shown(host).count("aaaa") == 1
    with serving(answer) as host, pytest.raises(SourceError, match=r"T0: 401 Bad credentials"):
        rest(host.url, "aaaa").get("/rows")
    with serving(in_turn(Reply({}, 401))) as host, pytest.raises(SourceError) as failed:
        rest(host.url).get("/rows")
    assert "token_env" in failed.value.hint


def test_a_wait_that_is_too_long_ends_it() -> None:
    with serving(in_turn(Reply({}, 429, {"Retry-After": "3600"}))) as host:
        reading = rest(host.url, SECRET, patience=Waits(timedelta(minutes=5)))
        with pytest.raises(WaitEnded, match=r"rate limit \(429\): it would take another 60 min"):
            reading.get("/rows")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "12"}, 12),
        ({"retry-after": formatdate(1_900_000_090), "date": formatdate(1_900_000_000)}, 90),
        ({"x-ratelimit-reset": "1900000030", "date": formatdate(1_900_000_000)}, 31),
        ({"ratelimit-reset": "40"}, 41),
        ({}, judging.SECONDS_UNTOLD),
        ({"retry-after": "soon"}, judging.SECONDS_UNTOLD),
    ],
)
def test_how_long_to_wait_is_as_the_host_says_by_its_own_clock(
    headers: dict[str, str], expected: float
) -> None:
    assert judging.seconds(headers) == expected


def test_statuses_that_hosts_share_are_judged_alike() -> None:
    assert judging.answered(401, {}, "Bad") == Refused("401 Bad")
    assert judging.answered(429, {"Retry-After": "2"}, "") == Wait(2.0, "rate limit (429)")
    assert judging.answered(502, {}, "") == Retry("502")
    assert judging.answered(403, {}, "") is None


def test_pauses_grow_and_stay_within_bounds() -> None:
    policy = Policy(first=1.0, longest=8.0)
    for failed, most in enumerate((1, 2, 4, 8, 8, 8), 1):
        assert most / 2 <= policy.pause(failed) <= most


def test_a_secret_is_in_no_error_whoever_put_it_there(caplog: pytest.LogCaptureFixture) -> None:
    echo = Reply({"message": f"token {SECRET} is wrong, see https://u:pw@host/"}, 422)
    with serving(in_turn(echo)) as host, pytest.raises(SourceError) as failed:
        rest(host.url, SECRET).get("/rows")
    assert SECRET not in str(failed.value)
    assert "u:pw" not in str(failed.value)
    shown = Caller(Tokens([Token("T", SECRET)]), Waits())

    def judge(refusal: Refusal) -> GiveUp:  # a connector's own, which says what the host said
        return GiveUp(SourceError(f"It said: {refusal.said}.", hint="Ask it otherwise."))

    with serving(in_turn(echo)) as host, pytest.raises(SourceError, match="It said") as failed:
        Rest(host.url, shown, judge=judge).get("/rows")
    assert SECRET not in f"{failed.value} {failed.value!r}"
    with serving(in_turn(GOOD)) as host, pytest.raises(SourceError) as failed:
        rest(host.url, f"{SECRET}\nX: y").get("/rows")  # requests shows the header it refuses
    assert SECRET not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__
    caller = Caller(Tokens([Token("T", f"{SECRET}\nX: y")]), Waits())

    def fault(token: Token | None) -> None:
        raise KeyError(token.value() if token else "")

    with pytest.raises(SourceError) as failed:
        caller.call(fault, judging.broken)
    assert SECRET not in str(failed.value)
    assert SECRET not in repr(Token("T", SECRET)) + repr(Tokens([Token("T", SECRET)]))
    assert SECRET not in repr(Caller(Tokens([Token("T", SECRET)]), Waits()))
    scrubber = Scrubber([SECRET])
    scrubber.watch("a.chatty.client")
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("a.chatty.client").debug("sent %s to %s", {"Authorization": SECRET}, "h")
    assert "sent" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "ghp_0123456789abcdefghij",
        "github_pat_11ABCDEFG0123456789_abc",
        "glpat-0123456789_abcdefghij",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NSJ9.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_secret_is_hidden_though_nobody_told_of_it(text: str) -> None:
    assert Scrubber().scrub(f"it said {text}!") == "it said …!"
    assert Scrubber().scrub("GET /repos/acme/shop?per_page=100") == (
        "GET /repos/acme/shop?per_page=100"
    )


def test_tokens_are_found_where_people_keep_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRST", f" {SECRET}\n")
    monkeypatch.delenv("SECOND", raising=False)
    (tmp_path / "token").write_text("from-a-file\n")
    monkeypatch.setenv("SECOND_FILE", str(tmp_path / "token"))
    found = from_variables(["FIRST", "SECOND"], required=True)
    assert [(one.name, one.value()) for one in found] == [
        ("FIRST", SECRET),
        ("SECOND", "from-a-file"),
    ]
    assert from_variables(["THIRD"], required=False) == []
    with pytest.raises(SourceError, match="THIRD is not set"):
        from_variables(["THIRD"], required=True)
    monkeypatch.setenv("SECOND_FILE", str(tmp_path / "none"))
    with pytest.raises(SourceError, match="SECOND_FILE names cannot be read"):
        from_variables(["SECOND"], required=True)
    rc = tmp_path / "netrc"
    rc.write_text("machine forge.example.com login me password from-netrc\n")
    monkeypatch.setenv("NETRC", str(rc))
    assert [one.value() for one in from_netrc("forge.example.com:8443")] == ["from-netrc"]
    assert from_netrc("other.example.com") == []
    rc.write_text("machine")
    assert from_netrc("forge.example.com") == []
    program = tmp_path / "gh"
    program.write_text('#!/bin/sh\n[ "$4" = good ] && echo from-a-program\n')
    program.chmod(0o755)
    asked = (str(program), "auth", "token", "--hostname")
    assert [one.value() for one in from_command(*asked, "good")] == ["from-a-program"]
    assert from_command(*asked, "bad") == []
    assert from_command(str(tmp_path / "nothing")) == []


def test_requests_keep_their_pace_whoever_makes_them() -> None:
    pace, patience = Pace(50), Patience()
    began = time.monotonic()
    threads = [
        threading.Thread(target=lambda: [pace.wait(patience) for _ in range(5)]) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 9 / 50


def test_a_connection_that_cannot_be_made_is_tried_and_then_told() -> None:
    with serving(in_turn(GOOD)) as host:
        gone = host.url
    with pytest.raises(SourceError, match="ConnectionError"):
        rest(gone, SECRET).get("/rows")
    assert judging.broken(requests.exceptions.SSLError("self-signed")) is not None
    assert judging.broken(KeyError("rows")) is None


def numbered(part: str, pages: int = 3) -> Iterator[Item]:
    for page in range(pages):
        yield from (Note(f"{part} {page} {row}") for row in range(10))
        yield Checkpoint({"page": page}, part=part)


def test_parts_read_at_once_come_whole_and_what_a_checkpoint_ends_stays_together() -> None:
    parts = [f"p{number}" for number in range(9)]
    items = list(read_all(parts, numbered, at_once=4, patience=Patience()))
    for part in parts:
        own = [one for one in items if _part(one) == part]
        assert own == list(numbered(part))
    together = 0
    for one in items:
        together = 0 if isinstance(one, Checkpoint) else together + 1
        assert together <= 10


def _part(item: Item) -> str:
    assert isinstance(item, Note | Checkpoint)
    return item.part if isinstance(item, Checkpoint) else item.message.split()[0]


def test_a_part_that_fails_ends_the_others_after_what_they_had_finished() -> None:
    patience = Patience()

    def read(part: str) -> Iterator[Item]:
        yield from numbered(part, 1)
        if part == "p0":
            raise SourceError("It is gone.", hint="Find it.")
        patience.wait(60, "rate limit")

    found: list[Item] = []
    began = time.monotonic()
    with pytest.raises(SourceError, match="It is gone"):
        _take(read_all(["p0", "p1", "p2"], read, at_once=2, patience=patience), found)
    assert time.monotonic() - began < 10
    assert {_part(one) for one in found} >= {"p0"}
    assert not readers()


def readers() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("dora-part")]


def _take(items: Iterator[Item], found: list[Item]) -> None:
    found += items


def test_a_reader_that_is_let_go_of_lets_go_of_its_threads() -> None:
    items = read_all([f"p{n}" for n in range(9)], numbered, at_once=3, patience=Patience())
    next(items)
    items.close()
    assert not readers()


def test_reading_to_the_end_leaves_the_patience_for_the_next_stream() -> None:
    patience = Patience()
    for _ in range(20):
        list(read_all(["a", "b", "c"], numbered, at_once=3, patience=patience))
        patience.check()
