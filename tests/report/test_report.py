"""The report: what it says, and that nothing in it can do harm."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

import dora
from dora import report, words
from dora.delivery import Delivery
from dora.errors import UsageError
from dora.metrics.coverage import Coverage, Grade
from dora.report import rendering, tables
from dora.words import compared

NOW = datetime(2026, 7, 11, tzinfo=UTC)


@pytest.fixture(scope="module")
def delivery():
    return dora.sample().window("2026-Q2")


@pytest.fixture(scope="module")
def said(delivery):
    return report.gather(delivery, now=datetime.now(UTC))


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of style and script."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self._inside = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("style", "script"):
            self._inside.append(tag)

    def handle_endtag(self, tag):
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data):
        if not self._inside:
            self.text.append(data)


def hostile(said, text):
    """What a report would say if every name in it were that text."""
    from dataclasses import replace

    cell = tables.Cell(text, text, tables.link(f"https://example.org/{text}"))
    table = tables.Table(text, (text,), ((cell,),), 1, text)
    card = replace(
        said.cards[0],
        reason=text,
        doubts=(text,),
        asides=(text,),
        answer=text,
        goal=text,
        lately=text,
    )
    listed = dict.fromkeys(("services", "waiting", "failures", "coverage"), table)
    told = {"scope": text, "headline": text, "unseen": text}
    lists = dict.fromkeys(("warnings", "levels", "notes"), (text,))
    page = replace(said.release, said=((text, text),), departures=table, freezes=table)
    return replace(said, cards=(card,), release=page, **told, **lists, **listed)


def test_it_answers_ahead_or_behind_first_and_by_how_much(said):
    page = Page(rendering.html(said)).text
    text = " ".join("".join(page).split())
    assert text.index(said.headline) < text.index("22.2 per week") < text.index("Is it moving?")
    order = ["Is it moving?", "What broke?", "What is stuck now?", "Which services?"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_every_metric_is_there_with_value_interval_n_grade_and_verdict(delivery, said):
    assert [card.name for card in said.cards] == list(delivery.metrics)
    for card in said.cards:
        result = delivery.metric(card.name)
        assert card.value == words.quantity(result.value, result.unit)
        assert card.n == words.count(result.n, result.metric.noun)
        assert card.grade in "ABCDE"
        assert card.before.verdict in ("better", "worse", "no evidence", "too little data")
    text = "".join(Page(rendering.html(said)).text)
    for card in said.cards:
        assert card.title in text
        assert card.value in text
        assert card.interval in text


@pytest.mark.parametrize(
    ("better", "worse", "same", "begins"),
    [
        (["a"], ["b"], 3, "Mixed against Q1: a got better, b got worse"),
        (["a", "b"], [], 3, "Ahead of Q1: a and b got better"),
        ([], ["b"], 3, "Behind Q1: b got worse"),
        ([], [], 1, "No evidence of a change against Q1"),
        ([], [], 0, "Too little data to say"),
    ],
)
def test_the_headline_says_ahead_behind_mixed_or_that_nobody_can_tell(better, worse, same, begins):
    assert compared.headline(better, worse, same, "Q1").startswith(begins)


def test_from_grade_d_on_there_is_no_verdict_and_it_says_why(delivery, monkeypatch):
    doubtful = Grade("D", ("3 of 9 deployments have a commit that is known (33 %)",))
    monkeypatch.setattr(Coverage, "grade", lambda *_: doubtful)
    said = report.gather(delivery, now=datetime.now(UTC))
    assert {card.before.verdict for card in said.cards} == {"withheld"}
    assert said.headline.startswith("Too much of the record is missing")
    text = "".join(Page(rendering.html(said)).text)
    assert "grade D: 3 of 9 deployments have a commit that is known" in " ".join(text.split())
    assert rendering.markdown(said)
    assert rendering.mail(said, [])


def test_nothing_is_asked_of_any_other_host(said):
    html = rendering.html(said)
    for tag, attributes in Page(html).tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            address = attributes.get(name) or ""
            if tag == "a" and name == "href":
                assert address.startswith(("https://", "#"))
            else:
                assert not address or address.startswith("data:")
    assert "@import" not in html
    assert "url(" not in html


def test_the_policy_allows_just_its_own_style_and_script(said):
    html = rendering.html(said)
    policy = next(a["content"] for t, a in Page(html).tags if a.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not any("style" in attributes for _, attributes in Page(html).tags)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "'; alert(1) //",
        "{{ 7 * 7 }} {% raw %}",
        "🚀 מרכז ‮gnp.exe",
        "x" * 10_000,
    ],
)
def test_hostile_names_are_inert(said, text):
    honest, bad = (Page(rendering.html(hostile(said, t))) for t in ("harmless", text))
    assert [tag for tag, _ in bad.tags] == [tag for tag, _ in honest.tags]
    assert sum(tag == "script" for tag, _ in bad.tags) == 1
    assert not any(name.startswith("on") for _, a in bad.tags for name in a)
    assert text in "".join(bad.text)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", " JavaScript:x", "", None]
)
def test_only_addresses_of_the_web_can_be_followed(url):
    assert tables.link(url) == ""
    assert tables.link("https://example.org/a") == "https://example.org/a"


def test_levels_score_and_notes_are_those_of_the_overview(delivery, said):
    overview = delivery.overview()
    assert said.levels[:2] == (overview.level().sentence, overview.quick_check().sentence)
    assert said.notes == tuple(note.sentence for note in overview.notes)
    assert said.notes  # the sample ships some commits twice
    page = "".join(Page(rendering.html(said)).text)
    assert all(part in page for part in (*said.levels, *said.notes, said.unseen))
    assert "What to mind" in rendering.markdown(said)
    lead = next(card for card in said.cards if card.name == "lead_time")
    assert lead.answer == "a day to a week"


def test_a_goal_is_judged_on_its_card(said):
    from dataclasses import replace

    goal = "Change lead time meets its goal of 2 d: 33 h (31–35)."
    aimed = replace(said, cards=(replace(said.cards[1], goal=goal),))
    assert goal in "".join(Page(rendering.html(aimed)).text)
    assert "meets its goal of 2 d" in rendering.markdown(aimed)


def test_every_picture_has_words_and_every_table_a_caption(said):
    tags = Page(rendering.html(said)).tags
    pictures = [a for tag, a in tags if tag == "img"]
    assert len(pictures) >= 9
    assert all(len(a["alt"]) > 30 for a in pictures)
    assert sum(t == "table" for t, _ in tags) == sum(t == "caption" for t, _ in tags) > 0


def test_the_same_record_gives_the_same_page(delivery, said):
    again = report.gather(delivery, now=datetime.now(UTC))
    assert rendering.html(again) == rendering.html(said)


def test_it_is_small_enough_to_mail(said):
    assert len(rendering.html(said).encode()) < 2_000_000


def test_markdown_has_the_numbers_and_its_names_neither_format_nor_mention(said):
    text = rendering.markdown(hostile(said, "a|b *c* @team <img> [x](javascript:y)\n# d"))
    assert "a\\|b \\*c\\* @\u200bteam \\<img\\> \\[x\\](javascript:y) \\# d" in text
    assert "@team" not in text
    plain = rendering.markdown(said)
    assert "| **Change lead time** | 43 h (41–46) | 744 changes |" in plain
    rows = [line for line in plain.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)


def test_markdown_tables_are_whole(said):
    """Each table's heading, rule and rows follow each other and have equally many cells."""
    lines = rendering.markdown(said).splitlines()
    rules = [i for i, line in enumerate(lines) if re.fullmatch(r"\|(---\|)+", line)]
    assert len(rules) >= 3
    for i in rules:
        cells = lines[i].count("|")
        assert lines[i - 1].count("|") == cells
        assert lines[i + 1].count("|") == cells


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_it_is_written_whole(delivery, tmp_path, suffix):
    path = tmp_path / "new folder" / f"report{suffix}"
    delivery.report(path)
    assert path.stat().st_size > 1000
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_without_what_makes_pdf_files_it_says_what_to_install(delivery, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(UsageError, match="PDF cannot be made here") as refused:
        delivery.report(tmp_path / "report.pdf")
    assert "dora-metrics[pdf]" in refused.value.hint
    assert not list(tmp_path.iterdir())


def test_a_report_is_no_spreadsheet(delivery, tmp_path):
    with pytest.raises(UsageError, match="a report is no xlsx"):
        delivery.report(tmp_path / "report.xlsx")


def test_ones_own_template_is_used_and_its_faults_are_said(delivery, tmp_path):
    mine = tmp_path / "mine.j2"
    mine.write_text("{{ r.headline }}|{% for c in r.cards %}{{ c.name }} {% endfor %}")
    delivery.report(tmp_path / "mine.md", template=mine)
    text = (tmp_path / "mine.md").read_text()
    assert text.startswith(
        "No evidence of a change against 2026-Q1.|deployment_frequency lead_time"
    )
    for fault in ("{% for %}", "{{ r.nothing }}", "{{ ''.__class__.__mro__ }}"):
        mine.write_text(fault)
        with pytest.raises(UsageError, match=r"mine\.j2 cannot be used"):
            delivery.report(tmp_path / "mine.md", template=mine)
    assert (tmp_path / "mine.md").read_text() == text  # a fault leaves the last report


def test_a_source_that_was_not_read_lately_makes_it_say_so_on_top(delivery):
    late = report.gather(delivery, now=datetime.now(UTC) + timedelta(days=9))
    assert len(late.warnings) == 1
    assert "The source sample was last read 9 d ago" in late.warnings[0]
    html = rendering.html(late)
    assert html.index("not up to date") < html.index("<main>")
    assert rendering.markdown(late).index("not up to date") < 400


def test_a_delivery_is_split_by_team_and_service(delivery, tmp_path):
    written = list(report.write_each(delivery, tmp_path, by="team", suffix=".md"))
    assert [path.name for path, _ in written] == ["discovery.md", "payments.md"]
    assert [said.scope for _, said in written] == ["discovery", "payments"]
    assert [len(said.services.rows) for _, said in written] == [1, 2]


def test_names_are_no_paths(tmp_path):
    assert report._file_name("../../etc/passwd") == "etc-passwd"
    assert report._file_name("..") == "unnamed"


def test_waiting_changes_are_listed_oldest_first(tmp_path):
    early = dora.sample().window("2026-Q1").as_of("2026-03-20T12:00:00Z")
    table = report.gather(early, now=datetime.now(UTC)).waiting
    ages = [row[2].order for row in table.rows]
    assert ages == sorted(ages, reverse=True)
    expected = early.lead_time().left_out["reason"].eq("not delivered").sum()
    assert len(ages) + table.more == expected > 0


def test_without_anything_known_it_says_so_and_stands(tmp_path):
    (tmp_path / "dora.toml").write_text(
        '[[sources]]\nname = "none"\nkind = "files"\npath = "deployments.csv"\n'
    )
    (tmp_path / "deployments.csv").write_text("id,repository,environment,status,finished_at\n")
    from dora import config, sync

    sync.sync(config.load(tmp_path / "dora.toml"))
    said = dora.open(tmp_path / "dora.toml").report(tmp_path / "r.html")
    assert said.headline.startswith("Too little data")
    text = "".join(Page((tmp_path / "r.html").read_text()).text)
    assert "unknown" in text
    assert "nan" not in text.lower().replace("finance", "")


def test_it_says_whether_a_change_is_just_now_or_for_a_while(delivery, said):
    """Held against half a year of weeks, however short the window is."""
    june = report.gather(dora.sample().window("2026-06"), now=NOW)
    whole = dora.sample().window("2026-01-01..2026-07-01", by="week")
    assert june.cards[1].lately == whole.lead_time().signals().sentence
    text = "".join(Page(rendering.html(june)).text)
    assert "Just now, or for a while?" in text
    for card in june.cards:
        assert card.lately in text
        assert card.lately in rendering.markdown(june)


def test_a_team_of_a_few_people_is_told_so_and_breaks_no_report(tmp_path):
    from dora import config, samples, sync

    path = samples.write(tmp_path)
    path.write_text(path.read_text() + "\n[privacy]\nk = 50\n")
    settings = config.load(path)
    sync.sync(settings)
    of_team = Delivery.of(settings).window("2026-Q2").team("payments")
    said = report.gather(of_team, now=NOW)
    assert {card.reason for card in said.cards} == {words.few_people(50)}
    text = "".join(Page(rendering.html(said)).text)
    assert "n hidden" in text
    assert words.few_people(50) in text.casefold() or words.few_people(50)[1:] in text
    assert not any(c.isdigit() for card in said.cards for c in card.value)


def test_the_release_calendar_has_its_picture_departures_and_balance(said):
    page = said.release
    assert [title for title, _ in page.said][:3] == ["Release windows", "Release trains", "Freezes"]
    assert {row[2].text for row in page.departures.rows} <= {"on time", "late", "early", "skipped"}
    assert len(page.departures.rows) == 6  # every other Tuesday from 14 April to 23 June
    text = "".join(Page(rendering.html(said)).text)
    assert "Release calendar" in text
    for _, sentence in page.said:
        assert sentence in text
        assert rendering.markdown(said).count("Release calendar") == 1


def test_without_a_calendar_it_says_what_can_be_said_without(tmp_path):
    from dora import config, samples, sync

    path = samples.write(tmp_path)
    path.write_text(path.read_text().split("[[calendar")[0])
    settings = config.load(path)
    sync.sync(settings)
    said = report.gather(Delivery.of(settings).window("2026-Q2"), now=NOW)
    assert said.release.picture is None
    told = dict(said.release.said)
    assert "weekend" in told["Release windows"]
    assert "[[calendar.trains]]" in told["Release trains"]
    assert "Departures" not in "".join(Page(rendering.html(said)).text)
