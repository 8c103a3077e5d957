"""A request's and a response's head as values: what sorryd must know, and what is passed on."""

from __future__ import annotations

from typing import Final

from sorryd.policy.access import Asked
from sorryd.policy.reception import Bypass

# What says who the visitor is.
_PERSONAL: Final = (b"cookie:", b"authorization:", b"proxy-authorization:")
_VERSION: Final = len(b" HTTP/1.1\r\n")
_END: Final = len(b"\r\n\r\n")


class RequestHead:
    """A request's head: what sorryd must know, and the lines that are passed on.

    `lines` are the end-to-end field lines in their order, without line ends. `host_at` is the
    index of Host among them, -1 where there is none. `length` is the body's length in bytes;
    None with `chunked`. `claims` are the lines that say where the request came from, as proxies
    write them: believed only of those that are trusted (see policy/forwarding.py). `tokens` are
    those of a secret link (see policy/bypass.py), which no member gets to see. `known` is what
    its field lines came to when they were read before; None of any other.
    """

    __slots__ = (
        "_lines", "chunked", "claims", "expects_continue", "host", "host_at", "keep_alive", "known",
        "length", "method", "minor", "sticky", "takes_trailers", "target", "tokens", "upgrade",
    )  # fmt: skip

    def __init__(self, method: bytes, target: bytes, minor: int) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self._lines: list[bytes] | None = None
        self.host = b""
        self.host_at = -1
        self.length: int | None = 0
        self.chunked = False
        self.keep_alive = minor == 1
        self.expects_continue = False
        self.takes_trailers = False  # TE: trailers (RFC 9110 §10.1.4)
        self.claims: list[bytes] | None = None
        self.sticky: bytes | None = None  # the cookie that says which member (policy/sticky.py)
        self.tokens: list[tuple[Bypass, bytes]] | None = None
        self.upgrade: bytes | None = None
        self.known: KnownFields | None = None

    @property
    def lines(self) -> list[bytes]:
        """To be changed at will: they are this head's own, from when they are first asked for."""
        if self._lines is None:
            self._lines = [] if self.known is None else self.known.lines.copy()
        return self._lines

    @lines.setter
    def lines(self, lines: list[bytes]) -> None:
        self._lines = lines

    @property
    def seen(self) -> list[bytes]:
        """The lines, to be looked at only: other heads may have the same."""
        if self._lines is not None:
            return self._lines
        return self.lines if self.known is None else self.known.lines

    @property
    def as_known(self) -> KnownFields | None:
        """What is known of its field lines; None where nothing is, or where they were touched."""
        return self.known if self._lines is None else None

    @property
    def block(self) -> bytes | None:
        """All its field lines as they came, if they came before."""
        return None if self.known is None else self.known.block()

    @property
    def has_body(self) -> bool:
        """Whether the framing announces a body (RFC 9112 §6.3)."""
        return self.length != 0


class KnownFields:
    """What a request without a body came to, for all others with its method and field lines.

    `before` is what stands before the target, and `behind` all that stands behind it. With them
    are kept the bytes that a member got in their place last (see headers.request_head): those
    with the Host `host`, where that is another, and with the lines `forwarding`.
    `asked` is what the access log says of them.
    """

    __slots__ = (
        "_block", "_head", "asked", "before", "behind", "forwarding", "host", "lines", "passed_on",
    )  # fmt: skip

    def __init__(self, head: RequestHead, behind: bytes) -> None:
        """`head` is as it was read; what is behind its target begins with a space."""
        self.lines = head.lines
        self.before = head.method + b" "
        self.behind = behind
        self._head = head
        self._block: bytes | None = None
        self.host: bytes = b""
        self.forwarding: bytes = b""
        self.passed_on: bytes = b""
        self.asked: Asked | None = None

    @property
    def is_personal(self) -> bool:
        """Whether it says who the visitor is: nobody else says the same, or may."""
        return self._head.tokens is not None or any(
            line.lower().startswith(_PERSONAL) for line in self.lines
        )

    def block(self) -> bytes:
        """The field lines as they came, without the end of the last one."""
        if self._block is None:
            self._block = self.behind[_VERSION:-_END]
        return self._block

    def head(self, target: bytes) -> RequestHead:
        """The head with this target."""
        ours = self._head
        head = RequestHead(ours.method, target, ours.minor)
        head.host = ours.host
        head.host_at = ours.host_at
        head.keep_alive = ours.keep_alive
        head.expects_continue = ours.expects_continue
        head.takes_trailers = ours.takes_trailers
        head.claims = ours.claims
        head.tokens = ours.tokens
        head.upgrade = ours.upgrade
        head.known = self
        return head


class ResponseHead:
    """A response's head. `length` None without `chunked`: the body ends with the connection.

    `located` has the indices of the lines that may name where the member is: Location,
    Content-Location, URI, Refresh and Set-Cookie (see policy/locations.py). `size` are its bytes
    as it came. `is_shared`: other answers have it, too, so nothing of it may be changed;
    `passed_on` are then the bytes that go to visitors, from its status to Via.
    """

    __slots__ = (
        "chunked", "is_shared", "keep_alive", "length", "lines", "located", "minor", "passed_on",
        "reason", "size", "status", "upgrade",
    )  # fmt: skip

    def __init__(self, minor: int, status: int, reason: bytes) -> None:
        self.minor = minor
        self.status = status
        self.reason = reason
        self.lines: list[bytes] = []
        self.located: list[int] | None = None
        self.length: int | None = None
        self.chunked = False
        self.keep_alive = minor == 1
        self.upgrade: bytes | None = None
        self.size = 0
        self.is_shared = False
        self.passed_on: bytes | None = None

    def with_line(self, line: bytes) -> ResponseHead:
        """The same with one line more, for one visitor: what goes to him is told by it alone."""
        head = ResponseHead(self.minor, self.status, self.reason)
        head.lines = [*self.lines, line]
        head.located = self.located
        head.length = self.length
        head.chunked = self.chunked
        head.keep_alive = self.keep_alive
        head.upgrade = self.upgrade
        head.size = self.size
        return head
