"""The secret under which sticky cookies are made: a file beside the journal.

It is kept, so that visitors keep their members over a restart. Whoever has it can tell a
member's cookie by the member's URL. Several daemons before the same members may share a copy.
"""

from __future__ import annotations

import os
import secrets
from typing import Final

from sorryd.folders import replace_file

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
            replace_file(path, secrets.token_hex(_LENGTH).encode("ascii") + b"\n", 0o600)
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
