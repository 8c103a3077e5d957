"""PEM files that sorryd.ini names: read and checked, so that a start cannot fail on them.

Each function gives its value, or raises `BadValue` with what is wrong with the file. Whether a
certificate has expired is for run time: a file that was good must not become bad overnight.
"""

from __future__ import annotations

import enum
import itertools
import re
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
    PublicKeyTypes,
)
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from sorryd.config_values import BadValue, file_bytes, shown

_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_KEY = re.compile(rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


class Kind(enum.StrEnum):
    """Kinds of keys that a server may sign with in TLS (RFC 8446 §4.2.3)."""

    RSA = "RSA"
    ECDSA = "ECDSA"
    ED25519 = "Ed25519"
    ED448 = "Ed448"


class Chain(NamedTuple):
    """The certificates of a file, the leaf first, and its path; the kind of the leaf's key."""

    path: str
    certificates: tuple[x509.Certificate, ...]
    kind: Kind

    @property
    def names(self) -> frozenset[str]:
        """The names and addresses that the leaf is for, in lower case."""
        leaf = self.certificates[0]
        try:
            found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (x509.ExtensionNotFound, ValueError):
            return frozenset((_common_name(leaf).lower(),))
        return frozenset(str(name.value).lower() for name in found)


class Key(NamedTuple):
    """A private key, and the path of its file."""

    path: str
    key: PrivateKeyTypes

    def is_of(self, certificate: x509.Certificate) -> bool:
        """Whether it belongs to a certificate."""
        return _spki(self.key.public_key()) == _spki(certificate.public_key())


def authorities(path: str) -> str:
    """The path of a file with at least one CA certificate."""
    if b" CERTIFICATE-----" not in file_bytes(path):
        raise BadValue(f"{path}: no certificate in PEM form in it")
    try:
        SSL.Context(SSL.TLS_METHOD).load_verify_locations(path)
    except SSL.Error as error:
        raise BadValue(
            f"{path}: no CA certificate can be read from it ({_reason(error)})"
        ) from None
    return path


def chain(path: str) -> Chain:
    """The certificates of a file: at least one, each the issuer of the one before it."""
    data = file_bytes(path)
    blocks = data.count(_BEGIN)
    if not blocks:
        raise BadValue(f"{path}: no certificate in PEM form in it")
    try:
        certificates = tuple(x509.load_pem_x509_certificates(data))
        kind = _kind(certificates[0])
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadValue(f"{path}: a certificate in it cannot be parsed: {error}") from None
    if len(certificates) != blocks:  # what is cut off at the end is passed over by the parser
        raise BadValue(f"{path}: a certificate in it is cut off")
    if kind is None:
        raise BadValue(f"{path}: its key is of a kind that TLS servers do not use")
    _check_order(path, certificates)
    return Chain(path, certificates, kind)


def private_key(path: str) -> Key:
    """The first private key of a file that may hold other things too."""
    block = _KEY.search(file_bytes(path))
    if block is None:
        raise BadValue(f"{path}: no private key in PEM form in it")
    try:
        return Key(path, serialization.load_pem_private_key(block[0], None))
    except TypeError:
        why = "the private key is encrypted: store it without a passphrase"
        raise BadValue(f"{path}: {why}") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadValue(f"{path}: the private key cannot be parsed: {error}") from None


def check_pair(chain: Chain, key: Key) -> None:
    """Nothing, if the key belongs to the first certificate and OpenSSL would use the two."""
    if not key.is_of(chain.certificates[0]):
        if key.path == chain.path:
            raise BadValue(f"{key.path}: the private key in it is of another certificate")
        raise BadValue(f"{key.path}: its private key is not that of {chain.path}")
    context = SSL.Context(SSL.TLS_METHOD)
    try:
        context.use_certificate_chain_file(chain.path)
        context.use_privatekey_file(key.path)
        context.check_privatekey()
    except SSL.Error as error:
        raise BadValue(f"{chain.path}: OpenSSL refuses it: {_reason(error)}") from None


def _check_order(path: str, certificates: tuple[x509.Certificate, ...]) -> None:
    """Refuse a chain that is not leaf first, each one's issuer behind it (RFC 5246 §7.4.2)."""
    for number, (one, issuer) in enumerate(itertools.pairwise(certificates), 1):
        if not _issued(one, issuer):
            raise BadValue(
                f"{path}: certificate {number + 1} ({_common_name(issuer)}) is not the issuer of "
                f"certificate {number} ({_common_name(one)}): the site's own stands first, "
                "each one's issuer behind it"
            )


def _issued(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    except UnsupportedAlgorithm:
        return one.issuer == issuer.subject
    return True


def _kind(certificate: x509.Certificate) -> Kind | None:
    match certificate.public_key():
        case rsa.RSAPublicKey():
            return Kind.RSA
        case ec.EllipticCurvePublicKey():
            return Kind.ECDSA
        case ed25519.Ed25519PublicKey():
            return Kind.ED25519
        case ed448.Ed448PublicKey():
            return Kind.ED448
        case _:
            return None


def _common_name(certificate: x509.Certificate) -> str:
    """What a certificate calls itself, as it is safe to show."""
    try:
        found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(found[0].value) if found else certificate.subject.rfc4514_string()
    except ValueError:
        return "?"
    return shown("".join(each if each.isprintable() else "?" for each in name))


def _spki(key: CertificatePublicKeyTypes | PublicKeyTypes) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _reason(error: Exception) -> str:
    """The last word of OpenSSL's error queue, which is a list of triples."""
    queue = error.args[0] if error.args else None
    return str(queue[-1][-1]) if isinstance(queue, list) and queue else str(error)
