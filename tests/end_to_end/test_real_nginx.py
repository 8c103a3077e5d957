"""nginx behind a real sorryd: files and parts of them, uploads, connections ended early, TLS."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import pytest
from tests.certificates import authority, issue
from tests.end_to_end.daemon import Daemon, configuration, section
from tests.end_to_end.programs import Fetched, curl, needs, nginx
from tests.end_to_end.wire import request, visitor

pytestmark = needs("nginx", "curl")

ROOT = authority()
TEXT: Final = b"".join(b"line %d\n" % number for number in range(5000))
MEBIBYTE: Final = bytes(range(256)) * 4096

_SERVERS: Final = """
gzip on;
gzip_http_version 1.0;
gzip_proxied any;
gzip_types text/plain;
keepalive_requests 2;
server {{
    listen {plain};
    root {folder}/files;
    client_max_body_size 2m;
    add_header X-Turn $connection_requests always;
    location /trailers {{
        alias {folder}/files;
        add_trailer X-Done yes;
    }}
    location /dav {{
        dav_methods PUT DELETE MKCOL COPY MOVE;
        create_full_put_path on;
    }}
}}
server {{
    listen {closing};
    root {folder}/files;
    keepalive_timeout 0;
}}
server {{
    listen {tls} ssl;
    root {folder}/files;
    ssl_certificate {folder}/member.pem;
    ssl_certificate_key {folder}/member.pem;
    ssl_client_certificate {folder}/ca.pem;
    ssl_verify_client on;
    ssl_protocols TLSv1.2 TLSv1.3;
    add_header X-Session $ssl_session_reused;
    add_header X-Protocol $ssl_protocol;
}}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The sites `plain`, `closing` and `tls`, each a server of one nginx."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "files" / "dav").mkdir(parents=True)
    (folder / "files" / "text.txt").write_bytes(TEXT)
    (folder / "files" / "mebibyte").write_bytes(MEBIBYTE)
    (folder / "ca.pem").write_bytes(ROOT.pem)
    (folder / "member.pem").write_bytes(b"".join(issue(ROOT, ["127.0.0.1"])))
    (folder / "own.pem").write_bytes(b"".join(issue(ROOT, ["shop.example"], usage="client")))
    names = ("plain", "closing", "tls")
    with ExitStack() as entered:
        sockets = [
            entered.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
            for _ in names
        ]
        at = [f"127.0.0.1:{sock.getsockname()[1]}" for sock in sockets]
        servers = _SERVERS.format(folder=folder, **dict(zip(names, at, strict=True)))
        ini = configuration([f"http://{at[0]}"], site="plain")
        ini += section("closing", [f"http://{at[1]}"], listen="127.0.0.1:0")
        ini += section("tls", [f"https://{at[2]} ca=ca.pem cert=own.pem"], listen="127.0.0.1:0")
        entered.enter_context(nginx(folder, servers, *sockets))
        yield entered.enter_context(Daemon(folder, ini))


def fetch(
    shop: Daemon, path: str, *options: str, site: str = "plain", send: bytes = b""
) -> Fetched:
    """What curl gets from a site, whole."""
    got = curl(*options, f"http://127.0.0.1:{shop.port(site)}{path}", send=send)
    assert got.exit == 0, got
    return got


def test_parts_and_conditions(shop: Daemon) -> None:
    """A range, two at once, one beyond the end; and what has not changed."""
    whole = fetch(shop, "/text.txt")
    assert whole.body == TEXT
    tag = (whole.head.one("ETag") or b"").decode()
    part = fetch(shop, "/text.txt", "--range", "10-19")
    assert (part.status, part.body) == (206, TEXT[10:20])
    assert part.head.one("Content-Range") == b"bytes 10-19/%d" % len(TEXT)
    two = fetch(shop, "/text.txt", "--range", "0-1,5-7")
    assert (two.head.one("Content-Type") or b"").startswith(b"multipart/byteranges; boundary=")
    assert (two.body.count(b"Content-Range"), two.body[-4:]) == (2, b"--\r\n")
    assert fetch(shop, "/text.txt", "--range", "9999999-").status == 416
    same = fetch(shop, "/text.txt", "--header", f"If-None-Match: {tag}")
    assert (same.status, same.body, same.head.one("ETag")) == (304, b"", tag.encode())
    assert fetch(shop, "/text.txt", "--header", 'If-Match: "other"').status == 412


@pytest.mark.parametrize("version", ["--http1.0", "--http1.1"])
def test_compressed_by_nginx(shop: Daemon, version: str) -> None:
    """A body of unknown length: chunked, and to HTTP/1.0 until the connection ends."""
    got = fetch(shop, "/text.txt", "--compressed", version)
    assert got.body == TEXT
    assert got.head.one("Content-Encoding") == b"gzip"
    assert got.head.one("Content-Length") is None
    chunked = got.head.one("Transfer-Encoding") == b"chunked"
    assert chunked is (version == "--http1.1")
    head = fetch(shop, "/text.txt", "--head", "--compressed", version)
    assert head.head.one("Content-Encoding") == b"gzip"


def test_trailers(shop: Daemon) -> None:
    """Who says that it takes them gets nginx's; others don't."""
    lines = (b"Accept-Encoding: gzip", b"Connection: close, TE")
    for te, end in ((b"trailers", b"0\r\nX-Done: yes\r\n\r\n"), (b"gzip", b"\r\n0\r\n\r\n")):
        with visitor(shop.port("plain")) as wire:
            wire.send(request(b"/trailers/text.txt", *lines, b"TE: " + te))
            assert wire.until_end().endswith(end)


def test_nginx_ends_its_connections(shop: Daemon) -> None:
    """It closes each after its second request; not one request is lost to that."""
    turns = []
    with visitor(shop.port("plain")) as wire:
        for number in range(40):
            if number % 3:
                wire.send(request(b"/text.txt"))
                answer = wire.answer()
                assert (answer.status, answer.body) == (200, TEXT)
            else:
                wire.send(request(b"/text.txt", method=b"POST", body=b"a=b"))
                answer = wire.answer()
                assert answer.status == 405
            turns.append(answer.one("X-Turn"))
    assert turns == [b"1", b"2"] * 20


@pytest.mark.parametrize("site", ["plain", "closing"])
def test_a_visitor_may_close_or_stay(shop: Daemon, site: str) -> None:
    """Whatever nginx does on its side: Connection is between the visitor and sorryd."""
    with visitor(shop.port(site)) as wire:
        for _ in range(3):
            wire.send(request(b"/mebibyte"))
            answer = wire.answer()
            assert answer.body == MEBIBYTE
            assert answer.one("Connection") is None
        wire.send(request(b"/mebibyte", b"Connection: close"))
        answer = wire.answer()
        assert (answer.body, answer.one("Connection")) == (MEBIBYTE, b"close")
        assert wire.until_end() == b""


def test_webdav(shop: Daemon) -> None:
    """Files are put, in both framings, copied by a Destination that names the site, and deleted."""
    here = f"http://127.0.0.1:{shop.port('plain')}"
    chunked, sized = ("--upload-file", "-"), ("--request", "PUT", "--data-binary", "@-")
    assert fetch(shop, "/dav/new/chunked", *chunked, send=MEBIBYTE).status == 201
    assert fetch(shop, "/dav/sized", *sized, send=MEBIBYTE).status == 201
    assert fetch(shop, "/dav/folder/", "--request", "MKCOL").status == 201
    destination = f"Destination: {here}/dav/folder/copy"
    copied = fetch(shop, "/dav/new/chunked", "--request", "COPY", "--header", destination)
    assert copied.status == 204
    for path in ("/dav/new/chunked", "/dav/sized", "/dav/folder/copy"):
        assert fetch(shop, path).body == MEBIBYTE
        assert fetch(shop, path, "--request", "DELETE").status == 204
        assert fetch(shop, path).status == 404


@pytest.mark.parametrize("expecting", [True, False])
def test_too_large_for_nginx(shop: Daemon, expecting: bool) -> None:
    """Its 413 comes while the body is being sent, or instead of 100 Continue."""
    expect = "Expect: 100-continue" if expecting else "Expect:"
    options = ["--header", expect, "--expect100-timeout", "20", "--request", "PUT"]
    got = fetch(shop, "/dav/large", *options, "--data-binary", "@-", send=MEBIBYTE * 8)
    assert [head.status for head in got.heads] == [413]
    assert b"413 Request Entity Too Large" in got.body


def test_nginx_over_tls(shop: Daemon) -> None:
    """It asks for our certificate; its sessions are resumed, whichever it ends early."""
    sessions = []
    with visitor(shop.port("tls")) as wire:
        for _ in range(6):
            wire.send(request(b"/mebibyte"))
            answer = wire.answer()
            assert (answer.status, answer.body) == (200, MEBIBYTE)
            assert answer.one("X-Protocol") == b"TLSv1.3"
            sessions.append(answer.one("X-Session"))
    assert sessions == [b".", b"."] + [b"r"] * 4
