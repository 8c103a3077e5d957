"""Several sites at one address: which of their certificates a visitor is shown, and sessions."""

from __future__ import annotations

import contextlib
import errno
import gc
import ssl
import weakref
from pathlib import Path

import pytest
from cryptography.x509 import load_der_x509_certificate
from OpenSSL import SSL
from tests.certificates import issue
from tests.edge.handshakes import ROOT, pass_on, said, shake, shake_with_python, shown, visitor

from sorryd.edge.certificates import ServerNames
from sorryd.edge.tls import names_of, server_name

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture
def street(tmp_path: Path) -> ServerNames:
    """An address with three sites; `strict` speaks TLS 1.3 alone, `rest` is for other names."""
    shop = shown(tmp_path, issue(ROOT, ["shop.test"]), issue(ROOT, ["www.shop.test"]))
    strict = shown(tmp_path, issue(ROOT, ["*.bank.test"]), name="strict", tls_min="1.3")
    rest = shown(tmp_path, issue(ROOT, ["rest.test", "found.test"]), name="rest")
    return ServerNames(
        [(("shop.test", "*.shop.test"), shop), (("bank.test", "*.bank.test"), strict), ((), rest)]
    )


def trusting(version: ssl.TLSVersion) -> ssl.SSLContext:
    """A client that trusts ROOT, speaks one version, and leaves names to its test."""
    context = ssl.create_default_context(cadata=ROOT.pem.decode())
    context.minimum_version = context.maximum_version = version
    context.check_hostname = False
    return context


def names(client: ssl.SSLObject) -> list[str]:
    """The names of the certificate that a client got."""
    certificate = client.getpeercert(binary_form=True)
    assert certificate is not None
    return names_of(load_der_x509_certificate(certificate)).spoken()


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        pytest.param("shop.test", "shop.test", id="a site's name"),
        pytest.param("www.shop.test", "www.shop.test", id="its other certificate"),
        pytest.param("SHOP.TEST", "shop.test", id="in capitals"),
        pytest.param("x.shop.test", "shop.test", id="its name, in none of its certificates"),
        pytest.param("a.bank.test", "*.bank.test", id="wildcards of both"),
        pytest.param("bank.test", "*.bank.test", id="its first, though for others"),
        pytest.param("found.test", "rest.test", id="no site's name, but the default's certificate"),
        pytest.param("lost.test", "rest.test", id="no site's name"),
        pytest.param("", "rest.test", id="no SNI"),
    ],
)
def test_choice_by_site(street: ServerNames, asked: str, got: str) -> None:
    """The site is chosen as a Host chooses it; what it shows is its own."""
    client, server = shake(visitor(), street.default, asked)
    leaf = client.get_peer_certificate(as_cryptography=True)
    assert leaf is not None
    assert names_of(leaf).dns[0] == got
    assert server_name(server) == (asked.lower().encode() or None)
    assert said(client, server, b"GET /") == b"GET /"


def test_last_dot(street: ServerNames) -> None:
    """A name with the dot of the root is the name without it (RFC 6066 §3 allows it no dot)."""
    client, server = SSL.Connection(visitor(), None), SSL.Connection(street.default, None)
    client.set_connect_state()
    server.set_accept_state()
    client.set_tlsext_host_name(b"Shop.Test.")
    for _ in range(4):
        for side, other in ((client, server), (server, client)):
            with contextlib.suppress(SSL.WantReadError):
                side.do_handshake()
            pass_on(side, other)
    assert server_name(server) == b"shop.test"
    leaf = client.get_peer_certificate(as_cryptography=True)
    assert leaf is not None
    assert names_of(leaf).dns == ("shop.test",)


def test_version_of_the_site(street: ServerNames) -> None:
    """Each site has its own tls_min, though OpenSSL chose the version before the site."""
    for asked in ("shop.test", "lost.test"):
        shake(visitor(highest=SSL.TLS1_2_VERSION), street.default, asked)
    shake(visitor(), street.default, "a.bank.test")
    with pytest.raises(SSL.Error, match="cipher"):
        shake(visitor(highest=SSL.TLS1_2_VERSION), street.default, "a.bank.test")


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize("asked", ["shop.test", "www.shop.test", "lost.test", None])
def test_resumption(street: ServerNames, version: ssl.TLSVersion, asked: str | None) -> None:
    """A visitor that returns for the same name resumes, whichever context it was handed to."""
    client = trusting(version)
    first = shake_with_python(client, street.default, asked)
    assert not first.session_reused
    again = shake_with_python(client, street.default, asked, first.session)
    assert again.session_reused
    assert names(again) == names(first)


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_one_for_all_names(
    tmp_path: Path, version: ssl.TLSVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing depends on the name, no handshake is handed on; the name is known, too."""
    shop = shown(tmp_path, issue(ROOT, ["shop.test", "*.shop.test"]))
    names = ServerNames([(("shop.test",), shop), ((), shop)])
    monkeypatch.setattr(SSL.Connection, "set_context", None)
    client = trusting(version)
    asked: list[bytes | None] = []
    first = shake_with_python(client, names.default, "shop.test", asked=asked)
    again = shake_with_python(client, names.default, "shop.test", first.session, asked)
    assert again.session_reused
    assert asked == [b"shop.test", b"shop.test"]


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_tickets_end_with_the_address(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """A reload makes the address anew, and the keys of tickets, though all is shown as before."""
    client, shop = trusting(version), shown(tmp_path, issue(ROOT, ["shop.test"]))
    first = shake_with_python(client, ServerNames([((), shop)]).default, "shop.test")
    again = shake_with_python(client, ServerNames([((), shop)]).default, "shop.test", first.session)
    assert not again.session_reused


def test_no_room_for_another_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the context for all names can't be made, handshakes are handed on as for many."""
    shop = shown(tmp_path, issue(ROOT, ["shop.test"]))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("sorryd.edge.tls.Pair.put_into", full)
    default = ServerNames([((), shop)]).default
    assert names(shake_with_python(trusting(TLS13), default, "shop.test")) == ["shop.test"]


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_tickets_end_with_the_certificates(
    street: ServerNames, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """Once new certificates are shown, or at another address, no old session is resumed."""
    client, old = trusting(version), issue(ROOT, ["shop.test"])
    first = shake_with_python(client, street.default, "shop.test")
    others = ServerNames([((), shown(tmp_path, old))])
    again = shake_with_python(client, others.default, "shop.test", first.session)
    assert not again.session_reused


@pytest.mark.parametrize(
    ("version", "name"),
    [pytest.param(TLS12, b"shop.test", id="1.2"), pytest.param(TLS13, b"rest.test", id="1.3")],
)
def test_session_of_another_site(street: ServerNames, version: ssl.TLSVersion, name: bytes) -> None:
    """A connection is for one name, by which a Host of another site is refused on it.

    With a session made for another name than is asked for, it is the session's in TLS 1.2. In
    TLS 1.3 it is the one asked for, and clients offer no such session (RFC 8446 §4.6.1).
    """
    client = trusting(version)
    first = shake_with_python(client, street.default, "shop.test")
    asked: list[bytes | None] = []
    again = shake_with_python(client, street.default, "rest.test", first.session, asked)
    assert (again.session_reused, asked) == (True, [name])


def test_nothing_is_left(tmp_path: Path) -> None:
    """Certificates that are shown no more leave no memory behind."""
    names = ServerNames([((), shown(tmp_path, issue(ROOT, ["shop.test"])))])
    shake(visitor(), names.default, "shop.test")
    left = weakref.ref(names.default)
    del names
    gc.collect()
    assert left() is None
