"""A terminal that shows one page after the other, by rich, until q or ctrl-C."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from sorryd.ctl.page import Page, clean, lines_of
from sorryd.ctl.timeline import ASCII


class Screen:
    """What is shown, and whether somebody has seen enough."""

    def __init__(self, live: Live, console: Console, has_keys: bool) -> None:
        self._live = live
        self._console = console
        self._has_keys = has_keys

    def show(self, page: Page) -> None:
        """Show `page`, as much of it as there is room for."""
        width, height = self._console.size
        lines = [line for part in page for line in lines_of(part, width, ASCII)]
        texts = [
            Text.assemble(*((clean(span.text), span.style) for span in line.spans))
            for line in lines[:height]
        ]
        for text in texts:
            text.no_wrap = True
            text.overflow = "ellipsis"
        self._live.update(Group(*texts), refresh=True)

    def is_left(self, seconds: float) -> bool:
        """Wait so long; whether q was pressed meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not self._has_keys:
                time.sleep(left)
            elif select.select([sys.stdin], [], [], left)[0]:
                pressed = os.read(sys.stdin.fileno(), 64)
                if not pressed or pressed[:1] in b"qQ":
                    return True
        return False


@contextmanager
def screen() -> Iterator[Screen]:
    """A screen of its own; what was there before comes back at the end, however it ends."""
    console = Console(highlight=False)
    has_keys = sys.stdin.isatty()
    with (
        _ended_by_signals(),
        _keys() if has_keys else _nothing(),
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        yield Screen(live, console, has_keys)


@contextmanager
def _keys() -> Iterator[None]:
    """Keys come one by one, and are not shown."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Signals end the block rather than the process, so that the terminal is put right."""

    def end(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
