"""Requests and answers through a real sorryd, over real sockets, plain and TLS."""

from __future__ import annotations

import pytest
from tests.end_to_end.members import Conversation
from tests.end_to_end.stage import Stage, answers
from tests.end_to_end.wire import Message, answer, request

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
    reply = shop.ask(b"/", b"Connection: close, X-Mine", b"X-Mine: 1", b"TE: gzip", b"X-Far: 1")
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
