"""TLS on both sides: what is spoken, and certificates with their keys out of PEM files.

The suites follow Mozilla's intermediate recommendation, version 5.7: TLS 1.2 and 1.3, forward
secrecy only. Their order is ours, since all are strong: AES-128 with SHA-256 costs the least.
Who puts ChaCha20 first has no instructions for AES, and has it. What visitors are shown is in
certificates.py, the members' side in member_tls.py.

Nothing here does network I/O.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from OpenSSL import SSL

# The TLS 1.2 suites. DHE is left out: without parameters of
# our own it would never be chosen, and each client that knows it knows ECDHE.
CIPHERS: Final = b":".join(
    (
        b"ECDHE-ECDSA-AES128-GCM-SHA256",
        b"ECDHE-RSA-AES128-GCM-SHA256",
        b"ECDHE-ECDSA-AES256-GCM-SHA384",
        b"ECDHE-RSA-AES256-GCM-SHA384",
        b"ECDHE-ECDSA-CHACHA20-POLY1305",
        b"ECDHE-RSA-CHACHA20-POLY1305",
    )
)
# OpenSSL's own of TLS 1.3 in another order: it has SHA-384 first, which costs a full handshake
# some 5 %, and most clients that are made with it have its order.
CIPHERS_13: Final = b"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
HTTP11: Final = b"http/1.1"
BROKEN: Final = (x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What cryptography raises for the extensions of a certificate, besides ValueError."""

LARGEST_FILE: Final = 16 * 1024 * 1024
"""Bytes of a PEM file, as config_values.py has it."""

# SSL_MODE_ENABLE_PARTIAL_WRITE and SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER of openssl/ssl.h, to
# which pyOpenSSL gives no name: what the kernel did not take may be offered from a memoryview.
_PARTIAL_WRITES: Final = 0x1 | 0x2

_PRIORITIZE_CHACHA: Final = 0x200000  # SSL_OP_PRIORITIZE_CHACHA, which has no name there either


class TlsFault(Exception):
    """A certificate, key or CA file that can't be used: `path`, and `text` for why."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(path, text)
        self.path = path
        self.text = text

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def harden(context: SSL.Context, lowest: int) -> None:
    """Let `context` speak only what is safe; `lowest` is a version of SSL's, such as
    ``SSL.TLS1_2_VERSION``.
    """
    context.set_min_proto_version(lowest)
    context.set_cipher_list(CIPHERS)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    if hasattr(context, "set_tls13_ciphersuites"):  # pyOpenSSL has it since 25.2
        context.set_tls13_ciphersuites(CIPHERS_13)
        context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE | _PRIORITIZE_CHACHA)
    context.set_mode(_PARTIAL_WRITES | SSL.MODE_RELEASE_BUFFERS)


def server_name(connection: SSL.Connection) -> bytes | None:
    """The name that a visitor asked for by SNI: in lower case, without a dot at its end."""
    name = connection.get_servername()
    return None if name is None else name.lower().removesuffix(b".")


# --- PEM files ----------------------------------------------------------------------------


class Names(NamedTuple):
    """What a certificate is for, by its subjectAltName (RFC 9525 §6)."""

    dns: tuple[str, ...]  # lower case, ``*.`` may begin one
    addresses: tuple[str, ...]

    def spoken(self) -> list[str]:
        """All of them, as it is safe to log them."""
        return [re.sub(r"[^!-~]", "?", name) for name in (*self.dns, *self.addresses)]


def names_of(certificate: x509.Certificate) -> Names:
    """The names of a certificate; none where it has no subjectAltName. Raises ValueError."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Names((), ())
    except BROKEN as error:
        raise ValueError(str(error)) from None
    return Names(
        tuple(name.lower() for name in found.get_values_for_type(x509.DNSName)),
        tuple(map(str, found.get_values_for_type(x509.IPAddress))),
    )


class Pair(NamedTuple):
    """A certificate and its key, which belong together."""

    path: str  # of the chain
    chain: tuple[x509.Certificate, ...]  # the leaf first
    key: PrivateKeyTypes
    names: Names

    @property
    def chain_pem(self) -> bytes:
        """The chain as it stands in a PEM file."""
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.chain)

    @property
    def key_pem(self) -> bytes:
        """The key as it stands in a PEM file."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def kind(self) -> type[CertificatePublicKeyTypes]:
        """The kind of its key: OpenSSL holds one certificate of each kind in a context."""
        return type(self.chain[0].public_key())

    def put_into(self, context: SSL.Context) -> None:
        """Let `context` show this certificate, with a chain of its own. Raises TlsFault."""
        try:
            # Not add_extra_chain_cert: what that adds is shown with every kind of certificate.
            # A file of our own: that at `path` may be another by now, or out of our reach.
            with tempfile.NamedTemporaryFile() as file:
                file.write(self.chain_pem)
                file.flush()
                context.use_certificate_chain_file(file.name)
            # cryptography reads more kinds of keys than pyOpenSSL's type admits; those that
            # are not for signing are refused here too.
            context.use_privatekey(self.key)  # type: ignore[arg-type]
            context.check_privatekey()
        except (SSL.Error, TypeError) as error:
            raise TlsFault(self.path, f"can't be used: {words(error)}") from None


def read_pair(chain_path: str, key_path: str | None) -> Pair:
    """A certificate with its chain, the leaf first, and its key.

    Where `key_path` is None, the key is in the chain's file, too. Raises TlsFault for files
    that can't be read or do not belong together.
    """
    chain, key = read_chain(chain_path), read_key(key_path or chain_path)
    if chain[0].public_key() != key.public_key():
        raise TlsFault(
            key_path or chain_path,
            f"is not the key of the first certificate in {chain_path} (the leaf must be first)",
        )
    try:
        names = names_of(chain[0])
    except ValueError as error:
        raise TlsFault(chain_path, f"the names of its certificate are broken: {error}") from None
    return Pair(chain_path, tuple(chain), key, names)


def pair_of(path: str, chain: bytes, key: bytes) -> Pair:
    """A certificate whose PEM another process has read, and found to be right."""
    certificates = x509.load_pem_x509_certificates(chain)
    names = names_of(certificates[0])
    return Pair(path, tuple(certificates), _loaded(key), names)


def _loaded(pem: bytes) -> PrivateKeyTypes:
    # To prove its primes takes half a second for RSA of 4096 bits, and all visitors would wait.
    return load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)


def read_chain(path: str) -> list[x509.Certificate]:
    """All certificates of a PEM file, at least one, or TlsFault."""
    pem = _read(path)
    blocks = pem.count(b"-----BEGIN CERTIFICATE-----")
    try:
        chain = x509.load_pem_x509_certificates(pem) if blocks else []
    except ValueError:
        chain = []
    # A block that was cut off at its end is passed over by the parser, not refused.
    if not blocks or len(chain) != blocks:
        raise TlsFault(path, "holds a broken certificate" if blocks else "holds no certificate")
    return chain


def read_key(path: str) -> PrivateKeyTypes:
    """The private key of a PEM file, whatever else is in it, or TlsFault."""
    block = re.search(
        rb"-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY)-----.*?-----END \1-----", _read(path), re.DOTALL
    )
    if block is None:
        raise TlsFault(path, "holds no private key")
    try:
        return _loaded(block[0] + b"\n")
    except TypeError:
        raise TlsFault(path, "the private key is encrypted, and nobody is there to ask") from None
    except Exception:
        # Besides ValueError, cryptography has UnsupportedAlgorithm and internal errors here.
        raise TlsFault(path, "holds a broken private key, or one of an unknown kind") from None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise TlsFault(path, "is not a file")
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise TlsFault(path, f"can't be read: {why}") from None
    if len(data) > LARGEST_FILE:
        raise TlsFault(path, f"is larger than {LARGEST_FILE} bytes")
    return data


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # else a FIFO would wait for its writer


def words(error: Exception) -> str:
    """What OpenSSL says of the last of its errors, without the codes."""
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        return str(error.args[0][-1][-1])
    return str(error) or type(error).__name__
