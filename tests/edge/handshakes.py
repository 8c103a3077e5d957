"""Handshakes in memory, and what they are made of, for the tests of TLS."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Sequence
from pathlib import Path

from OpenSSL import SSL
from tests.certificates import Authority, authority, issue

from sorryd.edge.certificates import ServerNames, SiteCertificates, site_certificates
from sorryd.edge.member_tls import member_context, sni
from sorryd.edge.tls import server_name
from sorryd.model import Certificate, MemberTls, PageSource, Site

ROOT = authority()
NAME = "app.internal"


def written(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def showing(*certificates: Certificate, name: str = "shop", tls_min: str = "1.2") -> Site:
    """A site with these certificates, and no more than it must have besides."""
    return Site(
        name=name,
        listen=(),
        members=(),
        timezone="UTC",
        sorry_pages=(PageSource(source=""),),
        certificates=certificates,
        tls_min=tls_min,
    )


def shown(
    folder: Path, *pairs: tuple[bytes, bytes], name: str = "shop", tls_min: str = "1.2"
) -> SiteCertificates:
    """What a site shows that has these chains and keys."""
    certificates = [
        Certificate(
            chain=written(folder, f"{name}-{place}.pem", chain),
            key=written(folder, f"{name}-{place}.key", key),
        )
        for place, (chain, key) in enumerate(pairs)
    ]
    return site_certificates(showing(*certificates, name=name, tls_min=tls_min), str(folder))


def serving(folder: Path, chain: bytes, key: bytes, tls_min: str = "1.2") -> SSL.Context:
    """What the handshakes of an address begin with, at which there is one site."""
    return ServerNames([((), shown(folder, (chain, key), tls_min=tls_min))]).default


def site(folder: Path, names: Sequence[str] = (NAME,), tls_min: str = "1.2") -> SSL.Context:
    return serving(folder, *issue(ROOT, names), tls_min=tls_min)


def trusting(folder: Path, root: Authority = ROOT) -> SSL.Context:
    return member_context(MemberTls(ca=written(folder, "ca.pem", root.pem)))


def pass_on(source: SSL.Connection, target: SSL.Connection) -> bool:
    try:
        target.bio_write(source.bio_read(65536))
    except SSL.WantReadError:
        return False
    return True


def shake(
    client_context: SSL.Context, server_context: SSL.Context, name: str = NAME
) -> tuple[SSL.Connection, SSL.Connection]:
    """A handshake in memory: both connections, or the first side's error."""
    client = SSL.Connection(client_context, None)
    server = SSL.Connection(server_context, None)
    client.set_connect_state()
    server.set_accept_state()
    if (extension := sni(name)) is not None:
        client.set_tlsext_host_name(extension)
    moved = True
    while moved:
        for side in (client, server):
            with contextlib.suppress(SSL.WantReadError):
                side.do_handshake()
        moved = pass_on(client, server) | pass_on(server, client)
    return client, server


def said(sender: SSL.Connection, receiver: SSL.Connection, data: bytes) -> bytes:
    sender.send(data)
    pass_on(sender, receiver)
    return receiver.recv(65536)


def visitor(lowest: int = SSL.TLS1_2_VERSION, highest: int = SSL.TLS1_3_VERSION) -> SSL.Context:
    """A client that trusts anybody and speaks whatever OpenSSL still can."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(lowest)
    context.set_max_proto_version(highest)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    return context


def shake_with_python(
    client_context: ssl.SSLContext,
    server_context: SSL.Context,
    name: str | None = NAME,
    session: ssl.SSLSession | None = None,
    asked: list[bytes | None] | None = None,
) -> ssl.SSLObject:
    """A handshake with another client, Python's own ssl module; it has read one byte, too.

    `asked` gets the name that the server takes it to have asked for.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(incoming, outgoing, server_hostname=name, session=session)
    server = SSL.Connection(server_context, None)
    server.set_accept_state()
    client_done = server_done = False
    while not (client_done and server_done):
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
            client_done = True
        if outgoing.pending:
            server.bio_write(outgoing.read())
        with contextlib.suppress(SSL.WantReadError):
            server.do_handshake()
            server_done = True
        with contextlib.suppress(SSL.WantReadError):
            incoming.write(server.bio_read(65536))
    server.send(b"x")
    if asked is not None:
        asked.append(server_name(server))
    incoming.write(server.bio_read(65536))
    assert client.read(1) == b"x"
    return client
