"""Programs of others around a real sorryd: curl before it, nginx on either side, gunicorn behind.

Servers are given sockets that already listen, so nobody waits for them or loses a port.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.waiting import PATIENCE
from tests.end_to_end.wire import Message


def where(name: str) -> str | None:
    """Daemons are often beside the PATH of a user."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


def needs(*names: str) -> pytest.MarkDecorator:
    """Skips where one of these programs is not installed."""
    missing = [name for name in names if where(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


ENVIRONMENT: Final = {
    **{name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}, "LC_ALL": "C",
}  # fmt: skip
"""No more than programs need: no proxy between them and sorryd, no authorities but a test's."""


@contextlib.contextmanager
def running(
    command: Sequence[str],
    log: Path,
    sockets: Sequence[socket.socket] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """A server as a process with these sockets; what it says goes to `log`, shown on failure."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=log.parent,
            pass_fds=[sock.fileno() for sock in sockets],
            env={**ENVIRONMENT, **(environment or {})},
        )  # fmt: skip
    for sock in sockets:
        sock.close()
    try:
        yield
    except BaseException:
        print(f"--- {log}\n{log.read_text(errors='replace')[-5000:]}")
        raise
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def at_unix(path: Path) -> socket.socket:
    """A socket that listens there."""
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen(128)
    return sock


# --- servers --------------------------------------------------------------------------------

_NGINX: Final = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    {folders}
    types {{ text/plain txt; }}
    {servers}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, servers: str, *sockets: socket.socket) -> Iterator[None]:
    """nginx with these `server` blocks, whose `listen` are the addresses of `sockets`.

    Its folder for files is `folder`.
    """
    program = where("nginx")
    assert program is not None
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    file = folder / "nginx.conf"
    file.write_text(
        _NGINX.format(
            user="user root;" if os.geteuid() == 0 else "",
            folders=" ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds),
            servers=servers,
        )
    )
    command = [program, "-p", str(folder), "-c", str(file), "-e", "stderr"]
    # How an nginx gives its sockets to the one that follows it.
    inherited = {"NGINX": "".join(f"{sock.fileno()};" for sock in sockets)}
    with running(command, folder / "nginx.log", sockets, inherited):
        yield


_GUNICORN: Final = """
bind = {binds!r}
pythonpath = {folder!r}
workers = 1
threads = 16
timeout = 60
worker_tmp_dir = "."
control_socket_disable = True  # versions that know no such thing pass over it
"""


@contextlib.contextmanager
def gunicorn(folder: Path, application: str, *sockets: socket.socket) -> Iterator[None]:
    """gunicorn with one process and many threads; `application` is MODULE:NAME beside this file."""
    binds = [f"fd://{sock.fileno()}" for sock in sockets]
    settings = _GUNICORN.format(binds=binds, folder=str(Path(__file__).parent))
    (folder / "gunicorn.conf.py").write_text(settings)
    command = [sys.executable, "-m", "gunicorn", application]
    with running(command, folder / "gunicorn.log", sockets):
        yield


# --- curl -----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Fetched:
    """What curl came back with: its exit status, every head it saw, and the last body."""

    exit: int
    heads: tuple[Message, ...]
    body: bytes

    @property
    def head(self) -> Message:
        """The last one, which the body is of."""
        return self.heads[-1]

    @property
    def status(self) -> int:
        """That of the last head."""
        return self.head.status


def curl(*arguments: str, folder: Path | None = None, send: bytes = b"") -> Fetched:
    """Run curl in `folder`, with `send` as its stdin, as nobody's settings would have it."""
    done = subprocess.run(
        [
            "curl", "--disable", "--silent", "--dump-header", "/dev/stderr",
            "--max-time", f"{PATIENCE:g}", *arguments,
        ],
        input=send, capture_output=True, env=ENVIRONMENT, cwd=folder, check=False,
        timeout=2 * PATIENCE,
    )  # fmt: skip
    return Fetched(done.returncode, tuple(_heads(done.stderr)), done.stdout)


def _heads(dumped: bytes) -> Iterator[Message]:
    for block in dumped.split(b"\r\n\r\n"):
        if block:
            first, *lines = block.split(b"\r\n")
            yield Message(first, tuple(lines))
