"""What a trusted proxy says of where a request came from: its fields, read strictly.

Two families tell the same: X-Forwarded-For, -Proto and -Host, and Forwarded (RFC 7239). A list
is read from its right end, which the nearest proxy wrote, up to the first thing in it that is
malformed. That and all to the left of it is dropped: a visitor can write anything there, and
must not hide what a proxy wrote behind it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, TypeVar

from sorryd.model import Value
from sorryd.policy.fields import TOKEN

HOPS: Final = 32
"""The most hops of a chain that are kept, the nearest ones."""

UNKNOWN: Final = b"unknown"
"""Of a hop that does not say who asked (RFC 7239 §6.2)."""

_PROTOCOLS: Final = frozenset({b"http", b"https", b"ws", b"wss"})
_OWS: Final = b" \t"
_PORT: Final = rb"(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]++))?"
_is_obfuscated: Final = re.compile(rb"(?:unknown|_[A-Za-z0-9._-]++)" + _PORT).fullmatch
_is_address: Final = re.compile(
    rb"(?:\[([0-9A-Fa-f]*+:[0-9A-Fa-f:.]++)\]|([0-9.]++))" + _PORT + rb"|([0-9A-Fa-f:.]++)"
).fullmatch
_is_authority: Final = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]++\]|[A-Za-z0-9._-]++)(?::[0-9]{1,5})?"
).fullmatch
# Without quoted pairs, and (by the way it is taken apart) without a comma or a semicolon in
# quotes: no address, host or scheme needs them, and a quote left open can't hide what follows.
_is_pair: Final = re.compile(rb"(" + TOKEN + rb")=(?:(" + TOKEN + rb')|"([^"\\]*+)")').fullmatch

T = TypeVar("T")


class Node(Value, frozen=True):
    """Who asked. `text` is as it came; `address` is empty where it is unknown or obfuscated.

    `address` is without port and brackets, in its one usual form, IPv4 where it was mapped into
    IPv6.
    """

    text: bytes
    address: str = ""

    @property
    def name(self) -> bytes:
        """Its name in X-Forwarded-For."""
        return self.address.encode("ascii") or self.text

    @property
    def identifier(self) -> bytes:
        """Its name in Forwarded (RFC 7239 §6)."""
        return identifier(self.address) if self.address else self.text.partition(b":")[0]


class Element(Value, frozen=True):
    """One element of Forwarded: a hop, as the proxy that it led to saw it.

    `text` is as it came; `proto` and `host` are empty where they are not said.
    """

    text: bytes
    node: Node
    proto: bytes = b""
    host: bytes = b""


class Claims(Value, frozen=True):
    """All that one request's trusted peer says; what it does not say is empty.

    `chain` is that of X-Forwarded-For. `others` are the lines that are passed on as they are.
    """

    chain: tuple[Node, ...] = ()
    proto: bytes = b""
    host: bytes = b""
    elements: tuple[Element, ...] = ()
    others: tuple[bytes, ...] = ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The hops, the client's end first."""
        return self.chain or tuple(element.node for element in self.elements)

    def element(self, at: int) -> Element | None:
        """The element of Forwarded for ``nodes[at]``; None where it names other hops, or none."""
        if [node.name for node in self.nodes] != [e.node.name for e in self.elements]:
            return None
        return self.elements[at] if self.elements else None

    def agree(self, element: Element) -> bool:
        """Whether X-Forwarded-Proto and -Host say nothing else than `element` does."""
        return not (
            (self.proto and element.proto and self.proto != element.proto)
            or (self.host and element.host and self.host.lower() != element.host.lower())
        )


def usual(address: str) -> str:
    """`address` in its one usual form, IPv4 where it was mapped; empty where it is none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return str(mapped or parsed)


def identifier(address: str) -> bytes:
    """An address as Forwarded spells it (RFC 7239 §6.1)."""
    plain = address.encode("ascii")
    return b'"[%b]"' % plain if b":" in plain else plain


def read_claims(lines: Sequence[bytes]) -> Claims:
    """The claims in field lines. Never fails: what is malformed is left out.

    Names with underscores are left out too: what reads them as hyphens can't tell them from
    the real ones.
    """
    chains: list[bytes] = []
    forwarded: list[bytes] = []
    others: list[bytes] = []
    proto = host = b""
    for line in lines:
        name, _, value = line.partition(b":")
        match name.lower():
            case b"x-forwarded-for":
                chains.append(value)
            case b"x-forwarded-proto":
                proto = value
            case b"x-forwarded-host":
                host = value
            case b"forwarded":
                forwarded.append(value)
            case other if b"_" not in other:
                others.append(line)
    return Claims(
        chain=_from_the_right(chains, _node),
        proto=_protocol(_last(proto)) or b"",
        host=_authority(_last(host)) or b"",
        elements=_from_the_right(forwarded, _element),
        others=tuple(others),
    )


def _from_the_right(values: list[bytes], read: Callable[[bytes], T | None]) -> tuple[T, ...]:
    """The items of a list (RFC 9110 §5.6.1), up to `HOPS`, behind the last that is malformed."""
    items = (item.strip(_OWS) for item in reversed(b",".join(values).split(b",")))
    kept: list[T] = []
    for item in islice(filter(None, items), HOPS):
        one = read(item)
        if one is None:
            break
        kept.append(one)
    return tuple(reversed(kept))


def _last(value: bytes) -> bytes:
    """Of several the one that the nearest proxy wrote."""
    return value.rpartition(b",")[2].strip(_OWS)


def _node(text: bytes) -> Node | None:
    found = _is_address(text)
    if found is not None:
        address = usual((found[1] or found[2] or found[3]).decode("ascii"))
        return Node(text=text, address=address) if address else None
    return Node(text=text) if _is_obfuscated(text) else None


def _element(text: bytes) -> Element | None:
    """RFC 7239 §4. None where anything in it is malformed, or said twice."""
    said: dict[bytes, bytes] = {}
    for part in filter(None, (part.strip(_OWS) for part in text.split(b";"))):
        pair = _is_pair(part)
        if pair is None or pair[1].lower() in said:
            return None
        said[pair[1].lower()] = pair[2] or pair[3] or b""
    node = _node(said.get(b"for", UNKNOWN))
    proto = _protocol(said.get(b"proto", b""))
    host = _authority(said.get(b"host", b""))
    if node is None or proto is None or host is None:
        return None
    return Element(text=text, node=node, proto=proto, host=host)


def _protocol(value: bytes) -> bytes | None:
    """A scheme in lower case; None where it is none."""
    proto = value.lower()
    return proto if proto in _PROTOCOLS or not proto else None


def _authority(value: bytes) -> bytes | None:
    return value if not value or _is_authority(value) else None
