"""The key `check` of sorryd.ini: what is asked of members, and how often."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from sorryd.config_addresses import authority
from sorryd.config_values import BadValue, duration, percent, shown, statuses, whole
from sorryd.model import Check, CheckKind

_METHOD = re.compile("[A-Z]+(?:-[A-Z]+)*")
_TARGET = re.compile(r"/[!\"$-~]*")  # visible ASCII without #, RFC 9112 §3.2.1
_FORM: Final = "a check is METHOD TARGET, such as GET /healthz, or tcp"


def check(text: str) -> Check:
    """``METHOD TARGET`` or ``tcp``, and options. Raises BadValue with all that is wrong."""
    first, *options = text.split()
    found, wrongs = Check(kind=CheckKind.TCP), list[str]()
    if first != CheckKind.TCP:
        target = options.pop(0) if options else ""
        found = Check(method=first, target=target)
        wrongs += _request_faults(text, found)
    seen: set[str] = set()
    for option in options:
        try:
            found = _with_option(found, option, seen)
        except BadValue as wrong:
            wrongs += wrong.texts
    if wrongs:
        raise BadValue(*wrongs)
    return found


def _request_faults(text: str, found: Check) -> list[str]:
    if not found.target or not _METHOD.fullmatch(found.method):
        return [f"{shown(text)}: {_FORM}"]
    if found.method == "CONNECT":
        return ["CONNECT: asks for a tunnel; say GET or HEAD"]
    if found.target == "*" and found.method == "OPTIONS":
        return []
    if not _TARGET.fullmatch(found.target):
        return [f"{shown(found.target)}: a target begins with / and is ASCII without #"]
    return []


def _expected(text: str) -> tuple[tuple[int, int], ...]:
    """``200-399,404`` as ranges."""
    return tuple(statuses(200, 599)(part) for part in text.split(","))


_OPTIONS: Final[Mapping[str, Callable[[str], Any]]] = {
    "expect": _expected,
    "interval": duration(0.1),
    "timeout": duration(0.001),
    "jitter": percent(50),  # as spread-checks of HAProxy; 100% could be no wait at all
    "rise": whole(1, 1000),
    "fall": whole(1, 1000),
    "host": authority,
}
_OF_REQUESTS: Final = frozenset({"expect", "host"})


def _with_option(found: Check, option: str, seen: set[str]) -> Check:
    name, _, value = option.partition("=")
    if name in seen:
        raise BadValue(f"{shown(option)}: {shown(name)} is said twice")
    seen.add(name)
    if not value or name not in _OPTIONS:
        known = ", ".join(f"{each}=" for each in _OPTIONS)
        raise BadValue(f"{shown(option)}: no such option (there are {known})")
    if found.kind is CheckKind.TCP and name in _OF_REQUESTS:
        raise BadValue(f"{shown(option)}: a check by tcp asks for nothing")
    try:
        return msgspec.structs.replace(found, **{name: _OPTIONS[name](value)})
    except BadValue as wrong:
        raise BadValue(*(f"{name}={text}" for text in wrong.texts)) from None
