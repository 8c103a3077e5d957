"""When a member fails before its answer: the next one, a fresh connection, or an apology."""

from __future__ import annotations

import pytest
from tests.edge.messages import (
    GET,
    OK,
    answer,
    asked,
    chunked,
    is_apology,
    passed,
    post,
    put,
    request,
)
from tests.edge.scene import Stage

from sorryd.edge.sending import REPLAYED
from sorryd.model import Health

REFUSED = "connection refused"


# --- no connection ------------------------------------------------------------------------


@pytest.mark.parametrize("asking", [GET, post(b"abc")], ids=["GET", "POST"])
def test_connect_fails(stage: Stage, asking: bytes) -> None:
    """A member that can't be connected to is passed over, even with POST: nothing was sent."""
    scene = stage(members=3)
    scene.refusing = {"a": REFUSED, "b": "no route to host"}
    visitor = scene.visitor()
    visitor.says(asking)
    member = scene.member("c")
    assert scene.active == [0, 0, 1]
    assert member.gets() == asked(asking)
    member.says(OK)
    assert visitor.gets() == passed(OK)
    assert scene.failures == ["a: " + REFUSED, "b: no route to host"]


@pytest.mark.parametrize("asking", [GET, post(b"abc")], ids=["GET", "POST"])
def test_all_fail(stage: Stage, asking: bytes) -> None:
    """Nobody can be connected to: the apology, 502 while members are thought to be well."""
    scene = stage(members=2)
    scene.refusing = {"a": REFUSED, "b": REFUSED}
    visitor = scene.visitor()
    visitor.says(asking)
    assert is_apology(visitor.gets(), 502)
    assert visitor.is_open
    assert scene.active == [0, 0]
    scene.publish(a=Health.RESTING, b=Health.RESTING)
    visitor.says(asking)
    assert is_apology(visitor.gets(), 503)
    assert scene.is_asking_nobody
    scene.refusing.clear()
    scene.publish(a=Health.UP, b=Health.UP)
    visitor.says(GET)
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)


def test_upload_while_members_fail(stage: Stage) -> None:
    """The first piece of a body survives members that can't be connected to; the rest follows."""
    scene = stage(members=2)
    scene.refusing = {"a": REFUSED}
    visitor = scene.visitor()
    head = request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked\r\n")
    visitor.says(head + chunked(b"abc", end=False))
    visitor.says(chunked(b"def"))
    member = scene.member("b")
    got = member.gets()
    assert got.count(b"abc") == 1 or b"\r\na\r\n1\r\nb\r\n1\r\nc\r\n" in got
    assert got.endswith(b"\r\n0\r\n\r\n")
    member.says(OK)
    assert visitor.gets() == passed(OK)


def test_upload_under_the_apology(stage: Stage) -> None:
    """Nobody can be connected to in the middle of an upload: the rest of it is read away."""
    scene = stage()
    scene.refusing = {"a": REFUSED}
    visitor = scene.visitor()
    visitor.says(post(b"abcdef")[:-3])
    assert is_apology(visitor.gets(), 502)
    visitor.says(b"def")
    scene.refusing.clear()
    visitor.says(GET)
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)


@pytest.mark.parametrize("asking", [GET, post(b"abc")], ids=["GET", "POST"])
def test_nothing_left_to_connect_with(stage: Stage, asking: bytes) -> None:
    """That sorryd is out of descriptors is no member's fault: the apology, and nobody rests."""
    scene = stage(members=2)
    scene.refusing = {"a": ""}
    visitor = scene.visitor()
    visitor.says(asking)
    assert is_apology(visitor.gets(), 503)
    assert scene.failures == []
    assert scene.is_asking_nobody
    visitor.says(GET)
    scene.member("b").says(OK)
    assert visitor.gets() == passed(OK)


# --- fresh connections --------------------------------------------------------------------


@pytest.mark.parametrize("how", ["FIN", "reset"])
@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 OK\r\nA: "], ids=["no byte", "half a head"])
@pytest.mark.parametrize("asking", [GET, put(b"abc")], ids=["GET", "PUT"])
def test_idempotent_on_fresh_connection(stage: Stage, how: str, part: bytes, asking: bytes) -> None:
    """A member that drops an idempotent request has failed, and the next one is asked."""
    scene = stage(members=2)
    visitor = scene.visitor()
    visitor.says(asking)
    first = scene.member("a")
    assert first.gets() == asked(asking)
    first.says(part)
    first.leaves(how)
    second = scene.member("b")
    assert scene.active == [0, 1]
    assert second.gets() == asked(asking)
    second.says(OK)
    assert visitor.gets() == passed(OK)
    assert len(scene.failures) == 1
    when = "in the middle of" if part else "before"
    assert scene.failures[0].endswith(f"{when} its answer")


@pytest.mark.parametrize("how", ["FIN", "reset"])
def test_not_idempotent_on_fresh_connection(stage: Stage, how: str) -> None:
    """A POST that may have been done is not sent again: 502, and the member has failed."""
    scene = stage(members=2)
    visitor = scene.visitor()
    visitor.says(post(b"abc"))
    scene.member("a").leaves(how)
    assert is_apology(visitor.gets(), 502)
    assert visitor.is_open
    assert len(scene.failures) == 1
    assert scene.is_asking_nobody


def test_all_drop(stage: Stage) -> None:
    """Each member is asked once; when all have dropped the request, it is 502.

    Only the first has failed: what all of them drop is not the members' fault.
    """
    scene = stage(members=3)
    visitor = scene.visitor()
    visitor.says(GET)
    for name in "abc":
        scene.member(name).ends()
    assert is_apology(visitor.gets(), 502)
    assert scene.is_asking_nobody
    assert [failure[0] for failure in scene.failures] == ["a"]


def test_body_too_large_to_repeat(stage: Stage) -> None:
    """A body beyond what is kept can't be sent again: 502."""
    scene = stage(members=2)
    visitor = scene.visitor()
    body = bytes(REPLAYED + 1)
    visitor.says_at_once(put(body)[: -len(body)])
    first = scene.member("a")
    visitor.says_at_once(body)
    first.ends()
    assert is_apology(visitor.gets(), 502)
    assert scene.is_asking_nobody


def test_body_kept(stage: Stage) -> None:
    """A body on its way when the member fails is sent again from its start, and goes on."""
    scene = stage(members=2)
    visitor = scene.visitor()
    asking = put(b"abcdefghi")
    visitor.says(asking[:-6])
    first = scene.member("a")
    visitor.says(b"def")
    assert first.gets() == asked(asking[:-3])
    first.ends()
    second = scene.member("b")
    assert second.gets() == asked(asking[:-3])
    visitor.says(b"ghi")
    assert second.gets() == b"ghi"
    second.says(OK)
    assert visitor.gets() == passed(OK)


def test_full_member_dies(stage: Stage) -> None:
    """A visitor that waited for a member to read goes on when the request has another one."""
    scene = stage()
    visitor, member = scene.warmed_up()
    member.stops_reading()
    visitor.says(request(b"PUT / HTTP/1.1", b"Content-Length: %d\r\n" % (REPLAYED + 10)))
    visitor.says_at_once(bytes(REPLAYED))
    assert not visitor.is_reading
    member.resets()
    fresh = scene.member()
    assert visitor.is_reading
    visitor.says(bytes(10))
    fresh.says(OK)
    assert visitor.gets() == passed(OK)


def test_visitor_who_does_not_read_between_two_members(stage: Stage) -> None:
    """A visitor who takes nothing of a first member's 1xx holds up the second one's answer."""
    scene = stage(members=2)
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(GET)
    first = scene.member("a")
    for _ in range(3):
        hints = b"HTTP/1.1 103 Early Hints\r\nA: " + b"x" * 30_000 + b"\r\n\r\n"
        first.says_at_once(hints)
    first.resets()
    second = scene.member("b")
    assert not second.is_reading
    second.says_at_once(answer(bytes(100_000)))
    assert visitor.waiting < 100_000
    visitor.reads()
    assert visitor.gets().endswith(passed(answer(bytes(100_000))))
