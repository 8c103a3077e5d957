"""Connections through a real sorryd: kept, closed, cut, upgraded, abused, and let go of."""

from __future__ import annotations

import pytest
from tests.end_to_end.members import Conversation
from tests.end_to_end.stage import Stage, answers
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import CutShort, Message, answer, request

# --- connections ------------------------------------------------------------------------------


def _active(shop: Stage) -> object:
    """Requests in flight at the only member, as the daemon counts them."""
    return shop.daemon.ask("status")["sites"][0]["members"][0]["active"]


def test_connections_to_the_member_are_kept(shop: Stage) -> None:
    """Fifty visitors, one after the other, need one connection of each edge to the member."""
    for _ in range(50):
        assert shop.ask().status == 200
    assert len(shop.member.requests) == 50
    assert 1 <= shop.member.connections <= shop.daemon.edges


def test_a_kept_connection_that_is_closed_under_a_request(shop: Stage) -> None:
    """An idempotent request that meets a closing connection is sent again on a fresh one."""

    def part(conversation: Conversation, head: Message) -> None:
        conversation.note(head)
        if head.target == b"/close" and len(shop.member.requests) == 2:
            conversation.close()
        else:
            conversation.send(answer(b"hello"))

    shop.part = part
    with shop.visitor() as wire:
        wire.send(request(b"/first"))
        assert wire.answer().status == 200
        wire.send(request(b"/close"))
        assert wire.answer().body == b"hello"
    assert (len(shop.member.requests), shop.member.connections) == (3, 2)


@pytest.mark.parametrize("body", [b"pay", None], ids=["with a body", "without"])
def test_a_request_that_may_not_be_repeated_is_not(shop: Stage, body: bytes | None) -> None:
    """A POST that met a closing connection is answered 502, and was sent once."""

    def part(conversation: Conversation, head: Message) -> None:
        conversation.note(head)
        conversation.close()

    with shop.visitor() as wire:
        wire.send(request(b"/first"))
        assert wire.answer().status == 200
        shop.part = part
        wire.send(request(b"/pay", method=b"POST", body=body))
        reply = wire.answer()
    assert (reply.status, reply.one("Sorry-Cause")) == (502, b"members")
    assert reply.one("Cache-Control") == b"no-store"
    assert [seen.target for seen in shop.member.requests] == [b"/first", b"/pay"]
    assert shop.member.connections == 1


def test_a_visitor_that_half_closes_gets_its_answer(shop: Stage) -> None:
    """FIN after a whole request still leaves the answer owed."""
    if shop.tls:
        pytest.skip("FIN without close_notify is a lost connection")
    with shop.visitor() as wire:
        wire.send(request())
        wire.finish()
        assert wire.answer().body == b"hello"
        assert wire.until_end() == b""


@pytest.mark.parametrize("way", ["reset", "close"])
def test_a_visitor_that_leaves_takes_its_request_along(shop: Stage, way: str) -> None:
    """The member's connection ends when its visitor resets, or closes within its request."""
    ended: list[bool] = []

    def part(conversation: Conversation, head: Message) -> None:
        try:
            ended.append(bool(conversation.until_end()) or True)
        except OSError:
            ended.append(True)
        conversation.close()

    shop.part = part
    wire = shop.visitor()
    wire.send(request(b"/", b"Content-Length: 10", method=b"POST") + b"12345")
    until(lambda: shop.member.connections == 1, "the request at the member")
    wire.reset() if way == "reset" else wire.close()
    until(lambda: ended, "the end of the member's connection")
    until(lambda: _active(shop) == 0, "the slot to be free")


@pytest.mark.parametrize(
    "framing",
    [
        pytest.param(answer(b"", b"Content-Length: 10", length=False) + b"12345", id="length"),
        pytest.param(
            answer(b"", b"Transfer-Encoding: chunked", length=False) + b"a\r\n12345", id="chunked"
        ),
    ],
)
def test_a_cut_answer_is_never_taken_for_a_whole_one(shop: Stage, framing: bytes) -> None:
    """Where the member stops in the middle, the visitor's connection ends in the middle."""

    def part(conversation: Conversation, head: Message) -> None:
        conversation.note(head)
        conversation.send(framing)
        conversation.close()

    shop.part = part
    with shop.visitor() as wire:
        wire.send(request())
        with pytest.raises((CutShort, ConnectionResetError)):
            wire.answer()


def test_a_cut_answer_to_http_1_0_ends_in_a_reset(shop: Stage) -> None:
    """Where only the end of the connection frames the body, a reset tells that it was cut."""
    if shop.tls:
        pytest.skip("there the missing close_notify tells")
    shop.part = answers(answer(b"", b"Transfer-Encoding: chunked", length=False) + b"a\r\n12345")
    with shop.visitor() as wire:
        wire.send(b"GET / HTTP/1.0\r\n\r\n")
        assert wire.head() is not None
        shop.member.cut()
        with pytest.raises(ConnectionResetError):
            wire.until_end()


def test_an_upgraded_connection_is_a_tunnel(shop: Stage) -> None:
    """After 101, bytes pass both ways as they come, until both have ended."""

    def part(conversation: Conversation, head: Message) -> None:
        assert (head.one("Upgrade"), head.one("Connection")) == (b"echo", b"Upgrade")
        conversation.send(b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nready")
        for _ in range(3):
            conversation.send(conversation.exactly(4))
        conversation.close()

    shop.part = part
    with shop.visitor() as wire:
        wire.send(request(b"/ws", b"Connection: keep-alive, Upgrade", b"Upgrade: echo"))
        head = wire.answer()
        assert (head.status, head.one("Upgrade")) == (101, b"echo")
        assert wire.exactly(5) == b"ready"
        for word in (b"ping", b"\x00\xff\r\n", b"pong"):
            wire.send(word)
            assert wire.exactly(4) == word
        assert wire.until_end() == b""


# --- junk -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("junk", "status"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, id="TLS"),
        pytest.param(b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, id="two spaces"),
        pytest.param(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, id="HTTP/2.0"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no Host"),
        pytest.param(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405, id="CONNECT"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            id="two framings",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            501,
            id="a coding unknown",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40000 + b"\r\n\r\n", 431, id="too large"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: 1\r\n\r\n", 400, id="field name"),
    ],
)
def test_bad_requests_reach_no_member(shop: Stage, junk: bytes, status: int) -> None:
    """They get a short refusal, and their connection is closed."""
    with shop.visitor() as wire:
        wire.send(junk)
        reply = wire.answer()
        assert reply.status in ({400, 501} if status == 501 else {status})
        assert reply.one("Connection") == b"close"
        assert wire.until_end() == b""
    assert shop.member.connections == 0
    assert shop.ask().status == 200


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n\r\n", id="SSH"),
        pytest.param(b"HTTP/1.1 099 Low\r\n\r\n", id="status 099"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", id="length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="lengths"
        ),
        pytest.param(b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", id="101"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40000 + b"\r\n\r\n", id="too large"),
        pytest.param(b"\r\n" * 30000, id="empty lines"),
    ],
)
def test_bad_answers_become_an_apology(shop: Stage, junk: bytes) -> None:
    """A member that answers nonsense fails; its visitor gets the apology with 502."""
    shop.part = answers(junk)
    reply = shop.ask()
    assert reply.status in (502, 503)
    assert reply.one("Sorry-Cause") == b"members"
    shop.part = answers(answer(b"hello"))
    assert shop.ask().status == 200


def test_a_slow_head_times_out(shop: Stage) -> None:
    """A request head that does not come within timeout_header is answered 408."""
    with shop.visitor() as wire:
        wire.send(b"GET / HT")
        assert wire.answer().status == 408
        assert wire.until_end() == b""


def test_nothing_is_left_behind(shop: Stage) -> None:
    """Aborted requests of every kind leave no descriptor open."""

    def part(conversation: Conversation, head: Message) -> None:
        if head.target == b"/silent":
            conversation.until_end()
        elif head.target == b"/half":
            conversation.send(answer(b"", b"Content-Length: 99", length=False) + b"x")
            conversation.until_end()
        else:
            conversation.note(head)
            conversation.send(answer(b"hello"))

    shop.part = part
    shop.ask()
    before = shop.daemon.descriptors()  # one idle connection to the member among them
    starts = [b"", b"GET / HT", request(b"/silent"), request(b"/half")]
    starts.append(request(b"/", b"Content-Length: 9", method=b"POST") + b"x")
    for number in range(100):
        wire = shop.visitor()
        wire.send(starts[number % len(starts)])
        if starts[number % len(starts)] == request(b"/half"):
            wire.head()
        wire.reset() if number % 2 else wire.close()
    shop.part = answers(answer(b"hello"))
    shop.member.cut()  # who closed after a whole request is still owed an answer
    until(lambda: shop.daemon.descriptors() <= before, "descriptors to be closed")
    until(lambda: _active(shop) == 0, "the slot to be free")
