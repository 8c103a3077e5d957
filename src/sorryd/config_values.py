"""Single values of sorryd.ini: text in, typed value out, or `BadValue` with what is wrong.

Nothing here knows which key a value belongs to. Files and the machine's zone are read, as
values name them; nothing else is touched.
"""

from __future__ import annotations

import difflib
import enum
import grp
import os
import pwd
import re
import stat
import zoneinfo
from collections.abc import Callable, Mapping
from typing import TypeVar

from sorryd import times
from sorryd.policy.fields import TOKEN

Word = TypeVar("Word", bound=enum.StrEnum)

LARGEST_FILE = 16 * 1024 * 1024  # bytes of a page or a PEM file
LARGEST_SIZE = 2**62
LONGEST_NAME = 64  # characters of a cookie's name
MOST_WORKERS = 256

_SIZE = re.compile(r"([0-9]{1,19})([kmg]?)", re.IGNORECASE)
_SIZES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_BARE_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_TOKEN = re.compile(TOKEN.decode("ascii"))
_STATUSES = re.compile(r"([0-9]{3})(?:-([0-9]{3}))?")
_PERCENT = re.compile(r"([0-9]{1,3})%")
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


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of some words."""

    def read(text: str) -> str:
        if text not in words:
            raise BadValue(f"{shown(text)}: must be {' or '.join(words)}")
        return text

    return read


def choice(words: type[Word]) -> Callable[[str], Word]:
    """A reader of one of an enum's words."""
    *others, last = (word.value for word in words)
    listed = f"{', '.join(others)} or {last}"

    def read(text: str) -> Word:
        try:
            return words(text)
        except ValueError:
            near = difflib.get_close_matches(shown(text).lower(), [*others, last], n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise BadValue(f"{shown(text)}: must be {listed}{hint}") from None

    return read


def cookie_name(text: str) -> str:
    """The name of a cookie: a token of at most `LONGEST_NAME` characters (RFC 6265 §4.1.1)."""
    if not _TOKEN.fullmatch(text) or len(text) > LONGEST_NAME:
        raise BadValue(
            f"{shown(text)}: must be a cookie's name: letters, digits, - and _, "
            f"at most {LONGEST_NAME}"
        )
    return text


def statuses(least: int, most: int) -> Callable[[str], tuple[int, int]]:
    """A reader of ``404`` or ``500-504``, with codes in ``least..most``: both ends of a range."""

    def read(text: str) -> tuple[int, int]:
        match = _STATUSES.fullmatch(text)
        first, last = (0, 0) if match is None else (int(match[1]), int(match[2] or match[1]))
        if not least <= first <= last <= most:
            raise BadValue(
                f"{shown(text)}: must be a status code or a range of them, {least} to {most}"
            )
        return first, last

    return read


def percent(most: int) -> Callable[[str], float]:
    """A reader of ``10%`` as 0.1, from 0 to `most` per cent."""

    def read(text: str) -> float:
        match = _PERCENT.fullmatch(text)
        if match is None or int(match[1]) > most:
            raise BadValue(f"{shown(text)}: must be 0% to {most}%")
        return int(match[1]) / 100

    return read


def workers(text: str) -> int:
    """A number of edge processes; ``auto``: one for each core that this process may use."""
    if text == "auto":
        return len(os.sched_getaffinity(0))
    if not is_digits(text) or int(text) > MOST_WORKERS:
        raise BadValue(f"{shown(text)}: must be auto, or a number, 0 to {MOST_WORKERS}")
    return int(text)


def whole(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers in ``least..most``."""

    def read(text: str) -> int:
        if not is_digits(text) or not least <= int(text) <= most:
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


def user(text: str) -> str:
    """The name of a user that this machine knows."""
    try:
        return pwd.getpwnam(text).pw_name
    except (KeyError, ValueError):
        raise BadValue(f"{shown(text)}: this machine knows no such user") from None


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


def is_digits(text: str) -> bool:
    """Whether it is a number that int() takes quickly: ASCII digits, not too many."""
    return text.isascii() and text.isdigit() and len(text) <= 19
