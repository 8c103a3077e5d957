"""HAProxy before a real sorryd, as one that passes on what it gets and says for whom."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.waiting import PATIENCE

HAPROXY: Final = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
NEEDS_HAPROXY = pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed")

_CONFIGURATION: Final = """
global
    maxconn 100
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend in
    bind fd@{fd}
    default_backend sorryd
backend sorryd
    server sorryd {target} {options}
"""


@contextlib.contextmanager
def haproxy(folder: Path, target: str, options: str) -> Iterator[int]:
    """One that connects to `target` with `options` of a server; the port where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        file = folder / "haproxy.cfg"
        file.write_text(_CONFIGURATION.format(fd=sock.fileno(), target=target, options=options))
        assert HAPROXY is not None
        process = subprocess.Popen(
            [HAPROXY, "-db", "-f", str(file)],
            pass_fds=[sock.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)
