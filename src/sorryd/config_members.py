"""The members of a site in sorryd.ini: one a line, a URL and its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from sorryd import config_tls as pem
from sorryd.config_addresses import host_name
from sorryd.config_keys import Keys
from sorryd.config_servers import with_server
from sorryd.config_values import BadValue, duration, shown, truth, whole
from sorryd.model import Member, MemberTls

_OF_TLS: Final = ("ca", "name", "verify", "cert", "key")
_NAMES: Final = frozenset({"weight", "retry", "max_connections", *_OF_TLS})
_KNOWN: Final = (
    "weight=, retry=, max_connections=, standby, and for https:// ca=, name=, verify=, cert=, key="
)


def members(keys: Keys, workers: int = 0) -> tuple[Member, ...]:
    """The members of a site: no server twice, and at least one that is no standby.

    Each of the `workers` needs a part of a member's limit, or it could never ask that member.
    """
    retry = keys.one("retry", duration(0.0, bare=True), 5.0)
    found = keys.lines("members", lambda text: _member(text, retry, keys.absolute))
    lines: dict[Member, int] = {}
    for line, one in found:
        first = lines.setdefault(_server(one), line)
        if first != line:
            keys.fault("members", f"{one.url}: is already at line {first}", line)
        if 0 < one.max_connections < workers:
            few = f"max_connections={one.max_connections}: must be at least {workers}"
            keys.fault("members", f"{few}, one for each of the workers", line)
    if found and all(one.standby for _, one in found):
        keys.fault("members", "at least one member must not be standby")
    return tuple(one for _, one in found)


def _server(member: Member) -> Member:
    """What is equal for two members that are one server, and one path there."""
    return Member(
        url="",
        host=member.host.lower(),
        port=member.port,
        path=member.path,
        socket=member.socket,
        tls=None if member.tls is None else MemberTls(),
    )


def _member(text: str, retry: float, absolute: Callable[[str], str]) -> Member:
    """One line. Raises BadValue with everything that is wrong with it.

    `retry` is the site's, in seconds; `absolute` completes the paths of files.
    """
    url, *options = text.split() or [text]
    wrongs: list[str] = []
    found = Member(url=url, host="", port=0, retry=retry)
    try:
        found = with_server(found, absolute)
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
    if found.tls is not None:
        _check_shown(found.tls)
    return found


def _with_option(
    member: Member, option: str, seen: set[str], absolute: Callable[[str], str]
) -> Member:
    name, equals, value = option.partition("=")
    if name in seen:
        raise BadValue(f"{shown(option)}: {shown(name)} is said twice")
    seen.add(name)
    if name == "standby" and not equals:
        return msgspec.structs.replace(member, standby=True)
    if "://" in option or option.startswith("unix:"):
        raise BadValue(f"{shown(option)}: each member stands on a line of its own")
    if not value or name not in _NAMES:
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
        case "max_connections":
            return msgspec.structs.replace(member, max_connections=whole(1, 1_000_000)(value))
        case _:
            return msgspec.structs.replace(member, tls=_with_tls(member, name, value, absolute))


def _with_tls(member: Member, name: str, value: str, absolute: Callable[[str], str]) -> MemberTls:
    """How the member is spoken to over TLS, with one more option."""
    if member.tls is None and not member.url.startswith("https:"):
        raise BadValue(f"{shown(value)}: only for https:// members")
    tls = member.tls or MemberTls()
    match name:
        case "ca":
            return msgspec.structs.replace(tls, ca=pem.authorities(absolute(value)))
        case "name":
            return msgspec.structs.replace(tls, name=host_name(value))
        case "verify":
            return msgspec.structs.replace(tls, verify=truth(value))
        case "cert":
            return msgspec.structs.replace(tls, cert=pem.chain(absolute(value)).path)
        case _:
            return msgspec.structs.replace(tls, key=pem.private_key(absolute(value)).path)


def _check_shown(tls: MemberTls) -> None:
    """Refuse what we would show to a member, if it is no certificate with its key."""
    if tls.cert is None:
        if tls.key is not None:
            raise BadValue(f"key={tls.key}: needs cert=, the certificate that it is for")
        return
    try:
        pem.check_pair(pem.chain(tls.cert), pem.private_key(tls.key or tls.cert))
    except BadValue as wrong:
        hint = "" if tls.key else " (is it in another file? name that as key=)"
        raise BadValue(f"cert={wrong}{hint}") from None
