"""When a kept connection closes under a request, or nothing comes on it."""

from __future__ import annotations

import pytest
from tests.edge.messages import GET, OK, asked, is_apology, passed, post, put, request
from tests.edge.scene import TIMES, Stage

from sorryd.edge.wheel import TICK
from sorryd.model import Health

REFUSED = "connection refused"


# --- reused connections -------------------------------------------------------------------


@pytest.mark.parametrize("how", ["FIN", "reset"])
@pytest.mark.parametrize("asking", [GET, put(b"abc")], ids=["GET", "PUT"])
def test_idempotent_on_reused_connection(stage: Stage, how: str, asking: bytes) -> None:
    """A kept connection closed under a request is the usual race: a fresh one to the same member.

    The member is not blamed (RFC 9112 §9.3.1).
    """
    scene = stage(members=2)
    visitor, member = scene.warmed_up()
    scene.publish(b=Health.RESTING)
    visitor.says(asking)
    assert member.gets() == asked(asking)
    member.leaves(how)
    fresh = scene.member("a")
    assert scene.active == [1, 0]
    assert fresh.gets() == asked(asking)
    fresh.says(OK)
    assert visitor.gets() == passed(OK)
    assert scene.failures == []


def test_race_twice(stage: Stage) -> None:
    """Where the fresh connection is dropped too, the member has failed: the next one."""
    scene = stage(members=2)
    visitor, member = scene.warmed_up()
    scene.publish(b=Health.RESTING)
    visitor.says(GET)
    member.ends()
    scene.publish(b=Health.UP)
    scene.member("a").ends()
    assert scene.failures == ["a: closed the connection before its answer"]
    second = scene.member("b")
    second.says(OK)
    assert visitor.gets() == passed(OK)


def test_other_idle_connections_are_not_tried(stage: Stage) -> None:
    """After the race the connection is a fresh one, not another that may be as stale."""
    scene = stage()
    visitors = [scene.visitor() for _ in range(3)]
    for visitor in visitors:
        visitor.says(GET)
    members = [scene.member() for _ in range(3)]
    for member in members:
        member.says(OK)
        member.gets()
    visitors[0].gets()
    visitors[0].says(GET)
    members[-1].ends()
    fresh = scene.member()
    assert [member.gets() for member in members[:2]] == [b"", b""]
    fresh.says(OK)
    assert visitors[0].gets() == passed(OK)


def test_not_idempotent_on_reused_connection(stage: Stage) -> None:
    """A POST on a kept connection that closes under it is 502; the member is not blamed."""
    scene = stage(members=2)
    visitor, member = scene.warmed_up()
    scene.publish(b=Health.RESTING)
    visitor.says(post(b"abc"))
    member.ends()
    assert is_apology(visitor.gets(), 502)
    assert scene.failures == []
    assert scene.is_asking_nobody


def test_half_a_head_on_reused_connection(stage: Stage) -> None:
    """An answer that has begun is no race: the member has failed."""
    scene = stage(members=2)
    visitor, member = scene.warmed_up()
    scene.publish(b=Health.RESTING)
    visitor.says(GET)
    member.says(b"HTTP/1.1 2")
    scene.publish(b=Health.UP)
    member.ends()
    assert scene.failures == ["a: closed the connection in the middle of its answer"]
    scene.member("b").says(OK)
    assert visitor.gets() == passed(OK)


# --- too slow -----------------------------------------------------------------------------


def test_late(stage: Stage) -> None:
    """No answer within `timeout_answer`: 504, from this member and no other."""
    scene = stage(members=2)
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member("a")
    scene.passes(TIMES.answer)
    assert visitor.gets() == b""
    scene.passes(2 * TICK)
    assert is_apology(visitor.gets(), 504)
    assert visitor.is_open
    assert member.is_aborted
    assert scene.is_asking_nobody


@pytest.mark.parametrize("minor", [1, 0])
def test_stream_stalls(stage: Stage, minor: int) -> None:
    """An answer that stops in the middle for `timeout_stream` is cut; a slow one is not."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"GET / HTTP/1.%d" % minor))
    member = scene.member()
    member.says(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(4):
        scene.passes(TIMES.stream - 1)
        member.says(b"x")
    assert visitor.is_open
    scene.passes(TIMES.stream + 2 * TICK)
    assert visitor.is_gone
    assert visitor.is_aborted is (minor == 0)
    assert member.is_aborted
    assert not visitor.gets().endswith(b"0\r\n\r\n")


def test_unread_upload(stage: Stage) -> None:
    """An answer to an upload that the member has not read: the connection serves no more.

    The next request would stand behind what waits, and nobody would see how much that is.
    """
    scene = stage()
    visitor, member = scene.warmed_up()
    member.stops_reading()
    visitor.says_at_once(put(bytes(200_000)))
    member.says(OK)
    assert visitor.gets() == passed(OK)
    assert member.is_aborted
    visitor.says(GET)
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)
