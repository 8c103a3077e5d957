"""A real sorryd before a Flask application under gunicorn."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path

from tests.end_to_end.daemon import Daemon, configuration, section
from tests.end_to_end.programs import Fetched, at_unix, curl, gunicorn

LISTEN = "127.0.0.1:0, 127.0.0.1:0 tls"


@dataclasses.dataclass(frozen=True)
class Applications:
    """The site `fixed` has the application that knows of proxies, by a UNIX socket; `bare` the
    one that does not, below a path of a server at `bare_authority`, under its own name."""

    daemon: Daemon
    bare_authority: str

    def fetch(
        self, path: str, *options: str, site: str = "fixed", scheme: str = "http", send: bytes = b""
    ) -> Fetched:
        """What curl gets of `path` at shop.example, which is `site`."""
        here = f"shop.example:{self.port(site, scheme)}"
        url = f"{scheme}://{here}{path}"
        return curl("--insecure", "--connect-to", f"{here}:127.0.0.1:", *options, url, send=send)

    def port(self, site: str = "fixed", scheme: str = "http") -> int:
        """Where `site` listens."""
        return self.daemon.port(site, scheme)


@contextlib.contextmanager
def applications(folder: Path) -> Iterator[Applications]:
    """Both sites, and gunicorn behind them."""
    with contextlib.ExitStack() as entered:
        sock = entered.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        authority = f"127.0.0.1:{sock.getsockname()[1]}"
        unix = at_unix(folder / "app.sock")
        entered.enter_context(gunicorn(folder, "flask_application:both", sock, unix))
        tls = {"listen": LISTEN, "certificate": "self-signed"}
        ini = configuration(["unix:app.sock"], site="fixed", **tls)
        ini += section("bare", [f"http://{authority}/app"], preserve_host="no", **tls)
        daemon = entered.enter_context(Daemon(folder, ini))
        yield Applications(daemon, authority)
