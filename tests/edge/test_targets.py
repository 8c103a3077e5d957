"""Forms of a request's target, and its Host (RFC 9112 §3.2)."""

from __future__ import annotations

import pytest
from tests.edge.reading import get, message, one, refusal_of

# --- forms of the target ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "method", "target"),
    [
        pytest.param(b"OPTIONS * HTTP/1.1", b"OPTIONS", b"*", id="asterisk"),
        pytest.param(b"GET http://a/b?c HTTP/1.1", b"GET", b"/b?c", id="absolute"),
        pytest.param(b"GET HTTPS://A/%2f/../b HTTP/1.1", b"GET", b"/%2f/../b", id="its case"),
        pytest.param(b"GET http://a HTTP/1.1", b"GET", b"/", id="absolute without a path"),
        pytest.param(b"GET http://a?b/c HTTP/1.1", b"GET", b"/?b/c", id="query without a path"),
        pytest.param(b"GET http://a//b HTTP/1.1", b"GET", b"//b", id="path of two slashes"),
        pytest.param(b"OPTIONS http://a HTTP/1.1", b"OPTIONS", b"*", id="absolute asterisk"),
        pytest.param(b"OPTIONS http://a/ HTTP/1.1", b"OPTIONS", b"/", id="absolute slash"),
        pytest.param(b"OPTIONS http://a?b HTTP/1.1", b"OPTIONS", b"/?b", id="OPTIONS and query"),
    ],
)
def test_forms(line: bytes, method: bytes, target: bytes) -> None:
    """A member gets the origin form of an absolute one, or an asterisk (RFC 9112 §3.2)."""
    request = one(message(line))
    assert (request.method, request.target) == (method, target)
    assert request.lines == (b"Host: a",)


def test_absolute_form_without_host() -> None:
    """The host of an HTTP/1.0 request's absolute target becomes its Host (RFC 9112 §3.2.2)."""
    request = one(message(b"GET http://b:8080/ HTTP/1.0", b"X: y", host=None))
    assert (request.host, request.host_at) == (b"b:8080", 0)
    assert request.lines == (b"Host: b:8080", b"X: y")


def test_absolute_form_and_connection_options() -> None:
    """Host is found again among the fields that are left."""
    lines = (b"X: y", b"Connection: X", b"x: y", b"Host: a", b"Y: z")
    request = one(message(b"GET http://a/ HTTP/1.1", *lines, host=None))
    assert request.lines == (b"Host: a", b"Y: z")
    assert request.host_at == 0


@pytest.mark.parametrize("authority", [b"b@a", b"a,b", b":80", b"[::1", b"a%", b"a\\b"])
def test_bad_authority_without_host(authority: bytes) -> None:
    """What would be no Host does not become one by way of the target."""
    assert refusal_of(message(b"GET http://" + authority + b"/ HTTP/1.0", host=None)) == 400


@pytest.mark.parametrize(
    ("line", "status"),
    [
        pytest.param(b"GET * HTTP/1.1", 400, id="asterisk of another method"),
        pytest.param(b"OPTIONS ** HTTP/1.1", 400, id="two asterisks"),
        pytest.param(b"GET a HTTP/1.1", 400, id="authority of another method"),
        pytest.param(b"GET a/b HTTP/1.1", 400, id="relative path"),
        pytest.param(b"GET ?b HTTP/1.1", 400, id="query alone"),
        pytest.param(b"GET \\b HTTP/1.1", 400, id="backslash"),
        pytest.param(b"GET %2fb HTTP/1.1", 400, id="coded slash"),
        pytest.param(b"CONNECT a:443 HTTP/1.1", 405, id="CONNECT"),
        pytest.param(b"CONNECT / HTTP/1.1", 405, id="CONNECT of a path"),
        pytest.param(b"CONNECT * HTTP/1.1", 405, id="CONNECT of an asterisk"),
        pytest.param(b"connect a:443 HTTP/1.1", 400, id="authority of lower-case connect"),
        pytest.param(b"GET http:///b HTTP/1.1", 400, id="empty authority"),
        pytest.param(b"GET http://?b HTTP/1.1", 400, id="query for an authority"),
        pytest.param(b"GET http:/a/b HTTP/1.1", 400, id="one slash"),
        pytest.param(b"GET //a HTTP/1.1\r\nHost: b", 400, id="second Host after two slashes"),
        pytest.param(b"GET ftp://a/ HTTP/1.1", 400, id="other scheme"),
        pytest.param(b"GET http://b/ HTTP/1.1", 400, id="other host"),
        pytest.param(b"GET http://a:80/ HTTP/1.1", 400, id="port that Host lacks"),
        pytest.param(b"GET http://a@b/ HTTP/1.1", 400, id="userinfo"),
        pytest.param(b"GET http://b@a/ HTTP/1.1", 400, id="userinfo before the host"),
        pytest.param(b"GET http://a\\@b/ HTTP/1.1", 400, id="backslash in the authority"),
        pytest.param(b"GET http://a,b/ HTTP/1.1", 400, id="two authorities"),
    ],
)
def test_bad_forms(line: bytes, status: int) -> None:
    """A target in no form that its method may have is refused, and CONNECT is with 405."""
    assert refusal_of(message(line)) == status


# --- Host -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        b"a", b"shop.example.com", b"a:8080", b"a:", b"127.0.0.1:80", b"[::1]", b"[::1]:8080",
        b"A-b_c~d.e", b"a!$&'()*+;=", b"a%2Db", b"xn--r8jz45g.jp", b"a.", b"",
    ],
)  # fmt: skip
def test_hosts(host: bytes) -> None:
    """A host and port by the grammar of RFC 9110 §7.2 is kept as it is spelt."""
    request = one(message(b"GET / HTTP/1.1", b"hOsT: \t" + host + b" \t", host=None))
    assert request.host == host
    assert request.lines == (b"hOsT: \t" + host + b" \t",)


@pytest.mark.parametrize(
    "host",
    [
        b"a b", b"a\tb", b"a,b", b"a, a", b"a/b", b"/", b"http://a", b"a@b", b"@", b"a?b", b"a#b",
        b"a\\b", b'"a"', b"<a>", b"a:80:80", b"a:b", b"a:-1", b"a:123456", b"::1", b":80", b":",
        b"[::1", b"::1]", b"[]", b"[::1]a", b"[a%25b]", b"[::g]", b"a%", b"a%2", b"a%zz", b"a|b",
        b"a^b", b"a`b", b"{a}", "é".encode(), b"a\x80",
    ],
)  # fmt: skip
def test_bad_hosts(host: bytes) -> None:
    """What two readers could take for different hosts is refused."""
    assert refusal_of(get(host=host)) == 400


@pytest.mark.parametrize(
    ("lines", "minor"),
    [
        pytest.param((), 1, id="missing"),
        pytest.param((b"X-Host: a",), 1, id="another field"),
        pytest.param((b"Host: a", b"Host: a"), 1, id="twice the same"),
        pytest.param((b"Host: a", b"X: y", b"hOST: b"), 1, id="two"),
        pytest.param((b"Host: a", b"Host: a"), 0, id="twice under HTTP/1.0"),
        pytest.param((b"Host:", b"Host: a"), 1, id="an empty one and another"),
    ],
)
def test_number_of_hosts(lines: tuple[bytes, ...], minor: int) -> None:
    """RFC 9112 §3.2: one Host, neither less nor more."""
    assert refusal_of(get(*lines, minor=minor, host=None)) == 400


def test_no_host_under_http_1_0() -> None:
    """HTTP/1.0 knows no Host."""
    request = one(get(minor=0, host=None))
    assert request.host == b""
    assert request.lines == ()
