"""Where an answer points to: a member's own address becomes the one that the visitor asked.

What Apache does with ProxyPassReverse, ProxyPassReverseCookieDomain and -CookiePath, for all
members of a site at once, since an application may name another of them. An absolute URL that
begins with a member's scheme (or https, where the visitor came over TLS) and authority, and with
its path where it has one, gets the visitor's instead; a path that begins with a member's loses
that. Relative URLs, others' URLs and whatever can't be read stay as they are, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sorryd.model import Member

_DEFAULT_PORTS: Final = {b"http": b":80", b"https": b":443"}
_OWS: Final = b" \t"
# After an authority or a path of ours: a path, a query, a fragment, or what ends a URL in its
# field. Browsers take a backslash for a slash.
_ENDS: Final = b"/?#\\\"'<> \t"
_absolute: Final = re.compile(rb"(?i:(https?)://)([^/?#\\\"'<>\s]++)").match
# The pragma Refresh of the HTML Standard: seconds, and then the URL, in quotes or not.
_before_refreshed: Final = re.compile(
    rb"[ \t]*+[0-9.]++[ \t]*+[;,][ \t]*+(?i:url[ \t]*+=)?[ \t]*+[\"']?"
).match
_is_ip: Final = re.compile(rb"\[.*|[0-9.]++").fullmatch


class Reverse:
    """The way back from members' addresses to the one that a visitor asked."""

    __slots__ = ("_hosts", "_paths", "_paths_at", "_paths_over_tls")

    def __init__(self, members: Sequence[Member]) -> None:
        self._hosts = frozenset(member.host.encode().lower() for member in members)
        self._paths = tuple(filter(None, _paths(members)))
        self._paths_at = {
            origin: _paths([member for member in members if _origin(member) == origin])
            for origin in map(_origin, members)
        }
        # A plain member learns from X-Forwarded-Proto that the visitor came over TLS. One that
        # believes this, and not X-Forwarded-Host, writes https:// before its own authority.
        told = {(b"https", authority): paths for (_, authority), paths in self._paths_at.items()}
        self._paths_over_tls = told | self._paths_at

    def rewrite(
        self, lines: list[bytes], at: Sequence[int], secure: bool, host: bytes
    ) -> list[bytes]:
        """`lines`, or a copy of it where one at the indices `at` is to be another.

        `host` is the authority that the visitor asked, over TLS where `secure`; where it is
        empty, an absolute URL becomes a path. Never fails, whatever the bytes.
        """
        there = (b"https://" if secure else b"http://") + host if host else b""
        new = lines
        for index in at:
            line = self._line(lines[index], there, host)
            if line != lines[index]:
                new = lines.copy() if new is lines else new
                new[index] = line
        return new

    def _line(self, line: bytes, there: bytes, host: bytes) -> bytes:
        name, colon, value = line.partition(b":")
        match name.lower():
            case b"location" | b"content-location":
                value = self._from(value, _indent(value), there)
            case b"uri":
                value = b"<".join(self._bracketed(value, there))
            case b"refresh":
                before = _before_refreshed(value)
                value = self._from(value, before.end(), there) if before else value
            case b"set-cookie":
                value = b";".join(self._cookie(value, host))
        return name + colon + value

    # --- URLs ---

    def _from(self, value: bytes, start: int, there: bytes) -> bytes:
        """`value` with another URL in place of the one that begins at `start`."""
        return value[:start] + self._url(value[start:], there)

    def _bracketed(self, value: bytes, there: bytes) -> Iterator[bytes]:
        """The parts of a URI field (RFC 2068 §19.6.2.5): each but the first begins with a URL."""
        first, *others = value.split(b"<")
        yield self._from(first, _indent(first), there)
        for part in others:
            yield self._url(part, there)

    def _url(self, url: bytes, there: bytes) -> bytes:
        absolute = _absolute(url)
        if absolute is None:
            there, rest = b"", _beyond(self._paths, url)
        else:
            origins = self._paths_over_tls if there[:5] == b"https" else self._paths_at
            paths = origins.get(_usual(absolute[1], absolute[2]), ())
            rest = _beyond(paths, url[absolute.end() :])
        if rest is None:
            return url
        if there:
            return there + rest
        path = _rooted(rest)
        # Where it would be read as //host, standing alone, it stays with what is before it.
        return url if path[1:2] in (b"/", b"\\", b"\t") else path

    # --- cookies ---

    def _cookie(self, value: bytes, host: bytes) -> Iterator[bytes]:
        """The parts of a Set-Cookie (RFC 6265 §5.2); the first is the cookie itself."""
        first, *attributes = value.split(b";")
        yield first
        for attribute in attributes:
            name, equals, word = attribute.partition(b"=")
            match name.strip(_OWS).lower():
                case b"path":
                    rest = _beyond(self._paths, word.lstrip(_OWS))
                    yield attribute if rest is None else name + equals + _rooted(rest)
                case b"domain" if word.strip(_OWS).removeprefix(b".").lower() in self._hosts:
                    domain = _domain(host)
                    if domain:
                        yield name + equals + domain
                case _:
                    yield attribute


def _origin(member: Member) -> tuple[bytes, bytes]:
    """The scheme and authority of a member, in their one usual form."""
    host = f"[{member.host}]" if ":" in member.host else member.host
    return _usual(b"https" if member.tls else b"http", f"{host}:{member.port}".encode())


def _usual(scheme: bytes, authority: bytes) -> tuple[bytes, bytes]:
    """RFC 9110 §4.2.3: no case, and no port where it is the scheme's own or empty."""
    scheme, authority = scheme.lower(), authority.lower()
    return scheme, authority.removesuffix(_DEFAULT_PORTS[scheme]).removesuffix(b":")


def _paths(members: Sequence[Member]) -> tuple[bytes, ...]:
    """The members' own paths, the longest first."""
    return tuple(sorted({member.path.encode() for member in members}, key=len, reverse=True))


def _indent(value: bytes) -> int:
    return len(value) - len(value.lstrip(_OWS))


def _beyond(paths: Sequence[bytes], path: bytes) -> bytes | None:
    """What follows the first of `paths` that `path` begins with; None where there is none."""
    for prefix in paths:
        rest = path[len(prefix) :]
        if path.startswith(prefix) and (not rest or rest[0] in _ENDS):
            return rest
    return None


def _rooted(rest: bytes) -> bytes:
    return rest if rest[:1] == b"/" else b"/" + rest


def _domain(host: bytes) -> bytes:
    """The domain for cookies of `host`; empty where browsers take none (RFC 6265 §5.3)."""
    name = host if host[:1] == b"[" else host.partition(b":")[0]
    return b"" if _is_ip(name) or b"." not in name else name
