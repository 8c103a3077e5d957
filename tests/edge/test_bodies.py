"""Bodies: the chunked coding (RFC 9112 §7.1), a length, or until the end."""

from __future__ import annotations

import pytest
from tests.edge.reading import cuts

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.bodies import (
    LAST_CHUNK,
    MAX_LINE,
    ChunkedReader,
    LengthReader,
    UntilEndReader,
    chunk,
    in_chunks,
)
from sorryd.model import Value

LIMIT = 64  # bytes of trailers, and of extensions


class Decoded(Value, frozen=True):
    """What became of a chunked body; of a refused one only that."""

    body: bytes = b""
    rest: bytes = b""
    trailers: bytes = b""
    done: bool = False
    refused: int | None = None


def decode(*pieces: bytes, padded: bool = False) -> Decoded:
    """A chunked body in `pieces`; what comes after its end is not its own."""
    reader = ChunkedReader(400, LIMIT, padded)
    body = rest = b""
    for piece in pieces:
        if reader.done:
            rest += piece
            continue
        try:
            body += reader.feed(piece)
        except BadMessage as why:
            return Decoded(refused=why.status)
    return Decoded(body=body, rest=reader.rest + rest, trailers=reader.trailers, done=reader.done)


def decode_every_way(data: bytes, padded: bool = False) -> Decoded:
    """The decoding of `data` as a whole; asserts that no cut makes it another one."""
    expected = decode(data, padded=padded)
    for pieces in cuts(data):
        assert decode(*pieces, padded=padded) == expected, pieces
    return expected


@pytest.mark.parametrize(
    ("data", "body"),
    [
        pytest.param(b"0\r\n\r\n", b"", id="empty"),
        pytest.param(b"3\r\nabc\r\n0\r\n\r\n", b"abc", id="one chunk"),
        pytest.param(b"1\r\na\r\n1\r\nb\r\n2\r\ncd\r\n0\r\n\r\n", b"abcd", id="small chunks"),
        pytest.param(b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789", id="upper-case size"),
        pytest.param(b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789", id="lower-case size"),
        pytest.param(b"0003\r\nabc\r\n0000\r\n\r\n", b"abc", id="leading zeros"),
        pytest.param(b"0000000000000001\r\na\r\n0\r\n\r\n", b"a", id="sixteen digits"),
        pytest.param(b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n", id="CR LF for data"),
        pytest.param(b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n", id="a last chunk for data"),
        pytest.param(b"3;a\r\nabc\r\n0;b\r\n\r\n", b"abc", id="extensions"),
        pytest.param(b"3;a=b;c\r\nabc\r\n0\r\n\r\n", b"abc", id="extension with a value"),
        pytest.param(b'3;a="b;\\"\\\\c "\r\nabc\r\n0\r\n\r\n', b"abc", id="quoted value"),
        pytest.param(b"3 ; a\t= b\r\nabc\r\n0\r\n\r\n", b"abc", id="spaces around an extension"),
        pytest.param(b"3\r\nabc\r\n0\r\nHost: b\r\n\r\n", b"abc", id="trailer that is dropped"),
        pytest.param(
            b"1;%b\r\na\r\n0;%b\r\n\r\n" % (b"x" * 28, b"y" * 28),
            b"a",
            id="extensions of the limit",
        ),
    ],
)
@pytest.mark.parametrize("rest", [b"", b"\r\nGET / HTTP/1.1\r\n"])
def test_chunks(data: bytes, body: bytes, rest: bytes) -> None:
    """A chunked body is what its chunks hold, and ends where it says, to the byte."""
    assert decode_every_way(data + rest) == Decoded(body=body, rest=rest, done=True)


@pytest.mark.parametrize(
    ("trailers", "passed"),
    [
        pytest.param(b"A: b\r\n", b"A: b\r\n", id="one"),
        pytest.param(b"B:\r\na: \t\x80\r\nB: 1\r\n", b"B:\r\na: \t\x80\r\nB: 1\r\n", id="order"),
        pytest.param(b"A: b\r\nContent-Length: 5\r\nC: d\r\n", b"A: b\r\nC: d\r\n", id="framing"),
        pytest.param(b"Host: b\r\n", b"", id="none left"),
        pytest.param(b"A:%b\r\n" % (b"b" * (LIMIT - 6)), b"A:%b\r\n" % (b"b" * (LIMIT - 6)),
                     id="as large as the limit"),
    ],
)  # fmt: skip
def test_trailers(trailers: bytes, passed: bytes) -> None:
    """Of the trailers those that may be are kept, as they are spelt (see trailers.py)."""
    for body in (b"", b"3\r\nabc\r\n"):
        got = decode_every_way(body + b"0\r\n" + trailers + b"\r\nrest")
        assert got == Decoded(body=body[3:6], rest=b"rest", trailers=passed, done=True)


@pytest.mark.parametrize("pad", [b" ", b"\t  ", b" " * 50])
def test_padded_sizes(pad: bytes) -> None:
    """Old servers pad their sizes with spaces: of members that is taken, of visitors not."""
    data = b"3%b\r\nabc\r\n1;a%b\r\nd\r\n0\r\n\r\n" % (pad, b" ")
    assert decode_every_way(data, padded=True) == Decoded(body=b"abcd", done=True)
    assert decode_every_way(data).refused == 400
    assert decode_every_way(b" " + data, padded=True).refused == 400
    assert decode_every_way(data.replace(b"3" + pad, b"3" + pad + b"3"), padded=True).refused == 400


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"", b""), (b"3", b""), (b"3\r", b""), (b"3\r\n", b""), (b"3\r\nab", b"ab"),
        (b"3\r\nabc", b"abc"), (b"3\r\nabc\r", b"abc"), (b"3\r\nabc\r\n", b"abc"), (b"0", b""),
        (b"3\r\nabc\r\n0\r\n", b"abc"), (b"0\r\n\r", b""), (b"0\r\nA: b\r\n", b""),
        (b"0\r\nA: b\r\n\r", b""), (b"3;a=", b""), (b'3;a="b', b""),
        (b"7fffffffffffffff\r\nabc", b"abc"),
    ],
)  # fmt: skip
def test_cut_short(data: bytes, body: bytes) -> None:
    """A body that has not ended is not done, whatever it lacks."""
    assert decode_every_way(data) == Decoded(body=body)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\r\nabc", id="no size"),
        pytest.param(b"x\r\nabc\r\n", id="no number"),
        pytest.param(b"3x\r\nabc\r\n", id="a number and more"),
        pytest.param(b"0x3\r\nabc\r\n", id="0x"),
        pytest.param(b"-3\r\nabc\r\n", id="negative"),
        pytest.param(b"+3\r\nabc\r\n", id="signed"),
        pytest.param(b"3_0\r\nabc\r\n", id="underscore"),
        pytest.param(b" 3\r\nabc\r\n", id="space before the size"),
        pytest.param(b"3 \r\nabc\r\n", id="space after the size"),
        pytest.param(b"3\t\r\nabc\r\n", id="tab after the size"),
        pytest.param(b"3 3\r\nabc\r\n", id="two sizes"),
        pytest.param(b"\xb3\r\nabc\r\n", id="beyond ASCII"),
        pytest.param(b"8000000000000000\r\n", id="2 to the 63"),
        pytest.param(b"ffffffffffffffff\r\n", id="64 bits"),
        pytest.param(b"10000000000000000\r\n", id="65 bits"),
        pytest.param(b"00000000000000003\r\nabc\r\n", id="17 digits"),
        pytest.param(b"3\nabc\r\n0\r\n\r\n", id="size ended by LF"),
        pytest.param(b"3\rabc\r\n0\r\n\r\n", id="size ended by CR"),
        pytest.param(b"3\r\r\nabc\r\n", id="CR CR LF after the size"),
        pytest.param(b"3\n\r\nabc\r\n", id="LF CR LF after the size"),
        pytest.param(b"3\r\nabc\n0\r\n\r\n", id="data ended by LF"),
        pytest.param(b"3\r\nabc\n", id="data ended by LF, and no more"),
        pytest.param(b"3\r\nabc\r0\r\n\r\n", id="data ended by CR"),
        pytest.param(b"3\r\nabcd\n0\r\n\r\n", id="data ended by a byte and LF"),
        pytest.param(b"3\r\nabcd\r\n0\r\n\r\n", id="more data than said"),
        pytest.param(b"3\r\nab\r\n0\r\n\r\n", id="less data than said"),
        pytest.param(b"3\r\nabc0\r\n\r\n", id="no end of the data"),
        pytest.param(b"3\r\nabc\r\n\r\n0\r\n\r\n", id="empty line between chunks"),
        pytest.param(b"3\r\nabc\r\n3\nabc\r\n0\r\n\r\n", id="second size ended by LF"),
        pytest.param(b"3\r\nabc\r\n+3\r\nabc\r\n0\r\n\r\n", id="second size signed"),
        pytest.param(b"3\r\nabc\r\n10000000000000003\r\nabc\r\n", id="second size of 65 bits"),
        pytest.param(b"3\r\nabc\r\n8000000000000000\r\nabc\r\n", id="second size of 64 bits"),
        pytest.param(b"1;%b\r\na\r\n0;%b\r\n\r\n" % (b"x" * 28, b"y" * 29),
                     id="extensions over the limit"),
        pytest.param(b"3;a\nb\r\nabc\r\n", id="LF in an extension"),
        pytest.param(b"3;a\rb\r\nabc\r\n", id="CR in an extension"),
        pytest.param(b"3;a\x00\r\nabc\r\n", id="NUL in an extension"),
        pytest.param(b"3;\r\nabc\r\n", id="extension without a name"),
        pytest.param(b"3;;a\r\nabc\r\n", id="empty extension"),
        pytest.param(b"3;a=\r\nabc\r\n", id="extension without its value"),
        pytest.param(b"3;a=b=c\r\nabc\r\n", id="extension with two values"),
        pytest.param(b'3;a="b\r\nabc\r\n', id="quote that does not end"),
        pytest.param(b'3;a="b"c\r\nabc\r\n', id="quote that ends early"),
        pytest.param(b"3,a\r\nabc\r\n", id="comma"),
        pytest.param(b"3;" + b"a" * 5000 + b"\r\nabc\r\n", id="large extension"),
        pytest.param(b"0\n\r\n", id="last chunk ended by LF"),
        pytest.param(b"0\r\n\n", id="trailers ended by LF"),
        pytest.param(b"0\r\nA: b\n\r\n", id="trailer ended by LF"),
        pytest.param(b"0\r\n A: b\r\n\r\n", id="folded trailer"),
        pytest.param(b"0\r\nA : b\r\n\r\n", id="trailer with a space before its colon"),
        pytest.param(b"0\r\nA\r\n\r\n", id="trailer without a colon"),
        pytest.param(b"0\r\nA: \x00\r\n\r\n", id="NUL in a trailer"),
        pytest.param(b"0\r\nGET / HTTP/1.1\r\n\r\n", id="a request for a trailer"),
        pytest.param(b"0\r\nA:" + b"b" * (LIMIT - 5) + b"\r\n\r\n", id="large trailer"),
        pytest.param(b"0\r\n" + b"A: b\r\n" * LIMIT, id="many trailers"),
    ],
)  # fmt: skip
def test_bad_chunks(data: bytes) -> None:
    """What the grammar does not allow is refused; whoever mends it might end it elsewhere."""
    assert decode_every_way(data) == Decoded(refused=400)


@pytest.mark.parametrize("size", [1, 100, 2 * MAX_LINE])
@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
def test_largest_line(size: int, more: int, is_read: bool) -> None:
    """One chunk's line has a limit of its own, however it comes."""
    line = b"1;%b\r\n" % (b"x" * (MAX_LINE - 4 + more))
    assert len(line) == MAX_LINE + more
    reader = ChunkedReader(400, 2 * MAX_LINE)
    try:
        for at in range(0, len(line), size):
            reader.feed(line[at : at + size])
        assert reader.feed(b"a") == b"a"
    except BadMessage:
        assert not is_read
    else:
        assert is_read


@pytest.mark.parametrize("status", [400, 502])
def test_whose_fault(status: int) -> None:
    """The refusal is the one that fits the sender, in chunks and in trailers."""
    for data in (b"x", b"0\r\n:\r\n\r\n", b"0\r\n" + b"a" * 100):
        with pytest.raises(BadMessage) as refused:
            ChunkedReader(status, LIMIT).feed(data)
        assert refused.value.status == status


def test_data_is_passed_on_at_once() -> None:
    """Nobody waits for the end of a chunk, nor for the next one."""
    reader = ChunkedReader(400, LIMIT)
    assert reader.feed(b"5\r\nab") == b"ab"
    assert reader.feed(b"c") == b"c"
    assert reader.feed(b"de\r") == b"de"
    assert reader.feed(b"\n4\r\nf") == b"f"
    assert not reader.done


@pytest.mark.parametrize("data", [b"a", b"0\r\n\r\n", bytes(range(256)) * 300])
def test_chunk(data: bytes) -> None:
    """What is written as chunks reads back."""
    assert decode(chunk(data) + chunk(data) + LAST_CHUNK).body == data * 2


@pytest.mark.parametrize(
    ("data", "done", "trailers", "coded"),
    [
        pytest.param(b"a", False, b"", b"1\r\na\r\n", id="a piece"),
        pytest.param(b"", False, b"", b"", id="nothing yet"),
        pytest.param(b"a", True, b"", b"1\r\na\r\n0\r\n\r\n", id="the last piece"),
        pytest.param(b"", True, b"", b"0\r\n\r\n", id="the end"),
        pytest.param(b"a", True, b"B: c\r\n", b"1\r\na\r\n0\r\nB: c\r\n\r\n", id="trailers"),
        pytest.param(b"", True, b"B: c\r\n", b"0\r\nB: c\r\n\r\n", id="trailers alone"),
        pytest.param(b"a", False, b"B: c\r\n", b"1\r\na\r\n", id="trailers before the end"),
    ],
)
def test_in_chunks(data: bytes, done: bool, trailers: bytes, coded: bytes) -> None:
    """A body in pieces, with trailers behind the last one."""
    assert in_chunks(data, done, trailers) == coded


@pytest.mark.parametrize(
    ("length", "pieces", "body", "rest"),
    [
        pytest.param(3, (b"abc",), b"abc", b"", id="whole"),
        pytest.param(3, (b"a", b"bc"), b"abc", b"", id="in pieces"),
        pytest.param(3, (b"abcd",), b"abc", b"d", id="and more"),
        pytest.param(3, (b"ab", b"cde"), b"abc", b"de", id="in pieces, and more"),
        pytest.param(0, (b"",), b"", b"", id="nothing"),
        pytest.param(0, (b"a",), b"", b"a", id="nothing, and more"),
    ],
)
def test_length(length: int, pieces: tuple[bytes, ...], body: bytes, rest: bytes) -> None:
    """A body of a length ends there, and what follows is not its own."""
    reader = LengthReader(length)
    read = b""
    for piece in pieces:
        assert not reader.done
        read += reader.feed(piece)
    assert read == body
    assert (reader.done, reader.rest) == (True, rest)


def test_until_the_end() -> None:
    """Such a body is never done by its own word."""
    reader = UntilEndReader()
    assert reader.feed(b"0\r\n\r\n") == b"0\r\n\r\n"
    assert (reader.done, reader.rest) == (False, b"")
