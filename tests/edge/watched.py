"""A scene whose access log the test reads."""

from __future__ import annotations

import json
from typing import Any

from tests.edge.counts import counted
from tests.edge.messages import GET
from tests.edge.scene import Scene
from tests.edge.wires import FakeWire

from sorryd.edge.access import Access
from sorryd.model import LogFormat


class Watched:
    """A scene with an access log. At each look as many requests must be counted as it has lines."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._lines: list[bytes] = []
        self._written = 0
        scene.site.access = Access(self._lines.append, LogFormat.JSON, "UTC", scene.clock.seconds)

    def lines(self) -> list[dict[str, Any]]:
        """What was written since the last look."""
        lines = [json.loads(line) for line in self._lines]
        self._lines.clear()
        self._written += len(lines)
        # A tunnel is counted when it begins, and has its line when it ends.
        assert self._written + self.scene.site.tally.tunnels == counted(self.scene.site.numbers())
        return lines

    def line(self, *names: str) -> tuple[object, ...]:
        """Of the one line that was written since the last look, these."""
        (line,) = self.lines()
        return tuple(line[name] for name in names)

    def asks(self, data: bytes = GET) -> tuple[FakeWire, FakeWire]:
        """A visitor who asks this, and the member that gets it."""
        both = self.scene.asks(data)
        assert self.lines() == []
        return both
