"""nginx before a real sorryd: whom sorryd takes the visitor to be, and what passes through both."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Member, serving
from tests.end_to_end.programs import Fetched, curl, needs, nginx
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Message, answer

pytestmark = needs("nginx", "curl")

MEBIBYTE: Final = bytes(range(256)) * 4096

_SERVER: Final = """
server {{
    listen 127.0.0.1:{port};
    client_max_body_size 0;
    location / {{
        {told}
        proxy_pass http://127.0.0.1:{sorryd};
    }}
    location /streams/ {{
        proxy_http_version 1.1;
        {told}
        proxy_set_header Connection "";
        proxy_buffering off;
        proxy_request_buffering off;
        proxy_pass http://127.0.0.1:{sorryd};
    }}
}}
"""


_TOLD: Final = """
proxy_set_header Host $http_host;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto https;
"""


def echo(request: Message) -> bytes:
    """The body that was sent, chunked; to GET, none at all."""
    if request.method == b"GET":
        return answer(b"hello")
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(request.body), request.body)
    return answer(b"", b"Transfer-Encoding: chunked", length=False) + body


class Front:
    """nginx at `port`, before sorryd, before `member`."""

    def __init__(self, daemon: Daemon, member: Member, port: int) -> None:
        self.daemon = daemon
        self.member = member
        self.port = port

    def fetch(self, path: str, *options: str, port: int = 0, send: bytes = b"") -> Fetched:
        """What curl gets, whole, and by nginx unless a port is given."""
        here = f"shop.example:{port or self.port}"
        url = f"http://{here}{path}"
        got = curl("--connect-to", f"{here}:127.0.0.1:", *options, url, send=send)
        assert got.exit == 0, got
        return got

    def seen(self) -> Message:
        """The last request that the member got."""
        return self.member.requests[-1]

    def logged(self, path: str) -> Any:
        """The line in sorryd's access log for `path`."""
        file = self.daemon.folder / "access.log"

        def look() -> Any:
            lines = map(json.loads, file.read_text().splitlines())
            return next((line for line in lines if line["target"] == path), None)

        return until(look, f"a line for {path}")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """sorryd believes 127.0.0.1, which is nginx, and wants all visitors to come by https."""
    folder = tmp_path_factory.mktemp("front")
    with ExitStack() as entered:
        member = entered.enter_context(Member(serving(echo)))
        sock = entered.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        ini = configuration(
            [member.url], daemon="access_log = access.log\naccess_log_format = json",
            listen="127.0.0.1:0, 127.0.0.1:0 tls", certificate="self-signed",
            trusted_proxies="127.0.0.1", redirect_https="yes",
        )  # fmt: skip
        daemon = entered.enter_context(Daemon(folder, ini))
        port = sock.getsockname()[1]
        server = _SERVER.format(port=port, sorryd=daemon.port(), told=_TOLD)
        entered.enter_context(nginx(folder, server, sock))
        yield Front(daemon, member, port)


FROM = ("--interface", "127.0.0.7")
LIES = ("--header", "X-Forwarded-For: 203.0.113.9", "--header", "Forwarded: for=203.0.113.9")


@pytest.mark.parametrize("path", ["/old", "/streams/new"])
def test_who_asked(front: Front, path: str) -> None:
    """The last in the chain that is no proxy of ours, in HTTP/1.0 and 1.1; https is believed."""
    assert front.fetch(path, *FROM, *LIES).body == b"hello"
    seen = front.seen()
    chain = b"203.0.113.9, 127.0.0.7, 127.0.0.1"
    assert seen.one("X-Forwarded-For") == chain
    assert seen.one("X-Forwarded-Proto") == b"https"
    assert seen.one("Host") == seen.one("X-Forwarded-Host") == f"shop.example:{front.port}".encode()
    hops = [part.partition(b";")[0] for part in (seen.one("Forwarded") or b"").split(b", ")]
    assert hops == [b"for=" + address for address in chain.split(b", ")]
    assert front.logged(path)["client"] == "127.0.0.7"


def test_who_did_not_come_by_nginx(front: Front) -> None:
    """Nobody else is believed: this visitor came without TLS, and has to."""
    lies = [*LIES, "--header", "X-Forwarded-Proto: https"]
    got = front.fetch("/direct", *FROM, *lies, port=front.daemon.port())
    assert got.status == 308
    assert got.head.one("Location") == b"https://shop.example/direct"
    assert front.logged("/direct")["client"] == "127.0.0.7"


@pytest.mark.parametrize("path", ["/old", "/streams/new"])
@pytest.mark.parametrize("framing", ["Content-Length: 1048576", "Transfer-Encoding: chunked"])
def test_bodies_pass_both(front: Front, path: str, framing: str) -> None:
    """1 MiB up, and the same down: chunked, and until the end of a connection of HTTP/1.0."""
    options = ["--header", framing, "--request", "POST", "--data-binary", "@-"]
    assert front.fetch(path, *options, send=MEBIBYTE).body == MEBIBYTE
    assert front.seen().body == MEBIBYTE


def test_maintenance_passes_nginx(front: Front) -> None:
    """The apology as sorryd gives it."""
    front.daemon.ask("site.down", {"site": None, "for": "1h"})
    for path in ("/old", "/streams/new"):
        got = front.fetch(path, "--header", "Accept: text/html")
        assert got.status == 503
        assert int(got.head.one("Retry-After") or 0) in range(3500, 3601)
        assert got.head.one("Cache-Control") == b"no-store"
    front.daemon.ask("site.up", {"site": None})
    assert front.fetch("/old").status == 200
