"""Pages that others wrote, or have: of sorry_file and sorry_mode, in the place of the site's."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from msgspec.structs import replace
from tests.policy.outages import (
    DEAD,
    EN,
    GIVEN,
    LONG,
    PLANNED,
    TWO,
    apologies,
    got,
)

from sorryd.model import Cause, SorryMode
from sorryd.policy.facts import Facts
from sorryd.snapshot import GivenPage


@pytest.mark.parametrize(
    ("mode", "body"), [(SorryMode.HERE, b"upgrade"), (SorryMode.FETCH, b"<p>far")]
)
def test_empty_sorry_file(mode: SorryMode, body: bytes) -> None:
    """It is a switch and no page: the site says what it says in other outages."""
    facts, empty = replace(PLANNED, cause=Cause.FILE), replace(GIVEN, body=b"")
    fetched = replace(GIVEN, body=b"<p>far")
    said = apologies(facts, EN, file=empty, fetched=fetched, sorry_mode=mode, sorry_url="http://b/")
    assert body in got(said)[2]


def test_sorry_file() -> None:
    """The file that took the site down is its page, byte for byte; JSON and text are sorryd's."""
    facts = replace(PLANNED, cause=Cause.FILE)
    said = apologies(facts, EN, file=GIVEN, sorry_mode=SorryMode.REDIRECT, sorry_url="http://b/")
    status, fields, body = got(said, b"Accept-Language: ja")
    assert status.startswith("HTTP/1.1 503")
    assert fields["Content-Type"] == "text/html"
    assert fields["Sorry-Cause"] == "file"
    assert "Content-Language" not in fields
    assert body == GIVEN.body
    assert gzip.decompress(got(said, b"Accept-Encoding: gzip")[2]) == GIVEN.body
    assert json.loads(got(said, b"Accept: application/json")[2])["cause"] == "file"
    assert got(apologies(PLANNED, LONG, file=GIVEN))[2] != GIVEN.body


@pytest.mark.parametrize(
    ("facts", "fetched", "is_theirs"),
    [
        pytest.param(PLANNED, GIVEN, True, id="fetched"),
        pytest.param(PLANNED, None, False, id="not yet"),
        pytest.param(DEAD, GIVEN, True, id="no member is left"),
        pytest.param(replace(DEAD, status=502), GIVEN, False, id="one request failed"),
    ],
)
def test_fetch(facts: Facts, fetched: GivenPage | None, is_theirs: bool) -> None:
    """A fetched page stands in the place of the site's, but where only one request failed."""
    fetch: dict[str, Any] = {"sorry_mode": SorryMode.FETCH, "sorry_url": "http://b/"}
    status, fields, body = got(apologies(facts, EN, fetched=fetched, **fetch))
    assert (body == GIVEN.body) is is_theirs
    assert status.startswith(f"HTTP/1.1 {facts.status}")
    assert fields["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "media_type", ["", "text", "text/html\r\nX: y", "text/html; charset=\xe9", "a b/c"]
)
def test_media_type_of_others(media_type: str) -> None:
    """A media type that is none never gets into a head: the page counts as HTML."""
    given = replace(GIVEN, media_type=media_type)
    facts = replace(PLANNED, cause=Cause.FILE)
    assert got(apologies(facts, file=given))[1]["Content-Type"] == "text/html; charset=utf-8"


def test_redirect() -> None:
    """A site may send browsers elsewhere; who prefers JSON is told all the same."""
    away: dict[str, Any] = {
        "sorry_mode": SorryMode.REDIRECT,
        "sorry_url": "https://status.example/?a=1&b=2",
    }
    said = apologies(PLANNED, EN, **away)
    assert said.response(b"POST", [b"Accept-Language: ja"], TWO).decode() == (
        "HTTP/1.1 302 Found\r\n"
        "Retry-After: 10800\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        "Content-Language: ja\r\n"
        "Content-Length: 249\r\n"
        "Location: https://status.example/?a=1&b=2\r\n"
        "Cache-Control: no-store\r\n"
        "Vary: Accept, Accept-Language, Accept-Encoding\r\n"
        "Sorry-Cause: window\r\n"
        "Date: Sat, 21 Nov 2026 17:00:00 GMT\r\n"
        "\r\n"
        '<!doctype html><html lang="ja"><meta charset="utf-8">'
        "<title>shop は現在メンテナンス中です。</title><p>shop は現在メンテナンス中です。</p>"
        '<p><a href="https://status.example/?a=1&amp;b=2">詳しくはこちら</a></p></html>\n'
    )
    assert got(said, b"Accept: application/json")[0].startswith("HTTP/1.1 503")
    assert got(apologies(DEAD, EN, **away))[0].startswith("HTTP/1.1 503")
