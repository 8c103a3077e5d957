"""Fields that end here: Connection and what it names, Upgrade, a stranger's claims."""

from __future__ import annotations

import pytest
from tests.edge.reading import get, message, one, post, refusal_of

# --- persistence ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "http_1_1", "http_1_0"),
    [
        pytest.param((), True, False, id="nothing said"),
        pytest.param((b"keep-alive",), True, True, id="keep-alive"),
        pytest.param((b"Keep-Alive",), True, True, id="its case"),
        pytest.param((b"close",), False, False, id="close"),
        pytest.param((b"CLOSE",), False, False, id="the case of close"),
        pytest.param((b"keep-alive, close",), False, False, id="both"),
        pytest.param((b"close,keep-alive",), False, False, id="both, close first"),
        pytest.param((b"close", b"keep-alive"), False, False, id="in two fields"),
        pytest.param((b"keep-alive", b"\tclose "), False, False, id="in two fields, close last"),
        pytest.param((b",, x ,keep-alive,",), True, True, id="empty elements"),
        pytest.param((b"closed",), True, False, id="another word"),
        pytest.param((b"close x",), True, False, id="no list"),
        pytest.param((b'"close"',), True, False, id="quoted"),
        pytest.param((b"",), True, False, id="empty"),
    ],
)
def test_keep_alive(values: tuple[bytes, ...], http_1_1: bool, http_1_0: bool) -> None:
    """`close` wins; HTTP/1.0 lives on only where it asks to (RFC 9112 §9.3)."""
    lines = [b"Connection: " + value for value in values]
    assert one(get(*lines)).keep_alive is http_1_1
    assert one(get(*lines, minor=0)).keep_alive is http_1_0
    assert one(get(*lines)).lines == (b"Host: a",)


# --- hop-by-hop -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"Connection: x", b"CONNECTION: close", b"Keep-Alive: timeout=5",
        b"Proxy-Connection: close",
        b"TE: trailers", b"Upgrade: websocket", b"HTTP2-Settings: AAMAAABk",
        b"Proxy: http://a/", b"Transfer-Encoding: chunked",
    ],
)  # fmt: skip
def test_hop_by_hop(line: bytes) -> None:
    """What was meant for this connection ends here, asked for or not (RFC 9110 §7.6.1)."""
    body = b"0\r\n\r\n" if b"chunked" in line else b""
    assert one(post(b"A: b", line, b"C: d", body=body)).lines == (b"Host: a", b"A: b", b"C: d")


@pytest.mark.parametrize(
    ("connection", "kept"),
    [
        pytest.param(b"x", (b"Y: 2", b"Host: a"), id="one"),
        pytest.param(b"close, X ,y", (b"Host: a",), id="two"),
        pytest.param(b"z", (b"x: 1", b"Y: 2", b"X: 3", b"Host: a"), id="none that is there"),
        pytest.param(b"host", (b"x: 1", b"Y: 2", b"X: 3", b"Host: a"), id="Host"),
        pytest.param(b"HOST, x", (b"Y: 2", b"Host: a"), id="Host and another"),
    ],
)
def test_nominated(connection: bytes, kept: tuple[bytes, ...]) -> None:
    """Connection's names end here with it, in any case; Host does not."""
    lines = (b"x: 1", b"Connection: " + connection, b"Y: 2", b"X: 3", b"Host: a")
    request = one(get(*lines, host=None))
    assert request.lines == kept
    assert request.host == b"a"


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length: 3", b"Content-Type: a/b", b"Content-Encoding: gzip", b"Cookie: a=b",
        b"Authorization: x", b"Cache-Control: no-store", b"Range: bytes=0-", b"Via: 1.1 x",
        b"Expect: 100-continue", b"Content-Range: bytes 0-2/3",
    ],
)  # fmt: skip
def test_never_dropped(line: bytes) -> None:
    """Nobody takes away by naming it what gives a message its end or its meaning."""
    lines = [line] if b"Length" in line else [line, b"Content-Length: 3"]
    request = one(post(*lines, b"Connection: " + line.partition(b":")[0], body=b"abc"))
    assert request.lines == (b"Host: a", *lines)
    assert request.body == b"abc"


def test_nominated_coding() -> None:
    """A body stays chunked when its framing field is named."""
    request = one(post(b"Connection: Transfer-Encoding", b"Transfer-Encoding: chunked",
                       body=b"1\r\nx\r\n0\r\n\r\n"))  # fmt: skip
    assert (request.chunked, request.body) == (True, b"x")


# --- Upgrade --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "upgrade"),
    [
        pytest.param((b"Connection: Upgrade", b"Upgrade: websocket"), b"websocket", id="usual"),
        pytest.param((b"Upgrade:\tWebSocket ", b"Connection: upgrade"), b"WebSocket", id="case"),
        pytest.param((b"Connection: close, Upgrade", b"Upgrade: a/1.0"), b"a/1.0", id="version"),
        pytest.param((b"Connection: Upgrade", b"Upgrade: a, b/2"), b"a, b/2", id="two"),
        pytest.param(
            (b"Connection: Upgrade", b"Upgrade: a", b"Upgrade: b"), b"a, b", id="in two fields"
        ),
        pytest.param((b"Upgrade: websocket",), None, id="not named in Connection"),
        pytest.param((b"Connection: close", b"Upgrade: websocket"), None, id="another option"),
        pytest.param((b"Connection: Upgrade",), None, id="nothing to upgrade to"),
        pytest.param((b"Connection: Upgrade", b"Upgrade:"), None, id="empty"),
        pytest.param((b"Connection: Upgrade", b"Upgrade: h2c"), None, id="h2c"),
        pytest.param((b"Connection: Upgrade", b"Upgrade: H2C"), None, id="the case of h2c"),
        pytest.param((b"Connection: Upgrade", b"Upgrade: a, h2c"), b"a", id="h2c and another"),
        pytest.param(
            (b"Connection: Upgrade", b"Upgrade: h2c", b"Upgrade: a"), b"a", id="h2c in a field"
        ),
        pytest.param((b"Connection: Upgrade", b"Upgrade: h2c/1"), None, id="h2c with a version"),
        pytest.param((b"Connection: Upgrade", b"Upgrade: HTTP/2.0"), None, id="HTTP/2.0"),
        pytest.param((b"Connection: Upgrade", b"Upgrade: TLS/1.2"), None, id="TLS"),
        pytest.param((b"Connection: Upgrade", b"Upgrade: a b"), None, id="no token"),
        pytest.param((b"Connection: Upgrade", b"Upgrade: \xc3\xa9, a"), b"a", id="beyond ASCII"),
        pytest.param(
            (b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: 0"), b"websocket",
            id="a body of no bytes",
        ),
    ],
)  # fmt: skip
def test_upgrade(lines: tuple[bytes, ...], upgrade: bytes | None) -> None:
    """What may be passed on of a wish for another protocol (RFC 9110 §7.8); never HTTP's own."""
    request = one(get(*lines))
    assert request.upgrade == upgrade
    assert not any(b"pgrade" in line for line in request.lines)


def test_h2c() -> None:
    """A client that would like HTTP/2 is served with what it spoke at first."""
    request = one(
        get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: A")
    )
    assert request.upgrade is None
    assert request.lines == (b"Host: a",)
    assert request.keep_alive


def test_upgrade_under_http_1_0() -> None:
    """RFC 9110 §7.8: HTTP/1.0 has no Upgrade."""
    lines = (b"Connection: Upgrade, keep-alive", b"Upgrade: websocket")
    assert one(get(*lines, minor=0)).upgrade is None


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        pytest.param(b"Content-Length: 4", b"GET ", id="length"),
        pytest.param(b"Transfer-Encoding: chunked", b"4\r\nGET \r\n0\r\n\r\n", id="chunked"),
    ],
)
def test_upgrade_with_a_body(framing: bytes, body: bytes) -> None:
    """A body is a body, whatever protocol might have followed it."""
    request = one(post(b"Connection: Upgrade", b"Upgrade: websocket", framing, body=body))
    assert request.upgrade is None
    assert request.body == b"GET "


# --- a stranger's claims --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        b"Forwarded", b"X-Forwarded-For", b"x-forwarded-proto", b"X-FORWARDED-HOST",
        b"X-Forwarded-Port", b"X-Forwarded-Server", b"X-Forwarded-Ssl", b"X-Forwarded-Scheme",
        b"X-Forwarded-By", b"X-Forwarded-Prefix", b"X_Forwarded_For", b"X-Forwarded_Host",
        b"X_FORWARDED-PROTO", b"X-Forwarded-User", b"X-Forwarded-Client-Cert",
        b"X_Forwarded-Tls_Client-Cert-Info", b"X-Real-IP", b"x_real_ip", b"X-Real_IP",
    ],
)  # fmt: skip
def test_claims(name: bytes) -> None:
    """What says where a request came from is set apart, in any spelling that CGI would read."""
    claims = (name + b": 127.0.0.1", name + b":")
    request = one(get(b"A: b", *claims, b"C: d"))
    assert request.lines == (b"Host: a", b"A: b", b"C: d")
    assert request.claims == claims
    assert claims[0] not in request.passed


@pytest.mark.parametrize(
    "name", [b"X-Forwarded", b"X-Forwarded-", b"X-Forwarded-Fo", b"XForwarded-For", b"X-RealIP"]
)
def test_no_claims(name: bytes) -> None:
    """Only the names that are read so are taken for claims."""
    request = one(get(name + b": a"))
    assert request.claims is None
    assert request.lines == (b"Host: a", name + b": a")


def test_nominated_claims() -> None:
    """Naming a claim changes nothing: ours come later (see policy/headers.py)."""
    request = one(get(b"Connection: X-Forwarded-For, Forwarded", b"X-Forwarded-For: b"))
    assert request.lines == (b"Host: a",)
    assert b"X-Forwarded-For: 192.0.2.1" in request.passed


# --- TE -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "takes"),
    [
        pytest.param((b"TE: trailers",), True, id="alone"),
        pytest.param((b"TE: trailers", b"Connection: TE"), True, id="named in Connection"),
        pytest.param((b"te:\tTRAILERS ",), True, id="its case"),
        pytest.param((b"TE: gzip;q=0.5, trailers",), True, id="among others"),
        pytest.param((b"TE: deflate", b"TE: trailers"), True, id="in two fields"),
        pytest.param((b"TE:",), False, id="empty"),
        pytest.param((b"TE: deflate",), False, id="another"),
        pytest.param((b"TE: trailersx",), False, id="like it"),
        pytest.param((b"TE: trailers;q=1",), False, id="with a weight, which it has not"),
        pytest.param((b"Trailer: X",), False, id="Trailer"),
        pytest.param((), False, id="nothing"),
    ],
)
def test_takes_trailers(lines: tuple[bytes, ...], takes: bool) -> None:
    """RFC 9110 §10.1.4; HTTP/1.0 has no trailers."""
    request = one(get(*lines))
    assert request.takes_trailers is takes
    assert (b"Connection: TE\r\nTE: trailers\r\n" in request.passed) is takes
    assert not one(get(*lines, minor=0)).takes_trailers


# --- Max-Forwards ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", [b"OPTIONS", b"TRACE"])
@pytest.mark.parametrize(
    ("value", "passed"),
    [
        pytest.param(b"1", b"0", id="last"),
        pytest.param(b"\t010 ", b"9", id="leading zero"),
        pytest.param(b"999999999", b"999999998", id="many"),
    ],
)
def test_max_forwards(method: bytes, value: bytes, passed: bytes) -> None:
    """Each hop takes one away (RFC 9110 §7.6.2)."""
    request = one(message(method + b" / HTTP/1.1", b"Max-Forwards: " + value, b"A: b"))
    assert request.lines == (b"Host: a", b"Max-Forwards: " + passed, b"A: b")


@pytest.mark.parametrize("method", [b"OPTIONS", b"TRACE"])
@pytest.mark.parametrize(
    ("value", "status"),
    [(b"0", 501), (b"00", 501), (b"", 400), (b"-1", 400), (b"1, 2", 400), (b"9" * 10, 400)],
)
def test_no_more_forwards(method: bytes, value: bytes, status: int) -> None:
    """Who gets the last one must not pass the request on."""
    assert refusal_of(message(method + b" / HTTP/1.1", b"Max-Forwards: " + value)) == status
