"""Single values of sorryd.ini: text in, typed value out, or `BadValue` with what is wrong.

Nothing here knows which key a value belongs to. Files and the machine's zone are read, as
values name them; nothing else is touched.
"""

from __future__ import annotations

import difflib
import grp
import ipaddress
import os
import re
import stat
import zoneinfo
from collections.abc import Callable, Mapping

from sorryd import times
from sorryd.model import Listen

LARGEST_FILE = 16 * 1024 * 1024  # bytes of a page or a PEM file
LARGEST_SIZE = 2**62
SOCKET_PATH_BYTES = 107  # sun_path of Linux less its final NUL, see unix(7)

_SIZE = re.compile(r"([0-9]{1,19})([kmg]?)", re.IGNORECASE)
_SIZES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_BARE_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_YES = frozenset({"yes", "on", "true"})
_NO = frozenset({"no", "off", "false"})


class BadValue(ValueError):
    """A value that is refused; `texts` says everything that is wrong with it."""

    def __init__(self, *texts: str) -> None:
        super().__init__("; ".join(texts))
        self.texts = texts


def shown(text: str) -> str:
    """A value as a message may repeat it: not too long."""
    return text if len(text) <= 60 else f"{text[:57]}..."


def truth(text: str) -> bool:
    """``yes`` or ``no`` (also on, off, true, false)."""
    word = text.lower()
    if word not in _YES and word not in _NO:
        raise BadValue(f"{shown(text)}: say yes or no")
    return word in _YES


def only_no(text: str) -> bool:
    """``no``; ``yes`` is known and not served yet."""
    if truth(text):
        raise BadValue(f"{shown(text)}: not supported yet (only no)")
    return False


def later(text: str) -> None:
    """Refuses whatever is said: the key is known and not served yet."""
    raise BadValue(f"{shown(text)}: not supported yet")


def word(now: str, *not_yet: str) -> Callable[[str], str]:
    """A reader of the one word `now`; a value that starts with one of `not_yet` is known."""

    def read(text: str) -> str:
        if text == now:
            return text
        if text.partition(" ")[0] in not_yet:
            raise BadValue(f"{shown(text)}: not supported yet (only {now})")
        raise BadValue(f"{shown(text)}: not known (only {now} is supported yet)")

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of some words."""

    def read(text: str) -> str:
        if text not in words:
            raise BadValue(f"{shown(text)}: must be {' or '.join(words)}")
        return text

    return read


def workers(text: str) -> int:
    """``0``: one process. Other numbers and ``auto`` are known and not served yet."""
    if text != "auto" and not _is_digits(text):
        raise BadValue(f"{shown(text)}: not a number of workers")
    if text == "auto" or int(text) != 0:
        raise BadValue(f"{shown(text)}: not supported yet (only 0)")
    return 0


def whole(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers in ``least..most``."""

    def read(text: str) -> int:
        if not _is_digits(text) or not least <= int(text) <= most:
            raise BadValue(f"{shown(text)}: must be a whole number, {least} to {most}")
        return int(text)

    return read


def size(least: int, most: int) -> Callable[[str], int]:
    """A reader of bytes in ``least..most``, with k, m or g for powers of 1024 as in nginx."""

    def read(text: str) -> int:
        match = _SIZE.fullmatch(text)
        value = -1 if match is None else int(match[1]) * _SIZES[match[2].lower()]
        if not least <= value <= most:
            raise BadValue(f"{shown(text)}: must be a size in bytes, {least} to {most} (k, m, g)")
        return value

    return read


def duration(least: float, *, bare: bool = False) -> Callable[[str], float]:
    """A reader of durations of at least `least` seconds; `bare`: a number alone is seconds."""

    def read(text: str) -> float:
        try:
            seconds = times.parse_duration(
                f"{text}s" if bare and _BARE_SECONDS.fullmatch(text) else text
            )
        except times.TimeFault as fault:
            raise BadValue(str(fault)) from None
        if seconds < least:
            raise BadValue(f"{shown(text)}: must be at least {times.format_duration(least)}")
        return seconds

    return read


def zone(text: str) -> str:
    """The name of an IANA zone."""
    try:
        return times.parse_zone(text).key
    except times.TimeFault as fault:
        near = difflib.get_close_matches(shown(text), zoneinfo.available_timezones(), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise BadValue(f"{fault}{hint}") from None


def machine_zone(environ: Mapping[str, str], localtime: str = "/etc/localtime") -> str:
    """The machine's IANA zone: of TZ, else of the link at `localtime`, else UTC."""
    try:
        link = os.readlink(localtime)
    except OSError:
        link = ""
    for place in (environ.get("TZ", "").removeprefix(":"), link):
        name = place.partition("zoneinfo/")[2] or place
        try:
            return times.parse_zone(name).key
        except times.TimeFault:
            continue
    return "UTC"


def mode(text: str) -> int:
    """Permission bits in octal, ``0660``."""
    if not re.fullmatch("[0-7]{3,4}", text) or int(text, 8) > 0o777:
        raise BadValue(f"{shown(text)}: must be octal permission bits such as 0660")
    return int(text, 8)


def group(text: str) -> str:
    """The name of a group that this machine knows."""
    try:
        return grp.getgrnam(text).gr_name
    except (KeyError, ValueError):
        raise BadValue(f"{shown(text)}: this machine knows no such group") from None


def file_bytes(path: str) -> bytes:
    """What a regular file holds, up to `LARGEST_FILE`."""
    data = b""
    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)  # opening a FIFO would wait for ever
        if regular:
            with open(path, "rb") as stream:
                data = stream.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BadValue(f"{path}: cannot be read: {why}") from None
    if not regular:
        raise BadValue(f"{path}: is not a file")
    if len(data) > LARGEST_FILE:
        raise BadValue(f"{path}: larger than {LARGEST_FILE} bytes")
    return data


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


def listen(text: str) -> Listen:
    """``ADDR:PORT``, ``[V6]:PORT``, with the word ``tls``. Port 0: the system chooses one."""
    place, *options = text.split()
    if place.startswith("unix:"):
        raise BadValue(f"{shown(text)}: UNIX sockets are not supported yet")
    if "proxy" in options:
        raise BadValue(f"{shown(text)}: proxy is not supported yet")
    if options not in ([], ["tls"]):
        raise BadValue(f"{shown(text)}: only the word tls may follow the address")
    host, port = host_and_port(place)
    if port is None:
        raise BadValue(f"{shown(place)}: an address and a port, such as 0.0.0.0:80 or [::]:80")
    return Listen(host=_literal(host), port=port, tls=bool(options))


def host_name(text: str) -> str:
    """A host's name (letters, digits, ``-``, ``_`` and dots) or literal address."""
    if ":" in text or text.rpartition(".")[2].isdigit():
        return _literal(text)
    labels = text.removesuffix(".").split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadValue(f"{shown(text)}: not a host's name (for other alphabets write xn--...)")
    return text


def _literal(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        hint = " (for every address: 0.0.0.0 or [::])" if host in ("", "*") else ""
        raise BadValue(f"{shown(host) or 'nothing'}: not an IP address{hint}") from None


def _v6(host: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise BadValue(f"[{shown(host)}]: not an IPv6 address") from None


def _port(text: str, digits: str) -> int:
    if not _is_digits(digits) or int(digits) > 65535:
        raise BadValue(f"{shown(text)}: the port must be 1 to 65535")
    return int(digits)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19
