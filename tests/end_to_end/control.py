"""A connection to the control socket of a daemon, for tests."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from tests.end_to_end.waiting import PATIENCE


class ControlRefused(AssertionError):
    """The daemon answered a request with an error: its `code`, `message` and `data`."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")


class Control:
    """One connection to the control socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise
        self._lines = self.socket.makefile("rb")
        self._id = 0

    def send(self, method: str, params: dict[str, Any] | None = None) -> int:
        """Send a request without waiting for its answer; its id."""
        self._id += 1
        call = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params or {}}
        self.socket.sendall(json.dumps(call).encode() + b"\n")
        return self._id

    def receive(self) -> dict[str, Any] | None:
        """The next line, decoded; None at the end of the connection."""
        line = self._lines.readline()
        return json.loads(line) if line else None

    def ask(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The result of a request. Raises ControlRefused, or EOFError without an answer."""
        sent = self.send(method, params)
        answer = self.receive()
        if answer is None:
            raise EOFError("the daemon closed the control connection")
        assert answer["id"] == sent
        if "error" in answer:
            raise ControlRefused(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """Close the connection."""
        self._lines.close()
        self.socket.close()
