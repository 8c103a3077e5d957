"""What came of windows by itself, on its way to the journal.

It is so at once; the journal follows, and is asked again at each look until it has it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sorryd.control.chronicle import Chronicle
from sorryd.journal import Change, HistoryEntry, WindowPut
from sorryd.window import Window


class Commits(Protocol):
    """What those who change something need of a journal."""

    def commit(self, changes: tuple[Change, ...], entry: HistoryEntry) -> Deferred[None]:
        """Write it all or nothing; fires when it is on disk."""


@dataclass
class _Unsaved:
    """A window as it is, and the lines on it that the journal does not have yet."""

    window: Window
    entries: deque[HistoryEntry] = field(default_factory=deque)
    is_saving: bool = False


class Observed:
    """Windows that the journal does not know as they are."""

    def __init__(self, journal: Commits, chronicle: Chronicle) -> None:
        self._journal = journal
        self._chronicle = chronicle
        self._unsaved: dict[str, _Unsaved] = {}

    @property
    def windows(self) -> tuple[Window, ...]:
        """Those that the journal does not have as they are."""
        return tuple(unsaved.window for unsaved in self._unsaved.values())

    def find(self, name: str) -> Window | None:
        """The window of that id, if the journal does not have it as it is."""
        unsaved = self._unsaved.get(name)
        return None if unsaved is None else unsaved.window

    def add(self, before: Window, after: Window, verb: str, site: str | None, now: float) -> None:
        """This became of a window at the instant `now`; `verb` is for the history."""
        unsaved = self._unsaved.setdefault(after.id, _Unsaved(after))
        unsaved.window = after
        entry = HistoryEntry(
            at=now,
            verb=verb,
            site=site,
            window=after.id,
            before=(WindowPut(window=before),),
            after=(WindowPut(window=after),),
        )
        unsaved.entries.append(entry)

    def follow(self, window: Window) -> None:
        """The journal has this window from somebody else."""
        unsaved = self._unsaved.get(window.id)
        if unsaved is not None:
            unsaved.window = window

    def save(self, reserved: Collection[str]) -> None:
        """Ask the journal for what it does not have; but for `reserved` windows.

        It is just writing those for somebody else, and must not have the old ones after them.
        """
        for name, unsaved in tuple(self._unsaved.items()):
            if name not in reserved and not unsaved.is_saving:
                self._save(unsaved)

    def _save(self, unsaved: _Unsaved) -> None:
        unsaved.is_saving = True
        window = unsaved.window

        def saved(_: None) -> None:
            unsaved.is_saving = False
            unsaved.entries.popleft()
            if not unsaved.entries:
                del self._unsaved[window.id]
                self._chronicle.saved(window)

        def refused(why: Failure) -> None:
            unsaved.is_saving = False
            self._chronicle.unsaved(window, why)

        change = WindowPut(window=window)
        self._journal.commit((change,), unsaved.entries[0]).addCallbacks(saved, refused)
