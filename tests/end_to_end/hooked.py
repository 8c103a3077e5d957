"""Hooks for tests: programs that write down what they are told, and a server that does."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import stat
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

WRITES_DOWN = """#!/bin/sh
cat >> {told}
"""


def program(folder: Path, script: str = WRITES_DOWN) -> Path:
    """An executable `script` in `folder`; ``{told}`` in it is the file where it writes."""
    path = folder / "hook.sh"
    path.write_text(script.replace("{told}", str(folder / "told")).replace("{folder}", str(folder)))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def told(folder: Path) -> list[dict[str, Any]]:
    """What a program was told, one object a line."""
    path = folder / "told"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Receiver:
    """An HTTP server that keeps what is POSTed to it and answers with what `answer` says."""

    def __init__(self, answer: Callable[[], int] = lambda: 204, tls: ssl.SSLContext | None = None):
        self.posts: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = answer()
                if status:
                    receiver.posts.append((dict(self.headers), body))
                    self.send_response(status)
                    self.send_header("Location", "/elsewhere")
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def told(self) -> list[dict[str, Any]]:
        """What it was told."""
        return [json.loads(body) for _, body in self.posts]


def is_signed(fields: dict[str, str], body: bytes, secret: bytes, site: str) -> bool:
    """Whether a POST is from who has the secret, as docs/configuration.md says it."""
    key = hmac.digest(secret, b"sorryd hook " + site.encode(), hashlib.sha256)
    stamp, _, mac = fields["Sorryd-Signature"].removeprefix("t=").partition(",v1=")
    wanted = hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(mac, wanted)
