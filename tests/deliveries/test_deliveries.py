"""Reports arrive, once, whatever the other side does."""

from __future__ import annotations

import json
import ssl
import traceback
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import trustme

import dora
from dora import report
from dora.config.deliver import Email, Folder, Webhook
from dora.deliveries import Parcel, Patience, TryAgain, hand_over, webhook
from dora.deliveries import email as mailing
from dora.deliveries.ledger import Ledger
from dora.errors import DeliveryFailed, MayHaveArrived
from dora.windows import Window
from tests.deliveries.servers import Inbox, chat, mail_server

WINDOW = Window(date(2026, 4, 1), date(2026, 7, 1), name="2026-Q2")


@pytest.fixture(scope="module")
def said():
    return report.gather(dora.sample().window("2026-Q2"), now=datetime.now(UTC))


@pytest.fixture
def parcel(said, tmp_path):
    def make(delivery, **changes):
        return Parcel(delivery, WINDOW, replace(said, **changes), tmp_path, "0123456789abcdef")

    return make


class Waits:
    """Remembers the waits instead of waiting."""

    def __init__(self):
        self.seconds = []

    @property
    def patience(self):
        return Patience(sleep=self.seconds.append, chance=lambda: 0.5)


def send(parcel, waits=None):
    steps = []
    told = hand_over(parcel, lambda: steps.append("sent"), (waits or Waits()).patience)
    assert steps
    return told


def mail_to(port, **given):
    values = {"name": "m", "to": ["a@example.org", "b@example.org"], "from": "dora@example.org"}
    return Email.model_validate(
        values | {"host": "127.0.0.1", "port": port, "security": "none"} | given
    )


def told(error):
    """All that an error shows, its causes and their tracebacks included."""
    return f"{error} {error!r} {''.join(traceback.format_exception(error))}"


# In a folder
def test_a_folder_has_each_period_and_the_newest_at_its_top(parcel, tmp_path):
    send(parcel(Folder(name="f", path="out", formats=("md",))))
    later = replace(parcel(Folder(name="f", path="out", formats=("md",)), scope="later"))
    later = replace(later, window=Window(date(2026, 7, 1), date(2026, 10, 1)))
    send(later)
    out = tmp_path / "out"
    assert "all services" in (out / "2026-04-01_2026-07-01" / "report.md").read_text()
    assert "later" in (out / "report.md").read_text()
    assert (out / "lead_time.png").read_bytes().startswith(b"\x89PNG")
    assert not [p for p in out.rglob("*") if "partial" in p.name]


def test_only_so_many_periods_are_kept(parcel, tmp_path):
    for month in (1, 2, 3):
        window = Window(date(2026, month, 1), date(2026, month + 1, 1))
        send(replace(parcel(Folder(name="f", path="o", formats=("md",), keep=2)), window=window))
    kept = sorted(p.name for p in (tmp_path / "o").iterdir() if p.is_dir())
    assert kept == ["2026-02-01_2026-03-01", "2026-03-01_2026-04-01"]


def test_a_folder_that_cannot_be_written_keeps_the_last_good_report(parcel, tmp_path, monkeypatch):
    wanted = parcel(Folder(name="f", path="out", formats=("md",)))
    send(wanted)
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "render", full)
    waits = Waits()
    with pytest.raises(TryAgain, match="No space left"):
        send(parcel(Folder(name="f", path="out", formats=("md",)), scope="new"), waits)
    assert len(waits.seconds) == 3
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before


# In a chat
@pytest.mark.parametrize("style", ["slack", "mattermost"])
def test_a_chat_gets_the_headline_and_a_line_a_metric(parcel, monkeypatch, style):
    with chat() as server:
        monkeypatch.setenv("HOOK", server.url)
        told = send(parcel(Webhook(name="w", url_env="HOOK", style=style, link="https://e.org/r")))
    assert told == f"posted to {style}"
    (post,) = server.posts
    lines = post["text"].splitlines()
    assert "No evidence of a change against 2026-Q1" in lines[0]
    assert len([line for line in lines if "no evidence" in line]) == 5
    assert "https://e.org/r" in lines[-1]


def test_teams_gets_a_card(parcel, monkeypatch):
    with chat() as server:
        monkeypatch.setenv("HOOK", server.url)
        send(parcel(Webhook(name="w", url_env="HOOK", style="teams", link="https://e.org/r")))
    content = server.posts[0]["attachments"][0]["content"]
    assert content["type"] == "AdaptiveCard"
    assert "No evidence" in content["body"][0]["text"]
    assert content["actions"][0]["url"] == "https://e.org/r"


@pytest.mark.parametrize("style", ["slack", "teams", "mattermost"])
def test_names_neither_format_nor_mention_in_a_chat(parcel, style):
    evil = "<!channel> @here *b* [x](javascript:y)"
    digest = webhook.digest(
        parcel(Webhook(name="w", url_env="H"), scope=evil).contents,
        Webhook(name="w", url_env="H", style=style),
    )
    text = json.dumps(digest, ensure_ascii=False)
    assert "<!channel>" not in text or style == "teams"
    assert "*b*" not in text
    assert "[x](" not in text or style == "slack"
    assert "@here" not in text or style == "teams"  # cards mention only by an entity of their own


def test_a_busy_chat_is_asked_again_when_it_says(parcel, monkeypatch):
    waits = Waits()
    with chat(answers=[429, 503], retry_after="7") as server:
        monkeypatch.setenv("HOOK", server.url)
        send(parcel(Webhook(name="w", url_env="HOOK")), waits)
    assert waits.seconds == [7.0, 8.0]  # what it asked for, then our own
    assert len(server.posts) == 3
    assert len(set(server.keys)) == 1


def test_a_chat_that_stays_down_is_left_to_the_next_run(parcel, monkeypatch):
    with chat(answers=[500] * 9) as server:
        monkeypatch.setenv("HOOK", server.url)
        with pytest.raises(TryAgain, match="answers 500"):
            send(parcel(Webhook(name="w", url_env="HOOK")))
    assert len(server.posts) == 4


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
def test_a_refusal_is_not_repeated_nor_followed(parcel, monkeypatch, status):
    with chat(answers=[status] * 9) as server:
        monkeypatch.setenv("HOOK", server.url)
        with pytest.raises(DeliveryFailed, match=f"answers {status}"):
            send(parcel(Webhook(name="w", url_env="HOOK")))
    assert len(server.posts) == 1


@pytest.mark.parametrize("answer", ["drop", "slow"])
def test_without_an_answer_nobody_knows_and_it_is_not_posted_twice(parcel, monkeypatch, answer):
    monkeypatch.setattr(webhook, "TIMEOUT", 0.3)
    with chat(answers=[answer]) as server:
        monkeypatch.setenv("HOOK", server.url)
        with pytest.raises(MayHaveArrived, match="may be there"):
            send(parcel(Webhook(name="w", url_env="HOOK")))
    assert len(server.posts) == 1


def test_a_chat_that_is_not_there_is_tried_again(parcel, monkeypatch):
    with chat() as server:
        url = server.url
    monkeypatch.setenv("HOOK", url)
    waits = Waits()
    with pytest.raises(TryAgain, match="cannot be reached") as failed:
        send(parcel(Webhook(name="w", url_env="HOOK")), waits)
    assert len(waits.seconds) == 3
    assert "secret-part" not in told(failed.value)


@pytest.mark.parametrize("value", ["", "not an address", "file:///etc/passwd"])
def test_a_variable_without_an_address_is_named(parcel, monkeypatch, value):
    monkeypatch.setenv("HOOK", value)
    with pytest.raises(DeliveryFailed, match="variable HOOK holds no address"):
        hand_over(parcel(Webhook(name="w", url_env="HOOK")), lambda: None, Waits().patience)


# By mail
def test_a_mail_has_text_html_pictures_and_the_report(parcel):
    inbox = Inbox()
    with mail_server(inbox) as port:
        assert send(parcel(mail_to(port, attach=["html", "md"]))) == "mailed to 2"
    (mail,) = inbox.mails
    assert mail["Subject"] == "all services: No evidence of a change against 2026-Q1."
    assert mail["To"] == "a@example.org, b@example.org"
    text = mail.get_body(("plain",)).get_content()
    assert "Change lead time" in text
    html = mail.get_body(("html",)).get_content()
    asked = {part for part in html.split('"') if part.startswith("cid:")}
    cids = {f"cid:{p['Content-ID'].strip('<>')}" for p in mail.walk() if p["Content-ID"]}
    assert asked == cids
    assert len(cids) == 3
    files = {p.get_filename(): p for p in mail.iter_attachments() if p.get_filename()}
    assert set(files) == {"report.html", "report.md"}
    assert "<!doctype html>" in files["report.html"].get_content()


def test_the_same_period_has_the_same_message_id(parcel):
    one, two = (mailing.message(parcel(mail_to(25)), mail_to(25)) for _ in range(2))
    assert one["Message-ID"] == two["Message-ID"] == "<0123456789abcdef@example.org>"


def test_a_busy_mail_server_is_tried_again(parcel):
    inbox, waits = Inbox(["451 greylisted", "421 busy"]), Waits()
    with mail_server(inbox) as port:
        send(parcel(mail_to(port)), waits)
    assert inbox.tried == 3
    assert len(inbox.mails) == 1
    assert len(waits.seconds) == 2


def test_a_mail_that_is_refused_for_good_is_not_repeated(parcel):
    inbox = Inbox(["554 no"])
    with mail_server(inbox) as port, pytest.raises(DeliveryFailed, match="refuses the mail"):
        send(parcel(mail_to(port)))
    assert inbox.tried == 1


@pytest.mark.parametrize("fault", ["drop", "keep and drop"])
def test_a_mail_cut_off_is_sent_again_under_its_own_id(parcel, fault):
    inbox = Inbox([fault])
    with mail_server(inbox) as port:
        send(parcel(mail_to(port)))
    assert inbox.tried == 2
    assert len({mail["Message-ID"] for mail in inbox.mails}) == 1  # one to its reader


def test_an_address_that_is_not_taken_is_said_and_the_others_get_it(parcel):
    inbox = Inbox(refused=["a@example.org"])
    with mail_server(inbox) as port:
        assert "does not take a@example.org" in send(parcel(mail_to(port)))
    assert len(inbox.mails) == 1
    nobody = Inbox(refused=["a@example.org", "b@example.org"])
    with mail_server(nobody) as port, pytest.raises(DeliveryFailed, match="none of the addresses"):
        send(parcel(mail_to(port)))


def test_a_mail_server_that_is_not_there_is_tried_again(parcel):
    with mail_server(Inbox()) as port:
        pass
    waits = Waits()
    with pytest.raises(TryAgain, match="cannot be reached"):
        hand_over(parcel(mail_to(port)), lambda: None, waits.patience)
    assert len(waits.seconds) == 3


@pytest.fixture
def authority(tmp_path, monkeypatch):
    own = trustme.CA()
    file = tmp_path / "ca.pem"
    own.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return own


def context(authority, name):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(tls)
    return tls


def test_mail_goes_by_starttls_with_a_log_in_from_the_environment(parcel, authority, monkeypatch):
    monkeypatch.setenv("MAIL_USER", "me")
    monkeypatch.setenv("MAIL_PASSWORD", "right")
    login = {"user_env": "MAIL_USER", "password_env": "MAIL_PASSWORD", "security": "starttls"}
    inbox = Inbox()
    with mail_server(inbox, tls=context(authority, "127.0.0.1"), login=True) as port:
        send(parcel(mail_to(port, **login)))
        monkeypatch.setenv("MAIL_PASSWORD", "wrong-secret")
        with pytest.raises(DeliveryFailed, match="does not accept the log-in") as refused:
            hand_over(parcel(mail_to(port, **login)), lambda: None, Waits().patience)
        assert "wrong-secret" not in told(refused.value)
        monkeypatch.delenv("MAIL_PASSWORD")
        with pytest.raises(DeliveryFailed, match="variable MAIL_PASSWORD is not set"):
            hand_over(parcel(mail_to(port, **login)), lambda: None, Waits().patience)
    assert len(inbox.mails) == 1
    assert inbox.logins[0] == (b"me", b"right")


def test_a_server_with_another_name_gets_neither_log_in_nor_mail(parcel, authority):
    inbox = Inbox()
    with (
        mail_server(inbox, tls=context(authority, "other.example.org")) as port,
        pytest.raises(DeliveryFailed, match="cannot be reached"),
    ):
        hand_over(parcel(mail_to(port, security="starttls")), lambda: None, Waits().patience)
    assert inbox.tried == 0


def test_a_stale_report_says_so_in_the_subject(parcel):
    text = mailing.message(parcel(mail_to(25), warnings=("The source x failed.",)), mail_to(25))
    assert text["Subject"].startswith("Out of date: ")
    assert "The source x failed." in text.get_body(("html",)).get_content()


def test_a_header_cannot_be_smuggled_in_by_a_name(parcel):
    text = mailing.message(parcel(mail_to(25), scope="x\r\nBcc: evil@example.org"), mail_to(25))
    assert text["Bcc"] is None


# What was delivered
def test_the_ledger_remembers_the_last_step(tmp_path):
    ledger = Ledger(tmp_path / "l.jsonl")
    assert ledger.state("a") is None
    ledger.note("a", "mail", "2026", "sent")
    ledger.note("b", "mail", "2026", "done")
    assert (ledger.state("a"), ledger.state("b")) == ("sent", "done")


def test_a_step_cut_off_while_it_was_written_was_not_taken(tmp_path):
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.note("a", "mail", "2026", "sent")
    whole = ledger.path.read_bytes()
    ledger.note("a", "mail", "2026", "done")
    ends = ledger.path.read_bytes()
    for cut in range(len(whole), len(ends) - 1):
        ledger.path.write_bytes(ends[:cut])
        assert ledger.state("a") == ("sent" if cut < len(ends) - 1 else "done")
    ledger.note("b", "mail", "2026", "done")
    assert (ledger.state("a"), ledger.state("b")) == ("sent", "done")


def test_without_its_ledger_nothing_is_sent(tmp_path):
    ledger = Ledger(tmp_path / "folder")
    ledger.path.mkdir()
    with pytest.raises(DeliveryFailed, match="cannot be used"):
        ledger.note("a", "mail", "2026", "sent")
    assert Path(ledger.path).is_dir()
