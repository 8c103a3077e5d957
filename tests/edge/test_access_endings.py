"""What the access log has of requests, however they end."""

from __future__ import annotations

import pytest
from tests.edge.messages import GET, OK, answer, chunked, post, put, request
from tests.edge.scene import NOON, TIMES, Stage, window
from tests.edge.watched import Watched

from sorryd.edge.wheel import TICK
from sorryd.model import Health

UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"


# --- answers of members ---------------------------------------------------------------------


def test_answered(stage: Stage) -> None:
    """When the answer is whole: who asked for what, who answered, how much, and how soon."""
    watched = Watched(stage())
    _, member = watched.asks(request(b"PUT /a?b HTTP/1.1", b"Content-Length: 0\r\nReferer: x\r\n"))
    watched.scene.clock.advance(0.25)
    member.says(b"HTTP/1.1 201 \r\nContent-Length: 10\r\n\r\nhello")
    watched.scene.clock.advance(0.25)
    assert watched.lines() == []
    member.says(b"world")
    (line,) = watched.lines()
    assert line.pop("id") in member.gets().decode()
    assert line == {
        "time": "2026-11-21T14:00:00.000+00:00", "site": "shop", "phase": "live",
        "client": "192.0.2.7", "tls": False, "method": "PUT", "target": "/a?b",
        "version": "HTTP/1.1", "host": "shop.example", "status": 201, "bytes": 10,
        "member": "http://a", "retries": 0, "first_ms": 250.0, "total_ms": 500.0,
        "ended": "done", "referer": "x", "user_agent": None, "bypass": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asking", "answering", "size"),
    [
        pytest.param(GET, answer(b"", b"", b"HTTP/1.1 204 No Content"), 0, id="no body"),
        pytest.param(GET, b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n"
                     + chunked(b"hello", b"world"), 10, id="chunked: the body alone counts"),
        pytest.param(request(b"HEAD / HTTP/1.1"), b"HTTP/1.1 200 \r\nContent-Length: 10\r\n\r\n",
                     0, id="HEAD"),
        pytest.param(put(b"a" * 999), OK, 5, id="what is sent does not count"),
    ],
)  # fmt: skip
def test_bytes(stage: Stage, asking: bytes, answering: bytes, size: int) -> None:
    """Are those of the body that went to the visitor."""
    watched = Watched(stage())
    _, member = watched.asks(asking)
    member.says(answering)
    assert watched.line("bytes", "ended") == (size, "done")


def test_many_requests(stage: Stage) -> None:
    """Each has a line and an id of its own."""
    watched = Watched(stage())
    visitor, member = watched.asks(GET + GET)
    member.says(OK)
    member.says(OK)
    visitor.says(GET)
    member.says(OK)
    lines = watched.lines()
    assert [line["ended"] for line in lines] == ["done"] * 3
    assert len({line["id"] for line in lines}) == 3


def test_another_member(stage: Stage) -> None:
    """The one that answered is named, and how many were asked before it."""
    watched = Watched(stage(members=3))
    watched.scene.refusing = {"a": "refused"}
    visitor = watched.scene.visitor()
    visitor.says(GET)
    watched.scene.member("b").resets()
    watched.scene.member("c").says(OK)
    assert watched.line("member", "retries", "ended") == ("http://c", 2, "done")


# --- members that fail ----------------------------------------------------------------------


def test_no_member(stage: Stage) -> None:
    """The ones that could be asked failed; after that there is none to ask."""
    watched = Watched(stage())
    watched.scene.refusing = {"a": "refused"}
    watched.scene.visitor().says(GET)
    assert watched.line("status", "ended", "member") == (502, "member_failed", "http://a")
    watched.scene.publish(a=Health.RESTING)
    watched.scene.visitor().says(GET)
    assert watched.line("status", "ended", "member") == (503, "no_member", None)


@pytest.mark.parametrize("bad", [b"", b"nonsense\r\n\r\n"])
def test_member_fails(stage: Stage, bad: bytes) -> None:
    """Before its answer began, over a request that can't be sent again."""
    watched = Watched(stage())
    _, member = watched.asks(post(b"a"))
    member.says(bad)
    member.resets()
    assert watched.line("status", "ended") == (502, "member_failed")


@pytest.mark.parametrize("framing", [b"Content-Length: 99", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_member_cuts(stage: Stage, framing: bytes, how: str) -> None:
    """Its answer is not whole."""
    watched = Watched(stage())
    _, member = watched.asks()
    member.says(b"HTTP/1.1 200 \r\n" + framing + b"\r\n\r\n")
    member.leaves(how)
    assert watched.line("status", "ended") == (200, "member_cut")


@pytest.mark.parametrize(
    ("part", "status"), [(b"", 504), (b"HTTP/1.1 200 \r\nContent-Length: 9\r\n\r\na", 200)]
)
def test_member_is_late(stage: Stage, part: bytes, status: int) -> None:
    """With its answer, or in the middle of it."""
    watched = Watched(stage())
    _, member = watched.asks()
    member.says(part)
    watched.scene.passes((TIMES.stream if part else TIMES.answer) + 2 * TICK)
    assert watched.line("status", "ended") == (status, "member_late")


# --- visitors -------------------------------------------------------------------------------


def test_visitor_leaves(stage: Stage) -> None:
    """Before anything was answered: there is no status."""
    watched = Watched(stage())
    visitor, _ = watched.asks()
    visitor.resets()
    assert watched.line("status", "ended", "first_ms") == (None, "visitor_left", None)


def test_visitor_leaves_in_the_answer(stage: Stage) -> None:
    """What was sent to it by then is counted."""
    watched = Watched(stage())
    visitor, member = watched.asks()
    member.says(b"HTTP/1.1 200 \r\nContent-Length: 99\r\n\r\nhello")
    visitor.resets()
    assert watched.line("status", "ended", "bytes") == (200, "visitor_cut", 5)


def test_half_an_upload(stage: Stage) -> None:
    """Is what its visitor left."""
    watched = Watched(stage())
    visitor, _ = watched.asks(put(b"aa")[:-1])
    visitor.ends()
    assert watched.line("status", "ended") == (None, "visitor_left")


def test_visitor_who_does_not_read(stage: Stage) -> None:
    """Is waited for in vain."""
    watched = Watched(stage())
    visitor, member = watched.asks()
    visitor.stops_reading()
    member.says(b"HTTP/1.1 200 \r\nContent-Length: 9999999\r\n\r\n")
    member.says_at_once(bytes(1_000_000))
    watched.scene.passes(TIMES.body + 2 * TICK)
    assert watched.line("status", "ended") == (200, "visitor_late")


def test_visitor_who_says_nothing(stage: Stage) -> None:
    """There is nothing to tell of it."""
    watched = Watched(stage())
    silent, idle = watched.scene.visitor(), watched.scene.visitor()
    idle.says(GET)
    watched.scene.member().says(OK)
    watched.scene.passes(TIMES.idle + 2 * TICK)
    assert silent.is_gone
    assert idle.is_gone
    assert watched.line("ended") == ("done",)


def test_late_request(stage: Stage) -> None:
    """What came of it is shown."""
    watched = Watched(stage())
    visitor = watched.scene.visitor()
    visitor.says(b"GET /a HT")
    watched.scene.passes(TIMES.header + 2 * TICK)
    assert watched.line("status", "ended", "received") == (408, "visitor_late", "GET /a HT")


@pytest.mark.parametrize(
    ("data", "status", "received"),
    [
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "GET  / HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "GET / HTTP/1.1"),
        (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "GET / HTTP/3.0"),
    ],
)
def test_bad_requests(stage: Stage, data: bytes, status: int, received: str) -> None:
    """The first line is shown as it came."""
    watched = Watched(stage())
    watched.scene.visitor().says(data)
    assert watched.line("status", "ended", "received", "target") == (
        status, "refused", received, None,
    )  # fmt: skip


def test_too_large(stage: Stage) -> None:
    """A request that was read before it was refused is told as one."""
    watched = Watched(stage(max_body_bytes=10))
    watched.scene.visitor().says(put(b"a" * 11))
    assert watched.line("status", "ended", "method") == (413, "refused", "PUT")


# --- maintenance ----------------------------------------------------------------------------


def test_apology(stage: Stage) -> None:
    """The phase is that of the site when the request came, also where it is the first to see it."""
    watched = Watched(stage())
    watched.scene.publish(window(NOON + 60, NOON + 120))
    watched.scene.wall = NOON + 60
    watched.scene.visitor().says(GET)
    (line,) = watched.lines()
    assert (line["status"], line["ended"], line["phase"]) == (503, "sorry", "down")
    assert line["bytes"] > 0
    assert line["member"] is None


@pytest.mark.parametrize("begun", [False, True])
def test_drained(stage: Stage, begun: bool) -> None:
    """The time of what was in flight is over."""
    watched = Watched(stage())
    _, member = watched.asks()
    if begun:
        member.says(b"HTTP/1.1 200 \r\nContent-Length: 9\r\n\r\na")
    watched.scene.publish(window(NOON, NOON + 600, drain=30.0))
    watched.scene.wall += 31
    watched.scene.passes(30 + 2 * TICK)
    watched.scene.site.look(watched.scene.wall)
    watched.scene.passes(2 * TICK)
    assert watched.line("status", "ended") == (200 if begun else 503, "drained")


def test_tunnel(stage: Stage) -> None:
    """Has its line when it ends, with all that went to the visitor."""
    watched = Watched(stage())
    visitor, member = watched.asks(request(fields=UPGRADE))
    member.says(b"HTTP/1.1 101 \r\n" + UPGRADE + b"\r\n")
    member.says(b"hello")
    visitor.says(b"not counted")
    watched.scene.clock.advance(2.0)
    assert watched.lines() == []
    visitor.resets()
    assert watched.line("status", "ended", "bytes", "total_ms") == (101, "tunnel", 5, 2000.0)


@pytest.mark.parametrize(("is_stopping", "ended"), [(False, "drained"), (True, "stopped")])
def test_cut_tunnel(stage: Stage, is_stopping: bool, ended: str) -> None:
    """One that sorryd cuts says for whose sake."""
    watched = Watched(stage())
    _, member = watched.asks(request(fields=UPGRADE))
    member.says(b"HTTP/1.1 101 \r\n" + UPGRADE + b"\r\n")
    if is_stopping:
        watched.scene.site.stop()
    watched.scene.publish(window(NOON, NOON + 60))
    watched.scene.passes(2 * TICK)
    assert watched.line("status", "ended") == (101, ended)
