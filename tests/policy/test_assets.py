"""What is answered for a file: conditions, ranges, types."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.model import Value
from sorryd.policy.assets import File, entity_tag, media_type, served

NOW = 1795269600.0
MODIFIED = b"Sat, 21 Nov 2026 13:00:00 GMT"
FILE = File(size=1000, mtime=1795266000_123456789, inode=7)
TAG = entity_tag(FILE, NOW)
EARLIER, LATER = b"Sat, 21 Nov 2026 12:59:59 GMT", b"Sat, 21 Nov 2026 13:00:01 GMT"
OBSOLETE = b"Saturday, 21-Nov-26 13:00:00 GMT"


class Asked(Value, frozen=True):
    """A request, as far as it matters here."""

    method: bytes = b"GET"
    lines: Sequence[bytes] = ()


def answer(*lines: bytes, method: bytes = b"GET", file: File = FILE) -> tuple[int, int, int]:
    """Status, first byte and length."""
    got = served(Asked(method=method, lines=lines), b"images/a.png", file, NOW)
    return got.status.value, got.start, got.length


def test_whole() -> None:
    """All that is said of a file."""
    got = served(Asked(), b"images/a.css", FILE, NOW)
    assert (got.start, got.length) == (0, 1000)
    assert got.head(NOW, b"Connection: close\r\n") == (
        b"HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 14:00:00 GMT\r\nETag: " + TAG + b"\r\n"
        b"Last-Modified: " + MODIFIED + b"\r\nCache-Control: public, max-age=60\r\n"
        b"Content-Type: text/css; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
        b"Accept-Ranges: bytes\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"If-None-Match: " + TAG, 304),
        (b"If-None-Match: W/" + TAG, 304),
        (b'if-none-match: "a", ' + TAG, 304),
        (b"If-None-Match: *", 304),
        (b'If-None-Match: "a"', 200),
        (b"If-None-Match: nonsense", 200),
        (b"If-Modified-Since: " + MODIFIED, 304),
        (b"If-Modified-Since: " + LATER, 304),
        (b"If-Modified-Since: " + OBSOLETE, 304),
        (b"If-Modified-Since: " + EARLIER, 200),
        (b"If-Modified-Since: yesterday", 200),
        (b"If-Modified-Since: \xff", 200),
        (b"If-Match: " + TAG, 200),
        (b"If-Match: *", 200),
        (b"If-Match: W/" + TAG, 412),
        (b'If-Match: "a"', 412),
        (b"If-Unmodified-Since: " + MODIFIED, 200),
        (b"If-Unmodified-Since: " + EARLIER, 412),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_conditions(line: bytes, status: int, method: bytes) -> None:
    """RFC 9110 §13.1."""
    assert answer(line, method=method)[0] == status


def test_conditions_together() -> None:
    """A tag counts more than a date; several lines are one list (RFC 9110 §13.2.2)."""
    same = b"If-Modified-Since: " + MODIFIED
    assert answer(b'If-None-Match: "a"', same)[0] == 200
    assert answer(b'If-None-Match: "a"', b"If-None-Match: " + TAG)[0] == 304
    assert answer(b"If-Match: " + TAG, b"If-None-Match: " + TAG)[0] == 304


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (b"bytes=0-0", (206, 0, 1)),
        (b"bytes=0-", (206, 0, 1000)),
        (b"bytes=10-19", (206, 10, 10)),
        (b"Bytes=990-5000", (206, 990, 10)),
        (b"bytes=-10", (206, 990, 10)),
        (b"bytes=-5000", (206, 0, 1000)),
        (b"bytes=999-", (206, 999, 1)),
        (b"bytes=1000-", (416, 0, 0)),
        (b"bytes=1000-2000", (416, 0, 0)),
        (b"bytes=-0", (416, 0, 0)),
        (b"bytes=5-4", (200, 0, 1000)),
        (b"bytes=0-0,2-3", (200, 0, 1000)),
        (b"bytes=-", (200, 0, 1000)),
        (b"bytes=", (200, 0, 1000)),
        (b"bytes", (200, 0, 1000)),
        (b"lines=0-1", (200, 0, 1000)),
        (b"bytes=a-b", (200, 0, 1000)),
        (b"bytes=0-" + b"9" * 50, (200, 0, 1000)),
    ],
)
def test_range(value: bytes, result: tuple[int, int, int]) -> None:
    """One range is served; what is none is as if it were not there (RFC 9110 §14.2)."""
    assert answer(b"Range: " + value) == result
    assert answer(b"Range: " + value, method=b"HEAD") == (200, 0, 1000)


def test_range_is_told() -> None:
    """Which part it is, and of how much."""
    part = served(Asked(lines=(b"Range: bytes=10-19",)), b"a", FILE, NOW)
    assert b"Content-Range: bytes 10-19/1000\r\nContent-Length: 10\r\n" in part.lines
    beyond = served(Asked(lines=(b"Range: bytes=1000-",)), b"a", FILE, NOW)
    assert b"Content-Range: bytes */1000\r\n" in beyond.lines


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (TAG, 206),
        (MODIFIED, 206),
        (b"W/" + TAG, 200),
        (b'"a"', 200),
        (EARLIER, 200),
        (LATER, 200),
    ],
)
def test_if_range(value: bytes, status: int) -> None:
    """A part only of the very file that the visitor has the rest of (RFC 9110 §13.1.5)."""
    assert answer(b"Range: bytes=1-", b"If-Range: " + value)[0] == status


def test_file_just_changed() -> None:
    """What may have changed once more within the same tick has a weak tag, and no parts of it."""
    fresh = File(size=1000, mtime=int((NOW - 1) * 1e9), inode=7)
    tag = entity_tag(fresh, NOW)
    assert tag.startswith(b'W/"')
    assert answer(b"If-None-Match: " + tag, file=fresh)[0] == 304
    assert answer(b"Range: bytes=1-", b"If-Range: " + tag, file=fresh)[0] == 200
    assert answer(b"If-Match: " + tag, file=fresh)[0] == 412


@pytest.mark.parametrize("mtime", [-(10**18), 0, 10**19, 10**25])
def test_strange_times(mtime: int) -> None:
    """A file of another age has no date before 1970 or to come."""
    got = served(Asked(), b"a", File(size=0, mtime=mtime, inode=1), NOW)
    told = re.search(rb"Last-Modified: (.*)\r\n", got.lines)
    assert told is not None
    born = b"Thu, 01 Jan 1970 00:00:00 GMT"
    assert told[1] == (born if mtime <= 0 else b"Sat, 21 Nov 2026 14:00:00 GMT")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"a/b.HTML", "text/html; charset=utf-8"),
        (b"a.js", "text/javascript; charset=utf-8"),
        (b"a.css", "text/css; charset=utf-8"),
        (b"a.png", "image/png"),
        (b"a.svg", "image/svg+xml"),
        (b"a.woff2", "font/woff2"),
        (b"a.webp", "image/webp"),
        (b"a.json", "application/json"),
        (b"a.tar.gz", "application/gzip"),
        (b"a.css.gz", "application/gzip"),
        (b"a", "application/octet-stream"),
        (b"\xff.\xff", "application/octet-stream"),
        (b".css", "application/octet-stream"),
    ],
)
def test_media_type(path: bytes, kind: str) -> None:
    """By the ending of the name, text in UTF-8."""
    assert media_type(path) == kind


NAMES = [
    *(b"If-None-Match: ", b"If-Match: ", b"Range: ", b"If-Range: "),
    *(b"If-Modified-Since: ", b"If-Unmodified-Since: "),
]


@given(
    st.lists(
        st.builds(
            bytes.__add__,
            st.sampled_from(NAMES),
            st.binary(max_size=30) | st.sampled_from([TAG, MODIFIED, b"bytes=1-", b"*"]),
        )
    ),
    st.integers(0, 3),
)
def test_anything(lines: list[bytes], size: int) -> None:
    """Whatever is asked, what is sent lies within the file."""
    file = File(size=size, mtime=FILE.mtime, inode=7)
    status, start, length = answer(*lines, file=file)
    assert status in (200, 206, 304, 412, 416)
    assert 0 <= start <= start + length <= size
