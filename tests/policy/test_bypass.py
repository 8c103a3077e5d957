"""Tokens of secret links: good for one site and what holds it down, for a time, and for nobody
who can't make them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.policy.bypass import (
    LIFETIME,
    asked,
    bypass_key,
    expiry,
    followed,
    is_good,
    link,
    make,
)

KEY = bypass_key(None, b"k" * 32)
NOON = 1795269600.0
GOOD = make(KEY, "shop", "window night", expiry(NOON))


def check(token: str | bytes, key: bytes = KEY, site: str = "shop", now: float = NOON) -> bool:
    data = token.encode("utf-8") if isinstance(token, str) else token
    return is_good(data, key, site, ("window other", "window night"), now)


def test_good() -> None:
    """It is good while the window that it was made for acts, until it has outlived itself."""
    assert check(GOOD)
    assert check(GOOD, now=NOON + LIFETIME - 1)
    assert not check(GOOD, now=NOON + LIFETIME)
    assert not is_good(GOOD.encode(), KEY, "shop", ("window other",), NOON)
    assert not is_good(GOOD.encode(), KEY, "shop", (), NOON)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "1",
        "1..",
        GOOD[:-1],
        GOOD + "A",
        GOOD + "=",
        GOOD + "\n",
        " " + GOOD,
        GOOD.upper(),
        GOOD.replace("1.", "2.", 1),
        GOOD.replace(GOOD[2:10], f"{expiry(NOON) + 1:x}"),
        make(KEY, "shop", "file 1.0", expiry(NOON)),
        make(KEY, "blog", "window night", expiry(NOON)),
        make(bypass_key(b"x" * 16, b"k" * 32), "shop", "window night", expiry(NOON)),
        "1.fffffffff0." + "A" * 43,
        "1." + "f" * 1000 + "." + "A" * 43,
        "é" * 10,
    ],
)
def test_forged(token: str) -> None:
    """Whatever is not exactly what was made is nothing."""
    assert not check(token)


@given(st.binary(max_size=80))
def test_anything(token: bytes) -> None:
    """No bytes raise, and none are good."""
    assert not check(token)


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_one_letter_changed(at: int) -> None:
    """Every letter counts, to the last."""
    other = "b" if GOOD[at] != "b" else "c"
    changed = GOOD[:at] + other + GOOD[at + 1 :]
    assert not check(changed)


def test_key() -> None:
    """A site's own secret makes other tokens than the daemon's, which makes none by itself."""
    assert len({bypass_key(None, b"a"), bypass_key(b"b", b"a"), bypass_key(None, b"b")}) == 2
    assert bypass_key(None, b"a") != b"a"


@pytest.mark.parametrize(
    ("query", "token", "to"),
    [
        (b"", b"", b"/"),
        (b"?t=x", b"x", b"/"),
        (b"?t=x&to=/a/b", b"x", b"/a/b"),
        (b"?to=%2Fa%3Fb%3Dc%26d&t=x", b"x", b"/a?b=c&d"),
        (b"?t=x&to=//evil.example", b"x", b"/"),
        (b"?t=x&to=%2F%2Fevil.example", b"x", b"/"),
        (b"?t=x&to=/%5Cevil.example", b"x", b"/"),
        (b"?t=x&to=https://evil.example", b"x", b"/"),
        (b"?t=x&to=/a%0d%0aSet-Cookie:%20a", b"x", b"/"),
        (b"?t=x&to=/a%20b", b"x", b"/"),
        (b"?t=x&to=/%09/evil.example", b"x", b"/"),
        (b"?t=x&to=/%C3%A9", b"x", b"/"),
        (b"?t=x&to=/a%5Cb", b"x", b"/"),
        (b"?t=x&to=", b"x", b"/"),
        (b"?t", b"", b"/"),
    ],
)
def test_asked(query: bytes, token: bytes, to: bytes) -> None:
    """A link leads to a place of the same host, or to its root."""
    assert asked(b"/.sorryd/bypass" + query) == (token, to)


def test_link() -> None:
    """A link is read as it was made."""
    assert asked(link(GOOD).encode()) == (GOOD.encode(), b"/")


@pytest.mark.parametrize("secure", [False, True])
def test_followed(secure: bool) -> None:
    """A cookie that no script reads, over https alone where it came so; nothing is kept."""
    head = followed(b"tok", b"/a?b", secure).head(NOON, b"")
    assert head == (
        b"HTTP/1.1 302 Found\r\nDate: Sat, 21 Nov 2026 14:00:00 GMT\r\nLocation: /a?b\r\n"
        b"Content-Length: 0\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
        b"Set-Cookie: sorryd_bypass=tok; Path=/; HttpOnly; SameSite=Lax%b\r\n\r\n"
    ) % (b"; Secure" if secure else b"")
    assert b"Set-Cookie" not in followed(None, b"/", secure).lines
