"""Journals and windows to put into them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred

from sorryd.journal import HistoryEntry, Journal, Loaded, WindowPut
from sorryd.window import Author, Window, WindowKind

T = TypeVar("T")

ALICE = Author(uid=1000, name="alice", pid=42)
ENTRY = HistoryEntry(at=5.0, verb="site.down", author=ALICE, site="shop", reason="disks")


def run(function: Callable[..., T], *args: Any) -> Deferred[T]:
    return maybeDeferred(function, *args)


def result(deferred: Deferred[T]) -> T:
    """What `deferred` has fired with; raises what it has failed with."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    (found,) = results
    if hasattr(found, "raiseException"):
        found.raiseException()
    return found  # type: ignore[no-any-return]  # the Deferred said what it is


def window(name: str, start: float = 10, end: float | None = 20, **fields: Any) -> Window:
    given = Window(
        id=name,
        site="shop",
        kind=WindowKind.PLANNED,
        start=start,
        end=end,
        reason="disks 日本",
        timezone="Asia/Tokyo",
        author=ALICE,
        created=5.0,
    )
    return msgspec.structs.replace(given, **fields)


def put(journal: Journal, *windows: Window) -> None:
    result(journal.commit(tuple(WindowPut(window=window) for window in windows), ENTRY))


def reopened(journal: Journal, path: str) -> Loaded:
    """What another daemon would start from."""
    journal.close()
    journal.open()
    return journal.load()
