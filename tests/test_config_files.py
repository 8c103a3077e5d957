"""Pages, certificates, keys and CA files that sorryd.ini names."""

import datetime
import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from sorryd import config, config_values
from sorryd.model import Certificate, MemberTls, Site

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def certificate(key: PrivateKey, name: str) -> bytes:
    """A certificate in PEM form that signs itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=start,
        not_valid_after=start + datetime.timedelta(days=3650),
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def pem(key: PrivateKey, password: bytes | None = None) -> bytes:
    """A private key in PEM form."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with PEM files, good and bad."""
    place = tmp_path_factory.mktemp("pem")
    leaf, issuer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    weak = rsa.generate_private_key(65537, 1024)
    files = {
        "leaf.pem": certificate(leaf, "leaf"),
        "leaf.key": pem(leaf),
        "both.pem": certificate(leaf, "leaf") + certificate(issuer, "issuer") + pem(leaf),
        "key-first.pem": pem(leaf) + certificate(leaf, "leaf"),
        "turned.pem": certificate(issuer, "issuer") + certificate(leaf, "leaf"),
        "other.key": pem(issuer),
        "locked.key": pem(leaf, b"secret"),
        "text.pem": b"hello",
        "broken.pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "broken.key": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "weak.pem": certificate(weak, "weak") + pem(weak),
    }
    for name, data in files.items():
        (place / name).write_bytes(data)
    return place


def site(folder: Path, more: str, listen: str = "127.0.0.1:443 tls") -> Site:
    """The site of a file in the folder, with more lines."""
    file = folder / "f.ini"
    file.write_text(f"[site a]\nlisten = {listen}\nmembers = http://a\n{more}")
    return config.load(str(file)).sites[0]


def faults(folder: Path, more: str) -> list[str]:
    """What is wrong with such a file, without the folder's name."""
    with pytest.raises(config.ConfigError) as caught:
        site(folder, more)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("chain", "key"),
    [
        ("leaf.pem", "leaf.key"),
        ("both.pem", None),
        ("both.pem", "leaf.key"),
        ("key-first.pem", None),
    ],
)
def test_a_certificate(folder: Path, chain: str, key: str | None) -> None:
    """A certificate is taken with its key, which may be in the same file."""
    lines = f"certificate = {chain}\n" + (f"private_key = {key}" if key else "")
    assert site(folder, lines).certificates[0] == Certificate(
        chain=str(folder / chain), key=None if key is None else str(folder / key)
    )


def test_a_certificate_without_tls(folder: Path) -> None:
    """A certificate may be there before a listener uses it."""
    found = site(folder, "certificate = both.pem", "127.0.0.1:80")
    assert found.certificates[0] == Certificate(chain=str(folder / "both.pem"))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("certificate = none.pem", "4: [site a] certificate: none.pem: cannot be read: "
         "No such file or directory"),
        ("certificate = text.pem", "4: [site a] certificate: text.pem: no certificate in PEM "
         "form in it"),
        ("certificate = broken.pem", "4: [site a] certificate: broken.pem: a certificate in it "
         "cannot be parsed: "),
        ("certificate = leaf.pem", "4: [site a] certificate: leaf.pem: no private key in PEM form "
         "in it (is it in another file? name that as private_key)"),
        ("certificate = leaf.pem\nprivate_key = none.key", "5: [site a] private_key: none.key: "
         "cannot be read: No such file or directory"),
        ("certificate = leaf.pem\nprivate_key = text.pem", "5: [site a] private_key: text.pem: no "
         "private key in PEM form in it"),
        ("certificate = leaf.pem\nprivate_key = broken.key", "5: [site a] private_key: broken.key: "
         "the private key cannot be parsed: "),
        ("certificate = leaf.pem\nprivate_key = locked.key", "5: [site a] private_key: locked.key: "
         "the private key is encrypted: store it without a passphrase"),
        ("certificate = leaf.pem\nprivate_key = other.key", "5: [site a] private_key: other.key: "
         "its private key is not that of leaf.pem"),
        ("private_key = leaf.key\ncertificate = turned.pem", "4: [site a] private_key: turned.pem: "
         "the certificate of the private key must stand first"),
        ("certificate = weak.pem", "4: [site a] certificate: weak.pem: OpenSSL refuses it: "),
        ("certificate = self-signed\nprivate_key = leaf.key", "5: [site a] private_key: a "
         "self-signed certificate has its own"),
    ],
)  # fmt: skip
def test_a_bad_certificate(folder: Path, lines: str, expected: str) -> None:
    """A certificate that a handshake could not use is refused at its line, with the reason."""
    (found,) = faults(folder, lines)
    assert found.startswith(f"f.ini:{expected}")


def test_a_key_without_a_certificate(folder: Path) -> None:
    """A key alone is no use: both what is missing and what is idle are told."""
    assert faults(folder, "private_key = leaf.key") == [
        "f.ini:2: [site a] listen: tls needs a certificate (a file, or self-signed)",
        "f.ini:4: [site a] private_key: there is no certificate for it",
    ]


def members(folder: Path, line: str) -> list[str]:
    """What is wrong with a file with this member."""
    file = folder / "f.ini"
    file.write_text(f"[site a]\nlisten = 127.0.0.1:80\nmembers = {line}\n")
    with pytest.raises(config.ConfigError) as caught:
        config.load(str(file))
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_a_verified_member(folder: Path) -> None:
    """An https member has its CA file, name and verification; its path is made absolute."""
    file = folder / "f.ini"
    file.write_text(
        "[site a]\nlisten = 127.0.0.1:80\nmembers =\n"
        "  https://a:3443 ca=both.pem name=app.internal\n"
        "  https://b verify=no\n"
        "  https://[::1]\n"
    )
    first, second, third = config.load(str(file)).sites[0].members
    assert first.tls == MemberTls(ca=str(folder / "both.pem"), name="app.internal")
    assert second.tls == MemberTls(verify=False)
    assert (third.tls, third.host, third.port) == (MemberTls(), "::1", 443)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("none.pem", "cannot be read: No such file or directory"),
        ("text.pem", "no certificate in PEM form in it"),
        ("leaf.key", "no certificate in PEM form in it"),
        ("broken.pem", "no CA certificate can be read from it ("),
    ],
)
def test_a_bad_ca_file(folder: Path, name: str, why: str) -> None:
    """A CA file must hold at least one certificate."""
    (found,) = members(folder, f"https://a ca={name}")
    assert found.startswith(f"f.ini:3: [site a] members: ca={name}: {why}")


def page_faults(path: Path) -> list[str]:
    """What is wrong with a file that names this page."""
    file = path.parent / "f.ini"
    file.write_text(
        f"[site a]\nlisten = 127.0.0.1:80\nmembers = http://a\nsorry_page = {path.name}"
    )
    with pytest.raises(config.ConfigError) as caught:
        config.load(str(file))
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (b"{{ nobody_sets_this }}", "line 1: "),
        (b"\n\n{% if %}", "line 3: "),
        (b"caf\xe9", "not UTF-8 at byte 3"),
    ],
)
def test_bad_pages(tmp_path: Path, page: bytes, why: str) -> None:
    """A page that could not be rendered in an outage is refused before there is one."""
    path = tmp_path / "p.html"
    path.write_bytes(page)
    (found,) = page_faults(path)
    assert found.startswith(f"{path.parent}/f.ini:4: [site a] sorry_page: {path}: {why}")


def test_a_fifo_for_a_page(tmp_path: Path) -> None:
    """A FIFO is refused rather than waited for."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    assert page_faults(path) == [
        f"{path.parent}/f.ini:4: [site a] sorry_page: {path}: is not a file"
    ]


def test_a_huge_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page beyond the limit is refused."""
    monkeypatch.setattr(config_values, "LARGEST_FILE", 10)
    path = tmp_path / "p.html"
    path.write_bytes(b"x" * 11)
    assert page_faults(path) == [
        f"{path.parent}/f.ini:4: [site a] sorry_page: {path}: larger than 10 bytes"
    ]
