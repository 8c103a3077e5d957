"""Handshakes of TLS on real sockets, and how they fail."""

from __future__ import annotations

import contextlib
import socket

import pytest
from OpenSSL import SSL
from tests.edge.handshakes import NAME, visitor
from tests.edge.loops import Connect, Loop, Peer, Recorder, tcp_pair
from twisted.internet.error import ConnectionLost

from sorryd.edge.tls_transport import TlsTransport

pytestmark = pytest.mark.usefixtures("calls")

Contexts = tuple[SSL.Context, SSL.Context]


def served(loop: Loop, context: SSL.Context) -> tuple[TlsTransport, Recorder, Peer]:
    """A site's end whose peer is a socket without TLS."""
    ours, theirs = tcp_pair()
    protocol = Recorder()
    tls = SSL.Connection(context, ours)
    tls.set_accept_state()
    transport = TlsTransport(ours, tls, protocol, loop.readiness)
    transport.start()
    return transport, protocol, Peer(theirs, loop)


def test_data_behind_the_handshake(loop: Loop, contexts: Contexts) -> None:
    """Data that comes in one packet with the end of the handshake is not overlooked."""
    ours, theirs = tcp_pair()
    protocol = Recorder()
    tls = SSL.Connection(contexts[0], ours)
    tls.set_accept_state()
    transport = TlsTransport(ours, tls, protocol, loop.readiness)
    transport.start()
    client = SSL.Connection(contexts[1], None)
    client.set_connect_state()
    client.set_tlsext_host_name(NAME.encode())
    peer = Peer(theirs, loop)
    with pytest.raises(SSL.WantReadError):
        client.do_handshake()
    peer.sends(client.bio_read(65536))
    done = False
    while not done:
        loop.turn(0.05)
        with contextlib.suppress(BlockingIOError):
            client.bio_write(theirs.recv(65536))
        with contextlib.suppress(SSL.WantReadError):
            client.do_handshake()
            done = True
    client.send(b"GET /")
    peer.sends(client.bio_read(65536))
    loop.until(lambda: protocol.data == b"GET /")
    transport.abortConnection()
    loop.until(lambda: protocol.lost)
    theirs.close()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", "http request", id="plain HTTP"),
        pytest.param(b"\x00" * 100, "", id="noise"),
        pytest.param(b"", "unexpected eof", id="FIN"),
        pytest.param(b"\x16\x03\x01", "unexpected eof", id="FIN in the middle"),
    ],
)
def test_failed_handshake(loop: Loop, contexts: Contexts, said: bytes, reason: str) -> None:
    """A handshake that fails is a connection lost, with OpenSSL's reason; data never comes."""
    transport, protocol, peer = served(loop, contexts[0])
    if said:
        peer.sends(said)
    if len(said) < 5:
        peer.sock.shutdown(socket.SHUT_WR)
    loop.until(lambda: protocol.lost)
    assert protocol.told == ["made", "lost"]
    assert protocol.lost is ConnectionLost
    assert transport.failure
    assert reason in transport.failure.lower()
    peer.sock.close()


def test_old_version(loop: Loop, contexts: Contexts) -> None:
    """A peer with nothing but old versions is refused in the handshake."""
    ours, theirs = tcp_pair()
    protocol = Recorder()
    tls = SSL.Connection(contexts[0], ours)
    tls.set_accept_state()
    transport = TlsTransport(ours, tls, protocol, loop.readiness)
    transport.start()
    client = SSL.Connection(visitor(SSL.TLS1_VERSION, SSL.TLS1_1_VERSION), theirs)
    client.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        client.do_handshake()
    loop.until(lambda: protocol.lost)
    assert "version" in transport.failure or "protocol" in transport.failure
    theirs.close()


@pytest.mark.parametrize("how", ["loseConnection", "abortConnection", "loseWriteConnection"])
def test_end_during_the_handshake(loop: Loop, contexts: Contexts, how: str) -> None:
    """A connection can be ended before its handshake is done."""
    transport, protocol, peer = served(loop, contexts[0])
    loop.rest()
    getattr(transport, how)()
    assert peer.finds_fin() is (how != "abortConnection")
    peer.sock.close()
    loop.until(lambda: protocol.lost)
    assert protocol.told == ["made", "lost"]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param(NAME.encode(), NAME.encode(), id="name"),
        pytest.param(b"Shop.Example.", b"shop.example", id="capitals and a last dot"),
        pytest.param(b"\xff\xfe..*:80", b"\xff\xfe..*:80", id="what no name can be"),
        pytest.param(None, None, id="none"),
    ],
)
def test_server_name(
    loop: Loop, contexts: Contexts, sent: bytes | None, told: bytes | None
) -> None:
    """The name that a visitor asked for is known once the handshake is done."""
    ours, theirs = tcp_pair()
    ends = []
    for sock, context in ((ours, contexts[0]), (theirs, visitor())):
        ends.append(TlsTransport(sock, SSL.Connection(context, sock), Recorder(), loop.readiness))
    site, client = ends
    site.tls.set_accept_state()
    client.tls.set_connect_state()
    if sent is not None:
        client.tls.set_tlsext_host_name(sent)
    site.start()
    assert site.server_name is None
    client.start()
    loop.until(lambda: site._established and client._established)
    assert site.server_name == told
    for end in ends:
        end.abortConnection()


def test_no_server_name_without_tls(connect: Connect) -> None:
    """On a plain connection, nobody was asked for by TLS."""
    transport, _, _ = connect()
    assert transport.server_name is None
