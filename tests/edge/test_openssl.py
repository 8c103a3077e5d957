"""OpenSSL called directly and by pyOpenSSL's methods: the same is told of the same."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from OpenSSL import SSL
from OpenSSL._util import lib
from tests.edge.handshakes import NAME

from sorryd.edge import openssl
from sorryd.edge.openssl import (
    BROKEN,
    CALLS,
    DIRECT,
    ENDED,
    RECORD,
    WANT_READ,
    WANT_WRITE,
    Calls,
)

Contexts = tuple[SSL.Context, SSL.Context]
Pair = tuple[SSL.Connection, SSL.Connection]


@pytest.fixture(params=["1.2", "1.3"])
def pair(contexts: Contexts, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two ends with a handshake behind them, which do not wait."""
    socks = socket.socketpair()
    ends = [SSL.Connection(context, sock) for context, sock in zip(contexts, socks, strict=True)]
    for sock in socks:
        sock.setblocking(False)
    if request.param == "1.2":
        ends[1].set_options(SSL.OP_NO_TLSv1_3)
    ends[0].set_accept_state()
    ends[1].set_connect_state()
    ends[1].set_tlsext_host_name(NAME.encode())
    done: set[SSL.Connection] = set()
    while len(done) < 2:
        for end in ends:
            try:
                end.do_handshake()
                done.add(end)
            except SSL.WantReadError:
                pass
    yield ends[0], ends[1]
    for sock in socks:
        sock.close()


def read(calls: Calls, connection: SSL.Connection) -> bytes | int:
    handle = calls.handle_of(connection)
    count = calls.read(handle, calls.buffer, RECORD)
    return calls.view[:count] if count > 0 else calls.why(handle, count)


def write(calls: Calls, connection: SSL.Connection, data: bytes) -> int:
    handle = calls.handle_of(connection)
    count = calls.write(handle, data, len(data))
    return count if count > 0 else calls.why(handle, count)


def test_which() -> None:
    """What this pyOpenSSL has is used; else all goes by its public methods."""
    assert DIRECT is not None
    assert CALLS is DIRECT


@pytest.mark.parametrize("missing", ["SSL_read", "SSL_write", "SSL_get_error", "SSL_do_handshake"])
def test_missing(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """A name that is gone is no error: pyOpenSSL's methods are still there."""

    class Without:
        def __getattr__(self, name: str) -> object:
            if name == missing:
                raise AttributeError(name)
            return getattr(lib, name)

    monkeypatch.setattr("OpenSSL._util.lib", Without())
    assert openssl._direct() is None


def test_missing_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for what pyOpenSSL has in its connections."""
    monkeypatch.delattr(SSL.Connection, "_raise_ssl_error")
    assert openssl._direct() is None


class TestBothWays:
    """Each holds for both: see `calls` in conftest.py."""

    def test_bytes(self, calls: Calls, pair: Pair) -> None:
        """A whole record, bytes of its own, and nothing of it left."""
        site, visitor = pair
        assert write(calls, visitor, b"x" * RECORD) == RECORD
        assert write(calls, visitor, b"more") == 4
        first = read(calls, site)
        assert not site.pending()
        assert read(calls, site) == b"more"
        assert first == b"x" * RECORD
        assert type(first) is bytes

    def test_view(self, calls: Calls, pair: Pair) -> None:
        """A part of what there is, without a copy."""
        view = memoryview(b"0123456789")[3:7]
        assert calls.write(calls.handle_of(pair[0]), calls.at(view), 4) == 4
        read(calls, pair[1])  # the tickets of TLS 1.3
        assert calls.view[:4] == b"3456"

    def test_nothing_there(self, calls: Calls, pair: Pair) -> None:
        """Nothing has come yet."""
        assert read(calls, pair[0]) == WANT_READ

    def test_full(self, calls: Calls, pair: Pair) -> None:
        """The kernel takes no more."""
        while (taken := write(calls, pair[0], b"x" * RECORD)) == RECORD:
            pass
        assert taken == WANT_WRITE

    def test_end(self, calls: Calls, pair: Pair) -> None:
        """close_notify is a clean end."""
        pair[1].shutdown()
        assert read(calls, pair[0]) == ENDED

    def test_cut(self, calls: Calls, pair: Pair) -> None:
        """FIN without it is not, nor is noise; and none leaves an error for the next one."""
        pair[1].sock_shutdown(socket.SHUT_WR)
        assert read(calls, pair[0]) == BROKEN
        assert lib.ERR_peek_error() == 0

    def test_noise(self, calls: Calls, pair: Pair) -> None:
        """What is no record breaks the connection, for writes as well."""
        raw = socket.socket(fileno=pair[1].fileno())
        raw.send(b"\x17\x03\x03\x00\x20" + bytes(32))
        raw.detach()
        assert read(calls, pair[0]) == BROKEN
        assert lib.ERR_peek_error() == 0


def test_what_others_left(pair: Pair) -> None:
    """An error that somebody else left behind ends no connection."""
    assert DIRECT is not None
    lib.ERR_put_error(20, 0, 193, b"", 0)
    try:
        assert lib.ERR_peek_error() != 0
        assert read(DIRECT, pair[0]) == WANT_READ
    finally:
        lib.ERR_clear_error()
