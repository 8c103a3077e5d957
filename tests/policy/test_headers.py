"""Which fields a message has on its other side."""

from __future__ import annotations

import pytest

from sorryd.policy.headers import IDEMPOTENT, request_head, response_head, switching_head
from sorryd.policy.heads import KnownFields, RequestHead, ResponseHead

# --- requests -------------------------------------------------------------------------------


class Asked(RequestHead):
    """A request's head, as far as it matters here."""

    def __init__(self, *lines: bytes, minor: int = 1, chunked: bool = False) -> None:
        super().__init__(b"FOO", b"/a%2f../?b", minor)
        self.lines = list(lines)
        self.host_at = lines.index(b"hOst:  a ") if b"hOst:  a " in lines else -1
        self.chunked = chunked


CLAIM = b"X-Forwarded-For: 192.0.2.1\r\n"
FIRST = b"FOO /a%2f../?b HTTP/1.1"


def asked(head: Asked, preserve_host: bool = True) -> list[bytes]:
    """The lines of the head that a member gets, without its end."""
    data = request_head(head, CLAIM, b"app:3000", preserve_host)
    assert data.endswith(b"\r\n\r\n")
    return data[:-4].split(b"\r\n")


def test_request_untouched() -> None:
    """Method, target, and the order and spelling of the fields are the visitor's."""
    lines = (b"X: 1", b"hOst:  a ", b"x:2", b"X: 1", b"Y:")
    assert asked(Asked(*lines)) == [FIRST, *lines, CLAIM[:-2], b"Via: 1.1 sorryd"]


def test_host_of_the_member() -> None:
    """Without preserve_host a member is asked by its own name, in the place of the other."""
    head = Asked(b"X: 1", b"hOst:  a ", b"Y: 2")
    member = [FIRST, b"X: 1", b"Host: app:3000", b"Y: 2", CLAIM[:-2], b"Via: 1.1 sorryd"]
    assert asked(head, preserve_host=False) == member
    assert head.lines == [b"X: 1", b"hOst:  a ", b"Y: 2"]
    assert asked(head, preserve_host=False) == member


@pytest.mark.parametrize("preserve_host", [True, False])
@pytest.mark.parametrize("lines", [(), (b"X: 1",)])
def test_host_where_none_was(lines: tuple[bytes, ...], preserve_host: bool) -> None:
    """A member gets HTTP/1.1 and so a Host, first, even where HTTP/1.0 had none."""
    head = Asked(*lines, minor=0)
    assert asked(head, preserve_host) == [
        FIRST, b"Host: app:3000", *lines, CLAIM[:-2], b"Via: 1.0 sorryd",
    ]  # fmt: skip
    assert head.lines == list(lines)


def test_chunked_request() -> None:
    """A chunked body stays one, and nothing else says where it ends."""
    head = asked(Asked(b"hOst:  a ", chunked=True))
    assert head == [
        FIRST, b"hOst:  a ", CLAIM[:-2], b"Transfer-Encoding: chunked", b"Via: 1.1 sorryd",
    ]  # fmt: skip


def test_upgrade_request() -> None:
    """A wish for another protocol is our own wish on the next connection (RFC 9110 §7.8)."""
    head = Asked(b"hOst:  a ")
    head.upgrade = b"websocket"
    assert asked(head) == [
        FIRST, b"hOst:  a ", CLAIM[:-2], b"Connection: Upgrade", b"Upgrade: websocket",
        b"Via: 1.1 sorryd",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("upgrade", "lines"),
    [
        (None, (b"Connection: TE", b"TE: trailers")),
        (b"websocket", (b"Connection: Upgrade, TE", b"Upgrade: websocket", b"TE: trailers")),
    ],
)
def test_trailers_wanted(upgrade: bytes | None, lines: tuple[bytes, ...]) -> None:
    """TE is named in Connection, beside what else is (RFC 9110 §10.1.4)."""
    head = Asked(b"hOst:  a ")
    head.takes_trailers, head.upgrade = True, upgrade
    assert asked(head) == [FIRST, b"hOst:  a ", CLAIM[:-2], *lines, b"Via: 1.1 sorryd"]


@pytest.mark.parametrize(
    ("target", "passed"),
    [
        (b"/", b"/app/"),
        (b"/../b?c", b"/app/../b?c"),
        (b"//b", b"/app//b"),
        (b"/app", b"/app/app"),
        (b"*", b"*"),
    ],
)
def test_path_of_the_member(target: bytes, passed: bytes) -> None:
    """A member's own path goes before every other; an asterisk is no path (RFC 9112 §3.2.4)."""
    head = Asked(b"hOst:  a ")
    head.target = target
    data = request_head(head, CLAIM, b"app:3000", True, b"/app")
    assert data.startswith(b"FOO %b HTTP/1.1\r\n" % passed)


def test_idempotent() -> None:
    """RFC 9110 §9.2.2: only these are sent again unasked; POST, PATCH and the unknown are not."""
    assert {b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"} == IDEMPOTENT


# --- answers --------------------------------------------------------------------------------


class Answered(ResponseHead):
    """An answer's head, as far as it matters here."""

    def __init__(self, *lines: bytes, status: int = 200, reason: bytes = b"OK") -> None:
        super().__init__(1, status, reason)
        self.lines = list(lines)


def test_answer_untouched() -> None:
    """Status, reason, and the order and spelling of the fields are the member's."""
    head = Answered(b"Set-Cookie: a", b"dATE:x", b"Set-Cookie: b", status=299, reason=b"\xc3\xa9 !")
    assert response_head(head, False, b"") == (
        b"HTTP/1.1 299 \xc3\xa9 !\r\nSet-Cookie: a\r\ndATE:x\r\nSet-Cookie: b\r\n"
        b"Via: 1.1 sorryd\r\n\r\n"
    )


def test_answer_of_http_1_0() -> None:
    """Our own version is in the status line, the member's in Via (RFC 9110 §7.6.3)."""
    head = Answered()
    head.minor = 0
    assert response_head(head, False, b"") == b"HTTP/1.1 200 OK\r\nVia: 1.0 sorryd\r\n\r\n"


def test_answer_without_a_reason() -> None:
    """RFC 9112 §4: the space before the reason is there even where the reason is not."""
    head = Answered(b"X: y", status=404, reason=b"")
    assert response_head(head, False, b"").startswith(b"HTTP/1.1 404 \r\nX: y\r\n")


@pytest.mark.parametrize(
    ("chunked", "connection", "end"),
    [
        (False, b"", b""),
        (True, b"", b"Transfer-Encoding: chunked\r\n"),
        (False, b"Connection: keep-alive\r\n", b"Connection: keep-alive\r\n"),
        (True, b"Connection: close\r\n", b"Transfer-Encoding: chunked\r\nConnection: close\r\n"),
    ],
)
def test_framing_of_an_answer(chunked: bool, connection: bytes, end: bytes) -> None:
    """The framing and the persistence are those of the visitor's connection."""
    assert response_head(Answered(b"X: y"), chunked, connection) == (
        b"HTTP/1.1 200 OK\r\nX: y\r\nVia: 1.1 sorryd\r\n" + end + b"\r\n"
    )


def test_switching() -> None:
    """A 101 names the protocol that the member chose."""
    head = Answered(b"Sec-WebSocket-Accept: x", status=101, reason=b"Switching Protocols")
    head.upgrade = b"websocket"
    assert switching_head(head) == (
        b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nVia: 1.1 sorryd\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )


def test_upgrade_required() -> None:
    """A 426 says which protocols (RFC 9110 §15.5.22); other answers keep that to themselves."""
    head = Answered(status=426, reason=b"")
    head.upgrade = b"websocket"
    assert response_head(head, False, b"Connection: close\r\n") == (
        b"HTTP/1.1 426 \r\nVia: 1.1 sorryd\r\nConnection: close\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    head.status = 200
    assert b"pgrade" not in response_head(head, False, b"")


def test_prepared_once() -> None:
    """What a member gets of known fields is kept, for as long as it is the same."""
    fields = KnownFields(Asked(b"X: 1", b"hOst:  a ", b"Y: 2"), b" HTTP/1.1")
    assert request_head(fields.head(b"/a"), CLAIM, b"app:1", True) == request_head(
        Asked(b"X: 1", b"hOst:  a ", b"Y: 2"), CLAIM, b"app:1", True
    ).replace(b"/a%2f../?b", b"/a")
    for claim, app, preserved in [
        (CLAIM, b"app:1", True),
        (CLAIM, b"app:1", False),
        (CLAIM, b"app:2", False),
        (b"Forwarded: for=x\r\n", b"app:2", False),
        (b"", b"app:2", True),
        (CLAIM, b"app:1", True),
    ]:
        for prefix in (b"", b"/app"):
            head = Asked(b"X: 1", b"hOst:  a ", b"Y: 2")
            expected = request_head(head, claim, app, preserved, prefix)
            known = fields.head(head.target)
            assert request_head(known, claim, app, preserved, prefix) == expected
    changed = fields.head(b"/a")
    changed.lines.append(b"Z: 3")
    assert b"\r\nZ: 3\r\n" in request_head(changed, CLAIM, b"app:1", True)
    assert b"\r\nZ: 3\r\n" not in request_head(fields.head(b"/a"), CLAIM, b"app:1", True)
