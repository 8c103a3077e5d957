"""Where all the sites of sorryd.ini are reached, and whether any two are in each other's way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from sorryd.config_addresses import spelled
from sorryd.config_keys import Keys
from sorryd.model import Listen, Value


class Reach(Value, frozen=True):
    """Where one site is reached, each listener and host with its line, and whom it trusts."""

    site: str
    keys: Keys
    listeners: tuple[tuple[int, Listen], ...]
    hosts: tuple[tuple[int, str], ...]
    trusted: tuple[str, ...]


class _Claim(Value, frozen=True):
    """A listener, and where it is written."""

    line: int
    listen: Listen
    reach: Reach


def check_reaches(reaches: Iterable[Reach], control: str) -> None:
    """Note listeners that cannot be, and sites at one address that nobody could tell apart.

    Sites may share an address, in the order of the file. `control` is the control socket.
    """
    claims: dict[Listen, list[_Claim]] = {}
    for reach in reaches:
        for line, listen in reach.listeners:
            claim = _Claim(line=line, listen=listen, reach=reach)
            place = _place(listen)
            fault = _clash(claim, claims.get(place, ())) or _covered(place, claims)
            if listen.path == control:
                fault = f"{_said(listen)} is the control socket"
            if fault is not None:
                reach.keys.fault("listen", fault, line)
            elif listen.port or listen.path or listen.name:  # port 0 is never the same as another
                claims.setdefault(place, []).append(claim)
    noted: set[tuple[int, str]] = set()
    for sharing in claims.values():
        _check_hosts(sharing, noted)
        _check_open(sharing)


def _clash(claim: _Claim, others: Sequence[_Claim]) -> str | None:
    """Why a listener can't share its address with those there before; None where it can."""
    said = _said(claim.listen)
    for first in others:
        if first.reach is claim.reach:
            return f"{said} is already listened at ({said}, line {first.line})"
        if first.listen != claim.listen:
            return (
                f"{said}: sites at one address must agree in tls and proxy "
                f"([site {first.reach.site}] has {_written(first.listen)}, line {first.line})"
            )
        if claim.listen.proxy and set(first.reach.trusted) != set(claim.reach.trusted):
            return (
                f"{said}: sites at one address with proxy must have the same trusted_proxies "
                f"(as [site {first.reach.site}], line {first.line})"
            )
    return None


def _covered(place: Listen, claims: dict[Listen, list[_Claim]]) -> str | None:
    """Why `place` is taken where another address is; None where it is not."""
    if place in claims or not place.port:
        return None
    for other, (first, *_) in claims.items():
        same_family = (":" in other.host) == (":" in place.host)
        every = {"0.0.0.0", "::"} & {other.host, place.host}
        if other.port == place.port and same_family and every:
            return f"{_said(place)} is already listened at ({_said(other)}, line {first.line})"
    return None


def _check_hosts(sharing: Sequence[_Claim], noted: set[tuple[int, str]]) -> None:
    """Note each host that two sites at one address have, unless `noted` for another address."""
    owners: dict[str, tuple[str, int]] = {}
    for claim in sharing:
        for line, host in claim.reach.hosts:
            site, first = owners.setdefault(host, (claim.reach.site, line))
            if site != claim.reach.site and (line, host) not in noted:
                noted.add((line, host))
                text = f"{host} is a host of [site {site}] too (line {first}), at one address"
                claim.reach.keys.fault("hosts", text, line)


def _check_open(sharing: Sequence[_Claim]) -> None:
    """Note each site at one address that answers to any host, but for the first."""
    first: _Claim | None = None
    for claim in sharing:
        if claim.reach.keys.has("hosts"):
            continue
        if first is None:
            first = claim
            continue
        claim.reach.keys.fault(
            "listen",
            f"{_said(claim.listen)}: [site {first.reach.site}] listens there too "
            f"(line {first.line}), and neither has hosts",
            claim.line,
        )


def _place(listen: Listen) -> Listen:
    """A listener without what is said of it: equal for all at one address."""
    return msgspec.structs.replace(listen, tls=False, proxy=False)


def _said(listen: Listen) -> str:
    """The address of a listener."""
    if listen.path is not None:
        return f"unix:{listen.path}"
    if listen.name is not None:
        return f"systemd:{listen.name}"
    return f"{spelled(listen.host)}:{listen.port}"


def _written(listen: Listen) -> str:
    words = [word for word, so in (("tls", listen.tls), ("proxy", listen.proxy)) if so]
    return " ".join((_said(listen), *words))
