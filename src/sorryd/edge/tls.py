"""TLS settings: PEM files into contexts, both ways, and whether a member is who it should be.

The visitors' side follows Mozilla's intermediate recommendation, version 5.7: TLS 1.2 and
1.3, forward secrecy only, and the client's order of suites, since all are strong and it knows
what its processor does fast. Resumption is by OpenSSL's own tickets; they die with the
context, so a new one on reload changes their keys.

Nothing here does network I/O.
"""

from __future__ import annotations

import re
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from OpenSSL.crypto import X509, X509StoreFlags
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import (
    verify_certificate_hostname,
    verify_certificate_ip_address,
)

from sorryd.edge.addresses import is_address
from sorryd.model import MemberTls

# The TLS 1.2 suites; those of 1.3 are OpenSSL's own. DHE is left out: without parameters of
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
HTTP11: Final = b"http/1.1"

# SSL_MODE_ENABLE_PARTIAL_WRITE and SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER of openssl/ssl.h, to
# which pyOpenSSL gives no name: what the kernel did not take may be offered from a memoryview.
_PARTIAL_WRITES: Final = 0x1 | 0x2
_VERSIONS: Final = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
_SHOWN_NAMES: Final = 4

# Reasons of X509_verify_cert (openssl-verification-options(1)) that an operator can act on.
_UNTRUSTED: Final = "its certificate's issuer is unknown: check ca="
_VERIFY_REASONS: Final = {
    2: _UNTRUSTED,
    7: "its certificate's signature is wrong",
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is self-signed and not in ca=",
    19: _UNTRUSTED,
    20: _UNTRUSTED,
    21: _UNTRUSTED,
    23: "its certificate was revoked",
    24: "its certificate was issued by one that may not issue",
    26: "its certificate is not for servers",
    66: "its certificate's key is too weak",
    68: "its certificate's signature is too weak",
}


class TlsFault(Exception):
    """A certificate, key or CA file that can't be used: `path`, and `text` for why."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(path, text)
        self.path = path
        self.text = text

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


class MemberTlsFault(SSL.Error):
    """A member that is not who it should be; `text` says why, for the log."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class ProtocolRefused(SSL.Error):
    """A visitor that offers protocols by ALPN, and no HTTP/1 among them."""


# --- visitors ---------------------------------------------------------------------------


def server_context(chain_path: str, key_path: str | None, tls_min: str) -> SSL.Context:
    """What a listener shows to visitors.

    `chain_path` holds the leaf first; where `key_path` is None, the key too. `tls_min` is
    "1.2" or "1.3". Raises TlsFault for files that can't be read or do not belong together.
    """
    chain, key = read_chain(chain_path), read_key(key_path or chain_path)
    if chain[0].public_key() != key.public_key():
        raise TlsFault(
            key_path or chain_path,
            f"is not the key of the first certificate in {chain_path} (the leaf must be first)",
        )
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    _harden(context, _VERSIONS[tls_min])
    context.set_alpn_select_callback(_choose_protocol)
    context.set_session_id(b"sorryd")
    # Tickets keep the state with the visitor; without a cache, it costs no memory here.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    try:
        context.use_certificate(chain[0])
        for issuer in chain[1:]:
            context.add_extra_chain_cert(issuer)
        # cryptography reads more kinds of keys than pyOpenSSL's type admits; those that are
        # not for signing are refused here too.
        context.use_privatekey(key)  # type: ignore[arg-type]
    except (SSL.Error, TypeError) as error:
        raise TlsFault(chain_path, f"can't be used: {_words(error)}") from None
    return context


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
        return load_pem_private_key(block[0] + b"\n", password=None)
    except TypeError:
        raise TlsFault(path, "the private key is encrypted, and nobody is there to ask") from None
    except Exception:
        # Besides ValueError, cryptography has UnsupportedAlgorithm and internal errors here.
        raise TlsFault(path, "holds a broken private key, or one of an unknown kind") from None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise TlsFault(path, f"can't be read: {error.strerror}") from None


def _harden(context: SSL.Context, lowest: int) -> None:
    context.set_min_proto_version(lowest)
    context.set_cipher_list(CIPHERS)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(_PARTIAL_WRITES | SSL.MODE_RELEASE_BUFFERS)


def _choose_protocol(connection: SSL.Connection, offered: list[bytes]) -> bytes:
    """HTTP/1.1 whatever the order; who offers no HTTP/1 is told so (RFC 7301 §3.2)."""
    for protocol in (HTTP11, b"http/1.0"):
        if protocol in offered:
            return protocol
    raise ProtocolRefused("the visitor offers no HTTP/1 by ALPN")


# --- members ----------------------------------------------------------------------------


def member_context(tls: MemberTls) -> SSL.Context:
    """How an ``https://`` member is spoken to.

    A certificate in `tls.ca` is trusted whether it is a root, an intermediate or the
    member's own. Raises TlsFault where that file can't be used. A member that fails
    verification makes the handshake raise MemberTlsFault.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    _harden(context, SSL.TLS1_2_VERSION)
    context.set_alpn_protos([HTTP11])
    if not tls.verify:
        context.set_verify(SSL.VERIFY_NONE)
        return context
    if tls.ca is None:
        context.set_default_verify_paths()
    else:
        _trust(context, tls.ca)
    context.set_verify(SSL.VERIFY_PEER, _judge)
    return context


def verify_member(connection: SSL.Connection, name: str) -> None:
    """Check, after the handshake, that the member's certificate is for `name`.

    `name` is a DNS name or an IP address; only subjectAltName counts (RFC 9525 §6). Raises
    MemberTlsFault.
    """
    certificate = connection.get_peer_certificate(as_cryptography=True)
    if certificate is None:
        raise MemberTlsFault("it showed no certificate")
    try:
        if is_address(name):
            verify_certificate_ip_address(certificate, name.partition("%")[0])
        else:
            verify_certificate_hostname(certificate, name.rstrip("."))
    except VerificationError:
        shown = ", ".join(_names(certificate))
        raise MemberTlsFault(f"its certificate is for {shown}, not for {name}") from None
    except (CertificateError, ValueError) as error:
        raise MemberTlsFault(f"its certificate can't be checked for {name}: {error}") from None


def sni(name: str) -> bytes | None:
    """`name` as TLS sends it; None for IP addresses (RFC 6066 §3)."""
    if not name or is_address(name):
        return None
    bare = name.rstrip(".")
    return bare.encode("ascii") if bare.isascii() else bare.encode("idna")


def _trust(context: SSL.Context, path: str) -> None:
    read_chain(path)
    try:
        context.load_verify_locations(path)
    except SSL.Error as error:
        raise TlsFault(path, f"can't be used: {_words(error)}") from None
    store = context.get_cert_store()
    assert store is not None  # a context is never without one
    store.set_flags(X509StoreFlags.PARTIAL_CHAIN)


def _judge(connection: SSL.Connection, shown: X509, reason: int, depth: int, good: int) -> bool:
    if not good:
        # pyOpenSSL hands an exception on to whoever does the handshake.
        raise MemberTlsFault(_VERIFY_REASONS.get(reason, f"its certificate fails, code {reason}"))
    return True


def _names(certificate: x509.Certificate) -> list[str]:
    """The first names of a certificate, as it is safe to log them."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = [
        *found.get_values_for_type(x509.DNSName),
        *map(str, found.get_values_for_type(x509.IPAddress)),
    ]
    shown = [re.sub(r"[^!-~]", "?", name) for name in names[:_SHOWN_NAMES]]
    return [*shown, "..."] if len(names) > _SHOWN_NAMES else shown or ["no host"]


def _words(error: Exception) -> str:
    """What OpenSSL says of the last of its errors, without the codes."""
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        return str(error.args[0][-1][-1])
    return str(error) or type(error).__name__
