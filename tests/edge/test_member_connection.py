"""One connection to a member: what it reads, what it refuses, when it serves again."""

from __future__ import annotations

import pytest
from tests.edge.messages import (
    CHUNKED,
    GET,
    OK,
    answer,
    asked,
    chunked,
    field_of,
    passed,
    post,
    request,
    status_of,
)
from tests.edge.scene import TIMES, Stage

from sorryd.edge.member_connection import CLOSING
from sorryd.edge.members import KEPT_FOR
from sorryd.edge.wheel import TICK

BROKEN = [
    pytest.param(b"nonsense\r\n\r\n", "malformed status line", id="no HTTP"),
    pytest.param(b"HTTP/2.0 200 OK\r\n\r\n", "malformed status line", id="version"),
    pytest.param(b"HTTP/1.1 099 Low\r\n\r\n", "malformed status line", id="status"),
    pytest.param(b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "malformed header field", id="field"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "Content-Length", id="length"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "more than one Content-Length",
        id="two lengths",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + CHUNKED + b"\r\n",
        "both Content-Length and Transfer-Encoding",
        id="two framings",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding", id="coding"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 3000 + b"\r\n\r\n", "larger than the limit", id="large"
    ),
]


@pytest.mark.parametrize(("said", "why"), BROKEN)
def test_broken_head(stage: Stage, said: bytes, why: str) -> None:
    """A head that can't be trusted is not passed on: the member failed, the next one is asked."""
    scene = stage(members=2, max_header_bytes=3000)
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member("a")
    member.says(said)
    assert member.is_aborted
    scene.member("b").says(OK)
    assert visitor.gets() == passed(OK)
    assert len(scene.failures) == 1
    assert why in scene.failures[0]


def test_broken_head_everywhere(stage: Stage) -> None:
    """A request that every member breaks over puts only the first one to rest."""
    scene = stage(members=3)
    visitor = scene.visitor()
    visitor.says(GET)
    for name in "abc":
        scene.member(name).says(b"no HTTP\r\n\r\n")
    assert status_of(visitor.gets()) == 502
    assert [failure[0] for failure in scene.failures] == ["a"]


@pytest.mark.parametrize(("said", "why"), BROKEN)
def test_broken_head_of_a_post(stage: Stage, said: bytes, why: str) -> None:
    """... but what may not be sent again gets 502."""
    scene = stage(members=2, max_header_bytes=3000)
    visitor = scene.visitor()
    visitor.says(post(b"abc"))
    member = scene.member("a")
    member.says(said)
    got = visitor.gets()
    assert status_of(got) == 502
    assert field_of(got, b"Sorry-Cause") == b"members"
    assert visitor.is_open
    assert member.is_aborted
    assert len(scene.failures) == 1
    assert why in scene.failures[0]
    assert scene.is_asking_nobody


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"x\r\n", id="size"),
        pytest.param(b"2\r\nabc", id="longer than its size"),
        pytest.param(b"-1\r\n", id="negative"),
        pytest.param(b"fffffffffffffffff\r\n", id="huge"),
        pytest.param(b"0\r\nbad trailer\r\n\r\n", id="trailer"),
    ],
)
@pytest.mark.parametrize("minor", [1, 0], ids=["to 1.1", "to 1.0"])
def test_broken_chunk(stage: Stage, bad: bytes, minor: int) -> None:
    """Chunks that can't be trusted: the answer is cut, and the member has failed."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"GET / HTTP/1.%d" % minor))
    member = scene.member()
    member.says(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n" + chunked(b"hello", end=False))
    member.says(bad)
    got = visitor.gets()
    assert status_of(got) == 200
    assert not got.endswith(b"0\r\n\r\n")
    assert visitor.is_gone
    assert visitor.has_fin is (minor == 1)
    assert member.is_aborted
    assert len(scene.failures) == 1


# --- connections that serve again, or not ---------------------------------------------------


@pytest.mark.parametrize(
    ("said", "serves"),
    [
        pytest.param(OK, True, id="1.1"),
        pytest.param(answer(fields=b"Connection: close\r\n"), False, id="close"),
        pytest.param(answer(first=b"HTTP/1.0 200 OK"), False, id="1.0"),
        pytest.param(
            answer(fields=b"Connection: keep-alive\r\n", first=b"HTTP/1.0 200 OK"),
            True,
            id="1.0 keep-alive",
        ),
    ],
)
def test_keep_alive(stage: Stage, said: bytes, serves: bool) -> None:
    """A connection serves again unless its member says otherwise."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    member.says(said)
    assert member.is_open is serves
    visitor.says(GET)
    if not serves:
        member = scene.member()
    member.says(OK)
    assert visitor.gets().count(b"hello") == 2
    assert scene.is_asking_nobody


@pytest.mark.parametrize("extra", [OK, b"x", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_bytes_after_the_answer(stage: Stage, extra: bytes, later: bool) -> None:
    """What nobody asked for answers nothing: the connection is not used again."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    member.says(*(OK, extra) if later else (OK + extra,))
    assert visitor.gets() == passed(OK)
    assert member.is_gone
    visitor.says(GET)
    second = scene.member()
    second.says(OK)
    assert visitor.gets() == passed(OK)
    assert scene.failures == []


@pytest.mark.parametrize("how", ["FIN", "reset"])
def test_idle_connection_closed(stage: Stage, how: str) -> None:
    """A member may close a connection that is not in use: nobody is blamed."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    member.says(OK)
    if how == "FIN":
        member.ends()
    else:
        member.resets()
    assert member.is_gone
    visitor.says(GET)
    scene.member().says(OK)
    assert visitor.gets() == 2 * passed(OK)
    assert scene.failures == []


def test_idle_connection_times_out(stage: Stage) -> None:
    """A connection that serves nobody is kept for a while, then closed."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    member.says(OK)
    scene.passes(KEPT_FOR)
    assert member.is_open
    scene.passes(2 * TICK)
    assert member.is_gone
    assert not member.is_aborted
    visitor.says(GET)
    scene.member().says(OK)


def test_used_connection_is_kept_anew(stage: Stage) -> None:
    """Each use begins the time for which a connection is kept anew."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    for _ in range(3):
        member.says(OK)
        scene.passes(KEPT_FOR - 1)
        visitor.says(GET)
    member.says(OK)
    assert scene.is_asking_nobody


def test_member_does_not_take_the_end(stage: Stage) -> None:
    """A connection that is closed with bytes still waiting is dropped soon."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says_at_once(request(b"PUT / HTTP/1.1", b"Content-Length: 50000\r\n"))
    member = scene.member()
    member.stops_reading()
    visitor.says_at_once(bytes(50_000))
    assert member.waiting == 50_000
    member.says(answer(fields=b"Connection: close\r\n"))
    assert visitor.gets() == passed(OK)
    assert not member.is_gone
    scene.passes(CLOSING + 2 * TICK)
    assert member.is_aborted


def test_deadline_of_the_last_answer_is_forgotten(stage: Stage) -> None:
    """The time of one exchange does not run into the next one on the same connection."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    scene.passes(TIMES.answer - 1)
    member.says(OK)
    scene.passes(1)
    visitor.says(GET)
    scene.passes(TIMES.answer - 1)
    member.says(OK)
    assert visitor.gets() == 2 * passed(OK)
    assert member.is_open


def test_slow_visitor_is_no_slow_member(stage: Stage) -> None:
    """While a visitor does not read, the member's time does not run."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(GET)
    member = scene.member()
    large = answer(bytes(200_000))
    member.says_at_once(large[:100_000])
    for _ in range(10):
        scene.passes(TIMES.body - 1)
        visitor.reads(100)
    visitor.reads()
    member.says_at_once(large[100_000:])
    assert visitor.gets() == passed(large)
    assert member.gets() == asked(GET)


def test_neither_side_reads(stage: Stage) -> None:
    """A member that takes no more of an upload is not waited for without end, even where its
    visitor did not read for a while."""
    scene = stage()
    visitor, member = scene.warmed_up()
    member.stops_reading()
    visitor.says_at_once(request(b"PUT / HTTP/1.1", b"Content-Length: 200000\r\n", bytes(100_000)))
    visitor.stops_reading()
    for _ in range(3):
        hints = b"HTTP/1.1 103 Early Hints\r\nA: " + b"x" * 30_000 + b"\r\n\r\n"
        member.says_at_once(hints)
    visitor.reads()
    visitor.gets()
    scene.passes(TIMES.answer + 2 * TICK)
    assert status_of(visitor.gets()) == 504
