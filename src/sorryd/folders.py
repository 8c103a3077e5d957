"""Folders made where they are missing."""

from __future__ import annotations

import contextlib
import os


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
