"""What visitors are shown by TLS, and which of them are refused."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from pathlib import Path

import pytest
from OpenSSL import SSL
from tests.certificates import Kind, authority, issue
from tests.edge.handshakes import (
    NAME,
    ROOT,
    pass_on,
    serving,
    shake,
    shake_with_python,
    shown,
    site,
    visitor,
)

from sorryd.edge.certificates import ProtocolRefused, ServerNames


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION], ids=["1.2", "1.3"])
def test_forward_secrecy(tmp_path: Path, kind: Kind, version: int) -> None:
    """TLS 1.2 and 1.3 are spoken, with authenticated encryption and ephemeral keys only."""
    client, _ = shake(visitor(highest=version), serving(tmp_path, *issue(ROOT, [NAME], kind=kind)))
    assert client.get_protocol_version() == version
    suite = client.get_cipher_name()
    assert suite is not None
    assert suite.startswith(("TLS_", "ECDHE-"))
    assert "GCM" in suite or "CHACHA20" in suite


@pytest.mark.parametrize(
    ("client", "tls_min"),
    [
        pytest.param(visitor(SSL.TLS1_VERSION, SSL.TLS1_1_VERSION), "1.2", id="TLS 1.1"),
        pytest.param(visitor(highest=SSL.TLS1_2_VERSION), "1.3", id="TLS 1.2 under tls_min 1.3"),
    ],
)
def test_old_versions_refused(tmp_path: Path, client: SSL.Context, tls_min: str) -> None:
    """A visitor with nothing newer than what the site allows gets no connection."""
    with pytest.raises(SSL.Error, match="unsupported protocol"):
        shake(client, site(tmp_path, tls_min=tls_min))


@pytest.mark.parametrize(
    ("first", "chosen"),
    [
        pytest.param(b"TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", id="AES-256"),
        pytest.param(b"TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", id="ChaCha"),
    ],
)
def test_order_of_suites(tmp_path: Path, first: bytes, chosen: str) -> None:
    """The one that costs the least, but for a visitor without instructions for AES."""
    client = visitor()
    client.set_tls13_ciphersuites(first + b":TLS_AES_128_GCM_SHA256")
    assert shake(client, site(tmp_path))[0].get_cipher_name() == chosen


def test_order_of_old_suites(tmp_path: Path) -> None:
    """The same in TLS 1.2, also among kinds of certificates."""
    chains = issue(ROOT, [NAME], kind="rsa"), issue(ROOT, [NAME])
    server = ServerNames([((), shown(tmp_path, *chains))]).default
    client = visitor(highest=SSL.TLS1_2_VERSION)
    suites = (b"ECDHE-RSA-AES256-GCM-SHA384", b"ECDHE-ECDSA-AES128-GCM-SHA256")
    client.set_cipher_list(b":".join(suites))
    assert shake(client, server)[0].get_cipher_name() == suites[1].decode()


@pytest.mark.parametrize("suite", [b"AES128-GCM-SHA256", b"ECDHE-ECDSA-AES128-SHA"])
def test_weak_suites_refused(tmp_path: Path, suite: bytes) -> None:
    """Suites without forward secrecy or with CBC are not spoken."""
    client = visitor(highest=SSL.TLS1_2_VERSION)
    client.set_cipher_list(suite + b":@SECLEVEL=0")
    with pytest.raises(SSL.Error, match="cipher"):
        shake(client, site(tmp_path))


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        pytest.param([b"h2", b"http/1.1"], b"http/1.1", id="browser"),
        pytest.param([b"http/1.0"], b"http/1.0", id="HTTP/1.0"),
        pytest.param([b"http/1.0", b"http/1.1"], b"http/1.1", id="best first"),
        pytest.param([], b"", id="no ALPN"),
    ],
)
def test_alpn(tmp_path: Path, offered: list[bytes], chosen: bytes) -> None:
    """Of the protocols offered, HTTP/1 is chosen."""
    context = visitor()
    if offered:
        context.set_alpn_protos(offered)
    client, _ = shake(context, site(tmp_path))
    assert client.get_alpn_proto_negotiated() == chosen


def test_alpn_without_http1(tmp_path: Path) -> None:
    """Who can't speak HTTP/1 is refused in the handshake."""
    context = visitor()
    context.set_alpn_protos([b"h2"])
    with pytest.raises(ProtocolRefused):
        shake(context, site(tmp_path))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_resumption(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """A visitor that returns resumes by its ticket; a new context knows none of the old ones."""
    client = ssl.create_default_context(cadata=ROOT.pem.decode())
    client.maximum_version = version
    server = site(tmp_path)
    first = shake_with_python(client, server)
    assert not first.session_reused
    assert shake_with_python(client, server, session=first.session).session_reused
    assert not shake_with_python(client, site(tmp_path), session=first.session).session_reused


def renegotiate(client: SSL.Connection, server: SSL.Connection) -> None:
    assert client.renegotiate()
    for _ in range(4):
        with contextlib.suppress(SSL.WantReadError):
            client.do_handshake()
        pass_on(client, server)
        with contextlib.suppress(SSL.WantReadError):
            server.recv(1)
        pass_on(server, client)


def test_renegotiation_refused(tmp_path: Path) -> None:
    """A visitor can't make the server repeat the costly part of a handshake."""
    with pytest.raises(SSL.Error, match="renegotiation"):
        renegotiate(*shake(visitor(highest=SSL.TLS1_2_VERSION), site(tmp_path)))


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_another_implementation(tmp_path: Path, kind: Kind) -> None:
    """Another client that trusts the root alone accepts the chain that is shown."""
    chain, key = issue(authority("Middle", issuer=ROOT), [NAME], kind=kind)
    client = ssl.create_default_context(cadata=ROOT.pem.decode())
    assert shake_with_python(client, serving(tmp_path, chain, key)).version() == "TLSv1.3"


def test_partial_writes(tmp_path: Path) -> None:
    """A full socket takes a part, and the rest may be offered from elsewhere."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.setblocking(False)
        server, client = SSL.Connection(site(tmp_path), ours), SSL.Connection(visitor(), theirs)
        server.set_accept_state()
        client.set_connect_state()
        for side in (client, server, client, server):
            with contextlib.suppress(SSL.WantReadError):
                side.do_handshake()
        content = os.urandom(1 << 20)
        sent, received, stalls = 0, b"", 0
        while len(received) < len(content):
            try:
                # A copy at every attempt: the address differs from the last one's.
                while sent < len(content):
                    sent += server.send(bytearray(content[sent : sent + 100_000]))
            except SSL.WantWriteError:
                stalls += 1
            received += client.recv(1 << 14)
        assert received == content
        assert stalls
