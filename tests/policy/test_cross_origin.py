"""Scripts of other origins: what they may read, what is granted, and what is not said again."""

from __future__ import annotations

import pytest
from tests.policy.outages import PLANNED, TWO, apologies

from sorryd.model import PageSource

EN = PageSource(source="<p>{{ reason }}")
ORIGIN = b"Origin: https://app.example:8443"
ASKS = b"Access-Control-Request-Method: PUT"


def test_scripts_can_read_it() -> None:
    """A script of another origin may read the apology and the fields that tell of it."""
    said = apologies(PLANNED, EN).response(b"GET", [ORIGIN, b"Accept: */*"], TWO)
    assert said.startswith(b"HTTP/1.1 503 ")
    head = said.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head[-5:-1] == [
        b"Access-Control-Allow-Origin: https://app.example:8443",
        b"Access-Control-Allow-Credentials: true",
        b"Access-Control-Expose-Headers: Retry-After, Sorry-Cause",
        b"Vary: Origin",
    ]


def test_preflight() -> None:
    """A preflight is granted what it asks for, for that request alone and without cookies."""
    asks = [ORIGIN, ASKS, b"access-control-request-headers: content-type,x-a"]
    assert apologies(PLANNED, EN).response(b"OPTIONS", asks, TWO, keep_alive=True) == (
        b"HTTP/1.1 204 No Content\r\n"
        b"Access-Control-Allow-Origin: https://app.example:8443\r\n"
        b"Access-Control-Allow-Methods: PUT\r\n"
        b"Access-Control-Allow-Headers: content-type,x-a\r\n"
        b"Access-Control-Max-Age: 0\r\n"
        b"Cache-Control: no-store\r\n"
        b"Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n"
        b"Sorry-Cause: window\r\n"
        b"Date: Sat, 21 Nov 2026 17:00:00 GMT\r\n"
        b"Connection: keep-alive\r\n"
        b"\r\n"
    )


@pytest.mark.parametrize(
    ("method", "lines"),
    [
        pytest.param(b"GET", [ORIGIN, ASKS], id="not OPTIONS"),
        pytest.param(b"OPTIONS", [ORIGIN], id="no preflight"),
        pytest.param(b"OPTIONS", [ASKS], id="of no origin"),
        pytest.param(b"OPTIONS", [b"Origin: a b", ASKS], id="of what is no origin"),
        pytest.param(b"OPTIONS", [ORIGIN, ASKS, ASKS], id="asks twice"),
        pytest.param(b"OPTIONS", [ORIGIN, b"Access-Control-Request-Method: P UT"], id="no method"),
        pytest.param(b"OPTIONS", [ORIGIN, b"Access-Control-Request-Method:"], id="for nothing"),
    ],
)
def test_no_preflight(method: bytes, lines: list[bytes]) -> None:
    """What is not a whole preflight gets the apology."""
    said = apologies(PLANNED, EN).response(method, lines, TWO)
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"Allow-Methods" not in said


@pytest.mark.parametrize("asked", [b"a b", b"a,\x80", b'"a"', b"a;b", b"a" * 200, b"a," * 200])
def test_no_odd_headers_are_granted(asked: bytes) -> None:
    """Names that are none, and lists without measure, are not said again."""
    lines = [ORIGIN, ASKS, b"Access-Control-Request-Headers: " + asked]
    said = apologies(PLANNED, EN).response(b"OPTIONS", lines, TWO)
    assert said.startswith(b"HTTP/1.1 204 ")
    assert b"Allow-Headers" not in said


@pytest.mark.parametrize(
    "origin",
    [
        *(b"*", b"https://a/", b"https://a b", b"https://a,https://b", b"//a", b"https://\xe9"),
        *(b'https://a"', b"https://a\r\nX: y", b"https://" + b"a" * 400, b"https://a#", b"x:y"),
    ],
)
def test_no_odd_origin_is_reflected(origin: bytes) -> None:
    """Nothing but an origin is said again in the answer."""
    said = apologies(PLANNED, EN).response(b"GET", [b"Origin: " + origin], TWO)
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"Access-Control" not in said
