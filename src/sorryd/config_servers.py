"""The URL of a member in sorryd.ini: where its server is, and the path before every target."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from sorryd.config_addresses import host_and_port, host_name, unix_path
from sorryd.config_values import BadValue, shown
from sorryd.model import Member, MemberTls

_PORTS = {"http": 80, "https": 443}
_PATH = re.compile("[!-~]*")


def with_server(member: Member, absolute: Callable[[str], str]) -> Member:
    """The member with what its `url` says.

    ``http://HOST[:PORT][/PATH]``, the same with ``https``, or ``unix:SOCKET[:/PATH]`` for plain
    HTTP (RFC 3986 §3.2, without a user). `absolute` completes the path of a socket.
    """
    url = member.url
    if "?" in url or "#" in url:
        raise BadValue(f"{shown(url)}: a member has no ? and no #")
    if url.startswith("unix:"):
        return _at_socket(member, absolute)
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in _PORTS:
        raise BadValue(f"{shown(url)}: a member starts with http://, https:// or unix:")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise BadValue(f"{shown(url)}: a user and a password can't be sent to a member")
    host, port = host_and_port(authority)
    if not host or port == 0:
        raise BadValue(f"{shown(url)}: {'the port must be 1 to 65535' if host else 'no host'}")
    return msgspec.structs.replace(
        member,
        host=host_name(host),
        port=_PORTS[scheme] if port is None else port,
        path=_prefix(slash + path),
        tls=MemberTls() if scheme == "https" else None,
    )


def _at_socket(member: Member, absolute: Callable[[str], str]) -> Member:
    socket, colon, path = member.url.partition(":/")
    if socket == "unix":  # the path of the socket itself begins with a slash
        socket, colon, path = path.partition(":/")
        socket = f"unix:/{socket}"
    return msgspec.structs.replace(
        member,
        host="localhost",
        port=80,
        socket=unix_path(socket, absolute),
        path=_prefix(f"/{path}" if colon else ""),
    )


def _prefix(path: str) -> str:
    """A path as it stands before every target: a slash at its end would be there twice."""
    if not _PATH.fullmatch(path):
        raise BadValue(f"{shown(path)}: a path is of visible ASCII characters (else %XX)")
    return path.rstrip("/")
