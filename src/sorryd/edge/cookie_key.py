"""The secret under which sticky cookies are made: a file beside the journal.

It is kept, so that visitors keep their members over a restart. Whoever has it can tell a
member's cookie by the member's URL. Several daemons before the same members may share a copy.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import Final

NAME: Final = "cookies.key"
_LENGTH: Final = 32  # bytes; in hexadecimal in the file


class CookieKeyFault(Exception):
    """There is no usable key, for a reason that the operator can mend; one line."""


def cookie_key(folder: str) -> bytes:
    """The key in `folder`, made at the first call; it is readable by its owner alone.

    `folder` exists. Raises CookieKeyFault where the file can't be read or made, or holds
    anything else.
    """
    path = os.path.join(folder, NAME)
    try:
        if not os.path.exists(path):
            _make(path)
        with open(path, "rb") as file:
            written = file.read(4 * _LENGTH)
    except OSError as error:
        raise CookieKeyFault(f"{path}: {error.strerror}") from None
    try:
        key = bytes.fromhex(written.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != _LENGTH:
        raise CookieKeyFault(
            f"{path}: not a key of {2 * _LENGTH} hexadecimal digits; without the file, a new one"
            " is made"
        )
    return key


def _make(path: str) -> None:
    """Write a new key, whole or not at all."""
    draft = f"{path}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_LENGTH) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
