"""Certificates for tests: authorities, intermediates and leaves, made in memory."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

Kind = Literal["ecdsa", "rsa"]
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DAY = timedelta(days=1)
USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclasses.dataclass(frozen=True)
class Authority:
    """One that issues; `above` is empty for a root, else the chain up to below the root."""

    certificate: x509.Certificate
    key: Key
    is_root: bool
    above: tuple[x509.Certificate, ...]

    @property
    def pem(self) -> bytes:
        """Its certificate, for a `ca=` file."""
        return self.certificate.public_bytes(Encoding.PEM)


def authority(
    name: str = "Test authority", *, issuer: Authority | None = None, kind: Kind = "ecdsa"
) -> Authority:
    """A root, or with `issuer` an intermediate."""
    key = _key(kind)
    builder = _builder(name, key, issuer, datetime.now(UTC) - DAY, datetime.now(UTC) + 30 * DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    if issuer is None:
        return Authority(certificate, key, True, ())
    return Authority(certificate, key, False, (certificate, *issuer.above))


def issue(
    issuer: Authority,
    names: Sequence[str],
    *,
    kind: Kind = "ecdsa",
    since: datetime | None = None,
    until: datetime | None = None,
    raw_names: bytes | None = None,
    usage: Literal["server", "client"] = "server",
) -> tuple[bytes, bytes]:
    """A leaf for DNS names and IP addresses: its chain without the root, and its key, in PEM.

    Without `names` it has no subjectAltName at all, or the one that is given in DER.
    """
    key = _key(kind)
    now = datetime.now(UTC)
    builder = _builder("leaf", key, issuer, since or now - DAY, until or now + 7 * DAY)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    ).add_extension(x509.ExtendedKeyUsage([USAGES[usage]]), critical=False)
    if names:
        names_extension = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = builder.add_extension(names_extension, critical=False)
    if raw_names is not None:
        raw = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, raw_names)
        builder = builder.add_extension(raw, critical=False)
    leaf = builder.sign(issuer.key, hashes.SHA256())
    chain = b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, *issuer.above))
    return chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _builder(
    name: str, key: Key, issuer: Authority | None, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuing = issuer.key.public_key() if issuer else key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing), critical=False)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key(kind: Kind) -> Key:
    return _rsa_key() if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())


@functools.cache
def _rsa_key() -> rsa.RSAPrivateKey:
    """Slow to make, so shared by all that ask for RSA."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
