"""Which fields a message has on its other side: hop-by-hop, Via, framing.

Heads come from `sorryd.edge.http1` already without their hop-by-hop fields (RFC 9110 §7.6.1)
and without any claims of where they came from; here they get what forwarding.py says of that,
and the framing of the connection that they leave on. Order and spelling of the other fields are
untouched.
"""

from __future__ import annotations

from typing import Final, Protocol

IDEMPOTENT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
"""Methods that may be sent again without asking (RFC 9110 §9.2.2)."""

PRIVATE: Final = b"Cache-Control: private, no-store"
"""What an answer says that is for its visitor alone, whatever else it says (RFC 9111 §5.2.2)."""

_VIA_11: Final = b"Via: 1.1 sorryd\r\n"
_VIA_10: Final = b"Via: 1.0 sorryd\r\n"
_CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
_TRAILERS: Final = b"Connection: TE\r\nTE: trailers\r\n"  # RFC 9110 §10.1.4


class Request(Protocol):
    """What is asked here of a request's head."""

    method: bytes
    target: bytes
    minor: int
    lines: list[bytes]
    host_at: int
    chunked: bool
    takes_trailers: bool
    upgrade: bytes | None


class Response(Protocol):
    """What is asked here of a response's head."""

    status: int
    reason: bytes
    minor: int
    lines: list[bytes]
    upgrade: bytes | None


def request_head(
    head: Request, forwarding: bytes, authority: bytes, preserve_host: bool, prefix: bytes = b""
) -> bytes:
    """The head that a member gets. `authority` is the member's own host and port.

    `prefix` is put before the path: the member's own. Always HTTP/1.1, so Host is there even
    where an HTTP/1.0 visitor sent none (RFC 9112 §3.2).
    """
    lines = head.lines
    if head.host_at < 0:
        lines = [b"Host: " + authority, *lines]
    elif not preserve_host:
        lines = lines.copy()
        lines[head.host_at] = b"Host: " + authority
    target = head.target
    if prefix and target != b"*":
        target = prefix + target
    return b"%b %b HTTP/1.1\r\n%b\r\n%b%b%b%b\r\n" % (
        head.method,
        target,
        b"\r\n".join(lines),
        forwarding,
        _CHUNKED if head.chunked else b"",
        _hop(head) if head.takes_trailers or head.upgrade is not None else b"",
        _VIA_11 if head.minor else _VIA_10,
    )


def _hop(head: Request) -> bytes:
    """Wishes that are good for one connection, and so are made anew on the next."""
    if head.upgrade is None:
        return _TRAILERS
    if not head.takes_trailers:
        return _upgrade(head.upgrade)
    return b"Connection: Upgrade, TE\r\nUpgrade: %b\r\nTE: trailers\r\n" % head.upgrade


def _upgrade(protocols: bytes) -> bytes:
    return b"Connection: Upgrade\r\nUpgrade: %b\r\n" % protocols


def response_head(head: Response, chunked: bool, connection: bytes) -> bytes:
    """The head that the visitor gets.

    `chunked`: the body goes out in the chunked coding. `connection`: b"", or a whole line.
    """
    if head.upgrade is not None and head.status == 426:
        connection += _upgrade(head.upgrade)  # RFC 9110 §15.5.22: it says which protocols
    lines = head.lines
    return b"HTTP/1.1 %d %b\r\n%b%b%b%b%b\r\n" % (
        head.status,
        head.reason,
        b"\r\n".join(lines),
        b"\r\n" if lines else b"",
        _VIA_11 if head.minor else _VIA_10,
        _CHUNKED if chunked else b"",
        connection,
    )


def switching_head(head: Response) -> bytes:
    """A 101 that is passed on, with the token that the member chose (RFC 9110 §7.8)."""
    return response_head(head, False, _upgrade(head.upgrade or b""))


def is_asked_for(chosen: bytes | None, asked: bytes | None) -> bool:
    """Whether a member switches to one of the protocols that it was asked to (RFC 9110 §7.8)."""
    if chosen is None or asked is None:
        return False
    return chosen.lower() in asked.lower().split(b", ")


def is_websocket(head: Response) -> bool:
    """Whether a 101 begins frames (RFC 6455 §4.2.2)."""
    name = b"sec-websocket-accept:"
    return (head.upgrade or b"").lower() == b"websocket" and any(
        line[: len(name)].lower() == name for line in head.lines
    )
