"""The sorry files of all sites: while one is there, its site is down, and it is the page.

    files = SorryFiles(reactor, time.time, truth.find_file)
    files.use(config.sites, first_sights(config.sites, time.time()))
    files.stop()

A thread of their own looks at all of them every `EVERY` seconds, so no visitor waits for a disk,
and none for one that does not answer. That alone is right whatever happens; inotify rings the
bell, so that a file is seen at once in most places.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.given.folder_watch import FolderWatch
from sorryd.given.sight import NOTHING, Sight, look
from sorryd.model import Site
from sorryd.snapshot import GivenPage

EVERY: Final = 0.1
"""Seconds between two looks."""

log = Logger()


def first_sights(sites: Iterable[Site], now: float) -> dict[str, Sight]:
    """What is there, by the sites' names. Waits for disks."""
    return {
        site.name: look(site.sorry_file, NOTHING, now)
        for site in sites
        if site.sorry_file is not None
    }


class SorryFiles:
    """Looks after the sorry files. All but `_work` is called in the reactor's thread.

    `now` is the wall clock. `found` gets a site and what its file holds, or None.
    """

    def __init__(
        self,
        reactor: Any,
        now: Callable[[], float],
        found: Callable[[str, GivenPage | None], None],
        look: Callable[[str, Sight, float], Sight] = look,
    ) -> None:
        self._look = look
        self._reactor = reactor
        self._now = now
        self._found = found
        self._files: tuple[_SorryFile, ...] = ()
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_stopped = False

    def use(self, sites: Collection[Site], sights: Mapping[str, Sight]) -> None:
        """Look after the files of `sites`; `sights` are their `first_sights`."""
        before = {(file.site, file.path): file for file in self._files}
        given_up = {file.site for file in self._files}
        files = []
        for site in sites:
            if site.sorry_file is None:
                continue
            given_up.discard(site.name)
            file = before.pop((site.name, site.sorry_file), None)
            if file is None:
                sight = sights.get(site.name, NOTHING)
                file = _SorryFile(site.name, site.sorry_file, sight)
                self._take(file, sight)
            files.append(file)
        self._files = tuple(files)
        for file in before.values():
            file.let_go()
        for name in given_up & {site.name for site in sites}:
            self._found(name, None)
        self._look_now()

    def stop(self) -> None:
        """Look no more. The thread ends by itself: it may be waiting for a disk."""
        self._is_stopped = True
        for file in self._files:
            file.let_go()
        self._files = ()
        self._bell.set()

    def _look_now(self) -> None:
        if self._thread is None and self._files:
            self._thread = threading.Thread(target=self._work, name="sorry files", daemon=True)
            self._thread.start()
        self._bell.set()

    def _seen(self, file: _SorryFile, sight: Sight) -> None:
        if file in self._files:  # else it was given up meanwhile
            self._take(file, sight)

    def _take(self, file: _SorryFile, sight: Sight) -> None:
        self._tell(file, sight)
        before, file.told = file.told, sight
        if sight.page != before.page or before is NOTHING:
            self._found(file.site, sight.page)
        self._watch(file, sight)

    def _tell(self, file: _SorryFile, sight: Sight) -> None:
        if sight.trouble and sight.trouble != file.told.trouble:
            log.warn(
                "site {site}: sorry_file {path} {trouble}",
                site=file.site, path=file.path, trouble=sight.trouble,
            )  # fmt: skip

    def _watch(self, file: _SorryFile, sight: Sight) -> None:
        """Have inotify ring the bell, where it can; else we look by ourselves."""
        if not file.is_blind and file.watched == sight.folder:
            return
        file.let_go()
        file.watched, file.is_blind = sight.folder, False
        if sight.folder is None:
            return
        folder, name = os.path.split(file.path)
        try:
            file.watch = FolderWatch(self._reactor, folder, name, lambda: self._rung(file))
        except OSError:
            if not file.is_told:
                file.is_told = True
                log.info(
                    "site {site}: sorry_file {path}: no inotify there; looked at every {every} s",
                    site=file.site, path=file.path, every=EVERY,
                )  # fmt: skip
        self._bell.set()  # for what happened before it was watched

    def _rung(self, file: _SorryFile) -> None:
        if file.watch is not None and file.watch.is_over:
            file.let_go()
            file.is_blind = True
        self._bell.set()

    def _work(self) -> None:
        """The thread."""
        while True:
            self._bell.clear()
            if self._is_stopped:  # asked behind the bell, which is rung for that, too
                return
            for file in self._files:
                self._look_at(file)
            self._bell.wait(EVERY if self._files else None)

    def _look_at(self, file: _SorryFile) -> None:
        try:
            sight = self._look(file.path, file.sight, self._now())
        except Exception:
            if not file.is_broken:
                file.is_broken = True
                bug = Failure()
                self._reactor.callFromThread(log.failure, "a bug in a look at a sorry file", bug)
            return
        before, file.sight = file.sight, sight
        if sight != before or (file.is_blind and sight.folder is not None):
            self._reactor.callFromThread(self._seen, file, sight)


class _SorryFile:
    """One of them. `sight` and `is_broken` are the thread's, the rest is the reactor's.

    `told` is the last sight that the reactor's thread has heard of. `watched` is the folder that
    was to be watched last. It `is_blind` while that must be done again.
    """

    def __init__(self, site: str, path: str, sight: Sight) -> None:
        self.site = site
        self.path = path
        self.sight = sight
        self.told = NOTHING
        self.watched: tuple[int, int] | None = None
        self.watch: FolderWatch | None = None
        self.is_blind = False
        self.is_told = False  # that there is no inotify
        self.is_broken = False  # and the log has told of it

    def let_go(self) -> None:
        watch, self.watch = self.watch, None
        if watch is not None:
            watch.close()
