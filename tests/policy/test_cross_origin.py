"""Scripts of other origins: what they may read, what is granted, and what is not said again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
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


names = st.sampled_from(
    [
        *(b"Origin", b"Accept", b"Accept-Language", b"Accept-Encoding"),
        *(b"Access-Control-Request-Method", b"Access-Control-Request-Headers"),
    ]
)
pieces = st.sampled_from([b"https://a", b"PUT", b",", b"\r\n", b"\n", b"\x00", b":", b" ", b"\xff"])
values = st.one_of(st.binary(max_size=20), st.lists(pieces, max_size=6).map(b"".join))
lines = st.lists(st.tuples(names, values).map(b": ".join), max_size=6)


@given(lines, st.sampled_from([b"GET", b"OPTIONS", b"HEAD"]))
def test_nothing_splits_a_head(asked: list[bytes], method: bytes) -> None:
    """Whatever stands in a request, the answer's head is one head of plain fields."""
    head, empty, body = apologies(PLANNED, EN).response(method, asked, TWO).partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    assert empty
    assert re.fullmatch(rb"HTTP/1\.1 (503 Service Unavailable|204 No Content)", first)
    for field in fields:
        assert re.fullmatch(rb"[A-Za-z-]+: [\t -~]+", field)
    assert len({field.partition(b":")[0] for field in fields} - {b"Vary"}) >= len(fields) - 2
    assert body == b"" or first.startswith(b"HTTP/1.1 503")
