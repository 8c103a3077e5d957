"""Where a request came from: whom that is believed of, and what the member is told.

A stranger's claims are dropped, and the member is told what we see. A trusted proxy's claims
are kept, and what we see is put behind them. Both families, X-Forwarded-* and Forwarded
(RFC 7239), leave here, and never disagree:

- Where the proxy sent one of them, the other is derived from it.
- Where it sent both and they name other hops, another protocol or another host, X-Forwarded-*
  is believed and Forwarded is written anew: many proxies set the former alone, and pass on
  whatever a visitor put into the latter.
- The first protocol and host that are named in Forwarded are those of X-Forwarded-Proto and
  -Host: there are applications that look no further.
- The chain of hops is walked from its right end over trusted addresses. The first that is not
  trusted is the client; ``unknown`` and obfuscated names stop the walk. The protocol and host
  that the client used are those of X-Forwarded-Proto and -Host, else what the element of
  Forwarded says at which the walk stopped, else those of our own connection.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from sorryd.model import Value
from sorryd.policy.claims import UNKNOWN, Claims, Node, identifier, read_claims, usual
from sorryd.policy.keeping import keep

UNIX: Final = "unix"
"""The word in `trusted_proxies` for all peers on UNIX sockets."""

_SECURE: Final = frozenset({b"https", b"wss"})
_REMEMBERED: Final = 1024  # addresses, per site


class Request(Protocol):
    """What is asked here of a request's head."""

    host: bytes
    claims: list[bytes] | None


class Trusted:
    """The proxies whose claims are believed.

    `networks` are CIDR networks, and the word ``unix``; ValueError where one is neither.
    """

    __slots__ = ("_networks", "_on_unix", "_peers", "_secure_peers", "believes")

    believes: Callable[[str], bool]
    """Whether the peer of this address is trusted; an empty one is that of a UNIX socket."""

    def __init__(self, networks: Sequence[str] = ()) -> None:
        self._on_unix = UNIX in networks
        self._networks = tuple(_network(word) for word in networks if word != UNIX)
        self.believes = functools.lru_cache(maxsize=_REMEMBERED)(self._believes)
        self._peers: dict[str, Forwarding] = {}
        self._secure_peers: dict[str, Forwarding] = {}

    def forwarding(self, address: str, tls: bool) -> Forwarding:
        """What is told of the peer of this address; `tls`: its connection is one.

        It is the same for all its connections, of which many come from where a proxy is.
        """
        peers = self._secure_peers if tls else self._peers
        found = peers.get(address)
        if found is None:
            found = Forwarding(address, tls, self)
            keep(peers, _REMEMBERED, address, found)
        return found

    def _believes(self, address: str) -> bool:
        if not address:
            return self._on_unix
        known = usual(address)
        return bool(known) and any(ipaddress.ip_address(known) in net for net in self._networks)


def _network(word: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A network, of IPv4 where it was mapped into IPv6, as addresses are."""
    network = ipaddress.ip_network(word)
    first = network.network_address
    if first.version == 6 and first.ipv4_mapped is not None and network.prefixlen >= 96:
        return ipaddress.ip_network((first.ipv4_mapped, network.prefixlen - 96))
    return network


class _Belief(Value, frozen=True):
    """What a trusted proxy's claims come to, and the lines that a member gets."""

    client: str
    proto: bytes
    host: bytes
    lines: bytes


class Forwarding:
    """The forwarding fields of one visitor's connections, worked out once per Host that is asked.

    ``X-Forwarded-For``, ``-Proto``, ``-Host`` as Apache and HAProxy write them, and
    ``Forwarded`` (RFC 7239). `address` is an IP literal without brackets, or empty for the peer
    on a UNIX socket; the zone of a link-local one (``%eth0``) says nothing to others and is left
    out. `tls` is that of our own connection. `is_believed`: it is a trusted proxy's.
    """

    __slots__ = (
        "_address", "_belief", "_claims", "_host", "_lines", "_node", "_proto", "_trusted",
        "is_believed",
    )  # fmt: skip

    def __init__(self, address: str, tls: bool, trusted: Trusted) -> None:
        plain = address.partition("%")[0]
        if plain.startswith("::ffff:"):
            plain = usual(plain)
        self._address = plain
        self._proto = b"https" if tls else b"http"
        self._node = identifier(plain) if plain else UNKNOWN
        self.is_believed = trusted.believes(plain)
        self._trusted = trusted if self.is_believed else None
        self._host: bytes | None = None
        self._lines = b""
        self._claims: list[bytes] | None = None  # whose belief this is
        self._belief: _Belief | None = None

    def lines(self, head: Request) -> bytes:
        """The fields, each with its line end, that `head` goes to a member with."""
        if self._trusted is not None and head.claims:
            return self._believed(head, head.claims, self._trusted).lines
        host = head.host
        if host != self._host:
            self._host = host
            self._lines = self._own(host)
        return self._lines

    def client(self, head: Request) -> str:
        """The address of who asked, as far as it is believed; empty for a UNIX socket's peer."""
        if self._trusted is None or not head.claims:
            return self._address
        return self._believed(head, head.claims, self._trusted).client

    def is_secure(self, head: Request) -> bool:
        """Whether the client asked over TLS."""
        if self._trusted is None or not head.claims:
            return self._proto == b"https"
        return self._believed(head, head.claims, self._trusted).proto in _SECURE

    def host(self, head: Request) -> bytes:
        """The host and port that the client asked; empty where it is not known."""
        if self._trusted is None or not head.claims:
            return head.host
        return self._believed(head, head.claims, self._trusted).host

    def _own(self, host: bytes) -> bytes:
        """What is told of a request that nobody claims anything of."""
        return self._written((), self._proto, host, [_element(self._node, self._proto, host)])

    def _believed(self, head: Request, lines: list[bytes], trusted: Trusted) -> _Belief:
        """What `lines`, the claims of `head`, come to; worked out once per request."""
        if self._belief is None or lines is not self._claims:
            self._belief = self._judged(read_claims(lines), head.host, trusted)
            self._claims = lines
        return self._belief

    def _judged(self, claims: Claims, asked: bytes, trusted: Trusted) -> _Belief:
        nodes = claims.nodes
        client, at = _walk(nodes, self._address, trusted)
        said = claims.element(at)
        proto = claims.proto or (said.proto if said else b"") or self._proto
        host = claims.host or (said.host if said else b"") or asked
        elements = [_element(node.identifier, b"", b"") for node in nodes]
        if said is not None and claims.agree(said):
            # What is to the left of it a stranger wrote: no more than the names stays of that.
            elements[at:] = [element.text for element in claims.elements[at:]]
            elements[at] += _said(b"" if said.proto else proto, b"" if said.host else host)
        elif nodes:
            elements[at] += _said(proto, host)
        # Without a chain, the peer itself is the client that the proxy speaks of.
        seen = (self._proto, asked) if nodes else (proto, host)
        elements.append(_element(self._node, *seen))
        names = [node.text if claims.chain else node.name for node in nodes]
        return _Belief(
            client=client,
            proto=proto,
            host=host,
            lines=self._written(names, proto, host, elements)
            + b"".join(line + b"\r\n" for line in claims.others),
        )

    def _written(
        self, before: Sequence[bytes], proto: bytes, host: bytes, elements: Sequence[bytes]
    ) -> bytes:
        """The lines of both families; `before` are the names of the hops before our peer."""
        chain = [*before, self._address.encode("ascii")] if self._address else before
        return b"".join((
            b"X-Forwarded-For: %b\r\n" % b", ".join(chain) if chain else b"",
            b"X-Forwarded-Proto: %b\r\n" % proto,
            b"X-Forwarded-Host: %b\r\n" % host if host else b"",
            b"Forwarded: %b\r\n" % b", ".join(elements),
        ))  # fmt: skip


def _walk(nodes: Sequence[Node], peer: str, trusted: Trusted) -> tuple[str, int]:
    """The client's address, and the index of the hop that the walk stopped at.

    `peer`, who sent the chain, is trusted.
    """
    client, at = peer, len(nodes)
    while at > 0:
        at -= 1
        address = nodes[at].address
        client = address or client
        if not (address and trusted.believes(address)):
            break
    return client, at


def _element(node: bytes, proto: bytes, host: bytes) -> bytes:
    """RFC 7239 §4."""
    return b"for=" + node + _said(proto, host)


def _said(proto: bytes, host: bytes) -> bytes:
    return (b';host="%b"' % host if host else b"") + (b";proto=%b" % proto if proto else b"")
