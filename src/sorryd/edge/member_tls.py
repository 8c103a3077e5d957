"""The members' side of TLS: whether one is who it should be, what we show it, and sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from OpenSSL import SSL
from OpenSSL.crypto import X509, X509StoreFlags
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address

from sorryd.edge.addresses import is_address
from sorryd.edge.interfaces import Wire
from sorryd.edge.tls import BROKEN, HTTP11, TlsFault, harden, names_of, read_chain, read_pair, words
from sorryd.edge.tls_transport import TlsTransport
from sorryd.model import MemberTls

WHOLE_EVERY: Final = 3600.0
"""Seconds for which sessions stand for a member's certificate; then it must show it again."""

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


class MemberTlsFault(SSL.Error):
    """A member that is not who it should be; `text` says why, for the log."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def member_context(tls: MemberTls) -> SSL.Context:
    """How an ``https://`` member is spoken to.

    A certificate in `tls.ca` is trusted whether it is a root, an intermediate or the
    member's own. Raises TlsFault where one of the files can't be used. A member that fails
    verification makes the handshake raise MemberTlsFault.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    harden(context, SSL.TLS1_2_VERSION)
    context.set_alpn_protos([HTTP11])
    if tls.cert is not None:
        read_pair(tls.cert, tls.key).put_into(context)
    if not tls.verify:
        context.set_verify(SSL.VERIFY_NONE)
        return context
    if tls.ca is None:
        context.set_default_verify_paths()
    else:
        _trust(context, tls.ca)
    context.set_verify(SSL.VERIFY_PEER, _judge)
    return context


def _trust(context: SSL.Context, path: str) -> None:
    read_chain(path)
    try:
        context.load_verify_locations(path)
    except SSL.Error as error:
        raise TlsFault(path, f"can't be used: {words(error)}") from None
    store = context.get_cert_store()
    assert store is not None  # a context is never without one
    store.set_flags(X509StoreFlags.PARTIAL_CHAIN)


def _judge(connection: SSL.Connection, shown: X509, reason: int, depth: int, good: int) -> bool:
    if not good:
        # pyOpenSSL hands an exception on to whoever does the handshake.
        raise MemberTlsFault(_VERIFY_REASONS.get(reason, f"its certificate fails, code {reason}"))
    return True


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
        shown = _few(names_of(certificate).spoken())
        raise MemberTlsFault(f"its certificate is for {shown}, not for {name}") from None
    except (CertificateError, ValueError, *BROKEN) as error:
        raise MemberTlsFault(f"its certificate can't be checked for {name}: {error}") from None


def _few(names: list[str]) -> str:
    more = ["..."] if len(names) > _SHOWN_NAMES else []
    return ", ".join([*names[:_SHOWN_NAMES], *more]) or "no host"


def sni(name: str) -> bytes | None:
    """`name` as TLS sends it; None for IP addresses (RFC 6066 §3)."""
    if not name or is_address(name):
        return None
    bare = name.rstrip(".")
    return bare.encode("ascii") if bare.isascii() else bare.encode("idna")


# --- sessions -----------------------------------------------------------------------------


class Resumption:
    """The last session with one member, which makes the next handshake short.

    One for each pool. A session that is resumed shows no certificate, and gives tickets for the
    next one: so every `WHOLE_EVERY` seconds a handshake is made whole, lest a certificate that
    has ended be believed for ever.
    """

    def __init__(self, moment: Callable[[], float]) -> None:
        self._moment = moment
        self._session: SSL.Session | None = None
        self._context: SSL.Context | None = None
        self._since = 0.0  # the moment of the whole handshake that the session comes from

    def offer(self, tls: SSL.Connection) -> None:
        """Before the handshake: offer the member to resume, where there is something to."""
        now = since = self._moment()
        if self._session is not None and tls.get_context() is self._context:
            if now - self._since < WHOLE_EVERY:
                tls.set_session(self._session)
                since = self._since
            else:
                self.forget()
        tls.set_app_data(since)

    def keep(self, transport: Wire) -> None:
        """A connection has carried an answer: its session is for the next one.

        Not sooner: tickets of TLS 1.3 come after the handshake (RFC 8446 §4.6.1).
        """
        session = session_of(transport)
        if session is None:
            return
        assert isinstance(transport, TlsTransport)
        since = transport.tls.get_app_data()
        if self._session is None or since >= self._since:
            self._session, self._since = session, since
            self._context = transport.tls.get_context()

    def forget(self) -> None:
        """A handshake failed; it may have been for the session that was offered."""
        self._session = self._context = None


def session_of(transport: Wire) -> SSL.Session | None:
    """The session of a connection; None where it has none, or is plain."""
    return transport.tls.get_session() if isinstance(transport, TlsTransport) else None
