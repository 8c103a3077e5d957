"""What sites show to visitors by TLS, and which of it for which name.

A visitor says which name it asks for (Server Name Indication, RFC 6066 §3). At each address,
every handshake begins with one context, which has no certificate and hands the connection on to
the one that is right for the name; where one is right for all, it begins with that, since much is
copied to change contexts. Tickets of all its sites are sealed with the keys of that first one,
which die with it: whoever is shown new certificates makes a whole handshake. A session of TLS 1.2
that is offered for another name goes on as one for the name that it was made for. In TLS 1.3 that
is the client's to heed (RFC 8446 §4.2.11).
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from cryptography.exceptions import InvalidSignature
from OpenSSL import SSL

from sorryd.edge.self_signed import RENEWED_AHEAD, self_signed
from sorryd.edge.tls import HTTP11, Pair, TlsFault, harden, read_pair, server_name
from sorryd.model import Certificate, Site
from sorryd.policy.expiry import early, warning
from sorryd.policy.routing import Routes
from sorryd.reports import ShownCertificate

_VERSIONS: Final = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}

Prints = Mapping[str, tuple[int, ...]]
"""What files look like from outside, by their paths: empty for one that is not there."""


class ProtocolRefused(SSL.Error):
    """A visitor that offers protocols by ALPN, and no HTTP/1 among them."""


class SiteCertificates:
    """The certificates of one site, whole and ready to be shown.

    Of each kind of key (RSA, ECDSA ...) the first certificate that has a name is shown for it,
    else the first that has it by a wildcard; of the kinds that a visitor knows, OpenSSL chooses.
    `first` is for the names that none of them has. `pairs` are they themselves, with their keys.

    `shown` tells what they are, `chains` have all of each. `lowest` is the oldest version of TLS
    that is spoken. `prints` are those of the files, taken before they were read. `renew_at` is
    the instant from which on one of sorryd's own should be made anew; else it is infinite.
    """

    def __init__(self, site: Site, pairs: Sequence[Pair], prints: Prints) -> None:
        """`pairs`, at least one, are those of ``site.certificates``.

        Raises TlsFault where OpenSSL will not have one of them.
        """
        self.lowest = _VERSIONS[site.tls_min]
        self.prints = prints
        self.chains = tuple(pair.chain for pair in pairs)
        self.pairs = tuple(pairs)
        self.shown = tuple(_shown(site, pair) for pair in pairs)
        own = any(certificate.self_signed for certificate in site.certificates)
        self.renew_at = min(s.expires for s in self.shown) - RENEWED_AHEAD if own else math.inf
        self._flaws = [flaw for pair in pairs if (flaw := _flaw(pair))] + _unnamed(site, pairs)
        names = pairs[0].names.dns
        contexts = _Contexts(pairs, self.lowest)
        self._places = _best(pairs, names[0]) if names else (0,)  # of those in `first`
        self.first = contexts.of(self._places)
        self._exact: dict[bytes, SSL.Context] = {}
        self._below: dict[bytes, SSL.Context] = {}  # by what follows the "*."
        for name in dict.fromkeys(name for pair in pairs for name in pair.names.dns):
            known = self._below if name.startswith("*.") else self._exact
            if plain := name.removeprefix("*."):
                known[plain.encode()] = contexts.of(_best(pairs, name))

    def context_for(self, name: bytes) -> SSL.Context:
        """What is shown for `name`: in lower case, without a dot at its end, b"" for none.

        A wildcard stands for one label (RFC 9525 §6.3).
        """
        context = self._exact.get(name)
        if context is None:
            context = self._below.get(name.partition(b".")[2], self.first)
        return context

    def for_all(self) -> SSL.Context | None:
        """A context, made anew, of what is shown for any name at all.

        None where that depends on the name, or where it can't be made now.
        """
        named = (*self._exact.values(), *self._below.values())
        if any(context is not self.first for context in named):
            return None
        try:
            return _Contexts(self.pairs, self.lowest).of(self._places)
        except (TlsFault, OSError):  # a full disk: put_into writes a file
            return None

    def warnings(self, now: float) -> list[str]:
        """What the operator should know of them at the instant `now`, each with its file."""
        told = [(shown.file, warning(shown, now)) for shown in self.shown]
        begins = [chain[0].not_valid_before_utc.timestamp() for chain in self.chains]
        told += [(s.file, early(at, now)) for s, at in zip(self.shown, begins, strict=True)]
        return [f"{file} {text}" for file, text in told if text] + self._flaws


class ServerNames:
    """What visitors of one address are shown, by the name that they ask for.

    `default` is what handshakes begin with: ``SSL.Connection(names.default, sock)``.
    """

    def __init__(self, choices: Sequence[tuple[Sequence[str], SiteCertificates]]) -> None:
        """`choices`, at least one, are the sites' hosts and certificates, the default first.

        The site is chosen as Routes does it. No name at all is one that no site has.
        """
        sites = [certificates for _, certificates in choices]
        # Anew, though `first` is the same: the keys of tickets are to be this address's own.
        only = sites[0].for_all() if all(site is sites[0] for site in sites) else None
        if only is not None:
            self.default = only
            return
        self.default = _fresh(min(certificates.lowest for certificates in sites))
        self.default.set_tlsext_servername_callback(
            _hand_on(Routes([hosts for hosts, _ in choices]), sites)
        )


def _hand_on(routes: Routes, sites: Sequence[SiteCertificates]) -> Callable[[SSL.Connection], None]:
    # Without a certificate it can only fail, by an alert. OpenSSL has chosen the version before
    # it asks for a context, so the site's own can't refuse it any more.
    too_old = _fresh(SSL.TLS1_2_VERSION)

    def hand_on(connection: SSL.Connection) -> None:
        name = server_name(connection) or b""
        site = sites[routes.find(name)]
        is_spoken = connection.get_protocol_version() >= site.lowest
        connection.set_context(site.context_for(name) if is_spoken else too_old)

    return hand_on


# --- from a site to its certificates ------------------------------------------------------


def site_certificates(site: Site, own_folder: str) -> SiteCertificates:
    """What `site` shows. One of sorryd's own is made in `own_folder`, where it is due.

    Raises TlsFault.
    """
    paths = [_paths(site, certificate, own_folder) for certificate in site.certificates]
    prints = prints_of(path for pair in paths for path in pair if path is not None)
    return SiteCertificates(site, [read_pair(*pair) for pair in paths], prints)


def prints_of(paths: Iterable[str]) -> Prints:
    """What the files at `paths` look like now; a link counts as the file that it leads to."""
    return {path: _print(path) for path in paths}


def _print(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


def _paths(site: Site, certificate: Certificate, own_folder: str) -> tuple[str, str | None]:
    if not certificate.self_signed:
        return certificate.chain, certificate.key
    names = [host.strip("[]") for host in site.hosts]
    names += [listen.host for listen in site.listen if listen.tls]
    names.append(socket.gethostname())
    return self_signed(own_folder, names, stem=f"self-signed-{site.name}")


def _shown(site: Site, pair: Pair) -> ShownCertificate:
    return ShownCertificate(
        site=site.name,
        file=pair.path,
        names=tuple(pair.names.spoken()),
        expires=pair.chain[0].not_valid_after_utc.timestamp(),
    )


def _best(pairs: Sequence[Pair], name: str) -> tuple[int, ...]:
    """The places of the certificates that are shown for `name`: one of each kind of key."""
    found: dict[object, int] = {}
    for wanted in (name, f"*.{name.partition('.')[2]}"):
        for place, pair in enumerate(pairs):
            if wanted in pair.names.dns:
                found.setdefault(pair.kind, place)
    return tuple(found.values())


def _flaw(pair: Pair) -> str:
    """What is wrong with the order of a chain; most visitors' programs will mend it."""
    for number, (one, above) in enumerate(pairwise(pair.chain), start=1):
        try:
            one.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature):
            return f"{pair.path}: certificate {number + 1} in it did not issue number {number}"
    return ""


def _unnamed(site: Site, pairs: Sequence[Pair]) -> list[str]:
    """What is said of hosts that no certificate is for: visitors' programs will refuse it there.

    A host with a wildcard is content with a certificate for some name below it.
    """
    names = {name for pair in pairs for name in (*pair.names.dns, *pair.names.addresses)}
    missing = [
        host
        for host in site.hosts
        if host.strip("[]") not in names
        and f"*.{host.partition('.')[2]}" not in names
        and not (host.startswith("*.") and any(name.endswith(host[1:]) for name in names))
    ]
    return [f"no certificate of this site is for {', '.join(missing)}"] if missing else []


# --- contexts -----------------------------------------------------------------------------


class _Contexts:
    """One context for all names with the same certificates, however many names that are."""

    def __init__(self, pairs: Sequence[Pair], lowest: int) -> None:
        self._pairs = pairs
        self._lowest = lowest
        self._made: dict[tuple[int, ...], SSL.Context] = {}

    def of(self, places: tuple[int, ...]) -> SSL.Context:
        """The one that shows the certificates at these places. Raises TlsFault."""
        context = self._made.get(places)
        if context is None:
            context = self._made[places] = _fresh(self._lowest)
            context.set_tlsext_servername_callback(_take_name)
            for place in places:
                self._pairs[place].put_into(context)
        return context


def _fresh(lowest: int) -> SSL.Context:
    """A visitors' context, without a certificate as yet."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    harden(context, lowest)
    context.set_alpn_select_callback(_choose_protocol)
    context.set_session_id(b"sorryd")
    # Tickets keep the state with the visitor; without a cache, it costs no memory here.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    return context


def _take_name(connection: SSL.Connection) -> None:
    """Any name is taken, and so is kept in sessions of TLS 1.2, which resume without it."""


def _choose_protocol(connection: SSL.Connection, offered: list[bytes]) -> bytes:
    """HTTP/1.1 whatever the order; who offers no HTTP/1 is told so (RFC 7301 §3.2)."""
    for protocol in (HTTP11, b"http/1.0"):
        if protocol in offered:
            return protocol
    raise ProtocolRefused("the visitor offers no HTTP/1 by ALPN")
