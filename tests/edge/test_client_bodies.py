"""Request bodies on their way to a member, or to nobody."""

from __future__ import annotations

from tests.edge.messages import (
    CHUNKED,
    GET,
    OK,
    answer,
    asked,
    chunked,
    dechunked,
    passed,
    request,
    status_of,
    upload,
)
from tests.edge.scene import TIMES, Stage

from sorryd.edge.requests import DISCARDED
from sorryd.edge.wheel import TICK

TOO_LARGE = answer(b"no", first=b"HTTP/1.1 413 Content Too Large")


def test_length(stage: Stage) -> None:
    """A body by Content-Length is passed on as it comes."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(upload(6, b"ab"))
    member = scene.member()
    assert member.gets() == asked(upload(6, b"ab"))
    visitor.says(b"cd")
    assert member.gets() == b"cd"
    visitor.says(b"ef")
    assert member.gets() == b"ef"
    member.says(OK)
    assert visitor.gets() == passed(OK)
    assert member.is_open


def test_chunked(stage: Stage) -> None:
    """A chunked body is passed on chunk by chunk, without the sender's extensions."""
    scene = stage()
    visitor = scene.visitor()
    head = request(b"POST / HTTP/1.1", CHUNKED)
    visitor.says(head + b"2;a=b\r\nab\r\n003\r\ncde\r\n0;c\r\n\r\n")
    member = scene.member()
    got = member.gets()
    begin = asked(request(b"POST / HTTP/1.1")).replace(b"Via:", CHUNKED + b"Via:")
    assert got.startswith(begin)
    assert dechunked(got[len(begin) :]) == b"abcde"
    member.says(OK)
    visitor.says(GET)
    assert member.gets() == asked(GET)
    member.says(OK)
    assert visitor.gets() == 2 * passed(OK)


# --- early answers ------------------------------------------------------------------------


def test_early_answer(stage: Stage) -> None:
    """An answer in the middle of an upload goes through; the rest of the upload is read away.

    The visitor's connection lives; the member's, where that rest would be a request, does not.
    """
    scene = stage()
    visitor = scene.visitor()
    visitor.says(upload(10, b"abc"))
    member = scene.member()
    member.says(TOO_LARGE)
    assert visitor.gets() == passed(TOO_LARGE)
    assert scene.active == [0]
    assert member.is_aborted
    visitor.says(b"defghij" + GET)
    second = scene.member()
    assert second.gets() == asked(GET)
    second.says(OK)
    assert visitor.gets() == passed(OK)


def test_early_answer_to_a_large_upload(stage: Stage) -> None:
    """Where more than 1 MiB would have to be read away, the connection ends, as was said."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(upload(DISCARDED + 1000, b"abc"))
    member = scene.member()
    member.says(TOO_LARGE)
    assert visitor.gets() == passed(TOO_LARGE, b"Connection: close\r\n")
    assert member.is_aborted
    assert visitor.has_fin
    visitor.says_at_once(bytes(1000))
    visitor.ends()
    assert visitor.is_gone


def test_early_answer_to_endless_chunks(stage: Stage) -> None:
    """Chunks are read away up to 1 MiB."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", CHUNKED), chunked(b"abc", end=False))
    scene.member().says(TOO_LARGE)
    assert visitor.gets() == passed(TOO_LARGE)
    piece = chunked(bytes(65536), end=False)
    for _ in range(DISCARDED // 65536):
        assert visitor.is_open
        visitor.says_at_once(piece)
    assert visitor.has_fin
    visitor.ends()


def test_visitor_stalls_after_an_early_answer(stage: Stage) -> None:
    """Who does not go on with a body that was answered is closed without a second answer."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(upload(10, b"abc"))
    scene.member().says(TOO_LARGE)
    assert visitor.gets() == passed(TOO_LARGE)
    scene.passes(TIMES.body + 2 * TICK)
    assert visitor.gets() == b""
    assert visitor.has_fin
    visitor.ends()


def test_both_directions_at_once(stage: Stage) -> None:
    """An answer that streams while the request still does, to its end."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", CHUNKED), chunked(b"a", end=False))
    member = scene.member()
    member.gets()
    head = b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n"
    member.says(head, chunked(b"A", end=False))
    visitor.says(chunked(b"b"))
    assert member.gets() == chunked(b"b")
    member.says(chunked(b"B"))
    got = visitor.gets().partition(b"\r\n\r\n")[2]
    assert dechunked(got) == b"AB"
    assert member.is_open
    assert visitor.is_open


# --- back-pressure ------------------------------------------------------------------------


def test_member_does_not_take_the_body(stage: Stage) -> None:
    """A member that does not read makes sorryd not read from the visitor, until it does."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(upload(300_000))
    member = scene.member()
    member.stops_reading()
    visitor.says_at_once(bytes(100_000))
    assert not visitor.is_reading
    visitor.says_at_once(bytes(200_000))
    assert visitor.unread == 200_000
    member.reads()
    assert visitor.is_reading
    assert len(member.gets()) == len(asked(upload(300_000))) + 300_000
    member.says(OK)
    assert visitor.gets() == passed(OK)


def test_member_does_not_take_the_first_piece(stage: Stage) -> None:
    """Back-pressure holds from the first piece, which waits while the connection is made."""
    scene = stage()
    scene.is_dialling_slow = True
    visitor = scene.visitor()
    visitor.says_at_once(upload(300_000, bytes(150_000)))
    assert not visitor.is_reading
    dialling = scene.dialling[0]
    wire = scene.accept(dialling, stalled=True)
    assert wire.waiting > 150_000
    assert not visitor.is_reading
    wire.reads()
    assert visitor.is_reading
    visitor.says_at_once(bytes(150_000))
    wire.says(OK)
    assert visitor.gets() == passed(OK)


def test_upload_waits_for_the_connection(stage: Stage) -> None:
    """While the connection to a member is made, the body is not read beyond its first piece."""
    scene = stage()
    scene.is_dialling_slow = True
    visitor = scene.visitor()
    visitor.says_at_once(upload(10, b"abc"))
    visitor.says(b"defghij")
    assert visitor.unread == 7
    scene.is_dialling_slow = False
    member = scene.member()
    assert member.gets() == asked(upload(10, b"abcdefghij"))
    member.says(OK)


def test_member_never_takes_the_body(stage: Stage) -> None:
    """A member that reads nothing for `timeout_answer` is too late: 504; one that reads is not."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(upload(400_000))
    member = scene.member()
    member.stops_reading()
    visitor.says_at_once(bytes(200_000))
    for _ in range(3):
        scene.passes(TIMES.answer - 1)
        member.reads(1000)
    assert visitor.gets() == b""
    scene.passes(TIMES.answer + 2 * TICK)
    scene.passes(TIMES.answer + 2 * TICK)
    assert status_of(visitor.gets()) == 504
    assert member.is_aborted
    visitor.resets()


def test_nobody_reads(stage: Stage) -> None:
    """An echo whose two ends both stopped reading does not hang for ever."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", CHUNKED))
    member = scene.member()
    member.says(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n")
    visitor.stops_reading()
    member.stops_reading()
    member.says_at_once(chunked(bytes(100_000), end=False))
    visitor.says_at_once(chunked(bytes(100_000), end=False))
    assert not visitor.is_reading
    assert not member.is_reading
    scene.passes(TIMES.body + 2 * TICK)
    assert visitor.is_aborted
    assert scene.active == [0]


def test_visitor_does_not_read_after_its_upload(stage: Stage) -> None:
    """The end of the upload does not make sorryd wait for ever for who does not read."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(upload(4, b"abc"))
    member = scene.member()
    visitor.stops_reading()
    member.says_at_once(answer(bytes(200_000))[:100_000])
    visitor.says(b"d")
    scene.passes(TIMES.body + 2 * TICK)
    assert visitor.is_aborted
    assert scene.active == [0]


def test_upload_stalls_after_the_visitor_has_read(stage: Stage) -> None:
    """`timeout_body` runs again for the upload when the visitor has taken what waited."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(upload(4, b"abc"))
    member = scene.member()
    visitor.stops_reading()
    member.says_at_once(answer(bytes(200_000))[:100_000])
    visitor.reads()
    scene.passes(TIMES.body + 1)
    scene.passes(TIMES.body + 1)
    assert visitor.is_gone
    assert scene.active == [0]
