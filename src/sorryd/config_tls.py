"""PEM files that sorryd.ini names: read and checked, so that a start cannot fail on them.

Each function gives its value, or raises `BadValue` with what is wrong with the file.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
    PublicKeyTypes,
)
from OpenSSL import SSL

from sorryd.config_values import BadValue, file_bytes

_KEY = re.compile(rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


class Chain(NamedTuple):
    """Certificates, and the path of their file."""

    path: str
    certificates: tuple[x509.Certificate, ...] = ()


class Key(NamedTuple):
    """A private key, and the path of its file."""

    path: str
    key: PrivateKeyTypes


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
    """The certificates of a file, at least one."""
    data = file_bytes(path)
    if b"-----BEGIN CERTIFICATE-----" not in data:
        raise BadValue(f"{path}: no certificate in PEM form in it")
    try:
        return Chain(path, tuple(x509.load_pem_x509_certificates(data)))
    except ValueError as error:
        raise BadValue(f"{path}: a certificate in it cannot be parsed: {error}") from None


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
    own = _spki(key.key.public_key())
    matches = [_spki(certificate.public_key()) == own for certificate in chain.certificates]
    if not any(matches):
        raise BadValue(f"{key.path}: its private key is not that of {chain.path}")
    if not matches[0]:
        raise BadValue(f"{chain.path}: the certificate of the private key must stand first")
    context = SSL.Context(SSL.TLS_METHOD)
    try:
        context.use_certificate_chain_file(chain.path)
        context.use_privatekey_file(key.path)
        context.check_privatekey()
    except SSL.Error as error:
        raise BadValue(f"{chain.path}: OpenSSL refuses it: {_reason(error)}") from None


def _spki(key: CertificatePublicKeyTypes | PublicKeyTypes) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _reason(error: Exception) -> str:
    """The last word of OpenSSL's error queue, which is a list of triples."""
    queue = error.args[0] if error.args else None
    return str(queue[-1][-1]) if isinstance(queue, list) and queue else str(error)
