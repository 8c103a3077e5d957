"""git over HTTP as any server runs it: `git http-backend`, a CGI program, behind http.server."""

from __future__ import annotations

import contextlib
import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, Final, cast

from tests.end_to_end.programs import ENVIRONMENT
from tests.end_to_end.waiting import PATIENCE

_READ: Final = 65536


class GitServer(http.server.ThreadingHTTPServer):
    """Serves the repositories below a folder; `requests` says how each came."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        """As sorryd.ini has it."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._run()

    def do_POST(self) -> None:
        self._run()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _run(self) -> None:
        git = shutil.which("git")
        assert git is not None
        server = cast(GitServer, self.server)
        path, _, query = self.path.partition("?")
        words = (self.headers.get(name) for name in ("Transfer-Encoding", "Content-Encoding"))
        server.requests.append(" ".join(filter(None, [self.command, path, *words])))
        environment = {
            **ENVIRONMENT,
            "GIT_PROJECT_ROOT": str(server.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "REMOTE_USER": "visitor",
            "REMOTE_ADDR": self.headers["X-Forwarded-For"],
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            **self._told("CONTENT_TYPE", "Content-Type"),
            **self._told("CONTENT_LENGTH", "Content-Length"),
            **self._told("HTTP_CONTENT_ENCODING", "Content-Encoding"),
            **self._told("GIT_PROTOCOL", "Git-Protocol"),
        }
        with subprocess.Popen(
            [git, "http-backend"], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as program:  # fmt: skip
            assert program.stdin is not None
            assert program.stdout is not None
            # Both at once: a program may say much before it has heard all.
            sending = threading.Thread(target=self._send_body, args=(program.stdin,))
            sending.start()
            self._pass_on(cast(BufferedReader, program.stdout))
            sending.join(PATIENCE)

    def _told(self, variable: str, field: str) -> dict[str, str]:
        value = self.headers.get(field)
        return {} if value is None else {variable: value}

    def _send_body(self, to: IO[bytes]) -> None:
        with contextlib.suppress(BrokenPipeError), to:
            for part in self._body():
                to.write(part)

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                assert self.rfile.readline() == b"\r\n"
            assert self.rfile.readline() == b"\r\n"
        else:
            yield self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _pass_on(self, said: BufferedReader) -> None:
        status, fields = 200, []
        while line := said.readline().strip().decode():
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value[:3])
            else:
                fields.append((name, value))
        self.send_response(status)
        for name, value in [*fields, ("Transfer-Encoding", "chunked")]:
            self.send_header(name, value)
        self.end_headers()
        while part := said.read1(_READ):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")


@contextlib.contextmanager
def git_server(folder: Path) -> Iterator[GitServer]:
    """One that serves until the block is left."""
    with GitServer(folder) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join(PATIENCE)
