"""Certificates, keys and CA files: which are taken, and what is said of the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from tests.certificates import issue
from tests.edge.handshakes import NAME, ROOT, shake, showing, trusting, written

from sorryd.edge.certificates import ServerNames, site_certificates
from sorryd.edge.member_tls import member_context, verify_member
from sorryd.edge.tls import LARGEST_FILE, TlsFault
from sorryd.model import Certificate, MemberTls

PKCS8Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey

CHAIN, KEY = issue(ROOT, [NAME])
OTHER_KEY = issue(ROOT, [NAME])[1]
NAMELESS = issue(ROOT, [], raw_names=bytes.fromhex("30048202fffe"))  # a name that is no ASCII


def pem_of(key: PKCS8Key, password: bytes = b"") -> bytes:
    hidden = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden)


def traditional(pem: bytes) -> bytes:
    """A key as `openssl ecparam -genkey` writes it: parameters first, in the older form."""
    key = load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + old


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(CHAIN + KEY, id="chain, then key"),
        pytest.param(KEY + CHAIN, id="key, then chain"),
        pytest.param(traditional(KEY) + CHAIN, id="older key with parameters"),
        pytest.param(b"subject: app\n" + CHAIN.replace(b"\n", b"\r\n") + KEY, id="text and CRLF"),
    ],
)
def test_key_in_the_chain(tmp_path: Path, content: bytes) -> None:
    """The key may be in the chain's file, in any order and form."""
    site = showing(Certificate(chain=written(tmp_path, "all.pem", content)))
    certificates = site_certificates(site, str(tmp_path))
    client, _ = shake(trusting(tmp_path), ServerNames([((), certificates)]).default)
    verify_member(client, NAME)


@pytest.mark.parametrize(
    ("chain", "key", "file", "text"),
    [
        pytest.param(None, KEY, "chain.pem", "can't be read: No such file", id="no chain"),
        pytest.param(CHAIN, None, "key.pem", "can't be read: No such file", id="no key"),
        pytest.param(b"", KEY, "chain.pem", "no certificate", id="empty chain"),
        pytest.param(KEY, KEY, "chain.pem", "no certificate", id="key for chain"),
        pytest.param(CHAIN + ROOT.pem[:300], KEY, "chain.pem", "broken", id="cut chain"),
        pytest.param(CHAIN, CHAIN, "key.pem", "no private key", id="chain for key"),
        pytest.param(CHAIN, b"\x30\x82\xff", "key.pem", "no private key", id="DER"),
        pytest.param(
            CHAIN, KEY[:60] + b"!" + KEY[61:], "key.pem", "broken private key", id="broken key"
        ),
        pytest.param(CHAIN, OTHER_KEY, "key.pem", "is not the key of the first", id="other key"),
        pytest.param(ROOT.pem + CHAIN, KEY, "key.pem", "leaf must be first", id="order"),
        pytest.param(
            CHAIN, pem_of(ec.generate_private_key(ec.SECP256R1()), b"pw"), "key.pem", "encrypted",
            id="encrypted",
        ),
        pytest.param(
            CHAIN, pem_of(ed25519.Ed25519PrivateKey.generate()), "key.pem", "is not the key",
            id="key of another kind",
        ),
        pytest.param(
            CHAIN, pem_of(x25519.X25519PrivateKey.generate()), "key.pem", "is not the key",
            id="key that signs nothing",
        ),
        pytest.param(*NAMELESS, "chain.pem", "names of its certificate are broken", id="names"),
    ],
)  # fmt: skip
def test_server_faults(
    tmp_path: Path, chain: bytes | None, key: bytes | None, file: str, text: str
) -> None:
    """Files that can't serve are one clear fault that names the file."""
    if chain is not None:
        written(tmp_path, "chain.pem", chain)
    if key is not None:
        written(tmp_path, "key.pem", key)
    pair = Certificate(chain=str(tmp_path / "chain.pem"), key=str(tmp_path / "key.pem"))
    with pytest.raises(TlsFault) as caught:
        site_certificates(showing(pair), str(tmp_path))
    assert caught.value.path == str(tmp_path / file)
    assert text in caught.value.text
    assert str(caught.value) == f"{caught.value.path}: {caught.value.text}"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(None, "can't be read", id="missing"),
        pytest.param(b"", "no certificate", id="empty"),
        pytest.param(KEY, "no certificate", id="a key"),
        pytest.param(ROOT.pem + CHAIN[:300], "broken", id="cut"),
        pytest.param(ROOT.pem.replace(b"MII", b"MI!"), "broken", id="damaged"),
    ],
)
def test_ca_faults(tmp_path: Path, content: bytes | None, text: str) -> None:
    """A CA file that can't be used is a clear fault, before any member is asked."""
    path = str(tmp_path / "ca.pem")
    if content is not None:
        written(tmp_path, "ca.pem", content)
    with pytest.raises(TlsFault, match=text) as caught:
        member_context(MemberTls(ca=path))
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("cert", "key", "file", "text"),
    [
        pytest.param(None, KEY, "own.pem", "can't be read", id="missing"),
        pytest.param(CHAIN, None, "own.key", "can't be read", id="no key"),
        pytest.param(CHAIN, OTHER_KEY, "own.key", "is not the key of the first", id="other key"),
        pytest.param(KEY, KEY, "own.pem", "no certificate", id="a key"),
    ],
)
def test_client_certificate_faults(
    tmp_path: Path, cert: bytes | None, key: bytes | None, file: str, text: str
) -> None:
    """A certificate that can't be shown to a member is a clear fault, too."""
    for name, content in (("own.pem", cert), ("own.key", key)):
        if content is not None:
            written(tmp_path, name, content)
    tls = MemberTls(cert=str(tmp_path / "own.pem"), key=str(tmp_path / "own.key"))
    with pytest.raises(TlsFault, match=text) as caught:
        member_context(tls)
    assert caught.value.path == str(tmp_path / file)


@pytest.mark.parametrize("kind", ["folder", "FIFO", "endless"])
def test_no_regular_file(tmp_path: Path, kind: str) -> None:
    """What is no file is not waited for, and not read."""
    path = tmp_path / "own.pem"
    match kind:
        case "folder":
            path.mkdir()
        case "FIFO":
            os.mkfifo(path)
        case _:
            path.symlink_to("/dev/zero")
    with pytest.raises(TlsFault, match=r"is not a file|Is a directory"):
        member_context(MemberTls(cert=str(path)))


def test_too_large(tmp_path: Path) -> None:
    """A file that can't be meant is not taken into memory."""
    path = tmp_path / "own.pem"
    path.touch()
    os.truncate(path, LARGEST_FILE + 1)
    with pytest.raises(TlsFault, match="is larger than"):
        member_context(MemberTls(cert=str(path)))
