"""A site at the edge: its phase by the clock, who is asked next, and how it stops."""

from __future__ import annotations

import msgspec
import pytest
from tests.edge.messages import (
    CHUNKED,
    GET,
    OK,
    asked,
    chunked,
    field_of,
    is_apology,
    passed,
    request,
    status_of,
)
from tests.edge.scene import NOON, TIMES, Stage, window
from twisted.logger import capturedLogs

from sorryd.edge.requests import DISCARDED
from sorryd.edge.wheel import TICK
from sorryd.model import Health, PageSource
from sorryd.reports import EdgePassed, MemberAnswered, MemberFailed, Report

UP, RESTING, TRIAL = Health.UP, Health.RESTING, Health.TRIAL


# --- windows and drain ----------------------------------------------------------------------


def test_drain(stage: Stage) -> None:
    """In drain a new request gets the apology, and one in flight is finished."""
    scene = stage()
    before, after = scene.visitor(), scene.visitor()
    before.says(GET)
    member = scene.member()
    scene.publish(window(NOON, NOON + 600, drain=30))
    after.says(GET)
    got = after.gets()
    assert status_of(got) == 503
    assert field_of(got, b"Sorry-Cause") == b"window"
    assert field_of(got, b"Retry-After") == b"600"
    scene.wall = NOON + 29
    scene.site.look(scene.wall)
    member.says(OK)
    assert before.gets() == passed(OK)


def test_end_of_drain_before_the_answer(stage: Stage) -> None:
    """A request still unanswered at the end of drain gets the apology; its member is let go."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET + GET)
    member = scene.member()
    scene.publish(window(NOON, NOON + 600, drain=3))
    scene.passes(3)
    scene.wall = NOON + 3
    with capturedLogs() as logs:
        scene.site.look(scene.wall)
        scene.passes(2 * TICK)
    got = visitor.gets()
    assert got.count(b"HTTP/1.1 503 ") == 2
    assert field_of(got, b"Retry-After") == b"597"
    assert visitor.is_open
    assert member.is_aborted
    assert scene.active == [0]
    assert [event["cut"] for event in logs] == [1]


def test_end_of_drain_while_connecting(stage: Stage) -> None:
    """The end of drain takes back a connection that is being made."""
    scene = stage()
    scene.is_dialling_slow = True
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", b"Content-Length: 6\r\n", b"abc"))
    scene.publish(window(NOON, NOON + 600))
    scene.passes(2 * TICK)
    assert status_of(visitor.gets()) == 503
    assert scene.active == [0]
    scene.is_dialling_slow = False
    assert scene.is_asking_nobody
    visitor.says(b"def" + GET)
    assert status_of(visitor.gets()) == 503


@pytest.mark.parametrize(("minor", "has_fin"), [(1, True), (0, False)])
def test_end_of_drain_in_the_answer(stage: Stage, minor: int, has_fin: bool) -> None:
    """An answer that has begun is cut at the end of drain, never made to look whole."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"GET / HTTP/1.%d" % minor))
    member = scene.member()
    member.says(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n" + chunked(b"hello", end=False))
    scene.publish(window(NOON, NOON + 600))
    scene.passes(2 * TICK)
    got = visitor.gets()
    assert got.count(b"HTTP/1.1 ") == 1
    assert not got.endswith(b"0\r\n\r\n")
    assert visitor.is_gone
    assert visitor.has_fin is has_fin
    assert member.is_aborted
    assert scene.active == [0]


def test_end_of_drain_in_an_upload(stage: Stage) -> None:
    """An upload too large to be read away gets the apology at the end of drain, and FIN."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", b"Content-Length: %d\r\n" % (2 * DISCARDED), b"abc"))
    member = scene.member()
    scene.publish(window(NOON, NOON + 600))
    scene.passes(2 * TICK)
    got = visitor.gets()
    assert status_of(got) == 503
    assert field_of(got, b"Connection") == b"close"
    assert visitor.has_fin
    assert member.is_aborted
    visitor.ends()


@pytest.mark.parametrize("kind", [MemberFailed, MemberAnswered])
def test_end_of_drain_in_a_report(stage: Stage, kind: type[Report]) -> None:
    """A report that makes the site look, just when drain is over, ends no exchange beneath it."""
    scene = stage(members=2)

    def look(report: Report) -> None:
        if isinstance(report, kind):
            scene.publish(window(NOON, NOON + 600), a=Health.UP)

    scene.on_report = look
    scene.publish(a=Health.TRIAL)
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member("a")
    if kind is MemberFailed:
        member.resets()
        assert scene.member("b").gets() == asked(GET)
    else:
        member.says(OK[:-1])
    scene.passes(2 * TICK)
    got = visitor.gets()
    assert got.count(b"HTTP/1.1 ") == 1
    assert status_of(got) == (503 if kind is MemberFailed else 200)


def test_edge_sees_the_phase_change_first(stage: Stage) -> None:
    """A window opens by the clock on the next request, and the control side is told."""
    scene = stage()
    scene.publish(window(NOON + 5, NOON + 600))
    visitor = scene.visitor()
    scene.wall = NOON + 5.5
    visitor.says(GET + GET)
    assert visitor.gets().count(b"HTTP/1.1 503 ") == 2
    assert scene.reports == [EdgePassed(site="shop", at=NOON + 5.5)]


def test_clock_steps_back(stage: Stage) -> None:
    """A clock that steps back makes the site look again, not go by what it saw."""
    scene = stage()
    scene.publish(window(NOON - 60, NOON + 60))
    visitor = scene.visitor()
    visitor.says(GET)
    assert status_of(visitor.gets()) == 503
    scene.wall = NOON - 3600
    visitor.says(GET)
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)


def test_changed_configuration(stage: Stage) -> None:
    """A new configuration holds at once: the page, and times for connections that are kept."""
    scene = stage()
    visitor, _ = scene.warmed_up()
    scene.publish(window(NOON, NOON + 60))
    visitor.says(GET)
    assert b"<title>shop" in visitor.gets()
    times = msgspec.structs.replace(TIMES, answer=5.0)
    scene.configure(
        sorry_pages=(PageSource(source="<p>{{ site }}"),), sorry_status=500, timeouts=times
    )
    visitor.says(GET)
    got = visitor.gets()
    assert status_of(got) == 500
    assert got.endswith(b"<p>shop")
    scene.wall = NOON + 60
    visitor.says(GET)
    scene.passes(5 + 2 * TICK)
    assert is_apology(visitor.gets(), 504)
    assert scene.is_asking_nobody


# --- visitors -------------------------------------------------------------------------------


def test_full(stage: Stage) -> None:
    """A site is full at `max_connections`, and not any more when one leaves."""
    scene = stage(max_connections=2)
    first = scene.visitor()
    assert not scene.site.is_full
    scene.visitor()
    assert scene.site.is_full
    first.resets()
    assert not scene.site.is_full


# --- stopping -------------------------------------------------------------------------------


def test_finish_idle(stage: Stage) -> None:
    """When sorryd stops, connections without a request are closed at once."""
    scene = stage()
    new, used = scene.visitor(), scene.visitor()
    used.says(GET)
    scene.member().says(OK)
    used.gets()
    scene.site.stop()
    scene.settle()
    assert new.is_gone
    assert used.is_gone
    assert not scene.site.visitors


@pytest.mark.parametrize("comes", [False, True])
def test_finish_half_a_head(stage: Stage, comes: bool) -> None:
    """A request whose head has begun to come is answered, if the rest comes in time."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET[:9])
    scene.site.stop()
    scene.settle()
    assert visitor.is_open
    if comes:
        visitor.says(GET[9:])
        scene.member().says(OK)
        assert visitor.gets() == passed(OK, b"Connection: close\r\n")
    else:
        scene.passes(TIMES.header + 2 * TICK)
        assert status_of(visitor.gets()) == 408
        visitor.ends()
    assert visitor.is_gone


@pytest.mark.parametrize("begun", [False, True], ids=["before the answer", "in the answer"])
def test_finish_in_flight(stage: Stage, begun: bool) -> None:
    """A request in flight is answered in full; its answer says close if it still can."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    if begun:
        member.says(OK[:-2])
    scene.site.stop()
    assert not visitor.has_fin
    member.says(OK[-2:] if begun else OK)
    assert visitor.gets() == passed(OK, b"" if begun else b"Connection: close\r\n")
    assert visitor.is_gone


def test_finish_under_the_apology(stage: Stage) -> None:
    """An apology given while sorryd stops says close."""
    scene = stage()
    scene.is_dialling_slow = True
    visitor = scene.visitor()
    visitor.says(GET)
    scene.site.stop()
    scene.refusing["a"] = "connection refused"
    scene.is_dialling_slow = False
    got = visitor.gets()
    assert status_of(got) == 502
    assert field_of(got, b"Connection") == b"close"
    assert visitor.is_gone


def test_finish_twice(stage: Stage) -> None:
    """A connection that closes anyway is not made to begin again."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(b"nonsense\r\n\r\n")
    scene.site.stop()
    assert not visitor.is_gone
    scene.passes(TIMES.body + 2 * TICK)
    assert visitor.is_gone
