"""One listener of a site: the text in sorryd.ini, and who may connect to one with ``proxy``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_network
from typing import Final

from sorryd.config_addresses import UNIX, host_and_port, literal, unix_path
from sorryd.config_keys import Keys
from sorryd.config_values import BadValue, shown
from sorryd.model import Listen

_SUPERVISOR: Final = "systemd:"
_is_socket_name: Final = re.compile(r"[!-9;-~]{1,255}").fullmatch  # systemd's own rule


def listen(text: str, absolute: Callable[[str], str]) -> Listen:
    """``ADDR:PORT``, ``[V6]:PORT``, ``unix:PATH`` or ``systemd:NAME``, and ``tls``, ``proxy``.

    Port 0: the system chooses one. `absolute` completes the path of a socket.
    """
    place, *words = text.split()
    if not {"tls", "proxy"}.issuperset(words):
        raise BadValue(f"{shown(text)}: only the words tls and proxy may follow the address")
    if len(set(words)) < len(words):
        raise BadValue(f"{shown(text)}: a word is said twice")
    tls, proxy = "tls" in words, "proxy" in words
    if place.startswith("unix:"):
        return Listen(host="", port=0, path=unix_path(place, absolute), tls=tls, proxy=proxy)
    if place.startswith(_SUPERVISOR):
        return Listen(host="", port=0, name=_socket_name(place), tls=tls, proxy=proxy)
    host, port = host_and_port(place)
    if port is None:
        raise BadValue(f"{shown(place)}: an address and a port, such as 0.0.0.0:80 or [::]:80")
    return Listen(host=literal(host), port=port, tls=tls, proxy=proxy)


def _socket_name(place: str) -> str:
    """The name of a socket that systemd opened: what FileDescriptorName= may be."""
    name = place.removeprefix(_SUPERVISOR)
    if not _is_socket_name(name):
        raise BadValue(f"{shown(place)}: after systemd: stands the FileDescriptorName= of a socket")
    return name


def check_proxies(
    keys: Keys, listeners: Iterable[tuple[int, Listen]], trusted: Sequence[str]
) -> None:
    """Note each listener with ``proxy`` to which nobody of `trusted_proxies` could connect."""
    if not keys.is_sound("trusted_proxies"):
        return
    for line, one in listeners:
        if one.proxy and not _has_visitors(one, trusted):
            whom = "the word unix" if one.path is not None else f"IPv{_family(one)} addresses"
            text = f"proxy needs {whom} in trusted_proxies: nobody could connect"
            keys.fault("listen", text, line)


def _has_visitors(one: Listen, trusted: Sequence[str]) -> bool:
    if one.name is not None:
        return True  # what it is, the supervisor knows
    if one.path is not None:
        return UNIX in trusted
    return any(ip_network(each).version == _family(one) for each in trusted if each != UNIX)


def _family(one: Listen) -> int:
    """Of which addresses its visitors are: a listener at [::] takes no IPv4."""
    return 6 if ":" in one.host else 4
