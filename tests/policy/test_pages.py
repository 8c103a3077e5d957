"""Pages of the apology: what they may say, and what is refused before it is needed."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace
from tests.policy.outages import DEAD, FIVE, PLANNED, apology, told

from sorryd.model import Cause, PageKind
from sorryd.policy.facts import Facts
from sorryd.policy.pages import PageFault, compile_page, language_of
from sorryd.window import Saying


@pytest.mark.parametrize(
    ("source", "facts", "text"),
    [
        pytest.param("{{ site }}", PLANNED, "shop", id="site"),
        pytest.param("{{ reason }}", PLANNED, "Database upgrade", id="reason"),
        pytest.param("{{ reason }}", DEAD, "", id="no reason prints nothing"),
        pytest.param("{{ from }}", PLANNED, "Sunday, 22 November 2026, 02:00 JST", id="from"),
        pytest.param("{% if from %}y{% endif %}", PLANNED, "y", id="from in a test"),
        pytest.param("{% set f = from %}{{ f }}", DEAD, "", id="from in a set"),
        pytest.param("{{ until }}", PLANNED, "Sunday, 22 November 2026, 05:00 JST", id="until"),
        pytest.param("{{ from_iso }}", PLANNED, "2026-11-22T02:00:00+09:00", id="from_iso"),
        pytest.param("{{ until_iso }}", PLANNED, "2026-11-22T05:00:00+09:00", id="until_iso"),
        pytest.param("{{ cause }} {{ planned }}", PLANNED, "window True", id="planned"),
        pytest.param("{{ cause }} {{ planned }}", DEAD, "members False", id="not planned"),
        pytest.param("{{ retry_after + 1 }}", DEAD, "14", id="retry_after, rounded up"),
        pytest.param("{{ status }} {{ lang }}", DEAD, "503 en", id="status and language"),
        pytest.param("{{ phase }}", PLANNED, "down", id="phase"),
        pytest.param("{{ range(3) | list }}", DEAD, "[0, 1, 2]", id="Jinja2's own"),
        pytest.param(
            "{% if reason %}{% set x = 1 %}{% endif %}{{ x | default('-') }}",
            DEAD,
            "-",
            id="own variable of one branch",
        ),
        pytest.param("{% for x in [1] %}{{ x }}{% endfor %}", DEAD, "1", id="own variables"),
    ],
)
def test_variables(source: str, facts: Facts, text: str) -> None:
    """Every documented variable can be used in a page."""
    assert told(source, facts) == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Database upgrade|Sunday, 22 November 2026, 02:00 JST"),
        ("ja", "データベース更新|2026年11月22日(日) 2:00 JST"),
        ("ja-jp", "データベース更新|2026年11月22日(日) 2:00 JST"),
        ("de", "Database upgrade|Sonntag, 22. November 2026, 02:00 JST"),
    ],
)
def test_language(language: str, text: str) -> None:
    """A page tells times in its own language, and the reason where it was said in that."""
    facts = replace(PLANNED, reasons=(Saying(language="ja", text="データベース更新"),))
    assert compile_page("{{ reason }}|{{ from }}", language).render(facts) == text


def test_until_in_words() -> None:
    """An end that is no time is shown as it was said, and no machine is told one."""
    facts = Facts(site="s", cause=Cause.MANUAL, timezone="UTC", until_text="12pm Central Time")
    assert told("{{ until }}|{{ until_iso }}", facts) == "12pm Central Time|"


def test_dead_members_promise_nothing() -> None:
    """An unplanned outage says no end, though one be given."""
    facts = Facts(site="s", cause=Cause.MEMBERS, timezone="UTC", until=FIVE, until_text="soon")
    said = apology("{{ until }}{{ until_iso }}", facts)
    assert said.body == b""
    assert said.until is None


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        pytest.param("\n{% if %}", 2, "expression", id="syntax"),
        pytest.param("{% if reason %}", 1, "end of template", id="left open"),
        pytest.param("a\n\n{{ reson }}", 3, "'reson'", id="unknown variable"),
        pytest.param("\n{% if False %}{{ boss.name }}{% endif %}", 2, "'boss'", id="never reached"),
        pytest.param("{{ reason | shout }}", 1, "shout", id="unknown filter"),
        pytest.param("\n{% include 'x.html' %}", 2, "one file", id="include"),
        pytest.param("{% extends 'x.html' %}", 1, "one file", id="extends"),
        pytest.param("\n{% from 'x.html' import y %}", 2, "one file", id="import"),
        pytest.param("\n\n{{ until.day }}", 3, "day", id="attribute that is none"),
        pytest.param("{% if cause == 'file' %}\n{{ 1 // 0 }}{% endif %}", 2, "zero", id="error"),
        pytest.param("{{ from.__class__.__mro__ }}", 1, "__class__", id="way out of the sandbox"),
        pytest.param("{{ " + "(" * 5000 + ")" * 5000 + " }}", 1, "too complex", id="too deep"),
    ],
)
def test_page_faults(source: str, line: int, word: str) -> None:
    """A page that can't be rendered is refused with its line, when it is read."""
    with pytest.raises(PageFault) as caught:
        compile_page(source)
    assert caught.value.line == line
    assert word in caught.value.text
    assert str(caught.value).startswith(f"line {line}: ")


# --- pages of JSON and text ---------------------------------------------------------------


def test_page_of_json() -> None:
    """In a page of JSON a value is quoted by tojson, and one that is unknown is null."""
    source = '{"why": {{ reason | tojson }}, "until": {{ until_iso | tojson }}}'
    page = compile_page(source, kind=PageKind.PROBLEM)
    facts = replace(DEAD, reason='"<quoted>"\\')
    assert json.loads(page.render(facts)) == {"why": '"<quoted>"\\', "until": None}


@pytest.mark.parametrize(
    ("source", "word"),
    [
        pytest.param('\n{"why": "{{ reason }}"}', "Expecting ',' delimiter", id="not quoted"),
        pytest.param('\n{"why": {{ reason }}}', "Expecting value", id="nothing where none is"),
        pytest.param('\n{"down": {{ planned }}}', "Expecting value", id="Python's spelling"),
        pytest.param("\n ", "Expecting value", id="empty"),
    ],
)
def test_bad_page_of_json(source: str, word: str) -> None:
    """A page that would not always be JSON is refused when it is read, and says what to do."""
    with pytest.raises(PageFault) as caught:
        compile_page(source, kind=PageKind.PROBLEM)
    assert caught.value.line == 2
    assert "tojson" in caught.value.text
    assert word in caught.value.text


def test_page_of_text() -> None:
    """A page of text is no markup: nothing is escaped in it."""
    page = compile_page("{{ reason }}", kind=PageKind.TEXT)
    assert page.render(replace(PLANNED, reason="<b> & 'c'")) == "<b> & 'c'"


@pytest.mark.parametrize(
    ("source", "language"),
    [
        ('<html lang="ja">', "ja"),
        ("<!doctype html>\n<HTML class=x LANG='pt-BR'>", "pt-br"),
        ("<html lang=de><head>", "de"),
        ('<html lang="{{ lang }}">', "en"),
        ('<html data-lang="ja">', "en"),
        ('<p lang="ja">', "en"),
        ("", "en"),
    ],
)
def test_language_of(source: str, language: str) -> None:
    """A page is in the language that it says in its first tag, else in English."""
    assert language_of(source) == language
