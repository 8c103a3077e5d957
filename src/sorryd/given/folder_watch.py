"""A folder that inotify watches, as far as that goes: who relies on it looks by himself too.

There is none on some file systems, changes made by another machine are not told, a path may lead
elsewhere from one moment to the next, and the kernel's queue may overflow.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.python.filepath import FilePath

inotify: Any
try:
    from twisted.internet import inotify
except ImportError:  # another kernel, or a C library without it
    inotify = None


class FolderWatch:
    """Calls `changed` when the file `name` in `folder` may have changed.

    `is_over` once the folder is gone, or stands at another path. Raises OSError where a folder
    can't be watched.
    """

    def __init__(self, reactor: Any, folder: str, name: str, changed: Callable[[], None]) -> None:
        if inotify is None:
            raise OSError("this system has no inotify")
        self.is_over = False
        self._name = os.fsencode(name)
        self._changed = changed
        self._ends = inotify.IN_DELETE_SELF | inotify.IN_MOVE_SELF | inotify.IN_UNMOUNT
        # One for each folder: Twisted's ends as a whole when one of its folders is deleted.
        try:
            self._inotify = inotify.INotify(reactor)
        except inotify.INotifyError as why:
            raise OSError(str(why)) from None
        try:
            self._inotify.watch(FilePath(folder), mask=self._mask(), callbacks=[self._told])
        except inotify.INotifyError as why:
            self.close()
            raise OSError(str(why)) from None
        self._inotify.startReading()

    def close(self) -> None:
        """Watch no more."""
        self.is_over = True
        self._inotify.loseConnection()

    def _mask(self) -> int:
        within = inotify.IN_CREATE | inotify.IN_CLOSE_WRITE | inotify.IN_ATTRIB
        moves = inotify.IN_DELETE | inotify.IN_MOVED_TO | inotify.IN_MOVED_FROM
        mask: int = self._ends | within | moves | inotify.IN_ONLYDIR
        return mask

    def _told(self, _: object, path: FilePath[bytes], mask: int) -> None:
        if mask & self._ends:
            self.is_over = True
        elif path.basename() != self._name:
            return
        self._changed()
