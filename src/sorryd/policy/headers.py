"""Which fields a message has on its other side: hop-by-hop, Via, framing.

Heads come from `sorryd.edge.http1` already without their hop-by-hop fields (RFC 9110 §7.6.1)
and without any claims of where they came from; here they get what forwarding.py says of that,
and the framing of the connection that they leave on. Order and spelling of the other fields are
untouched.
"""

from __future__ import annotations

from typing import Final

from sorryd.policy.heads import RequestHead, ResponseHead

IDEMPOTENT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
"""Methods that may be sent again without asking (RFC 9110 §9.2.2)."""

PRIVATE: Final = b"Cache-Control: private, no-store"
"""What an answer says that is for its visitor alone, whatever else it says (RFC 9111 §5.2.2)."""

_VIA_11: Final = b"Via: 1.1 sorryd\r\n"
_VIA_10: Final = b"Via: 1.0 sorryd\r\n"
_CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
_TRAILERS: Final = b"Connection: TE\r\nTE: trailers\r\n"  # RFC 9110 §10.1.4


def request_head(
    head: RequestHead,
    forwarding: bytes,
    authority: bytes,
    preserve_host: bool,
    prefix: bytes = b"",
) -> bytes:
    """The head that a member gets. `authority` is the member's own host and port.

    `prefix` is put before the path: the member's own. Always HTTP/1.1, so Host is there even
    where an HTTP/1.0 visitor sent none (RFC 9112 §3.2).
    """
    host = authority if not preserve_host or head.host_at < 0 else b""
    target = head.target
    if prefix and target != b"*":
        target = prefix + target
    known = head.as_known
    if known is None:
        return b"%b %b%b" % (head.method, target, _behind(head, forwarding, host))
    if known.forwarding != forwarding or known.host != host or not known.passed_on:
        known.forwarding, known.host = forwarding, host
        known.passed_on = _behind(head, forwarding, host)
    return known.before + target + known.passed_on


def _behind(head: RequestHead, forwarding: bytes, host: bytes) -> bytes:
    """What a member gets behind the target; `host`, unless it is empty, in the place of Host."""
    lines = head.seen
    if host:
        at = head.host_at
        lines = [b"Host: " + host, *lines] if at < 0 else lines.copy()
        if at >= 0:
            lines[at] = b"Host: " + host
    return b" HTTP/1.1\r\n%b\r\n%b%b%b%b\r\n" % (
        b"\r\n".join(lines),
        forwarding,
        _CHUNKED if head.chunked else b"",
        _hop(head) if head.takes_trailers or head.upgrade is not None else b"",
        _VIA_11 if head.minor else _VIA_10,
    )


def _hop(head: RequestHead) -> bytes:
    """Wishes that are good for one connection, and so are made anew on the next."""
    if head.upgrade is None:
        return _TRAILERS
    if not head.takes_trailers:
        return _upgrade(head.upgrade)
    return b"Connection: Upgrade, TE\r\nUpgrade: %b\r\nTE: trailers\r\n" % head.upgrade


def _upgrade(protocols: bytes) -> bytes:
    return b"Connection: Upgrade\r\nUpgrade: %b\r\n" % protocols


def response_head(head: ResponseHead, chunked: bool, connection: bytes) -> bytes:
    """The head that the visitor gets.

    `chunked`: the body goes out in the chunked coding. `connection`: b"", or a whole line.
    """
    if head.upgrade is not None and head.status == 426:
        connection += _upgrade(head.upgrade)  # RFC 9110 §15.5.22: it says which protocols
    passed_on = head.passed_on
    if passed_on is None:
        lines = head.lines
        passed_on = b"HTTP/1.1 %d %b\r\n%b%b%b" % (
            head.status,
            head.reason,
            b"\r\n".join(lines),
            b"\r\n" if lines else b"",
            _VIA_11 if head.minor else _VIA_10,
        )
        if head.is_shared:
            head.passed_on = passed_on
    if chunked:
        connection = _CHUNKED + connection
    return passed_on + connection + b"\r\n" if connection else passed_on + b"\r\n"


def switching_head(head: ResponseHead) -> bytes:
    """A 101 that is passed on, with the token that the member chose (RFC 9110 §7.8)."""
    return response_head(head, False, _upgrade(head.upgrade or b""))


def is_asked_for(chosen: bytes | None, asked: bytes | None) -> bool:
    """Whether a member switches to one of the protocols that it was asked to (RFC 9110 §7.8)."""
    if chosen is None or asked is None:
        return False
    return chosen.lower() in asked.lower().split(b", ")


def is_websocket(head: ResponseHead) -> bool:
    """Whether a 101 begins frames (RFC 6455 §4.2.2)."""
    name = b"sec-websocket-accept:"
    return (head.upgrade or b"").lower() == b"websocket" and any(
        line[: len(name)].lower() == name for line in head.lines
    )
