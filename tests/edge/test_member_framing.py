"""Answers of members: where each ends, what is wrong with it, and who is asked again after it."""

from __future__ import annotations

import pytest
from tests.edge.hearing import LIMIT, Heard, hear, hear_every_way
from tests.edge.messages import GET, is_apology, status_of
from tests.edge.scene import Stage

from sorryd.edge.member_connection import MAX_INFORMATIONAL

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 5\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
NO_CONTENT = b"HTTP/1.1 204 No\r\n\r\n"


def body_of(heard: Heard) -> tuple[bytes, str, bool]:
    """The body, how it ended, and whether the connection serves again."""
    return heard.body, heard.end, heard.kept


# --- real servers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "body", "kept"),
    [
        pytest.param(OK + LENGTH, b"hello", True, id="length"),
        pytest.param(OK + LENGTH + b"Connection: close\r\n", b"hello", False, id="close"),
        pytest.param(OK + CHUNKED, b"5\r\nhello\r\n0\r\n\r\n", True, id="chunked"),
        pytest.param(
            OK + CHUNKED + b"Connection: close\r\n", b"5\r\nhello\r\n0\r\n\r\n", False,
            id="chunked and close",
        ),
        pytest.param(OK + CHUNKED, b"5   \r\nhello\r\n0  \r\n\r\n", True, id="padded sizes"),
        pytest.param(OK + CHUNKED, b"00005\r\nhello\r\n00000\r\n\r\n", True, id="sizes of zeros"),
        pytest.param(b"HTTP/1.0 200 OK\r\n" + LENGTH, b"hello", False, id="HTTP/1.0"),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" + LENGTH, b"hello", True,
            id="HTTP/1.0 that lives on",
        ),
        pytest.param(b"HTTP/1.1 200\r\n" + LENGTH, b"hello", True, id="no reason, no space"),
        pytest.param(b"HTTP/1.1 200 \r\n" + LENGTH, b"hello", True, id="no reason"),
        pytest.param("HTTP/1.1 200 Schön\r\n".encode() + LENGTH, b"hello", True, id="UTF-8"),
        pytest.param(OK + b"X: \xe9\x80\tb  \r\nY:\r\n" + LENGTH, b"hello", True, id="Latin"),
        pytest.param(OK + b"content-length:5\r\n", b"hello", True, id="no space"),
        pytest.param(OK + b"Content-Length:   5  \r\n", b"hello", True, id="spaces"),
        pytest.param(b"HTTP/1.1 999 Go away\r\n" + LENGTH, b"hello", True, id="999"),
        pytest.param(b"HTTP/1.1 205 Reset\r\n" + LENGTH, b"hello", True, id="205 with a body"),
    ],
)  # fmt: skip
def test_what_servers_send(head: bytes, body: bytes, kept: bool) -> None:
    """What has one meaning is passed on, however old its style."""
    assert body_of(hear_every_way(head + b"\r\n" + body)) == (b"hello", "whole", kept)


@pytest.mark.parametrize("first", [b"HTTP/1.0 200 OK\r\n", OK, OK + b"Connection: keep-alive\r\n"])
def test_until_the_end(first: bytes) -> None:
    """Without a length the end of the connection is that of the body; a reset is none."""
    said = first + b"\r\nhello"
    assert body_of(hear_every_way(said, "FIN")) == (b"hello", "whole", False)
    assert body_of(hear_every_way(said, "reset")) == (b"hello", "lost", False)
    assert hear_every_way(said).end == "waiting"


# --- cut short, or too long -----------------------------------------------------------------


@pytest.mark.parametrize("leaves", ["FIN", "reset"])
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(OK + LENGTH + b"\r\nhello", id="length"),
        pytest.param(OK + CHUNKED + b"\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n", id="chunked"),
        pytest.param(b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\nhello", id="HTTP/1.0"),
        pytest.param(
            b"HTTP/1.1 103 A\r\nX: y\r\n\r\n" + OK + LENGTH + b"\r\nhello", id="behind 103"
        ),
    ],
)
def test_cut_short(said: bytes, leaves: str) -> None:
    """Wherever an answer is cut off, nobody takes it for whole."""
    for at in range(len(said)):
        heard = hear([said[:at]], leaves)
        assert (heard.end, heard.kept) == ("lost", False)
        assert b"hello".startswith(heard.body)
    assert body_of(hear([said]))[:2] == (b"hello", "whole")


@pytest.mark.parametrize(
    ("head", "bodiless", "body"),
    [
        pytest.param(OK + LENGTH, False, b"hello", id="length"),
        pytest.param(OK + b"Content-Length: 0\r\n", False, b"", id="no bytes"),
        pytest.param(OK + CHUNKED, False, b"5\r\nhello\r\n0\r\n\r\n", id="chunked"),
        pytest.param(b"HTTP/1.1 204 No\r\n", False, b"", id="204"),
        pytest.param(b"HTTP/1.1 204 No\r\n" + LENGTH, False, b"", id="204 with a length"),
        pytest.param(b"HTTP/1.1 204 No\r\n" + CHUNKED, False, b"", id="204 with chunks"),
        pytest.param(b"HTTP/1.1 304 No\r\n" + LENGTH, False, b"", id="304"),
        pytest.param(OK + LENGTH, True, b"", id="HEAD"),
        pytest.param(OK + CHUNKED, True, b"", id="HEAD, chunked"),
        pytest.param(OK, True, b"", id="HEAD, nothing said"),
    ],
)
@pytest.mark.parametrize(
    "more",
    [b"x", b"\r\n", b"hello", b"5\r\nhello\r\n0\r\n\r\n", NO_CONTENT, OK + LENGTH + b"\r\nother"],
)
def test_too_long(head: bytes, bodiless: bool, body: bytes, more: bytes) -> None:
    """What follows an answer answers nothing, and its connection is not used again."""
    whole = hear_every_way(head + b"\r\n" + body, bodiless=bodiless)
    assert (whole.end, whole.kept) == ("whole", True)
    longer = hear_every_way(head + b"\r\n" + body + more, bodiless=bodiless)
    assert (longer.end, longer.kept) == ("whole", False)
    assert (longer.statuses, longer.lines, longer.body) == (whole.statuses, whole.lines, whole.body)
    assert len(longer.statuses) == 1


# --- broken ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 -20 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/1.1 099 OK",
        b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK", b"HTTP/1.1 200OK", b"HTTP/1.1", b"HTTP/2 200",
        b"HTTP/2.0 200 OK", b"HTTP/0.9 200 OK", b"http/1.1 200 OK", b" HTTP/1.1 200 OK",
        b"\r\nHTTP/1.1 200 OK", b"ICY 200 OK", b"<html>", b"\x00", b"GET / HTTP/1.1",
        b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 200 OK\n", b"HTTP/1.1 +200 OK",
        b"HTTP/1.1 0x200 OK", b"HTTP/1.1 2_0 OK", b"HTTP/1.1 \xb2\xb0\xb0 OK",
    ],
)  # fmt: skip
def test_status_lines(first: bytes) -> None:
    """Who speaks no HTTP/1 is not listened to."""
    heard = hear_every_way(first + b"\r\n" + LENGTH + b"\r\nhello")
    assert heard == Heard(end="broken")


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 5\r\nContent-Length: 5", b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5, 5", b"Content-Length: 5,", b"Content-Length: -5",
        b"Content-Length: +5", b"Content-Length: 0x5", b"Content-Length: 5_0",
        b"Content-Length: 5 5", b"Content-Length: ", b"Content-Length: \xd9\xa5",
        b"Content-Length: 9223372036854775808", b"Content-Length: 5.0",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: xchunked", b"Transfer-Encoding: \x0bchunked", b"Transfer-Encoding:",
        b"Transfer-Encoding: chunked;x=1", b"Content-Length : 5", b"X: y\r\n Content-Length: 5",
        b"X: y\nContent-Length: 5", b"X: y\rContent-Length: 5", b"X: y\x00", b": y", b"X",
        b"X y: z", b"X: y\r\n\tz", b"X: \x7f", b"\x80: y",
    ],
)  # fmt: skip
@pytest.mark.parametrize("bodiless", [False, True], ids=["GET", "HEAD"])
def test_fields(fields: bytes, bodiless: bool) -> None:
    """A head that leaves doubt is not passed on; nor is it, to HEAD, where no body follows."""
    heard = hear_every_way(OK + fields + b"\r\n\r\nhello", bodiless=bodiless)
    assert heard == Heard(end="broken")


@pytest.mark.parametrize(
    "chunks",
    [
        b"x\r\n", b"-5\r\nhello", b"+5\r\nhello", b"0x5\r\nhello", b"5_0\r\n", b"\r\nhello",
        b"5\nhello", b"5\rXhello", b"5;\nhello", b"5;a\nb\r\nhello", b"5\r\nhelloXX",
        b"5\r\nhello\n", b"5\r\nhello0\r\n\r\n", b"8000000000000000\r\n",
        b"1%016d\r\nhello" % 5,
        b"5\r\nhello\r\n0\r\n\n", b"5\r\nhello\r\n0\r\nX : y\r\n\r\n", b"0\r\n X: y\r\n\r\n",
        b"5 5\r\nhello", b" 5\r\nhello", b"0\r\n" + b"x: y\r\n" * LIMIT,
        b"5;" + b"x" * LIMIT + b"\r\nhello",
    ],
)  # fmt: skip
def test_chunks(chunks: bytes) -> None:
    """Chunks that leave doubt end the answer, and nobody takes it for whole."""
    heard = hear_every_way(OK + CHUNKED + b"\r\n3\r\nhow\r\n" + chunks)
    assert (heard.end, heard.kept) == ("broken", False)
    assert b"howhello".startswith(heard.body)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(OK + b"X: " + b"y" * LIMIT, id="a field without an end"),
        pytest.param(OK + b"X: y\r\n" * LIMIT, id="fields without an end"),
        pytest.param(b"HTTP/1.1 200 " + b"y" * LIMIT, id="a reason without an end"),
        pytest.param(OK + b"X: " + b"y" * LIMIT + b"\r\n\r\n", id="a large field"),
        pytest.param(b"HTTP/1.1 103 A\r\nX: " + b"y" * LIMIT, id="103 without an end"),
    ],
)
def test_endless_heads(said: bytes) -> None:
    """A head is no larger than the limit, wherever its bytes come from."""
    assert hear_every_way(said) == Heard(end="broken")


# --- 1xx ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.1 102 Processing\r\n", b"HTTP/1.1 103 A\r\nX: b\r\n",
        b"HTTP/1.1 199\r\n", b"HTTP/1.1 103 A\r\n" + LENGTH, b"HTTP/1.1 103 A\r\n" + CHUNKED,
    ],
)  # fmt: skip
@pytest.mark.parametrize("count", [1, 2, MAX_INFORMATIONAL])
def test_informational(first: bytes, count: int) -> None:
    """They have no body, whatever they say; the final answer is the one behind them."""
    heard = hear_every_way((first + b"\r\n") * count + OK + LENGTH + b"\r\nhello")
    assert heard.statuses == (*[int(first[9:12])] * count, 200)
    assert body_of(heard) == (b"hello", "whole", True)


def test_informational_flood() -> None:
    """Nobody is kept waiting for the final answer by more and more of them."""
    said = b"HTTP/1.1 100 A\r\n\r\n" * (MAX_INFORMATIONAL + 1)
    assert hear_every_way(said + NO_CONTENT).end == "broken"
    assert hear_every_way(said[:-1]).end == "waiting"


def test_flood_to_a_visitor(stage: Stage) -> None:
    """What came before the flood was passed on; the final answer is that there is none."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    member.says(b"HTTP/1.1 100 A\r\n\r\n" * (MAX_INFORMATIONAL + 1))
    *informational, final, _ = visitor.gets().split(b"\r\n\r\n")
    assert [status_of(head) for head in informational] == [100] * MAX_INFORMATIONAL
    assert is_apology(final, 502)
    assert member.is_aborted


def test_two_lengths_of_a_103() -> None:
    """A doubtful 1xx is as bad as a doubtful answer."""
    assert hear_every_way(b"HTTP/1.1 103 A\r\n" + LENGTH + LENGTH + b"\r\n").end == "broken"


# --- when nobody asked ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [NO_CONTENT, b"x", b"\r\n", b"HTTP/1.1 408 Request Timeout\r\n\r\n"]
)
def test_before_the_request(said: bytes) -> None:
    """What a member says before it was asked is no answer to what it will be asked."""
    assert hear([said], asked=False) == Heard()


@pytest.mark.parametrize(
    "said", [NO_CONTENT, OK + LENGTH + b"\r\nhello", OK + CHUNKED + b"\r\n0\r\n\r\n"]
)
def test_before_the_request_is_whole(said: bytes) -> None:
    """Such an answer is good; what else the member is sent would begin a request: it is closed."""
    heard = hear_every_way(said, request_done=False)
    assert (heard.end, heard.kept) == ("whole", False)
    assert hear_every_way(said).kept


# --- trailers -------------------------------------------------------------------------------


def test_trailers() -> None:
    """They are told apart from the head, and without those that may not be trailers."""
    said = OK + CHUNKED + b"Trailer: X\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\nSet-Cookie: a\r\n\r\n"
    heard = hear_every_way(said)
    assert (heard.body, heard.trailers, heard.kept) == (b"hello", b"X: y\r\n", True)
    assert heard.lines == (b"Trailer: X",)
