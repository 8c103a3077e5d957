"""Pages that were fetched, kept on disk: a restart has them while the server they are from is away.

One file a site, in a folder beside the journal.
"""

from __future__ import annotations

import hashlib
import os
from typing import Final

import msgspec

from sorryd.folders import make_folder, replace_file
from sorryd.model import Value
from sorryd.snapshot import GivenPage

FOLDER: Final = "fetched"
"""Beside the journal."""

_LARGEST: Final = 2**22  # bytes of a file: more than any page that is kept


class Copy(Value, frozen=True):
    """A page as it came from `url`, with what a server needs to say that it has not changed.

    `etag` and `modified` are the values of ETag and Last-Modified (RFC 9110 §8.8), empty where
    there was none.
    """

    url: str
    page: GivenPage
    etag: str = ""
    modified: str = ""


class NotGood(Exception):
    """No page came, or none that could be shown; its str says why, for a person."""


class CopyFault(Exception):
    """A copy can't be kept, or what was kept is no use; its str says why."""


def copy_path(folder: str, site: str) -> str:
    """The file for `site`; `folder` is that of the journal."""
    digest = hashlib.sha256(site.encode("utf-8")).hexdigest()[:12]
    return os.path.join(folder, FOLDER, f"{site[:64]}-{digest}.page")


def read_copy(folder: str, site: str, url: str) -> Copy | None:
    """What was kept for `site`, if it is from `url`. Raises CopyFault."""
    path = copy_path(folder, site)
    try:
        with open(path, "rb") as file:
            copy = msgspec.msgpack.decode(file.read(_LARGEST), type=Copy)
    except FileNotFoundError:
        return None
    except OSError as why:
        raise CopyFault(f"{path}: {why.strerror}") from None
    except msgspec.MsgspecError:
        raise CopyFault(f"{path}: is not what sorryd has written; it is not used") from None
    return copy if copy.url == url else None


def write_copy(folder: str, site: str, copy: Copy) -> None:
    """Keep `copy` for `site`, whole, in place of the one before. Raises CopyFault."""
    path = copy_path(folder, site)
    try:
        make_folder(os.path.dirname(path))
        replace_file(path, msgspec.msgpack.encode(copy), 0o600)
    except OSError as why:
        raise CopyFault(f"{path}: {why.strerror}") from None
