"""A request's and a response's head as values, and what is wrong with one."""

from __future__ import annotations

from sorryd.policy.reception import Bypass


class BadMessage(Exception):
    """A message that must not be passed on.

    `status` is what its sender is told (RFC 9110 §15.5, §15.6); `why` is for the log and for
    the short body of that answer.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why


class RequestHead:
    """A request's head: what sorryd must know, and the lines that are passed on.

    `lines` are the end-to-end field lines in their order, without line ends. `host_at` is the
    index of Host among them, -1 where there is none. `length` is the body's length in bytes;
    None with `chunked`. `claims` are the lines that say where the request came from, as proxies
    write them: believed only of those that are trusted (see policy/forwarding.py). `tokens` are
    those of a secret link (see policy/bypass.py), which no member gets to see. `block` are all
    field lines as they came, of a head whose visitor sent the same before; None of any other.
    """

    __slots__ = (
        "block", "chunked", "claims", "expects_continue", "host", "host_at", "keep_alive", "length",
        "lines", "method", "minor", "sticky", "takes_trailers", "target", "tokens", "upgrade",
    )  # fmt: skip

    def __init__(self, method: bytes, target: bytes, minor: int) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.lines: list[bytes] = []
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
        self.block: bytes | None = None

    def again(self, target: bytes) -> RequestHead:
        """A head with the same fields, which was read before anybody changed anything in it."""
        head = RequestHead(self.method, target, self.minor)
        head.lines = self.lines.copy()
        head.host = self.host
        head.host_at = self.host_at
        head.length = self.length
        head.chunked = self.chunked
        head.keep_alive = self.keep_alive
        head.expects_continue = self.expects_continue
        head.takes_trailers = self.takes_trailers
        head.claims = self.claims
        head.sticky = None
        head.tokens = self.tokens
        head.upgrade = self.upgrade
        head.block = self.block
        return head

    @property
    def has_body(self) -> bool:
        """Whether the framing announces a body (RFC 9112 §6.3)."""
        return self.length != 0


class ResponseHead:
    """A response's head. `length` None without `chunked`: the body ends with the connection.

    `located` has the indices of the lines that may name where the member is: Location,
    Content-Location, URI, Refresh and Set-Cookie (see policy/locations.py).
    """

    __slots__ = (
        "chunked", "keep_alive", "length", "lines", "located", "minor", "reason", "status",
        "upgrade",
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
