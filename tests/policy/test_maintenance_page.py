"""The page that comes with sorryd: what it tells, and that nothing breaks out of it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from tests.policy.outages import DEAD, PLANNED, TWO, parsed, told

from sorryd.model import Cause
from sorryd.policy.apology import Facts, compile_page, default_page_path, render


def shipped(facts: Facts) -> str:
    return told(default_page_path().read_text(encoding="utf-8"), facts)


BREAKING_OUT = "</p><script>alert(1)</script>\r\nSet-Cookie: a=b\r\n\r\n\"' {{ 7*7 }} \x00 \ud800"


class Tags(HTMLParser):
    """Collects the tags and the text of a page, and refuses tags that do not match."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert tags.open == []
    return tags


def test_reason_can_not_break_out() -> None:
    """Whatever a reason or an end holds, head and mark-up are as with a plain one."""
    plain = Facts(
        site="shop", cause=Cause.MANUAL, timezone="UTC", reason="r", since=TWO, until_text="u"
    )
    evil = Facts(
        site=BREAKING_OUT,
        cause=Cause.MANUAL,
        timezone="UTC",
        reason=BREAKING_OUT,
        since=TWO,
        until_text=BREAKING_OUT,
    )
    page = compile_page(default_page_path().read_text(encoding="utf-8"))
    _, fields, body = parsed(render(page, evil).response(TWO))
    expected = parsed(render(page, plain).response(TWO))[1]
    assert {**fields, "Content-Length": ""} == {**expected, "Content-Length": ""}
    assert int(fields["Content-Length"]) == len(body)
    assert b"{{ 7*7 }}" in body
    assert read(body.decode()).seen == read(shipped(plain)).seen


def test_shipped_page_planned() -> None:
    """The shipped page tells of planned work: the reason and the end, for people and machines."""
    page = shipped(PLANNED)
    text = read(page).text
    assert "Down for maintenance" in text
    assert "Database upgrade" in text
    assert "Sunday, 22 November 2026, 05:00 JST" in text
    assert '<time datetime="2026-11-22T05:00:00+09:00">' in page


def test_shipped_page_unplanned() -> None:
    """The shipped page tells of trouble without calling it maintenance or promising a time."""
    page = read(shipped(DEAD))
    assert "having trouble" in page.text
    assert "maintenance" not in page.text
    assert "time" not in page.seen


@pytest.mark.parametrize("facts", [PLANNED, DEAD], ids=["planned", "unplanned"])
def test_shipped_page_stands_alone(facts: Facts) -> None:
    """The shipped page asks for nothing else over the network, and names its language."""
    page = shipped(facts)
    assert not {"script", "img", "link", "iframe"} & set(read(page).seen)
    assert "http" not in page
    assert "url(" not in page
    assert '<html lang="en">' in page
