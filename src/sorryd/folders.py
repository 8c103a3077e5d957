"""Folders made where they are missing, and files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile


def make_folder(folder: str) -> None:
    """Like os.makedirs, but 0755 whatever the umask, which is 077 for a daemon.

    Others must get through it to the control socket; files guard themselves. Raises OSError.
    """
    if not folder or os.path.isdir(folder):
        return
    make_folder(os.path.dirname(folder))
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder)
        os.chmod(folder, 0o755)


def replace_file(path: str, content: bytes, mode: int) -> None:
    """Write a whole file or nothing, with `mode` whatever the umask. Raises OSError."""
    descriptor, draft = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
