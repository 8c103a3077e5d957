"""Lines of the access log, whatever a visitor sends."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.model import Value
from sorryd.policy.access import CombinedLines, Entry, Lines, escaped
from sorryd.policy.access_json import JsonLines

TWO = 1795280400.0  # 2026-11-22 02:00 in Tokyo


class Asked(Value, frozen=True):
    """A request's head, as far as it matters here."""

    method: bytes = b"GET"
    target: bytes = b"/a?b"
    minor: int = 1
    host: bytes = b"shop.example"
    lines: Sequence[bytes] = ()


class Written(Value, frozen=True):
    """What is known of one request."""

    head: Asked | None = Asked()
    received: bytes = b""
    client: str = "192.0.2.7"
    secure: bool = False
    wall: float = TWO + 0.1259
    began: float = 10.0
    id: str = "c0ffee"
    site: str = "shop"
    phase: str = "live"
    member: str | None = "http://10.0.0.11:3000"
    retries: int = 1
    status: int = 200
    body_bytes: int = 1234
    first: float | None = 10.0125
    over: float = 11.0
    ended: str = "done"
    bypass: str = ""


def combined(written: Written, zone: str) -> bytes:
    """Its line."""
    return line_of(written, CombinedLines(zone))


def json_line(written: Written, zone: str) -> bytes:
    """Its line."""
    return line_of(written, JsonLines(zone))


def line_of(written: Written, lines: Lines) -> bytes:
    """Its line, of a kind."""
    head = written.head
    entry = Entry(lines.caller(written.client, written.secure), written.wall, written.began)
    entry.id, entry.site, entry.phase = written.id, written.site, written.phase
    entry.member, entry.retries, entry.status = written.member, written.retries, written.status
    entry.body_bytes, entry.received = written.body_bytes, written.received
    entry.first, entry.over, entry.how = written.first, written.over, written.ended
    entry.bypass = written.bypass
    if head is None:
        return lines.unread(entry)
    asked = lines.asked(head.host, head.lines)
    return lines.line(entry, head.method, head.target, head.minor, asked)


# --- combined -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(
            Written(
                head=Asked(
                    lines=(
                        b"Host: a",
                        b"user-agent:\tcurl/8 ",
                        b"REFERER: http://a/",
                        b"Upgrade: x",
                    )
                )
            ),
            b'192.0.2.7 - - [22/Nov/2026:02:00:00 +0900] "GET /a?b HTTP/1.1" 200 1234'
            b' "http://a/" "curl/8"\n',
            id="all",
        ),
        pytest.param(
            Written(head=Asked(minor=0), client="2001:db8::7", status=304, body_bytes=0),
            b'2001:db8::7 - - [22/Nov/2026:02:00:00 +0900] "GET /a?b HTTP/1.0" 304 - "-" "-"\n',
            id="little",
        ),
        pytest.param(
            Written(client="", status=0, body_bytes=0, first=None, ended="visitor_left"),
            b'- - - [22/Nov/2026:02:00:00 +0900] "GET /a?b HTTP/1.1" 499 - "-" "-"\n',
            id="no answer, and no address",
        ),
        pytest.param(
            Written(head=None, received=b'GET  / "HTTP/1.1\r\nHost: a\r\n', status=400),
            b'192.0.2.7 - - [22/Nov/2026:02:00:00 +0900] "GET  / \\"HTTP/1.1" 400 1234 "-" "-"\n',
            id="no request",
        ),
        pytest.param(
            Written(head=None, status=408, body_bytes=0),
            b'192.0.2.7 - - [22/Nov/2026:02:00:00 +0900] "-" 408 - "-" "-"\n',
            id="nothing",
        ),
    ],
)
def test_combined(entry: Written, expected: bytes) -> None:
    """As Apache writes it."""
    assert combined(entry, "Asia/Tokyo") == expected


def test_zone() -> None:
    """Times are local, with the offset of that instant."""
    assert b"[21/Nov/2026:14:00:00 -0300]" in combined(Written(), "America/Sao_Paulo")
    assert b"[02/Jul/2026:16:00:00 +0200]" in combined(Written(wall=1783000800.0), "Europe/Berlin")
    assert b"[21/Nov/2026:17:00:00 +0000]" in combined(Written(), "UTC")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain ~!", b"plain ~!"),
        (b'a" 200 -', b'a\\" 200 -'),
        (b"\\", b"\\\\"),
        (b"a\tb\x00\x1b[2J\x7f", b"a\\x09b\\x00\\x1b[2J\\x7f"),
        ("é\u2028".encode(), b"\\xc3\\xa9\\xe2\\x80\\xa8"),
        (b"a\r\n6.6.6.6 - -", b"a\\x0d\\x0a6.6.6.6 - -"),
    ],
)
def test_escaped(value: bytes, text: bytes) -> None:
    """In Apache's way, but for its letters for some control bytes."""
    assert escaped(value) == text


def test_each_byte() -> None:
    """Is escaped if it must be, also where no other is."""
    for byte in map(bytes, zip(range(256))):
        is_plain = byte.isascii() and byte.decode().isprintable() and byte not in b'"\\'
        assert (escaped(byte) == byte) is is_plain
        assert unescaped(escaped(byte)) == byte


# --- JSON -----------------------------------------------------------------------------------


def test_json_line() -> None:
    """All that is known, in one order."""
    head = Asked(lines=(b"Referer: http://a/", b"User-Agent: curl/8"))
    line = json_line(Written(head=head), "Asia/Tokyo")
    assert list(json.loads(line).items()) == [
        ("time", "2026-11-22T02:00:00.125+09:00"),
        ("id", "c0ffee"),
        ("site", "shop"),
        ("phase", "live"),
        ("client", "192.0.2.7"),
        ("tls", False),
        ("method", "GET"),
        ("target", "/a?b"),
        ("version", "HTTP/1.1"),
        ("host", "shop.example"),
        ("status", 200),
        ("bytes", 1234),
        ("member", "http://10.0.0.11:3000"),
        ("retries", 1),
        ("first_ms", 12.5),
        ("total_ms", 1000.0),
        ("ended", "done"),
        ("referer", "http://a/"),
        ("user_agent", "curl/8"),
        ("bypass", None),
    ]
    assert line.endswith(b"}\n")


@pytest.mark.parametrize("how", ["network", "cookie", "header"])
def test_operator(how: str) -> None:
    """Who sees a site that is down is told: as the user, and in a field of JSON."""
    entry = Written(bypass=how)
    assert combined(entry, "UTC").startswith(b"192.0.2.7 - bypass-%b [" % how.encode())
    assert json.loads(json_line(entry, "UTC"))["bypass"] == how


def test_json_of_little() -> None:
    """What is not known is null."""
    entry = Written(head=Asked(host=b""), client="", member=None, status=0, first=None)
    told = json.loads(json_line(entry, "UTC"))
    unknown = {name for name, value in told.items() if value is None}
    assert unknown == {
        "client", "host", "member", "status", "first_ms", "referer", "user_agent",
        "bypass",
    }  # fmt: skip


def test_json_without_a_request() -> None:
    """What came instead is shown, the beginning of it."""
    told = json.loads(json_line(Written(head=None, received=b"\x16\x03\x01" + b"a" * 999), "UTC"))
    assert told["received"] == r"\x16\x03\x01" + "a" * 253
    assert (told["method"], told["target"], told["host"], told["version"]) == (None,) * 4


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b'a"b\\c', 'a"b\\c'),
        ("größe/日本/😀".encode(), "größe/日本/😀"),
        ("\u2028\x85\x9b".encode(), "\u2028\x85\x9b"),
        (b"a\xffb\xc3", "a\\xffb\\xc3"),
        (b"a\x7f\t", "a\x7f"),
    ],
)
def test_json_text(value: bytes, text: str) -> None:
    """Is what was sent, where it was text."""
    line = json_line(Written(head=Asked(target=value, lines=(b"user-agent:" + value,))), "UTC")
    assert json.loads(line)["user_agent"] == text
    assert json.loads(line)["target"].rstrip("\t") == text
    assert re.fullmatch(rb"[ -~]*\n", line)


# --- whatever comes -------------------------------------------------------------------------

COMBINED = re.compile(
    rb"\S+ - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"
    rb' "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"\n'
)
ANY = st.binary(max_size=40) | st.text(max_size=20).map(
    lambda text: text.encode("utf-8", "replace")
)
HEADS = st.builds(
    lambda method, target, referer, agent: Asked(
        method=method, target=target, lines=(b"Referer:" + referer, b"User-Agent:" + agent)
    ),
    ANY, ANY, ANY, ANY,
)  # fmt: skip
ENTRIES = st.builds(
    lambda head, received, wall: Written(head=head, received=received, wall=wall),
    st.none() | HEADS,
    ANY,
    st.floats(0, 4e9),
)


def unescaped(text: bytes) -> bytes:
    """What `escaped` made of it, undone."""
    return re.sub(
        rb'\\(?:x([0-9a-f]{2})|(["\\]))',
        lambda found: bytes.fromhex(found[1].decode()) if found[1] else found[2],
        text,
    )


@given(ENTRIES)
def test_combined_reads_back(entry: Written) -> None:
    """One line of printable ASCII, in which every field is where and what it should be."""
    line = combined(entry, "Asia/Tokyo")
    assert re.fullmatch(rb"[ -~]*\n", line)
    found = COMBINED.fullmatch(line)
    assert found is not None
    if entry.head is not None:
        head = entry.head
        assert unescaped(found[1]) == head.method + b" " + head.target + b" HTTP/1.1"
        for text, field in zip((found[4], found[5]), head.lines, strict=True):
            assert unescaped(text) == (field.partition(b":")[2].strip(b" \t") or b"-")


@given(ENTRIES)
def test_json_reads_back(entry: Written) -> None:
    """One line of printable ASCII, with every member once."""
    line = json_line(entry, "Asia/Tokyo")
    assert re.fullmatch(rb"[ -~]*\n", line)
    pairs = json.loads(line, object_pairs_hook=list)
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)) == 20 + (entry.head is None)
    told = dict(pairs)
    assert abs(datetime.fromisoformat(told["time"]).timestamp() - entry.wall) < 0.002
    if entry.head is not None:
        target = entry.head.target.decode("utf-8", "backslashreplace") or None
        assert (told["target"], told["ended"]) == (target, "done")
