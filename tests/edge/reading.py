"""Reads requests as a visitor's connection does, however the bytes are cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.requests import RequestReader
from sorryd.model import Value
from sorryd.policy.forwarding import Forwarding, Trusted
from sorryd.policy.headers import request_head
from sorryd.policy.heads import RequestHead

FORWARDING = Forwarding("192.0.2.1", False, Trusted())


class Sizes(Value, frozen=True):
    """Limits in bytes; `max_body_bytes` 0 is none."""

    max_header_bytes: int = 4096
    max_body_bytes: int = 0


class Taken(Value, frozen=True):
    """One request as it was read; `passed` is the head that a member gets.

    `whole` is true once all of its body was read.
    """

    method: bytes
    target: bytes
    minor: int
    host: bytes
    host_at: int
    lines: tuple[bytes, ...]
    chunked: bool
    length: int | None
    keep_alive: bool
    expects_continue: bool
    upgrade: bytes | None
    passed: bytes
    body: bytes = b""
    whole: bool = True
    trailers: bytes = b""
    claims: tuple[bytes, ...] | None = None
    takes_trailers: bool = False


class Reading(Value, frozen=True):
    """What became of some bytes; `refused` is the status of the refusal they end in."""

    requests: tuple[Taken, ...] = ()
    refused: int | None = None
    ahead: bytes = b""


def taken(head: RequestHead, body: bytes, whole: bool, trailers: bytes) -> Taken:
    """`head`, and what came behind it, as a value."""
    return Taken(
        method=head.method,
        target=head.target,
        minor=head.minor,
        host=head.host,
        host_at=head.host_at,
        lines=tuple(head.lines),
        chunked=head.chunked,
        length=head.length,
        keep_alive=head.keep_alive,
        expects_continue=head.expects_continue,
        upgrade=head.upgrade,
        passed=request_head(head, FORWARDING.lines(head), b"member:80", True),
        body=body,
        whole=whole,
        trailers=trailers,
        claims=None if head.claims is None else tuple(head.claims),
        takes_trailers=head.takes_trailers,
    )


def read(pieces: Iterable[bytes], sizes: Sizes | None = None) -> Reading:
    """The requests in `pieces`, each read as soon as its turn comes."""
    reader = RequestReader(sizes or Sizes())
    heads: list[RequestHead] = []
    bodies: list[bytes] = []
    trailers: list[bytes] = []
    refused = None
    try:
        for piece in pieces:
            data = piece
            while data:
                body = reader.body
                if body is not None:
                    bodies[-1] += reader.read_body(body, data)
                    trailers[-1] = body.trailers
                    data = body.rest
                    continue
                head, rest = reader.read_head(data)
                data = bytes(rest)
                if head is not None:
                    if head.has_body:
                        reader.begin_body(head)
                    heads.append(head)
                    bodies.append(b"")
                    trailers.append(b"")
    except BadMessage as why:
        refused = why.status
    requests = tuple(
        taken(head, body, head is not heads[-1] or reader.body is None, behind)
        for head, body, behind in zip(heads, bodies, trailers, strict=True)
    )
    return Reading(requests=requests, refused=refused, ahead=reader.ahead)


def cuts(data: bytes) -> Iterator[tuple[bytes, ...]]:
    """`data` byte by byte, and cut in two at every position."""
    yield tuple(data[at : at + 1] for at in range(len(data)))
    for at in range(1, len(data)):
        yield data[:at], data[at:]


def read_every_way(data: bytes, sizes: Sizes | None = None) -> Reading:
    """The reading of `data` as a whole; asserts that no cut makes it another one.

    Of a body that is refused, a cut may let more or less through before: only whole ones count.
    """
    expected = settled(read([data], sizes))
    for pieces in cuts(data):
        assert settled(read(pieces, sizes)) == expected, pieces
    return expected


def settled(reading: Reading) -> Reading:
    """`reading`; where it ends in a refusal, without what its timing alone decides."""
    if reading.refused is None:
        return reading
    return Reading(requests=tuple(t for t in reading.requests if t.whole), refused=reading.refused)


def one(data: bytes, sizes: Sizes | None = None) -> Taken:
    """The only request in `data`, whole and not refused, however it is cut."""
    reading = read_every_way(data, sizes)
    assert reading.refused is None
    assert reading.ahead == b""
    (request,) = reading.requests
    assert request.whole
    return request


def refusal_of(data: bytes, sizes: Sizes | None = None) -> int | None:
    """The status that `data` is refused with, however it is cut; no request may come of it."""
    reading = read_every_way(data, sizes)
    assert reading.requests == ()
    return reading.refused


def get(*lines: bytes, minor: int = 1, host: bytes | None = b"a") -> bytes:
    """A GET with these field lines, after its Host."""
    return message(b"GET / HTTP/1.%d" % minor, *lines, host=host)


def post(*lines: bytes, body: bytes = b"", minor: int = 1) -> bytes:
    """A POST with these field lines, after its Host, and whatever follows the head."""
    return message(b"POST / HTTP/1.%d" % minor, *lines) + body


def message(first: bytes, *lines: bytes, host: bytes | None = b"a") -> bytes:
    """A head of these lines."""
    hosts = () if host is None else (b"Host: " + host,)
    return b"\r\n".join((first, *hosts, *lines, b"", b""))
