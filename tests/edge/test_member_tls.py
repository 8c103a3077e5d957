"""Members behind TLS: each is who it should be, or is not spoken to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from tests.certificates import DAY, Kind, authority, issue
from tests.edge.handshakes import NAME, ROOT, said, serving, shake, site, trusting, written

from sorryd.edge.member_tls import MemberTlsFault, member_context, sni, verify_member
from sorryd.edge.self_signed import self_signed
from sorryd.model import MemberTls


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
@pytest.mark.parametrize(
    ("names", "name"),
    [
        pytest.param([NAME], NAME, id="DNS name"),
        pytest.param([NAME], "APP.internal.", id="case and a last dot"),
        pytest.param(["*.app.internal"], "a.app.internal", id="wildcard"),
        pytest.param(["a.test", NAME], NAME, id="one of several"),
        pytest.param(["127.0.0.1"], "127.0.0.1", id="IPv4 address"),
        pytest.param(["fe80::1"], "fe80::1%eth0", id="IPv6 address with a zone"),
        pytest.param(["app_1.internal"], "app_1.internal", id="underscore"),
    ],
)
def test_member_verified(tmp_path: Path, kind: Kind, names: list[str], name: str) -> None:
    """A member with a good certificate for its name is spoken to, both ways."""
    chain, key = issue(ROOT, names, kind=kind)
    context = trusting(tmp_path)
    assert context.get_verify_mode() == SSL.VERIFY_PEER
    client, server = shake(context, serving(tmp_path, chain, key), name)
    verify_member(client, name)
    assert said(client, server, b"GET / HTTP/1.1\r\n") == b"GET / HTTP/1.1\r\n"
    assert said(server, client, b"HTTP/1.1 200 OK\r\n") == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("names", "name", "text"),
    [
        pytest.param(["a.test"], NAME, "is for a.test, not for app.internal", id="other name"),
        pytest.param(
            ["a.test", "10.0.0.1"], "10.0.0.2", "for a.test, 10.0.0.1, not for 10.0.0.2",
            id="other address",
        ),
        pytest.param(
            [f"{n}.test" for n in range(9)], NAME, "for 0.test, 1.test, 2.test, 3.test, ..., not",
            id="many names",
        ),
        pytest.param(["127.0.0.1"], "localhost", "is for 127.0.0.1, not", id="address for name"),
        pytest.param(["evil\n\x1b[0m.test"], NAME, "is for evil??[0m.test,", id="not forged"),
        pytest.param([], NAME, "can't be checked for app.internal", id="no subjectAltName"),
    ],
)  # fmt: skip
def test_wrong_name(tmp_path: Path, names: list[str], name: str, text: str) -> None:
    """A certificate for another name is refused, and the log can say for which."""
    client, _ = shake(trusting(tmp_path), site(tmp_path, names), name)
    with pytest.raises(MemberTlsFault) as caught:
        verify_member(client, name)
    assert text in caught.value.text


def test_names_beyond_understanding(tmp_path: Path) -> None:
    """A certificate with a kind of name that nobody reads is refused like any other."""
    leaf = issue(ROOT, [], raw_names=bytes.fromhex("3002a300"))  # an empty x400Address
    server = SSL.Context(SSL.TLS_SERVER_METHOD)
    server.use_certificate_chain_file(written(tmp_path, "member.pem", leaf[0]))
    server.use_privatekey_file(written(tmp_path, "member.key", leaf[1]))
    client, _ = shake(trusting(tmp_path), server)
    with pytest.raises(MemberTlsFault, match="can't be checked for"):
        verify_member(client, NAME)


def test_unknown_authority(tmp_path: Path) -> None:
    """A certificate that no trusted authority issued fails the handshake, with the reason."""
    with pytest.raises(MemberTlsFault, match="issuer is unknown"):
        shake(trusting(tmp_path, authority()), site(tmp_path))


@pytest.mark.parametrize(
    ("since", "until", "text"),
    [
        pytest.param(-3, -1, "has expired", id="expired"),
        pytest.param(1, 3, "is not valid yet", id="not yet valid"),
    ],
)
def test_not_valid_now(tmp_path: Path, since: int, until: int, text: str) -> None:
    """A certificate out of its time fails the handshake, with the reason."""
    now = datetime.now(UTC)
    leaf = issue(ROOT, [NAME], since=now + since * DAY, until=now + until * DAY)
    with pytest.raises(MemberTlsFault, match=text):
        shake(trusting(tmp_path), serving(tmp_path, *leaf))


def test_self_signed_member(tmp_path: Path) -> None:
    """A self-signed member is refused, until its own certificate is the `ca=` file."""
    chain, key = self_signed(str(tmp_path), [NAME])
    server = serving(tmp_path, Path(chain).read_bytes(), Path(key).read_bytes())
    with pytest.raises(MemberTlsFault, match="self-signed"):
        shake(trusting(tmp_path), server)
    client, _ = shake(member_context(MemberTls(ca=chain)), server)
    verify_member(client, NAME)


def test_intermediate(tmp_path: Path) -> None:
    """A chain with an intermediate is shown whole; without it there is no trust."""
    middle = authority("Middle", issuer=ROOT)
    chain, key = issue(middle, [NAME])
    client, _ = shake(trusting(tmp_path), serving(tmp_path, chain, key))
    verify_member(client, NAME)
    leaf = x509.load_pem_x509_certificates(chain)[0].public_bytes(Encoding.PEM)
    with pytest.raises(MemberTlsFault, match="issuer is unknown"):
        shake(trusting(tmp_path), serving(tmp_path, leaf, key))
    client, _ = shake(trusting(tmp_path, middle), serving(tmp_path, leaf, key))
    verify_member(client, NAME)


def test_system_store(tmp_path: Path) -> None:
    """With the system's store, a private authority is unknown."""
    with pytest.raises(MemberTlsFault):
        shake(member_context(MemberTls()), site(tmp_path))


def test_verify_no(tmp_path: Path) -> None:
    """`verify=no` takes any certificate."""
    client, server = shake(member_context(MemberTls(verify=False)), site(tmp_path, ["a.test"]))
    assert said(client, server, b"hello") == b"hello"


def demanding(folder: Path) -> SSL.Context:
    """A member that wants to see a certificate, whoever issued it."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    chain, key = issue(ROOT, [NAME])
    context.use_certificate_chain_file(written(folder, "member.pem", chain))
    context.use_privatekey_file(written(folder, "member.key", key))
    demand = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
    context.set_verify(demand, lambda connection, shown, reason, depth, good: True)
    return context


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
@pytest.mark.parametrize("apart", [True, False], ids=["key apart", "key with it"])
def test_client_certificate(tmp_path: Path, kind: Kind, apart: bool) -> None:
    """A member that asks who we are is shown `cert=`, with its chain."""
    middle = authority("Middle", issuer=ROOT)
    chain, key = issue(middle, ["sorryd.internal"], kind=kind)
    tls = MemberTls(
        verify=False,
        cert=written(tmp_path, "own.pem", chain if apart else chain + key),
        key=written(tmp_path, "own.key", key) if apart else None,
    )
    _, server = shake(member_context(tls), demanding(tmp_path))
    shown = server.get_peer_certificate(as_cryptography=True)
    above = server.get_peer_cert_chain(as_cryptography=True)
    assert [shown, *(above or ())] == x509.load_pem_x509_certificates(chain)


def test_no_client_certificate(tmp_path: Path) -> None:
    """Without `cert=`, nothing is shown, and such a member says no."""
    with pytest.raises(SSL.Error, match="certificate"):
        shake(member_context(MemberTls(verify=False)), demanding(tmp_path))


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        pytest.param(NAME, b"app.internal", id="name"),
        pytest.param("app.internal.", b"app.internal", id="last dot"),
        pytest.param("bücher.example", b"xn--bcher-kva.example", id="beyond ASCII"),
        pytest.param("10.0.0.1", None, id="IPv4"),
        pytest.param("::1", None, id="IPv6"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_sni(name: str, extension: bytes | None) -> None:
    """Server Name Indication carries DNS names, and never addresses."""
    assert sni(name) == extension
