"""The apology: pages judged, facts told, and bytes that no cache keeps."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.policy.outages import DEAD, FIVE, PLANNED, TWO, parsed, told

from sorryd.model import Cause
from sorryd.policy.apology import Apology, Facts, PageFault, ReadyApology, compile_page, render
from sorryd.window import Saying

# --- what a page may say ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "facts", "text"),
    [
        pytest.param("{{ site }}", PLANNED, "shop", id="site"),
        pytest.param("{{ reason }}", PLANNED, "Database upgrade", id="reason"),
        pytest.param("{{ reason }}", DEAD, "", id="no reason prints nothing"),
        pytest.param("{{ from }}", PLANNED, "Sunday, 22 November 2026, 02:00 JST", id="from"),
        pytest.param("{% if from %}y{% endif %}", PLANNED, "y", id="from in a test"),
        pytest.param("{% set f = from %}{{ f }}", DEAD, "", id="from in a set"),
        pytest.param("{{ until }}", PLANNED, "Sunday, 22 November 2026, 05:00 JST", id="until"),
        pytest.param("{{ from_iso }}", PLANNED, "2026-11-22T02:00:00+09:00", id="from_iso"),
        pytest.param("{{ until_iso }}", PLANNED, "2026-11-22T05:00:00+09:00", id="until_iso"),
        pytest.param("{{ cause }} {{ planned }}", PLANNED, "window True", id="planned"),
        pytest.param("{{ cause }} {{ planned }}", DEAD, "members False", id="not planned"),
        pytest.param("{{ retry_after + 1 }}", DEAD, "14", id="retry_after, rounded up"),
        pytest.param("{{ status }} {{ lang }}", DEAD, "503 en", id="status and language"),
        pytest.param("{{ phase }}", PLANNED, "down", id="phase"),
        pytest.param("{{ range(3) | list }}", DEAD, "[0, 1, 2]", id="Jinja2's own"),
        pytest.param(
            "{% if reason %}{% set x = 1 %}{% endif %}{{ x | default('-') }}",
            DEAD,
            "-",
            id="own variable of one branch",
        ),
        pytest.param("{% for x in [1] %}{{ x }}{% endfor %}", DEAD, "1", id="own variables"),
    ],
)
def test_variables(source: str, facts: Facts, text: str) -> None:
    """Every documented variable can be used in a page."""
    assert told(source, facts) == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Database upgrade|Sunday, 22 November 2026, 02:00 JST"),
        ("ja", "データベース更新|2026年11月22日(日) 2:00 JST"),
        ("ja-jp", "データベース更新|2026年11月22日(日) 2:00 JST"),
        ("de", "Database upgrade|Sonntag, 22. November 2026, 02:00 JST"),
    ],
)
def test_language(language: str, text: str) -> None:
    """A page tells times in its own language, and the reason where it was said in that."""
    facts = replace(PLANNED, reasons=(Saying(language="ja", text="データベース更新"),))
    page = compile_page("{{ reason }}|{{ from }}", language)
    assert render(page, facts).body.decode() == text


def test_until_in_words() -> None:
    """An end that is no time is shown as it was said, and no machine is told one."""
    facts = Facts(site="s", cause=Cause.MANUAL, timezone="UTC", until_text="12pm Central Time")
    assert told("{{ until }}|{{ until_iso }}", facts) == "12pm Central Time|"


def test_dead_members_promise_nothing() -> None:
    """An unplanned outage says no end, though one be given."""
    facts = Facts(site="s", cause=Cause.MEMBERS, timezone="UTC", until=FIVE, until_text="soon")
    apology = render(compile_page("{{ until }}{{ until_iso }}"), facts)
    assert apology.body == b""
    assert apology.until is None


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        pytest.param("\n{% if %}", 2, "expression", id="syntax"),
        pytest.param("{% if reason %}", 1, "end of template", id="left open"),
        pytest.param("a\n\n{{ reson }}", 3, "'reson'", id="unknown variable"),
        pytest.param("\n{% if False %}{{ boss.name }}{% endif %}", 2, "'boss'", id="never reached"),
        pytest.param("{{ reason | shout }}", 1, "shout", id="unknown filter"),
        pytest.param("\n{% include 'x.html' %}", 2, "one file", id="include"),
        pytest.param("{% extends 'x.html' %}", 1, "one file", id="extends"),
        pytest.param("\n{% from 'x.html' import y %}", 2, "one file", id="import"),
        pytest.param("\n\n{{ until.day }}", 3, "day", id="attribute that is none"),
        pytest.param("{% if cause == 'file' %}\n{{ 1 // 0 }}{% endif %}", 2, "zero", id="error"),
        pytest.param("{{ from.__class__.__mro__ }}", 1, "__class__", id="way out of the sandbox"),
        pytest.param("{{ " + "(" * 5000 + ")" * 5000 + " }}", 1, "too complex", id="too deep"),
    ],
)
def test_page_faults(source: str, line: int, word: str) -> None:
    """A page that can't be rendered is refused with its line, when it is read."""
    with pytest.raises(PageFault) as caught:
        compile_page(source)
    assert caught.value.line == line
    assert word in caught.value.text
    assert str(caught.value).startswith(f"line {line}: ")


def test_page_that_fails_later() -> None:
    """Where a page fails on facts that its rehearsal did not show, a built-in one stands in."""
    page = compile_page("{{ 1 // (site | length - 5) }}")
    apology = render(page, Facts(site="other", cause=Cause.WINDOW, timezone="UTC"))
    assert apology.fault is not None
    assert "zero" in apology.fault
    assert b"unavailable" in apology.body
    assert render(page, PLANNED).fault is None


# --- the response -------------------------------------------------------------------------


def test_response() -> None:
    """The whole response, by what INTERFACE promises a visitor."""
    apology = render(compile_page("<p>{{ reason }}</p>"), PLANNED)
    assert apology.response(FIVE - 90.5) == (
        b"HTTP/1.1 503 Service Unavailable\r\n"
        b"Retry-After: 91\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n"
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
    assert parsed(render(compile_page(""), facts).response(TWO))[0] == line


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
    apology = render(compile_page(""), facts)
    assert parsed(apology.response(now))[1]["Retry-After"] == seconds


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
    ready = ReadyApology(render(compile_page("body"), PLANNED))
    _, fields, body = parsed(ready.response(TWO, head_only, close, keep_alive))
    assert fields.get("Connection") == said
    assert fields["Content-Length"] == "4"
    assert body == (b"" if head_only else b"body")


def test_ready_within_a_second() -> None:
    """Within a second the very same bytes are given again, not made again."""
    ready = ReadyApology(render(compile_page("body"), PLANNED))
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
    apology = Apology(before=b"a", after=b"b", body=b"c", until=until, retry_after=7)
    ready = ReadyApology(apology)
    for now in clock:
        for close in (False, True):
            assert ready.response(now, close, close) == apology.response(now, close, close)
            wait = 7 if until is None or until <= now else math.ceil(until - now)
            assert apology.wait(now) == wait
