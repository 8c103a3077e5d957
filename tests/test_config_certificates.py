"""Certificates and private keys of a site: which belong together, and in which order."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import NameOID
from tests.certificates import authority, issue

from sorryd import config
from sorryd.model import Certificate, Site

Key = dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def self_signed(key: Key) -> bytes:
    """A certificate, long expired, that signs itself and has no name but its subject."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old\x1b[2J")])
    start = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
    end = start + datetime.timedelta(days=3650)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, start, end)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def pem(key: Key, password: bytes | None = None) -> bytes:
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
    root = authority()
    middle = authority("Middle", issuer=root)
    leaf, key = issue(middle, ["a.example", "b.example"])
    alone = leaf[: -len(middle.pem)]
    rsa_leaf, rsa_key = issue(root, ["B.example", "a.example"], kind="rsa")
    twin, twin_key = issue(root, ["b.example", "A.Example"])
    other, other_key = issue(root, ["*.example"])
    old, weak = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)
    files = {
        "leaf.pem": leaf,
        "leaf.key": key,
        "alone.pem": alone,
        "both.pem": leaf + key,
        "key-first.pem": key + leaf,
        "full.pem": leaf + root.pem,
        "rsa.pem": rsa_leaf,
        "rsa.key": rsa_key,
        "twin.pem": twin + twin_key,
        "other.pem": other,
        "other.key": other_key,
        "mixed.pem": leaf + other_key,
        "turned.pem": root.pem + middle.pem + alone,
        "gap.pem": alone + root.pem,
        "again.pem": alone + alone,
        "cut.pem": leaf[:-40],
        "strange.pem": alone + self_signed(old),
        "old.pem": self_signed(old) + pem(old),
        "locked.key": pem(old, b"secret"),
        "text.pem": b"hello",
        "broken.pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "broken.key": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "weak.pem": self_signed(weak) + pem(weak),
        "dsa.pem": self_signed(dsa.generate_private_key(1024)),
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
    ("lines", "expected"),
    [
        ("certificate = leaf.pem\nprivate_key = leaf.key", ["leaf.pem leaf.key"]),
        ("certificate = alone.pem\nprivate_key = leaf.key", ["alone.pem leaf.key"]),
        ("certificate = full.pem\nprivate_key = leaf.key", ["full.pem leaf.key"]),
        ("certificate = both.pem", ["both.pem"]),
        ("certificate = both.pem\nprivate_key = leaf.key", ["both.pem leaf.key"]),
        ("certificate = mixed.pem\nprivate_key = leaf.key", ["mixed.pem leaf.key"]),
        ("certificate = key-first.pem", ["key-first.pem"]),
        ("certificate = old.pem", ["old.pem"]),
        (
            "certificate =\n  leaf.pem\n  rsa.pem\n  other.pem\n"
            "private_key =\n  other.key\n  leaf.key\n  rsa.key",
            ["leaf.pem leaf.key", "rsa.pem rsa.key", "other.pem other.key"],
        ),
        (
            "certificate =\n  other.pem\n  both.pem\nprivate_key = other.key",
            ["other.pem other.key", "both.pem"],
        ),
    ],
)
def test_certificates(folder: Path, lines: str, expected: list[str]) -> None:
    """Certificates keep their order; each has the key that is its own, wherever it stands."""
    found = site(folder, lines).certificates
    assert found == tuple(
        Certificate(chain=str(folder / chain), key=str(folder / key) if key else None)
        for chain, _, key in (pair.partition(" ") for pair in expected)
    )


def test_a_certificate_without_tls(folder: Path) -> None:
    """A certificate may be there before a listener uses it."""
    found = site(folder, "certificate = both.pem", "127.0.0.1:80")
    assert found.certificates == (Certificate(chain=str(folder / "both.pem")),)


def chain_fault(path: str, second: str, first: str, number: int = 1) -> str:
    """What is said of a chain in which one certificate is not issued by the next."""
    return (
        f"4: [site a] certificate: {path}: certificate {number + 1} ({second}) is not the issuer "
        f"of certificate {number} ({first}): the site's own stands first, each one's issuer "
        "behind it"
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("certificate = none.pem", "4: [site a] certificate: none.pem: cannot be read: "
         "No such file or directory"),
        ("certificate = text.pem", "4: [site a] certificate: text.pem: no certificate in PEM "
         "form in it"),
        ("certificate = broken.pem", "4: [site a] certificate: broken.pem: a certificate in it "
         "cannot be parsed: "),
        ("certificate = cut.pem", "4: [site a] certificate: cut.pem: a certificate in it is cut "
         "off"),
        ("certificate = dsa.pem", "4: [site a] certificate: dsa.pem: its key is of a kind that "
         "TLS servers do not use"),
        ("certificate = leaf.pem", "4: [site a] certificate: leaf.pem: no private key in PEM form "
         "in it (is it in another file? name that as private_key)"),
        ("certificate = mixed.pem", "4: [site a] certificate: mixed.pem: the private key in it is "
         "of another certificate"),
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
        ("certificate = turned.pem\nprivate_key = leaf.key",
         chain_fault("turned.pem", "Middle", "Test authority")),
        ("certificate = gap.pem\nprivate_key = leaf.key",
         chain_fault("gap.pem", "Test authority", "leaf")),
        ("certificate = again.pem", chain_fault("again.pem", "leaf", "leaf")),
        ("certificate = strange.pem", chain_fault("strange.pem", "old?[2J", "leaf")),
        ("certificate = weak.pem", "4: [site a] certificate: weak.pem: OpenSSL refuses it: "),
        ("certificate = self-signed\nprivate_key = leaf.key", "5: [site a] private_key: a "
         "self-signed certificate has its own"),
        ("certificate = self-signed\n  both.pem", "4: [site a] certificate: self-signed stands "
         "alone, without other certificates"),
        ("certificate = both.pem\n  self-signed", "5: [site a] certificate: self-signed stands "
         "alone, without other certificates"),
        ("certificate =\n  leaf.pem\n  other.pem\nprivate_key = leaf.key", "6: [site a] "
         "certificate: other.pem: no private key in PEM form in it (is it in another file? name "
         "that as private_key)"),
        ("certificate =\n  both.pem\n  other.pem\nprivate_key =\n  rsa.key\n  other.key", "8: "
         "[site a] private_key: rsa.key: its private key is not that of any certificate here"),
        ("certificate =\n  both.pem\n  twin.pem", "6: [site a] certificate: twin.pem: ECDSA, and "
         "for the same names as that of line 5"),
        ("certificate =\n  old.pem\n  old.pem", "6: [site a] certificate: old.pem: ECDSA, and "
         "for the same names as that of line 5"),
        ("certificate =\n  both.pem\n  text.pem\nprivate_key = rsa.key", "6: [site a] "
         "certificate: text.pem: no certificate in PEM form in it"),
        ("certificate =\n  leaf.pem\n  rsa.pem\nprivate_key = none.key", "7: [site a] "
         "private_key: none.key: cannot be read: No such file or directory"),
    ],
)  # fmt: skip
def test_a_bad_certificate(folder: Path, lines: str, expected: str) -> None:
    """What a handshake could not use is refused at its line, with the reason, and alone."""
    (found,) = faults(folder, lines)
    assert found.startswith(f"f.ini:{expected}")


def test_a_key_without_a_certificate(folder: Path) -> None:
    """A key alone is no use: both what is missing and what is idle are told."""
    assert faults(folder, "private_key = leaf.key") == [
        "f.ini:2: [site a] listen: tls needs a certificate (a file, or self-signed)",
        "f.ini:4: [site a] private_key: there is no certificate for it",
    ]
