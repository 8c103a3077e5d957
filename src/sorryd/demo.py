"""A small member to try sorryd with: ``python -m sorryd.demo PORT NAME``.

It listens on 127.0.0.1 only and answers every path with a page that names itself and shows
the header fields that it got, so that what sorryd adds can be seen. Not for the real world.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{name}</title></head>
<body>
<h1>This is {name}</h1>
<p>You asked: <code>{request}</code></p>
<pre>{fields}</pre>
</body>
</html>
"""
_HOST = "127.0.0.1"


def render(name: str, request: str, fields: list[tuple[str, str]]) -> bytes:
    """The page of the member `name` for a request line and the fields that came with it."""
    lines = "\n".join(f"{field}: {value}" for field, value in fields)
    page = _PAGE.format(
        name=html.escape(name), request=html.escape(request), fields=html.escape(lines)
    )
    return page.encode("utf-8", "replace")


class DemoServer(ThreadingHTTPServer):
    """One thread a connection; `name` is what its pages say."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, name: str) -> None:
        self.name = name
        super().__init__((_HOST, port), DemoConnection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a connection that broke is no news in a demonstration."""


class DemoConnection(BaseHTTPRequestHandler):
    """Answers with the page, after reading the request's body away."""

    protocol_version = "HTTP/1.1"
    # Head and body leave in one segment: two would wait 40 ms for a delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: DemoServer

    def _answer(self) -> None:
        self._read_body_away()
        page = render(self.server.name, self.requestline, self.headers.items())
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _read_body_away(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while size := int(self.rfile.readline(100).split(b";")[0], 16):
                self.rfile.read(size + 2)
            while self.rfile.readline(8192).strip():
                pass
            return
        left = int(self.headers.get("Content-Length", "0"))
        while left > 0 and (piece := self.rfile.read(min(left, 65536))):
            left -= len(piece)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the terminal belongs to sorryd's own log."""


def taken(ports: list[int]) -> list[int]:
    """Those of `ports` on 127.0.0.1 that another program listens at."""
    busy = []
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                busy.append(port)
    return busy


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Returns 1, with a line on stderr, where a port is taken."""
    parser = argparse.ArgumentParser(prog="python -m sorryd.demo", description=__doc__)
    parser.add_argument("port", nargs="?", type=int, help="where to listen on 127.0.0.1")
    parser.add_argument("name", nargs="?", default="a demo member", help="what its pages say")
    parser.add_argument(
        "--free", nargs="+", type=int, metavar="PORT", help="only say which ports are taken"
    )
    asked = parser.parse_args(arguments)
    if asked.port is None and asked.free is None:
        parser.error("PORT or --free is needed")
    if busy := taken(asked.free or [asked.port]):
        for port in busy:
            print(f"{_HOST}:{port} is taken: another program listens there", file=sys.stderr)
        return 1
    if asked.free is None:
        with contextlib.suppress(KeyboardInterrupt):
            DemoServer(asked.port, asked.name).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
