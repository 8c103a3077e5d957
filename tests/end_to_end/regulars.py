"""Visitors who stay as long as they are kept, and come again when they are told that it was enough.

    with Regulars(port) as regulars:
        regulars.wait_for(100)
    assert regulars.faults == []

A request is never sent twice. A connection that ends without ``Connection: close`` before, or in
the midst of an answer, is a fault, and so is any answer but the whole page.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from tests.end_to_end.load import asking, check_page
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import CutShort, Wire, visitor


class Regulars:
    """So many `visitors` at `port`, in threads."""

    def __init__(self, port: int, visitors: int = 4) -> None:
        self.answers = 0
        self.connections = 0
        self.faults: list[str] = []
        self._port = port
        self._goes_on = True
        self._threads = [threading.Thread(target=self._visit, args=(n,)) for n in range(visitors)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._goes_on = False
        for thread in self._threads:
            thread.join(2 * PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads)

    def wait_for(self, count: int) -> None:
        """Wait for so many more answers, or a fault."""
        enough = self.answers + count
        until(lambda: self.answers >= enough or self.faults, f"{count} answers")

    def _visit(self, number: int) -> None:
        turn = 0
        while self._goes_on and not self.faults:
            try:
                with visitor(self._port) as wire:
                    self.connections += 1
                    turn = self._stay(wire, number, turn)
            except (OSError, CutShort, AssertionError) as fault:
                self.faults.append(f"visitor {number}, turn {turn}: {type(fault).__name__} {fault}")

    def _stay(self, wire: Wire, number: int, turn: int) -> int:
        while self._goes_on:
            turn += 1
            path = f"/{number}/{turn}"
            answer = asking(wire, path.encode())
            check_page(answer, path)
            self.answers += 1
            if answer.one("Connection") == b"close":
                break
            time.sleep(0.01)
        return turn
