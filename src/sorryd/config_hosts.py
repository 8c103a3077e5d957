"""One of a site's `hosts` in sorryd.ini: a name, a wildcard or an address."""

from __future__ import annotations

import ipaddress

import idna

from sorryd.config_addresses import host_name, spelled
from sorryd.config_values import BadValue, shown


def host(text: str) -> str:
    """``NAME``, ``*.NAME`` or an address, as Host has it: lower case, in ASCII, IPv6 in brackets.

    Names in other alphabets become what browsers send (RFC 5891, UTS #46).
    """
    if text == "*":
        raise BadValue("*: to answer to any host, leave hosts out")
    address = _address(text)
    if address is not None:
        return spelled(address)
    wildcard, name = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    why = _why_not(name)
    if why is not None:
        raise BadValue(f"{shown(text)}: {why}")
    if _address(name) is not None:
        raise BadValue(f"{shown(text)}: no * before an address")
    try:
        return wildcard + host_name(_ascii(name)).lower()
    except BadValue:
        raise BadValue(f"{shown(text)}: not a host's name or address") from None


def _why_not(name: str) -> str | None:
    """What mistakes a name has that are worth a word of their own."""
    if "/" in name:
        return "only the host, such as shop.example.com"
    if " " in name or "\t" in name:
        return "hosts stand with commas between them, or each on its line"
    if ":" in name:
        return "without a port"
    if "*" in name:
        return "a * may only stand at the beginning, as in *.example.com"
    if name.endswith("."):
        return "without the dot at its end"
    return None


def _address(text: str) -> str | None:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def _ascii(name: str) -> str:
    try:
        return name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise BadValue(str(error)) from None
