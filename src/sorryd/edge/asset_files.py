"""Opening a file for visitors: of one folder, and of nothing outside it.

The real path is what counts. Links within the folder are followed, one that leads out is not;
the folder may be a link itself, which is followed anew each time, so that it may be turned to
another place while sorryd runs.
"""

from __future__ import annotations

import errno
import os
import stat
from http import HTTPStatus
from typing import Final, NamedTuple

from sorryd.policy.assets import File

_MISSING: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL}
    | {errno.ENXIO, errno.ENODEV, errno.EISDIR}
)
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM})
# No terminal becomes ours, no pipe is waited for.
_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


class Opened(NamedTuple):
    """A descriptor, which its owner closes, and what was there when it was opened."""

    descriptor: int
    file: File


def open_below(folder: str, path: bytes) -> Opened | HTTPStatus:
    """The regular file at `path` below `folder`, or the status of why there is none.

    `path` is relative, its segments are neither empty nor dots.
    """
    try:
        root = os.path.realpath(os.fsencode(folder))
        real = os.path.realpath(os.path.join(root, path), strict=True)
        if not real.startswith(root.rstrip(b"/") + b"/"):
            return HTTPStatus.NOT_FOUND
        return _open(real)
    except ValueError:  # a NUL
        return HTTPStatus.NOT_FOUND
    except OSError as error:
        return _status(error.errno)


def _open(real: bytes) -> Opened | HTTPStatus:
    if not stat.S_ISREG(os.stat(real, follow_symlinks=False).st_mode):
        return HTTPStatus.NOT_FOUND  # to open a device may do something
    descriptor = os.open(real, _FLAGS)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        return HTTPStatus.NOT_FOUND
    return Opened(descriptor, File(size=found.st_size, mtime=found.st_mtime_ns, inode=found.st_ino))


def _status(number: int | None) -> HTTPStatus:
    if number in _MISSING:
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.FORBIDDEN if number in _FORBIDDEN else HTTPStatus.SERVICE_UNAVAILABLE
