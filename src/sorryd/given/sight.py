"""What is at the path of a sorry file: one look, which may wait for a disk.

A look is a level: what is there now is what counts, whatever was there in between.
"""

from __future__ import annotations

import os
import stat
from typing import Final, NamedTuple

from msgspec.structs import replace

from sorryd.model import Value
from sorryd.snapshot import GivenPage

MOST: Final = 4 * 2**20
"""Bytes of the largest sorry file that is shown. What is shown is compressed, too."""

SETTLED: Final = 2.0
"""Seconds after which a file system's time stamps tell a change from the one before it.

Those of NFS and FAT have whole seconds, and Linux's go in steps of some milliseconds.
"""

_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_OWN: Final = "the site's own page is shown"


class Stamp(NamedTuple):
    """What tells one state of a file from another; times in seconds and nanoseconds."""

    device: int
    inode: int
    size: int
    modified: int  # ns
    changed: int  # ns


class Sight(Value, frozen=True):
    """What a look has found.

    `page` is the file; its body is empty where the site's own page must do. None: there is no
    such file. `stamp` is its state when it was read. `folder` says which one (device and inode)
    the path leads through last, None: there is none. `trouble`, if any, is for the log.
    """

    page: GivenPage | None = None
    stamp: Stamp | None = None
    folder: tuple[int, int] | None = None
    trouble: str = ""


NOTHING: Final = Sight()


def look(path: str, before: Sight, now: float) -> Sight:
    """What is at `path` at the instant `now`, where `before` is what was seen last.

    The file is read again only where it is another, or its last change is not yet `SETTLED`.
    """
    folder = _folder(os.path.dirname(path))
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            return _file(path, _stamp(status), replace(before, folder=folder), now)
    except (FileNotFoundError, NotADirectoryError):
        return Sight(folder=folder)
    except OSError as why:
        trouble = f"can't be looked at: {why.strerror}; as long as that is so, nothing changes"
        return replace(before, folder=folder, trouble=trouble)
    return Sight(folder=folder, trouble="is no regular file, and counts for nothing")


def _folder(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        modified=status.st_mtime_ns,
        changed=status.st_ctime_ns,
    )


def _is_settled(stamp: Stamp, now: float) -> bool:
    return all(abs(now - time / 1e9) > SETTLED for time in (stamp.modified, stamp.changed))


def _file(path: str, stamp: Stamp, before: Sight, now: float) -> Sight:
    if before.page is not None and before.stamp == stamp and _is_settled(stamp, now):
        return before
    body, trouble = b"", ""
    try:
        stamp, body = _read(path)
    except FileNotFoundError:
        raise
    except OSError as why:
        trouble = f"can't be read: {why.strerror}; {_OWN}"
    if len(body) > MOST:
        body, trouble = b"", f"is larger than {MOST // 2**20} MiB; {_OWN}"
    page = GivenPage(
        body=body,
        media_type=_media_type(body),
        since=now if before.page is None else before.page.since,
    )
    return Sight(page=page, stamp=stamp, folder=before.folder, trouble=trouble)


def _read(path: str) -> tuple[Stamp, bytes]:
    """The state of the file that is opened, and at most `MOST` bytes of it and one more."""
    with open(os.open(path, _FLAGS), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError  # any more, since it was looked at
        return _stamp(status), file.read(min(status.st_size, MOST) + 1)


def _media_type(body: bytes) -> str:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "text/html"  # the page may say in which encoding it is
    return "text/html; charset=utf-8"
