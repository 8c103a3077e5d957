"""Hosts, ports, networks and sockets as sorryd.ini writes them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from sorryd.config_values import BadValue, is_digits, shown

SOCKET_PATH_BYTES: Final = 107  # sun_path of Linux less its final NUL, see unix(7)
UNIX: Final = "unix"  # among trusted proxies: whoever connects to a UNIX socket
DNS_PORT: Final = 53

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def host_and_port(text: str) -> tuple[str, int | None]:
    """``HOST``, ``HOST:PORT`` or ``[V6]:PORT``; the host is without brackets, unchecked."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise BadValue(f"{shown(text)}: an IPv6 address stands as [::1]:443")
        return _v6(host), _port(text, rest[1:]) if rest else None
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, None
    if ":" in host:
        raise BadValue(f"{shown(text)}: an IPv6 address stands in brackets, [::1]:443")
    return host, _port(text, port)


def host_name(text: str) -> str:
    """A host's name (letters, digits, ``-``, ``_`` and dots) or literal address."""
    if ":" in text or text.rpartition(".")[2].isdigit():
        return literal(text)
    labels = text.removesuffix(".").split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadValue(f"{shown(text)}: not a host's name (for other alphabets write xn--...)")
    return text


def literal(host: str) -> str:
    """An IPv4 or IPv6 address, without brackets, in its shortest spelling."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        hint = " (for every address: 0.0.0.0 or [::])" if host in ("", "*") else ""
        raise BadValue(f"{shown(host) or 'nothing'}: not an IP address{hint}") from None


def spelled(host: str) -> str:
    """A host as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def authority(text: str) -> str:
    """``HOST`` or ``HOST:PORT`` as it may stand in the field Host."""
    host, port = host_and_port(text)
    _check_port(text, port)
    name = spelled(host_name(host))
    return name if port is None else f"{name}:{port}"


def nameserver(text: str) -> tuple[str, int]:
    """``ADDR``, ``ADDR:PORT`` or ``[V6]:PORT``: an address, and a port that is 53 if not said."""
    try:
        return str(ipaddress.ip_address(text)), DNS_PORT
    except ValueError:
        host, port = host_and_port(text)
    _check_port(text, port)
    return literal(host), DNS_PORT if port is None else port


def bound_address(text: str) -> tuple[str, int]:
    """``ADDR:PORT`` or ``[V6]:PORT`` to listen at; port 0: the system chooses one."""
    host, port = host_and_port(text)
    if port is None:
        raise BadValue(f"{shown(text)}: an address and a port, such as 127.0.0.1:8404")
    return literal(host), port


def network(text: str) -> str:
    """A network (``10.0.0.0/8``, or one address) in CIDR form, or the word ``unix``."""
    if text == UNIX:
        return text
    try:
        interface = ipaddress.ip_interface("" if "%" in text else text)  # no zone in a network
    except ValueError:
        raise BadValue(
            f"{shown(text)}: must be a network such as 10.0.0.0/8, an address, or the word unix"
        ) from None
    if interface.ip != interface.network.network_address:
        raise BadValue(f"{shown(text)}: is not a network; that would be {interface.network}")
    return str(interface.network)


def socket_path(path: str) -> str:
    """A path that is short enough for a UNIX socket."""
    if len(path.encode()) > SOCKET_PATH_BYTES:
        raise BadValue(
            f"{path}: longer than the {SOCKET_PATH_BYTES} bytes that a UNIX socket may have"
        )
    return path


def unix_path(text: str, absolute: Callable[[str], str]) -> str:
    """The socket's path in ``unix:PATH``, made absolute."""
    path = text.removeprefix("unix:")
    if not path:
        raise BadValue(f"{shown(text)}: a path must follow unix:")
    if path.startswith("/"):
        path = f"/{path.lstrip('/')}"  # two slashes would be kept, see POSIX on pathnames
    return socket_path(absolute(path))


def _v6(host: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise BadValue(f"[{shown(host)}]: not an IPv6 address") from None


def _port(text: str, digits: str) -> int:
    if not is_digits(digits) or int(digits) > 65535:
        raise BadValue(f"{shown(text)}: the port must be 1 to 65535")
    return int(digits)


def _check_port(text: str, port: int | None) -> None:
    """Refuse port 0, which only a listener may have."""
    if port == 0:
        raise BadValue(f"{shown(text)}: the port must be 1 to 65535")
