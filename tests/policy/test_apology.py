"""The apology as bytes: a head that no cache keeps, and what is at hand within a second."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.outages import FIVE, PLANNED, TWO, apology, parsed

from sorryd.model import Cause
from sorryd.policy.apology import Apology, ReadyApology
from sorryd.policy.facts import Facts

# --- the response -------------------------------------------------------------------------


def test_response() -> None:
    """The whole response, by what INTERFACE promises a visitor."""
    said = apology("<p>{{ reason }}</p>", PLANNED)
    assert said.response(FIVE - 90.5) == (
        b"HTTP/1.1 503 Service Unavailable\r\n"
        b"Retry-After: 91\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n"
        b"Content-Language: en\r\n"
        b"Content-Length: 23\r\n"
        b"Cache-Control: no-store\r\n"
        b"Vary: Accept, Accept-Language, Accept-Encoding\r\n"
        b"Sorry-Cause: window\r\n"
        b"Date: Sat, 21 Nov 2026 19:58:29 GMT\r\n"
        b"\r\n"
        b"<p>Database upgrade</p>"
    )


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (502, "HTTP/1.1 502 Bad Gateway"),
        (504, "HTTP/1.1 504 Gateway Timeout"),
        (599, "HTTP/1.1 599 "),
    ],
)
def test_status(status: int, line: str) -> None:
    """The status is the one that is due, with its own reason phrase if it has one."""
    facts = Facts(site="s", cause=Cause.MEMBERS, timezone="UTC", status=status)
    assert parsed(apology("", facts).response(TWO))[0] == line


@pytest.mark.parametrize(
    ("until", "now", "seconds"),
    [
        pytest.param(FIVE, TWO, "10800", id="to come"),
        pytest.param(FIVE, FIVE - 0.001, "1", id="almost"),
        pytest.param(FIVE, FIVE - 1.001, "2", id="rounded up"),
        pytest.param(FIVE, FIVE, "13", id="now"),
        pytest.param(FIVE, FIVE + 60, "13", id="past"),
        pytest.param(None, FIVE, "13", id="unknown"),
    ],
)
def test_retry_after(until: float | None, now: float, seconds: str) -> None:
    """Retry-After tells the seconds until the end, or the site's own where none is to come."""
    facts = Facts(
        site="s", cause=Cause.WINDOW, timezone="UTC", until=until, until_text=None, retry_after=12.2
    )
    assert parsed(apology("", facts).response(now))[1]["Retry-After"] == seconds


@pytest.mark.parametrize(
    ("close", "keep_alive", "said"),
    [
        pytest.param(False, False, None, id="HTTP/1.1 lives on"),
        pytest.param(True, False, "close", id="closed"),
        pytest.param(False, True, "keep-alive", id="HTTP/1.0 lives on"),
        pytest.param(True, True, "close", id="closing wins"),
    ],
)
@pytest.mark.parametrize("head_only", [False, True], ids=["GET", "HEAD"])
def test_connection(close: bool, keep_alive: bool, said: str | None, head_only: bool) -> None:
    """Connection says what becomes of it; HEAD gets the same fields without the body."""
    ready = ReadyApology(apology("body", PLANNED))
    _, fields, body = parsed(ready.response(TWO, head_only, close, keep_alive))
    assert fields.get("Connection") == said
    assert fields["Content-Length"] == "4"
    assert body == (b"" if head_only else b"body")


def test_ready_within_a_second() -> None:
    """Within a second the very same bytes are given again, not made again."""
    ready = ReadyApology(apology("body", PLANNED))
    first = ready.response(TWO)
    assert ready.response(TWO + 0.999) is first
    assert ready.response(TWO + 1) is not first


eighths = st.integers(-16, 16).map(lambda number: TWO + number / 8)


@given(
    until=st.one_of(st.none(), eighths, st.floats(TWO - 3, TWO + 3)),
    clock=st.lists(st.one_of(eighths, st.floats(TWO - 4, TWO + 4)), max_size=30),
)
def test_ready_equals_fresh(until: float | None, clock: list[float]) -> None:
    """However the clock moves, what is at hand equals what would be worked out afresh."""
    fresh = Apology(before=b"a", after=b"b", body=b"c", until=until, retry_after=7)
    ready = ReadyApology(fresh)
    for now in clock:
        for close in (False, True):
            assert ready.response(now, close, close) == fresh.response(now, close, close)
            wait = 7 if until is None or until <= now else math.ceil(until - now)
            assert fresh.wait(now) == wait
