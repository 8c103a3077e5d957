"""HTTP/1 over a real socket, said and read raw, for visitors and members of tests alike."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
import struct
from collections import Counter
from types import TracebackType
from typing import Self

import pytest
from tests.end_to_end.waiting import PATIENCE

READ = 262144


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


IPV6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")


class CutShort(Exception):
    """The connection ended, or was reset, in the middle of a message."""


@dataclasses.dataclass(frozen=True)
class Message:
    """A request or an answer: first line, field lines as they came, body decoded."""

    first: bytes
    lines: tuple[bytes, ...]
    body: bytes = b""

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.first.split(b" ")[1])

    @property
    def method(self) -> bytes:
        """Of a request."""
        return self.first.split(b" ")[0]

    @property
    def target(self) -> bytes:
        """Of a request."""
        return self.first.split(b" ")[1]

    def all(self, name: str) -> list[bytes]:
        """The values of all fields of a name, in their order."""
        pairs = (line.split(b":", 1) for line in self.lines)
        return [value.strip() for key, value in pairs if key.lower() == name.lower().encode()]

    def one(self, name: str) -> bytes | None:
        """The value of the only field of a name; None where there is none."""
        values = self.all(name)
        assert len(values) < 2, values
        return values[0] if values else None


class Wire:
    """One end of a connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    # --- saying ---

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        self.socket.sendall(data)

    def finish(self) -> None:
        """FIN: nothing more is said, but still listened."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """RST: gone, whatever was on its way."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    # --- reading ---

    def more(self) -> bool:
        """Read something into the buffer; False at the end of the connection."""
        data = self.socket.recv(READ)
        self.buffer += data
        return bool(data)

    def until_end(self) -> bytes:
        """All that is still to come."""
        while self.more():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def until(self, end: bytes) -> bytes:
        """What comes before `end`, which is taken too."""
        while end not in self.buffer:
            if not self.more():
                raise CutShort(self.buffer)
        found, _, self.buffer = self.buffer.partition(end)
        return found

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes."""
        while len(self.buffer) < size:
            if not self.more():
                raise CutShort(self.buffer)
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def head(self) -> Message | None:
        """A head; None where the connection ends before its first byte."""
        if not self.buffer and not self.more():
            return None
        first, *lines = self.until(b"\r\n\r\n").split(b"\r\n")
        return Message(first, tuple(lines))

    def body(self, head: Message) -> bytes:
        """The body that `head` announces, none where it announces none."""
        if head.one("Transfer-Encoding") == b"chunked":
            pieces = []
            while size := int(self.until(b"\r\n").split(b";")[0], 16):
                pieces.append(self.exactly(size))
                assert self.until(b"\r\n") == b""
            while self.until(b"\r\n"):
                pass
            return b"".join(pieces)
        return self.exactly(int(head.one("Content-Length") or 0))

    def request(self) -> Message | None:
        """A whole request; None where the connection ends before it."""
        head = self.head()
        return None if head is None else dataclasses.replace(head, body=self.body(head))

    def answer(self, to: bytes = b"GET") -> Message:
        """A whole answer to the method `to`, 1xx included."""
        head = self.head()
        if head is None:
            raise CutShort(b"")
        if to == b"HEAD" or head.status < 200 or head.status in (204, 304):
            return head
        if head.one("Content-Length") is None and head.one("Transfer-Encoding") is None:
            return dataclasses.replace(head, body=self.until_end())
        return dataclasses.replace(head, body=self.body(head))


def visitor(port: int, tls: ssl.SSLContext | None = None, name: str = "shop.example") -> Wire:
    """A connection of a visitor, with `tls` for `name`."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Wire(sock if tls is None else tls.wrap_socket(sock, server_hostname=name))


def anybody() -> ssl.SSLContext:
    """TLS of a visitor who trusts anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask(port: int, target: bytes = b"/", *lines: bytes, method: bytes = b"GET") -> Message:
    """One request without a body on a connection of its own, and its answer."""
    with visitor(port) as wire:
        wire.send(request(target, *lines, method=method))
        return wire.answer(method)


def request(
    target: bytes = b"/", *lines: bytes, method: bytes = b"GET", body: bytes | None = None
) -> bytes:
    """A request as its bytes."""
    fields = [b"Host: shop.example", *lines]
    if body is not None:
        fields.append(b"Content-Length: %d" % len(body))
    return b"%b %b HTTP/1.1\r\n%b\r\n\r\n%b" % (method, target, b"\r\n".join(fields), body or b"")


def answer(body: bytes = b"", *lines: bytes, status: int = 200, length: bool = True) -> bytes:
    """An answer as its bytes."""
    fields = [b"HTTP/1.1 %d Said" % status, *lines]
    if length:
        fields.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(fields) + b"\r\n\r\n" + body


def many(port: int, count: int) -> Counter[bytes]:
    """Who answered `count` requests, one after the other on one connection."""
    with visitor(port) as wire:
        return Counter(one(wire) for _ in range(count))


def one(wire: Wire) -> bytes:
    """Who answered one request."""
    wire.send(request())
    reply = wire.answer()
    assert reply.status == 200, reply
    return reply.body
