"""One outage in all its forms: the same facts, each as its reader asks."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping

import pytest
from msgspec.structs import replace
from tests.policy.outages import (
    DEAD,
    EN,
    FIVE,
    LONG,
    PLANNED,
    TWO,
    apologies,
    got,
    site,
)

from sorryd.model import Cause, PageKind, PageSource, Phase
from sorryd.policy.apologies import Apologies, Forms
from sorryd.policy.apology import Representation
from sorryd.policy.facts import Facts
from sorryd.policy.menu import Menu, Variant
from sorryd.window import Saying

JA = PageSource(source="<p>{{ reason }} {{ until }}", language="ja")
BOTH = replace(PLANNED, reasons=(Saying(language="ja", text="データベース更新"),))
IN_WORDS = Facts(site="shop", cause=Cause.MANUAL, timezone="UTC", until_text="12pm\nCentral")


# --- kinds and languages ------------------------------------------------------------------


def test_problem() -> None:
    """Who prefers JSON gets a problem of RFC 9457 with all that is known."""
    status, fields, body = got(apologies(BOTH, EN, JA), b"Accept: application/json")
    assert status == "HTTP/1.1 503 Service Unavailable"
    assert fields == {
        "Retry-After": "10800",
        "Content-Type": "application/problem+json",
        "Content-Language": "en",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Vary": "Accept, Accept-Language, Accept-Encoding",
        "Sorry-Cause": "window",
        "Date": "Sat, 21 Nov 2026 17:00:00 GMT",
    }
    assert body.endswith(b"}\n")
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Database upgrade",
        "site": "shop",
        "cause": "window",
        "planned": True,
        "reason": "Database upgrade",
        "from": "2026-11-22T02:00:00+09:00",
        "until": "2026-11-22T05:00:00+09:00",
        "until_text": None,
        "retry_after": None,
    }


@pytest.mark.parametrize(
    ("facts", "language", "told"),
    [
        (BOTH, b"ja", {"reason": "データベース更新", "detail": "データベース更新"}),
        (replace(BOTH, reason=None, reasons=()), b"ja",
         {"reason": None, "detail": "shop は現在メンテナンス中です。"}),
        (DEAD, b"en",
         {"cause": "members", "planned": False, "until": None, "retry_after": 13, "reason": None,
          "detail": "shop can't answer at the moment. This was not planned."}),
        (replace(DEAD, until=FIVE), b"en", {"until": None, "retry_after": 13}),
        (replace(DEAD, status=504), b"en", {"status": 504, "title": "Gateway Timeout"}),
        (replace(DEAD, status=599), b"en", {"status": 599, "title": "Unavailable"}),
        (IN_WORDS, b"en",
         {"until": None, "until_text": "12pm\nCentral", "retry_after": 30, "from": None}),
        (replace(PLANNED, reason="\ud800"), b"en", {"reason": "?"}),
        (replace(PLANNED, reason=None, phase=Phase.VERIFYING), b"en",
         {"detail": "shop is down for maintenance. The work is done and is being checked."}),
    ],
)  # fmt: skip
def test_problem_members(facts: Facts, language: bytes, told: Mapping[str, object]) -> None:
    """What is unknown is null, dead members promise nothing, and people read their language."""
    lines = (b"Accept: application/json", b"Accept-Language: " + language)
    problem = json.loads(got(apologies(facts), *lines)[2])
    assert told.items() <= problem.items()


@pytest.mark.parametrize(
    ("facts", "language", "text"),
    [
        (BOTH, b"en",
         "shop is down for maintenance.\n"
         "Reason: Database upgrade\n"
         "Since: Sunday, 22 November 2026, 02:00 JST\n"
         "Back by: Sunday, 22 November 2026, 05:00 JST\n"),
        (BOTH, b"ja",
         "shop は現在メンテナンス中です。\n"
         "理由: データベース更新\n"
         "開始: 2026年11月22日(日) 2:00 JST\n"
         "再開予定: 2026年11月22日(日) 5:00 JST\n"),
        (DEAD, b"en",
         "shop can't answer at the moment. This was not planned.\nPlease try again later.\n"),
        (DEAD, b"ja",
         "shop は現在応答できません。予定された停止ではありません。\n"
         "しばらくしてからもう一度お試しください。\n"),
        (replace(IN_WORDS, reason="two\nlines"), b"en",
         "shop is down for maintenance.\nReason: two lines\nBack by: 12pm Central\n"),
    ],
)  # fmt: skip
def test_text(facts: Facts, language: bytes, text: str) -> None:
    """Who asks for text gets a few lines of it."""
    said = apologies(facts, EN)
    _, fields, body = got(said, b"Accept: text/plain", b"Accept-Language: " + language)
    assert fields["Content-Type"] == "text/plain; charset=utf-8"
    assert fields["Content-Language"] == language.decode()
    assert body.decode() == text


def test_languages_of_pages() -> None:
    """A reader gets the page in their language, with reason and times in it."""
    said = apologies(BOTH, EN, JA)
    _, fields, body = got(said, b"Accept-Language: ja-JP, en;q=0.5")
    assert fields["Content-Language"] == "ja"
    assert body.decode() == "<p>データベース更新 2026年11月22日(日) 5:00 JST"
    _, fields, body = got(said, b"Accept-Language: fr")
    assert fields["Content-Language"] == "en"
    assert body.decode() == "<p>Database upgrade Sunday, 22 November 2026, 05:00 JST"


def test_own_pages_of_json_and_text() -> None:
    """A site's own JSON and text come in the place of what is built in, for all readers."""
    own = (
        PageSource(source='{"why": {{ reason | tojson }}}', kind=PageKind.PROBLEM),
        PageSource(source="{{ reason }}&", kind=PageKind.TEXT),
    )
    said = apologies(PLANNED, EN, *own)
    _, fields, body = got(said, b"Accept: application/json", b"Accept-Language: ja")
    assert fields["Content-Type"] == "application/problem+json"
    assert fields["Content-Language"] == "en"
    assert json.loads(body) == {"why": "Database upgrade"}
    assert got(said, b"Accept: text/plain")[2] == b"Database upgrade&"


@pytest.mark.parametrize(
    ("kind", "accept", "beginning"),
    [
        (PageKind.HTML, b"text/html", b"<!doctype html>"),
        (PageKind.PROBLEM, b"application/json", b'{"type":"about:blank",'),
        (PageKind.TEXT, b"text/plain", b"other is down for maintenance."),
    ],
)
def test_page_that_fails_later(kind: PageKind, accept: bytes, beginning: bytes) -> None:
    """Where a page fails on facts that its rehearsal did not show, a built-in one stands in."""
    source = "{{ 1 // (site | length - 5) }}"
    page = PageSource(source=source, path="/etc/p", kind=kind)
    told: list[tuple[str, str]] = []
    forms = Forms(site(EN, page) if kind is not PageKind.HTML else site(page),
                  lambda path, fault: told.append((path, fault)))  # fmt: skip
    said = forms.apologies(Facts(site="other", cause=Cause.WINDOW, timezone="UTC"))
    for _ in range(2):
        assert got(said, b"Accept: " + accept)[2].startswith(beginning)
    ((path, fault),) = told
    assert path == "/etc/p"
    assert "zero" in fault
    got(forms.apologies(PLANNED), b"Accept: " + accept)
    assert len(told) == 1


# --- compressed ---------------------------------------------------------------------------


def test_gzip() -> None:
    """Who takes gzip gets the same page smaller, and everybody is told that it varies."""
    said = apologies(PLANNED, LONG)
    _, plain, body = got(said)
    _, fields, small = got(said, b"Accept-Encoding: gzip, br")
    assert gzip.decompress(small) == body
    assert len(small) < len(body)
    assert fields["Content-Length"] == str(len(small))
    assert fields["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain
    assert fields["Vary"] == plain["Vary"] == "Accept, Accept-Language, Accept-Encoding"


def test_gzip_that_is_larger() -> None:
    """A body that compressing makes no smaller is sent as it is."""
    _, fields, body = got(apologies(PLANNED, PageSource(source="x")), b"Accept-Encoding: gzip")
    assert body == b"x"
    assert "Content-Encoding" not in fields


def test_each_form_is_made_once() -> None:
    """A form is made when it is first asked for, once for plain and compressed together."""
    made: list[Variant] = []

    def make(variant: Variant) -> Representation:
        made.append(variant)
        return Representation(media_type="text/html", body=b"x" * 99)

    said = Apologies(PLANNED, Menu(dict.fromkeys(PageKind, ("en",))), make)
    for _ in range(2):
        for lines in ([b"Accept-Encoding: gzip"], [], [b"Accept: text/plain"]):
            got(said, *lines)
    assert made == [Variant(PageKind.HTML, "en"), Variant(PageKind.TEXT, "en")]


def test_same_bytes_within_a_second() -> None:
    """Every form has its bytes at hand: within a second the very same ones are given."""
    said = apologies(PLANNED, LONG)
    for lines in ([], [b"Accept: application/json"], [b"Accept-Encoding: gzip"]):
        first = said.response(b"GET", lines, TWO)
        assert said.response(b"GET", lines, TWO + 0.5) is first
