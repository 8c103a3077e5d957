"""One line of `members` in sorryd.ini: a URL and its options."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sorryd import config_tls
from sorryd.config_values import BadValue, duration, host_and_port, host_name, shown, truth, whole
from sorryd.model import Member, MemberTls

_PORTS = {"http": 80, "https": 443}
_KNOWN = "weight=, retry=, standby, and for https:// ca=, name=, verify="


def member(text: str, retry: float, absolute: Callable[[str], str]) -> Member:
    """``URL [weight=N] [retry=D] [standby]``; for ``https://`` also ca=, name=, verify=no.

    `retry` is the site's, in seconds; `absolute` completes the path of a CA file. Raises
    BadValue with everything that is wrong with the line.
    """
    url, *options = text.split() or [text]
    wrongs: list[str] = []
    found = Member(url=url, host="", port=0, retry=retry)
    try:
        found = _server(url, found)
    except BadValue as wrong:
        wrongs += wrong.texts
    seen: set[str] = set()
    for option in options:
        try:
            found = _with_option(found, option, seen, absolute)
        except BadValue as wrong:
            wrongs += wrong.texts
    if wrongs:
        raise BadValue(*wrongs)
    return found


def _server(url: str, member: Member) -> Member:
    """The member with what its URL says (RFC 3986 §3.2, without user and path)."""
    scheme, separator, rest = url.partition("://")
    if scheme.startswith("unix:"):
        raise BadValue(f"{shown(url)}: UNIX sockets are not supported yet")
    if not separator or scheme not in _PORTS:
        raise BadValue(f"{shown(url)}: a member starts with http:// or https://")
    if "@" in rest or "?" in rest or "#" in rest:
        raise BadValue(f"{shown(url)}: only a host and a port may follow {scheme}://")
    if "/" in rest:
        raise BadValue(f"{shown(url)}: a path is not supported yet (nor a / at the end)")
    host, port = host_and_port(rest)
    if not host or port == 0:
        raise BadValue(f"{shown(url)}: {'the port must be 1 to 65535' if host else 'no host'}")
    return msgspec.structs.replace(
        member,
        host=host_name(host),
        port=_PORTS[scheme] if port is None else port,
        tls=MemberTls() if scheme == "https" else None,
    )


def _with_option(
    member: Member, option: str, seen: set[str], absolute: Callable[[str], str]
) -> Member:
    name, equals, value = option.partition("=")
    if name in seen:
        raise BadValue(f"{shown(option)}: {shown(name)} is said twice")
    seen.add(name)
    if name == "standby" and not equals:
        return msgspec.structs.replace(member, standby=True)
    if "://" in option:
        raise BadValue(f"{shown(option)}: each member stands on a line of its own")
    if not value or name not in ("weight", "retry", "ca", "name", "verify", "cert", "key"):
        raise BadValue(f"{shown(option)}: no such option (there are {_KNOWN})")
    try:
        return _with_value(member, name, value, absolute)
    except BadValue as wrong:
        raise BadValue(*(f"{name}={text}" for text in wrong.texts)) from None


def _with_value(member: Member, name: str, value: str, absolute: Callable[[str], str]) -> Member:
    match name:
        case "weight":
            return msgspec.structs.replace(member, weight=whole(1, 256)(value))
        case "retry":
            return msgspec.structs.replace(member, retry=duration(0.0, bare=True)(value))
        case "cert" | "key":
            raise BadValue(f"{shown(value)}: not supported yet")
        case _:
            return msgspec.structs.replace(member, tls=_verified(member, name, value, absolute))


def _verified(member: Member, name: str, value: str, absolute: Callable[[str], str]) -> MemberTls:
    """How the member is verified, with one more option."""
    if member.tls is None and not member.url.startswith("https:"):
        raise BadValue(f"{shown(value)}: only for https:// members")
    tls = member.tls or MemberTls()
    match name:
        case "ca":
            return msgspec.structs.replace(tls, ca=config_tls.authorities(absolute(value)))
        case "name":
            return msgspec.structs.replace(tls, name=host_name(value))
        case _:
            return msgspec.structs.replace(tls, verify=truth(value))
