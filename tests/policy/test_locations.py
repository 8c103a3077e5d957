"""An answer that names a member's address names the one that the visitor asked instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.model import Member, MemberTls
from sorryd.policy.locations import Reverse


def member(
    host: str = "app.internal", port: int = 3000, path: str = "", tls: bool = False
) -> Member:
    return Member(url=host, host=host, port=port, path=path, tls=MemberTls() if tls else None)


MEMBERS = (
    member(),
    member("10.0.0.12", 80),
    member("2001:db8::12", 3000),
    member("secure.internal", 443, tls=True),
    member("nested.internal", 80, "/app"),
    member("nested.internal", 80, "/app/v2"),
)
REVERSE = Reverse(MEMBERS)


def seen(line: bytes, secure: bool = False, host: bytes = b"shop.example:8080") -> bytes:
    """How a visitor sees a line of an answer."""
    (new,) = REVERSE.rewrite([line], [0], secure, host)
    return new


# --- absolute URLs --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [b"Location: ", b"content-location:", b"URI: ", b"Refresh: 5; url="]
)
@pytest.mark.parametrize(
    ("url", "visible"),
    [
        (b"http://app.internal:3000/a?b#c", b"http://shop.example:8080/a?b#c"),
        (b"http://app.internal:3000", b"http://shop.example:8080"),
        (b"http://app.internal:3000?b", b"http://shop.example:8080?b"),
        (b"HTTP://App.Internal:3000/A", b"http://shop.example:8080/A"),
        (b"http://10.0.0.12/", b"http://shop.example:8080/"),
        (b"http://10.0.0.12:80/", b"http://shop.example:8080/"),
        (b"http://10.0.0.12:/", b"http://shop.example:8080/"),
        (b"http://[2001:DB8::12]:3000/", b"http://shop.example:8080/"),
        (b"https://secure.internal/", b"http://shop.example:8080/"),
        (b"https://secure.internal:443/", b"http://shop.example:8080/"),
        (b"http://nested.internal/app", b"http://shop.example:8080"),
        (b"http://nested.internal/app/", b"http://shop.example:8080/"),
        (b"http://nested.internal/app?b", b"http://shop.example:8080?b"),
        (b"http://nested.internal/app/v2/c", b"http://shop.example:8080/c"),
        (b"http://nested.internal/app/v3/c", b"http://shop.example:8080/v3/c"),
        (b"http://app.internal:3000//x", b"http://shop.example:8080//x"),
    ],
)  # fmt: skip
def test_absolute(name: bytes, url: bytes, visible: bytes) -> None:
    """A member's scheme, authority and path become the visitor's scheme and authority."""
    assert seen(name + url) == name + visible
    assert seen(name + url, secure=True) == name + visible.replace(b"http:", b"https:")


@pytest.mark.parametrize("name", [b"Location: ", b"URI:", b"Refresh: 0;", b"Refresh: 0; url='"])
@pytest.mark.parametrize(
    "url",
    [
        b"http://app.internal/", b"http://app.internal:30001/", b"http://app.internal:300",
        b"http://app.internal.example:3000/", b"https://app.internal:3000/", b"http://10.0.0.12:443/",
        b"http://u:p@app.internal:3000/", b"http:/app.internal:3000/", b"ftp://app.internal:3000/",
        b"//app.internal:3000/a", b"a/b", b"?a=http://app.internal:3000/", b"../a", b"/a", b"",
        b"http://nested.internal/", b"http://nested.internal/apple", b"http://nested.internal",
        b"http://secure.internal/", b"/apple", b"app/", b"http://", b"\xff\xfe", b"http://\xff/",
        b"http://shop.example:8080/",
    ],
)  # fmt: skip
def test_untouched(name: bytes, url: bytes) -> None:
    """Whatever is not below a member's address stays as it is, byte for byte."""
    assert seen(name + url) == name + url


@pytest.mark.parametrize(
    ("url", "visible"),
    [
        (b"https://app.internal:3000/a", b"https://shop.example:8080/a"),
        (b"https://10.0.0.12/a", b"https://shop.example:8080/a"),
        (b"https://nested.internal/app/a", b"https://shop.example:8080/a"),
        (b"https://nested.internal/apple", b"https://nested.internal/apple"),
        (b"https://app.internal/a", b"https://app.internal/a"),
        (b"http://secure.internal/a", b"http://secure.internal/a"),
    ],
)
def test_scheme_of_the_visitor(url: bytes, visible: bytes) -> None:
    """A plain member that was told https says so at its own authority; without TLS it would not."""
    assert seen(b"Location: " + url, secure=True) == b"Location: " + visible
    assert seen(b"Location: " + url) == b"Location: " + url


@pytest.mark.parametrize(
    ("path", "visible"),
    [
        (b"/app", b"/"),
        (b"/app/", b"/"),
        (b"/app/a?b", b"/a?b"),
        (b"/app?b", b"/?b"),
        (b"/app#c", b"/#c"),
        (b"/app/v2/a", b"/a"),
        (b"/app/app/a", b"/app/a"),
        # These would lead to another host, were they to begin with the second slash.
        (b"/app//evil.example/", b"/app//evil.example/"),
        (b"/app/\\evil.example/", b"/app/\\evil.example/"),
        (b"/app/\t/evil.example/", b"/app/\t/evil.example/"),
        (b"/app\\evil.example/", b"/app\\evil.example/"),
    ],
)
def test_paths(path: bytes, visible: bytes) -> None:
    """A path below a member's own is one below the site's root."""
    assert seen(b"Location: " + path) == b"Location: " + visible
    plain = Reverse(MEMBERS[:4]).rewrite([b"Location: " + path], [0], False, b"shop.example")
    assert plain == [b"Location: " + path]


@pytest.mark.parametrize(
    ("url", "visible"),
    [
        (b"http://app.internal:3000/a", b"/a"),
        (b"http://app.internal:3000", b"/"),
        (b"http://app.internal:3000?b", b"/?b"),
        (b"http://nested.internal/app", b"/"),
        (b"http://app.internal:3000//evil.example/", b"http://app.internal:3000//evil.example/"),
    ],
)
def test_visitor_without_a_host(url: bytes, visible: bytes) -> None:
    """HTTP/1.0 need not say what it asks: it gets a path (RFC 9110 §10.2.2)."""
    assert seen(b"Location: " + url, host=b"") == b"Location: " + visible


@pytest.mark.parametrize(
    ("line", "visible"),
    [
        (b"LOCATION:\t http://10.0.0.12/ ", b"LOCATION:\t http://shop.example:8080/ "),
        (b"Refresh: 5;URL='http://10.0.0.12'", b"Refresh: 5;URL='http://shop.example:8080'"),
        (b'Refresh:0.5 , url = "/app"', b'Refresh:0.5 , url = "/"'),
        (b"Refresh: 5; http://10.0.0.12/", b"Refresh: 5; http://shop.example:8080/"),
        (b"Refresh: 5", b"Refresh: 5"),
        (b"Refresh: http://10.0.0.12/", b"Refresh: http://10.0.0.12/"),
        (
            b"URI: <http://10.0.0.12/a>, </app>",
            b"URI: <http://shop.example:8080/a>, </>",
        ),
        (b"X-Location: http://10.0.0.12/", b"X-Location: http://10.0.0.12/"),
        (b"no colon", b"no colon"),
    ],
)
def test_lines(line: bytes, visible: bytes) -> None:
    """The rest of the line is the member's own."""
    assert seen(line) == visible


# --- cookies --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "visible"),
    [
        (b"a=b; Domain=app.internal; Secure", b"a=b; Domain=shop.example; Secure"),
        (b"a=b;domain= .APP.internal ;Path=/x", b"a=b;domain=shop.example;Path=/x"),
        (b"a=b; DOMAIN=10.0.0.12", b"a=b; DOMAIN=shop.example"),
        (b"a=b; Domain=internal", b"a=b; Domain=internal"),
        (b"a=b; Domain=other.example", b"a=b; Domain=other.example"),
        (b"a=b; Path=/app; HttpOnly", b"a=b; Path=/; HttpOnly"),
        (b"a=b; path = /app/v2/c", b"a=b; path =/c"),
        (b"a=b; Path=/app/", b"a=b; Path=/"),
        (b"a=b; Path=/apple", b"a=b; Path=/apple"),
        (b"a=b; Path=/", b"a=b; Path=/"),
        (b"Path=/app", b"Path=/app"),
        (b'a="x, Domain=app.internal"', b'a="x, Domain=app.internal"'),
        (b"a=b; Domain; Path; ;", b"a=b; Domain; Path; ;"),
        (b"", b""),
    ],
)
def test_cookies(cookie: bytes, visible: bytes) -> None:
    """A member's host as Domain is the visitor's, and its path is none."""
    assert seen(b"Set-Cookie: " + cookie) == b"Set-Cookie: " + visible


@pytest.mark.parametrize("host", [b"", b"localhost:80", b"192.0.2.1", b"192.0.2.1:80", b"[::1]:80"])
def test_host_that_is_no_domain(host: bytes) -> None:
    """The cookie is the host's alone then, as browsers have it (RFC 6265 §5.3)."""
    line = b"Set-Cookie: a=b; Domain=app.internal; Path=/app"
    assert seen(line, host=host) == b"Set-Cookie: a=b; Path=/"


# --- whatever comes -------------------------------------------------------------------------


def test_only_the_lines_that_are_named() -> None:
    """No other line is looked at, and the list that was given stays as it was."""
    lines = [b"Location: http://10.0.0.12/"] * 3
    assert REVERSE.rewrite(lines, [1], False, b"a") == [lines[0], b"Location: http://a/", lines[0]]
    assert lines == [b"Location: http://10.0.0.12/"] * 3
    assert REVERSE.rewrite(lines, [], False, b"a") is lines


NAMES = st.sampled_from(b"Location: Content-Location: URI: Refresh: Set-Cookie:".split(b" "))
PIECES = st.sampled_from(
    b"http:// https:// app.internal:3000 nested.internal /app / // \\ ; , = < > ' \" ? # : @ 5; "
    b"url= Domain= Path= app.internal".split(b" ")
)
VALUES = st.one_of(st.lists(PIECES, max_size=8).map(b"".join), st.binary(max_size=40))


@given(NAMES, VALUES, st.booleans(), st.sampled_from([b"", b"shop.example", b"[::1]:80"]))
def test_any_bytes(name: bytes, value: bytes, secure: bool, host: bytes) -> None:
    """Nothing fails; and without a member's host or path in it, nothing changes."""
    line = name + value
    visible = seen(line, secure, host)
    assert visible.startswith(name)
    if b"internal" not in value.lower() and b"/app" not in value:
        assert visible == line
