"""A control socket that answers as the test says, and keeps what it was asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any


class Later:
    """Results, one after the other; the last one stays."""

    def __init__(self, *results: object) -> None:
        self._results = list(results)

    def pop(self) -> object:
        return self._results.pop(0) if len(self._results) > 1 else self._results[0]


class FakeDaemon:
    """Answers each method with its result, or with raw bytes; closes after those.

    A result that is bytes is sent as it is, a Later gives one after the other, the last one for
    good. A method without a result is refused.
    """

    def __init__(self, path: Path, results: Mapping[str, object]) -> None:
        self.path = path
        self.results = results
        self.asked: list[dict[str, Any]] = []
        self.connections = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> FakeDaemon:
        self._socket.bind(str(self.path))
        self._socket.listen()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # shut down
                return
            self.connections += 1
            with connection, connection.makefile("rb") as lines:
                connection.settimeout(10)
                while line := lines.readline():
                    request = json.loads(line)
                    connection.sendall(self._answer(request))
                    if isinstance(self.results.get(request["method"]), bytes):
                        break

    def _answer(self, request: dict[str, Any]) -> bytes:
        self.asked.append(request)
        result = self.results.get(request["method"])
        if isinstance(result, Later):
            result = result.pop()
        if isinstance(result, bytes):
            return result
        answer: dict[str, object] = {"jsonrpc": "2.0", "id": request["id"]}
        if result is None:
            answer["error"] = {"code": -32001, "message": "nosuch: there is\nno such site"}
        else:
            answer["result"] = result
        return json.dumps(answer).encode() + b"\n"
