"""Which form of the apology a request gets, by what real clients send and by the rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.model import PageKind
from sorryd.policy.menu import Menu, Variant
from sorryd.policy.negotiation import LONGEST, kind_for, language_for, takes_gzip

HTML, PROBLEM, TEXT = PageKind.HTML, PageKind.PROBLEM, PageKind.TEXT


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        # What clients send.
        pytest.param(
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
            "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
            HTML, id="Chrome",
        ),
        pytest.param("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML,
                     id="Firefox, Safari"),
        pytest.param("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", HTML,
                     id="a browser's image"),
        pytest.param("text/css,*/*;q=0.1", HTML, id="a browser's style sheet"),
        pytest.param("*/*", HTML, id="curl, wget, fetch(), requests"),
        pytest.param(None, HTML, id="Go, git"),
        pytest.param("application/json, text/plain, */*", PROBLEM, id="axios, Angular"),
        pytest.param("application/json, text/javascript, */*; q=0.01", PROBLEM,
                     id="jQuery getJSON"),
        pytest.param("text/html, */*; q=0.01", HTML, id="jQuery load"),
        pytest.param("text/javascript, application/javascript, application/ecmascript, "
                     "application/x-ecmascript, */*; q=0.01", HTML, id="jQuery getScript"),
        pytest.param("application/json, */*;q=0.5", PROBLEM, id="HTTPie --json"),
        pytest.param("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", HTML,
                     id="Java HttpURLConnection"),
        pytest.param("application/vnd.github+json", PROBLEM, id="GitHub's API"),
        pytest.param("application/vnd.api+json", PROBLEM, id="JSON:API"),
        pytest.param("application/activity+json, application/ld+json", PROBLEM, id="Mastodon"),
        pytest.param("application/openmetrics-text;version=1.0.0;q=0.6,"
                     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", TEXT, id="Prometheus"),
        pytest.param("text/event-stream", HTML, id="EventSource"),
        pytest.param("application/grpc", HTML, id="gRPC"),
        pytest.param("application/x-git-upload-pack-result", HTML, id="git"),
        pytest.param("text/plain", TEXT, id="text"),
        # Weights, and how exactly a kind is named.
        ("application/problem+json", PROBLEM),
        ("application/json", PROBLEM),
        ("APPLICATION/JSON", PROBLEM),
        ("text/html, application/json", HTML),
        ("application/json, text/html", HTML),
        ("application/json, text/html;q=0.9", PROBLEM),
        ("application/json;q=0.9, text/html", HTML),
        ("text/html;q=0.5, application/json;q=0.6, text/plain;q=0.7", TEXT),
        ("application/json, text/plain", PROBLEM),
        ("application/problem+json;q=0.2, application/json;q=0.8, text/html;q=0.5", PROBLEM),
        ("text/*", HTML),
        ("text/*, text/html;q=0.1", TEXT),
        ("text/*;q=0.5, */*", PROBLEM),
        ("application/*", PROBLEM),
        ("application/*, application/json;q=0, application/problem+json;q=0", HTML),
        ("*/*, text/html;q=0", PROBLEM),
        ("*/*, application/json;q=0", HTML),
        ("text/html;level=1;q=0.3, text/plain;q=0.4", TEXT),
        ("text/plain;format=flowed", TEXT),
        # What can't be satisfied is answered all the same.
        ("text/html;q=0", HTML),
        ("*/*;q=0", HTML),
        ("audio/*", HTML),
        ("", HTML),
        # What can't be read says nothing.
        ("text/plain;q=high", HTML),
        ("text/plain;q=", HTML),
        ("text/plain;q=-1", HTML),
        ("text/plain;q=2", HTML),
        ("text/plain;q=1.", TEXT),
        ("text/plain ; Q = .5", TEXT),
        (",,;;=,/,text/plain,", TEXT),
        ("text", HTML),
        ("\x00\xff, text/plain", TEXT),
        ("x" * LONGEST + ", text/plain", HTML),
    ],
)  # fmt: skip
def test_kind(accept: str | None, kind: PageKind) -> None:
    """HTML is for browsers and for who does not mind, JSON and text for who prefers them."""
    assert kind_for(accept) is kind


@pytest.mark.parametrize(
    ("field", "offered", "language"),
    [
        (None, "en ja", "en"),
        ("", "en ja", "en"),
        pytest.param("ja,en-US;q=0.9,en;q=0.8", "en ja", "ja", id="Chrome in Japan"),
        pytest.param("ja-JP,ja;q=0.9", "en ja", "ja", id="Safari in Japan"),
        pytest.param("de-DE,de;q=0.9,en;q=0.8", "ja en", "en", id="no German"),
        ("ja-jp", "en ja", "ja"),
        ("JA", "en ja", "ja"),
        ("fr", "en ja", "en"),
        ("en;q=0.1, ja;q=0.2", "en ja", "ja"),
        ("en, ja", "ja en", "en"),
        ("ja, en", "en ja", "ja"),
        ("zh-Hant-TW", "en zh zh-hant", "zh-hant"),
        ("zh-Hant-TW", "en zh", "zh"),
        ("pt, en;q=0.5", "en pt-br", "pt-br"),
        ("pt-pt, en;q=0.5", "en pt-br", "en"),
        ("*", "en ja", "en"),
        ("fr, *;q=0.5", "ja en", "ja"),
        ("*, ja;q=0.5", "en ja", "en"),
        ("*, en;q=0", "en ja", "ja"),
        ("en;q=0, ja;q=0.1", "en ja", "ja"),
        ("ja;q=0", "en ja", "en"),
        ("en;q=0", "en ja", "en"),
        ("en;q=0, ja;q=0, *", "en ja", "en"),
        ("ja;q=x, de", "en de ja", "de"),
        ("ja", "de", "de"),
        ("-, --, ja-, *-ch", "en ja", "ja"),
    ],
)
def test_language(field: str | None, offered: str, language: str) -> None:
    """The best language is looked up as RFC 4647 has it; the first offered is for all others."""
    assert language_for(field, offered.split()) == language


@pytest.mark.parametrize(
    ("field", "gzip"),
    [
        (None, False),
        ("", False),
        pytest.param("gzip, deflate, br, zstd", True, id="browsers, httpx"),
        pytest.param("gzip, deflate", True, id="requests"),
        pytest.param("deflate, gzip, br, zstd", True, id="curl --compressed"),
        pytest.param("gzip;q=1.0,deflate;q=0.6,identity;q=0.3", True, id="Ruby"),
        pytest.param("gzip, compress, deflate, br", True, id="axios"),
        pytest.param("identity", False, id="wget"),
        pytest.param("br", False, id="only br"),
        ("x-gzip", True),
        ("GZIP", True),
        ("gzip;q=0", False),
        ("gzip;q=0.001", True),
        ("gzip;q=0.5, identity;q=0.6", False),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("*", False),
        ("*;q=0", False),
        ("identity;q=0", False),
        ("identity;q=0, *", True),
        ("identity;q=0, *;q=0", False),
        ("identity;q=0, gzip", True),
        ("gzip;q=0, identity;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0, gzip", True),
        ("gzip;q=wrong", False),
    ],
)
def test_coding(field: str | None, gzip: bool) -> None:
    """gzip is given to who names it, and to who refuses to have it any other way."""
    assert takes_gzip(field) is gzip


MENU = Menu({HTML: ("en", "ja"), PROBLEM: ("en",), TEXT: ("ja", "en")})


@pytest.mark.parametrize(
    ("lines", "variant", "origin"),
    [
        ([], Variant(HTML, "en"), None),
        (
            [b"Host: a", b"accept-LANGUAGE:ja", b"Accept-Encoding: gzip"],
            Variant(HTML, "ja", True),
            None,
        ),
        ([b"ACCEPT: text/html;q=0.1", b"accept:  text/plain\t"], Variant(TEXT, "ja"), None),
        (
            [b"Accept: text/plain", b"Accept-Language: de", b"Accept-Language: en"],
            Variant(TEXT, "en"),
            None,
        ),
        (
            [b"Accept: application/json", b"Accept-Language: ja", b"origin: https://a.example"],
            Variant(PROBLEM, "en"),
            b"https://a.example",
        ),
        ([b"Origin: https://a.example", b"Origin: https://a.example"], Variant(HTML, "en"), None),
        ([b"Origin: https://a.example, https://b.example"], Variant(HTML, "en"), None),
        ([b"Origin: null"], Variant(HTML, "en"), b"null"),
        ([b"Origin: https://a.example/\xff"], Variant(HTML, "en"), None),
        ([b"Origin:"], Variant(HTML, "en"), None),
        ([b"Authorization: a", b"Accept-Charset: x", b"Oddity: y"], Variant(HTML, "en"), None),
    ],
)
def test_wish(lines: list[bytes], variant: Variant, origin: bytes | None) -> None:
    """What a request asks for is read from its field lines, in any case, several as one list."""
    for block in (None, None, b"\r\n".join(lines), b"\r\n".join(lines)):  # read, and remembered
        wish = MENU.wish(lines, block)
        assert MENU.variants[wish.place] == variant
        assert wish.origin == origin


words = st.sampled_from(
    [
        *("text/html", "text/*", "*/*", "*", "application/json", "x/y+json", "text/plain", "en"),
        *("ja", "gzip", "identity", ";q=0.5", ";q=0", "; q=", ";", ",", "=", "-", " ", "\x00"),
    ]
)
fields = st.one_of(st.none(), st.text(), st.lists(words, max_size=20).map("".join))


@given(fields)
def test_nothing_fails(field: str | None) -> None:
    """No field makes negotiation fail, and its answer is one of what there is."""
    assert kind_for(field) in PageKind
    assert language_for(field, ("en", "ja")) in ("en", "ja")
    assert takes_gzip(field) in (False, True)


@given(st.lists(st.binary(min_size=1), max_size=5))
def test_no_line_fails(lines: list[bytes]) -> None:
    """Whatever lines a head has, a variant of the menu is found."""
    known = [b"Accept:", b"Accept-Language: ", b"accept-encoding:", b"Origin: "]
    named = [known[at % len(known)] + line for at, line in enumerate(lines)]
    assert 0 <= MENU.wish(lines).place < len(MENU.variants)
    assert 0 <= MENU.wish(named).place < len(MENU.variants)


def test_what_is_remembered_is_bounded() -> None:
    """Who sends ever new fields, or very long ones, does not fill the memory."""
    menu = Menu(dict.fromkeys(PageKind, ("en",)))
    for number in range(3000):
        menu.wish([b"Accept: text/%d" % number])
        menu.wish([b"Accept: text/%d,%b" % (number, b"x" * 3000)])
        menu.wish([b"Accept: */*"], b"Accept: */*\r\nX: %d" % number)
    assert menu.remembered <= 512
