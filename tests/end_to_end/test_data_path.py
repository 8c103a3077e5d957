"""Requests and answers through a real sorryd, over real sockets, plain and TLS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.end_to_end.members import Conversation
from tests.end_to_end.stage import Stage, answers, stage
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import CutShort, Message, answer, request

WAYS = [
    pytest.param(("", False), id="uvloop"),
    pytest.param(("epoll", False), id="epoll"),
    pytest.param(("", True), id="uvloop-tls"),
]


@pytest.fixture(scope="module", params=WAYS)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """One daemon for the tests of this file; it must end well after all of them."""
    reactor, tls = request.param
    with stage(tmp_path_factory.mktemp("data"), reactor, tls, timeout_header="1s") as acting:
        yield acting


@pytest.fixture
def shop(running: Stage) -> Stage:
    """The daemon, with a member that says hello unless it is told otherwise."""
    running.clear()
    return running


# --- requests -------------------------------------------------------------------------------


def test_the_member_sees_the_request_as_it_was_sent(shop: Stage) -> None:
    """Method, target, field order and repeated fields arrive untouched."""
    fields = (b"X-B: 2", b"x-a:  1", b"X-B: 3", b"Accept: */*", b"Cookie: a=b; c")
    assert shop.ask(b"/p?q=1&q=%20", *fields).body == b"hello"
    seen = shop.seen()
    assert seen.first == b"GET /p?q=1&q=%20 HTTP/1.1"
    assert seen.lines[:6] == (b"Host: shop.example", *fields)


def test_the_member_learns_who_asked(shop: Stage) -> None:
    """The forwarding fields tell what sorryd knows, and nothing of what a stranger claims."""
    lies = (
        b"X-Forwarded-For: 6.6.6.6",
        b"x-forwarded-proto: gopher",
        b"X_Forwarded_Host: evil",
        b"Forwarded: for=6.6.6.6",
        b"Via: 1.0 fred",
    )
    shop.ask(b"/", *lies)
    seen = shop.seen()
    proto = b"https" if shop.tls else b"http"
    assert seen.all("X-Forwarded-For") == [b"127.0.0.1"]
    assert seen.all("X-Forwarded-Proto") == [proto]
    assert seen.all("X-Forwarded-Host") == [b"shop.example"]
    assert seen.all("Forwarded") == [b'for=127.0.0.1;host="shop.example";proto=' + proto]
    assert seen.all("Via") == [b"1.0 fred", b"1.1 sorryd"]
    assert b"evil" not in b"".join(seen.lines)


def test_hop_by_hop_fields_stay_on_their_hop(shop: Stage) -> None:
    """Connection, what it names, and the other fields of one hop are not passed on."""
    shop.part = answers(
        answer(b"x", b"Connection: x-own", b"X-Own: 1", b"Keep-Alive: timeout=5", b"X-Kept: 1")
    )
    reply = shop.ask(b"/", b"Connection: close, X-Mine", b"X-Mine: 1", b"TE: trailers", b"X-Far: 1")
    seen = shop.seen()
    for name in ("Connection", "X-Mine", "TE"):
        assert seen.all(name) == []
    for name in ("X-Own", "Keep-Alive"):
        assert reply.all(name) == []
    assert (seen.one("X-Far"), reply.one("X-Kept")) == (b"1", b"1")


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/größe/日本?q=é".encode(), id="raw UTF-8"),
        pytest.param(b"/a/../b//./c%2f%00", id="not normalised"),
        pytest.param(b"/\"<>\\^`{|}'", id="what URLs may not hold"),
        pytest.param(b"/\xff\xfe", id="no UTF-8"),
        pytest.param(b"/" + b"a" * 8000, id="8000 bytes"),
    ],
)
def test_any_target_passes_byte_for_byte(shop: Stage, target: bytes) -> None:
    """sorryd reads no meaning into a target."""
    assert shop.ask(target).status == 200
    assert shop.seen().target == target


@pytest.mark.parametrize("method", [b"FOO", b"BASELINE-CONTROL", b"PURGE", b"M!#$%", b"get"])
def test_any_token_is_a_method(shop: Stage, method: bytes) -> None:
    """A method that nobody has heard of reaches the member."""
    assert shop.ask(b"/", method=method).status == 200
    assert shop.seen().method == method


def test_an_absolute_target_becomes_a_path(shop: Stage) -> None:
    """The member gets path and query; a target whose host is not Host's is refused."""
    assert shop.ask(b"http://shop.example/x?y").status == 200
    assert shop.seen().first == b"GET /x?y HTTP/1.1"
    assert shop.ask(b"http://other.example/x?y").status == 400


def test_asterisk_is_a_target(shop: Stage) -> None:
    """OPTIONS * goes to the member as it is."""
    assert shop.ask(b"*", method=b"OPTIONS").status == 200
    assert shop.seen().first == b"OPTIONS * HTTP/1.1"


@pytest.mark.parametrize("size", [0, 1, 65536, 1_000_000])
def test_a_body_of_known_length_arrives_whole(shop: Stage, size: int) -> None:
    """A POST with Content-Length, empty or large."""
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    assert shop.ask(b"/", method=b"POST", body=body).status == 200
    assert shop.seen().body == body
    assert shop.seen().one("Content-Length") == b"%d" % size


def test_a_chunked_body_arrives_whole(shop: Stage) -> None:
    """Chunks of any spelling are one body to the member; extensions and trailers go away."""
    with shop.visitor() as wire:
        wire.send(request(b"/", b"Transfer-Encoding: chunked", method=b"POST"))
        wire.send(b"5\r\nhello\r\n01;a=b\r\n!\r\n")
        wire.send(b"2710\r\n" + b"x" * 10000 + b"\r\n0\r\nX-Trailer: 1\r\n\r\n")
        assert wire.answer().body == b"hello"
    assert shop.seen().body == b"hello!" + b"x" * 10000
    assert shop.seen().one("X-Trailer") is None


def test_a_request_may_come_byte_by_byte(shop: Stage) -> None:
    """However it is cut into packets, a request is the same."""
    with shop.visitor() as wire:
        for byte in request(b"/slow", method=b"PUT", body=b"ab"):
            wire.send(bytes([byte]))
        assert wire.answer().status == 200
    assert (shop.seen().target, shop.seen().body) == (b"/slow", b"ab")


def test_pipelined_requests_are_answered_in_order(shop: Stage) -> None:
    """Fifty requests in one packet get their own answers, one after the other."""

    def part(conversation: Conversation, head: Message) -> None:
        conversation.send(answer(conversation.note(head).target))

    shop.part = part
    with shop.visitor() as wire:
        wire.send(b"".join(request(b"/%d" % i) for i in range(50)))
        assert [wire.answer().body for _ in range(50)] == [b"/%d" % i for i in range(50)]


# --- answers --------------------------------------------------------------------------------


def test_the_answer_passes_as_it_was_given(shop: Stage) -> None:
    """Status, reason, field order, repeated fields and body are the member's."""
    fields = (b"Set-Cookie: a=1", b"X-z: y", b"Set-Cookie: b=2", b'ETag: W/"x"')
    shop.part = answers(answer(b"\x00\xffbody", *fields, status=418))
    reply = shop.ask()
    assert reply.first == b"HTTP/1.1 418 Said"
    assert reply.lines[:5] == (*fields, b"Content-Length: 6")
    assert reply.body == b"\x00\xffbody"
    assert reply.one("Via") == b"1.1 sorryd"


def test_an_answer_to_head_has_no_body(shop: Stage) -> None:
    """Its length stays, and the next request on the connection gets its own answer."""
    shop.part = answers(answer(b"", b"Content-Length: 1234", length=False))
    with shop.visitor() as wire:
        wire.send(request(method=b"HEAD"))
        assert wire.answer(b"HEAD").one("Content-Length") == b"1234"
        shop.part = answers(answer(b"next"))
        wire.send(request())
        assert wire.answer().body == b"next"
    assert shop.member.connections == 1


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body(shop: Stage, status: int) -> None:
    """204 and 304 end with their head, on both connections."""
    shop.part = answers(answer(status=status, length=False))
    with shop.visitor() as wire:
        for _ in range(2):
            wire.send(request())
            assert wire.answer().status == status
    assert shop.member.connections == 1


def test_a_chunked_answer(shop: Stage) -> None:
    """It is whole for the visitor, and the member's connection serves again."""
    pieces = b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n"
    shop.part = answers(answer(b"", b"Transfer-Encoding: chunked", length=False) + pieces)
    with shop.visitor() as wire:
        for _ in range(2):
            wire.send(request())
            assert wire.answer().body == b"abc0123456789"
    assert shop.member.connections == 1


def test_an_answer_that_ends_with_its_connection(shop: Stage) -> None:
    """A body without a length is chunked for the visitor, whose connection lives on."""

    def part(conversation: Conversation, head: Message) -> None:
        conversation.note(head)
        conversation.send(answer(b"", length=False) + b"until the end")
        conversation.close()

    shop.part = part
    with shop.visitor() as wire:
        for _ in range(2):
            wire.send(request())
            reply = wire.answer()
            assert (reply.body, reply.one("Transfer-Encoding")) == (b"until the end", b"chunked")


def test_informational_answers_pass(shop: Stage) -> None:
    """100 and 103 go to the visitor, in order, before the final answer."""

    def part(conversation: Conversation, head: Message) -> None:
        assert head.one("Expect") == b"100-continue"
        conversation.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        conversation.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        conversation.send(answer(conversation.note(head).body))

    shop.part = part
    with shop.visitor() as wire:
        whole = request(b"/", b"Expect: 100-continue", method=b"POST", body=b"body")
        wire.send(whole.removesuffix(b"body"))
        assert wire.answer().one("Link") == b"</x>"
        assert wire.answer().status == 100
        wire.send(b"body")
        assert wire.answer().body == b"body"


def test_an_early_answer_is_passed_on(shop: Stage) -> None:
    """A member that answers before it has read the body is believed."""

    def part(conversation: Conversation, head: Message) -> None:
        conversation.send(answer(b"too much", b"Connection: close", status=413))
        conversation.until_end()

    shop.part = part
    with shop.visitor() as wire:
        wire.send(request(b"/", b"Content-Length: 3000000", method=b"POST") + b"x" * 100_000)
        reply = wire.answer()
    assert (reply.status, reply.body) == (413, b"too much")


def test_a_visitor_of_http_1_0(shop: Stage) -> None:
    """It gets one answer, without chunks and 1xx, and the end of its connection."""
    chunks = b"HTTP/1.1 103 Hint\r\n\r\n" + answer(b"", b"Transfer-Encoding: chunked", length=False)
    shop.part = answers(chunks + b"2\r\nab\r\n0\r\n\r\n")
    with shop.visitor() as wire:
        wire.send(b"GET /old HTTP/1.0\r\n\r\n")
        head = wire.head()
        assert head is not None
        assert (head.status, head.one("Transfer-Encoding")) == (200, None)
        assert wire.until_end() == b"ab"
    seen = shop.seen()
    assert seen.first == b"GET /old HTTP/1.1"
    assert seen.one("Host") == f"127.0.0.1:{shop.member.port}".encode()
    assert seen.one("Via") == b"1.0 sorryd"


def test_a_visitor_of_http_1_0_may_stay(shop: Stage) -> None:
    """Connection: keep-alive is honoured and said."""
    with shop.visitor() as wire:
        for _ in range(2):
            wire.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert wire.answer().one("Connection") == b"keep-alive"


# --- connections ------------------------------------------------------------------------------


def test_connections_to_the_member_are_kept(shop: Stage) -> None:
    """Fifty visitors, one after the other, need one connection to the member."""
    for _ in range(50):
        assert shop.ask().status == 200
    assert (shop.member.connections, len(shop.member.requests)) == (1, 50)


def test_a_kept_connection_that_is_closed_under_a_request(shop: Stage) -> None:
    """An idempotent request that meets a closing connection is sent again on a fresh one."""

    def part(conversation: Conversation, head: Message) -> None:
        conversation.note(head)
        if head.target == b"/close" and len(shop.member.requests) == 2:
            conversation.close()
        else:
            conversation.send(answer(b"hello"))

    shop.part = part
    assert shop.ask(b"/first").status == 200
    assert shop.ask(b"/close").body == b"hello"
    assert (len(shop.member.requests), shop.member.connections) == (3, 2)


def test_a_request_that_may_not_be_repeated_is_not(shop: Stage) -> None:
    """A POST that went to the only member, which then closed, is apologised for, and sent once."""

    def part(conversation: Conversation, head: Message) -> None:
        conversation.note(head)
        conversation.close()

    shop.part = part
    reply = shop.ask(method=b"POST", body=b"pay")
    assert (reply.status, reply.one("Sorry-Cause")) == (503, b"members")
    assert reply.one("Cache-Control") == b"no-store"
    assert len(shop.member.requests) == 1


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
    assert shop.daemon.ask("status")["sites"][0]["members"][0]["active"] == 0


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
    assert shop.daemon.ask("status")["sites"][0]["members"][0]["active"] == 0
