"""Pages from other servers, fetched by a real daemon: good ones, and all that is none."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from tests.certificates import authority, issue
from tests.end_to_end.daemon import NOBODY, Daemon, configuration, section
from tests.end_to_end.members import Conversation, Member, server_side
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Message, answer, ask, request, visitor
from tests.end_to_end.workers import BOTH_KINDS

ROOT = authority()
HTML: Final = b"Content-Type: text/html; charset=UTF-8"
PAGE: Final = "<p>すぐ戻ります".encode()
HASTE: Final = """
import sorryd.given.fetching as fetching, sorryd.given.request as request
fetching.EVERY, fetching.SOONEST, fetching.LATEST, request.PATIENCE = 0.2, 0.1, 0.2, 1.5
"""
"""For `launcher`: what is waited for a minute in earnest is waited for a fifth of a second."""


def moved(location: bytes, status: int = 302) -> bytes:
    return answer(b"", b"Location: " + location, status=status)


ANSWERS: Final = {
    b"/good": answer(PAGE, HTML),
    b"/text": answer(PAGE, b"Content-Type: text/plain"),
    b"/xhtml": answer(PAGE, b'Content-Type: application/xhtml+xml;q="x"; charset="utf-8"'),
    b"/moved": moved(b"/moved2", 301),
    b"/moved2": moved(b"/moved3", 307),
    b"/moved3": moved(b"/good", 308),
    b"/chunked": answer(b"", HTML, b"Transfer-Encoding: chunked", length=False)
    + b"%x\r\n%b\r\n0\r\n\r\n" % (len(PAGE), PAGE),
    b"/largest": answer(PAGE + b" " * (2**20 - len(PAGE)), HTML),
}
FAULTS: Final = {
    b"/500": (answer(PAGE, HTML, status=500), "the answer was 500"),
    b"/404": (answer(PAGE, HTML, status=404), "the answer was 404"),
    b"/204": (answer(b"", status=204, length=False), "the answer was 204"),
    b"/304": (answer(b"", status=304, length=False), "the answer was 304"),
    b"/empty": (answer(b"", HTML), "the page is empty"),
    b"/png": (
        answer(PAGE, b"Content-Type: image/png"),
        "the page is neither HTML nor text (image/png)",
    ),
    b"/untyped": (answer(PAGE), "the page is neither HTML nor text (no Content-Type)"),
    b"/coded": (
        answer(PAGE, HTML, b"Content-Encoding: gzip"),
        "the page came with a Content-Encoding that nobody asked for (gzip)",
    ),
    b"/large": (answer(b" " * (2**20 + 1), HTML), "the page is larger than 1 MiB"),
    b"/short": (
        b"HTTP/1.1 200 OK\r\n" + HTML + b"\r\nContent-Length: 99\r\n\r\nhalf",
        "the answer was broken or cut short",
    ),
    b"/garbage": (b"hello\r\n\r\n", "the answer was broken or cut short"),
    b"/nothing": (b"", "the connection was closed without an answer"),
    b"/loop": (moved(b"/loop"), "more than 3 redirects"),
    b"/file": (moved(b"file:///etc/passwd"), "it redirects to file:///etc/passwd"),
    b"/nowhere": (answer(b"", status=302), "a redirect to nowhere"),
}
SILENT: Final = {
    b"/silent": (b"", "it took longer than 1.5 s"),
    b"/half": (answer(PAGE, HTML)[:-3], "it took longer than 1.5 s"),
    b"/endless": (b"HTTP/1.1 200 OK\r\nX: ", "it took longer than 1.5 s"),
}


class Pages(Member):
    """Other people's server."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._over = threading.Event()
        super().__init__(self._serve_pages, tls=tls)

    def close(self) -> None:
        self._over.set()
        super().close()

    def _serve_pages(self, conversation: Conversation) -> None:
        asked = conversation.request()
        if asked is None:
            return
        if asked.target in SILENT:
            conversation.send(SILENT[asked.target][0])
            self._over.wait(60)
        elif asked.target in FAULTS:
            conversation.send(FAULTS[asked.target][0])
        else:
            conversation.send(ANSWERS.get(asked.target, answer(b"", status=404)))


def sites(urls: dict[str, str]) -> str:
    """A sorryd.ini with a site for each of `urls`, all of them without a live member."""
    parts = [
        section(name, [NOBODY], listen="127.0.0.1:0", sorry_mode=f"fetch {url}")
        for name, url in urls.items()
    ]
    first = configuration([NOBODY])
    return first[: first.index("[site")] + "".join(parts)


def name_of(path: bytes) -> str:
    return path.decode().strip("/")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Pages]]:
    """A daemon with a site for each thing that a server may answer."""
    with ExitStack() as on:
        pages = on.enter_context(Pages())
        urls = {name_of(path): pages.url + path.decode() for path in (*ANSWERS, *FAULTS, *SILENT)}
        urls["refused"] = f"{NOBODY}/page"
        urls["unknown"] = "http://no-such-name.invalid/"
        urls["plain"] = pages.url.replace("http", "https")
        urls["local"] = f"http://localhost:{pages.port}/good"
        folder = tmp_path_factory.mktemp("fetch")
        yield on.enter_context(Daemon(folder, sites(urls), launcher=HASTE)), pages


def shown(daemon: Daemon, name: str) -> Message:
    """What a visitor of a site gets who takes anything."""
    return ask(daemon.port(name), b"/cart?secret=1", b"Accept: text/html", b"Cookie: id=7")


@pytest.mark.parametrize("path", ANSWERS, ids=name_of)
def test_good(town: tuple[Daemon, Pages], path: bytes) -> None:
    """It is shown at any path, with its type and the site's status; no cache may keep it."""
    daemon, _ = town
    name = name_of(path)
    daemon.wait_for_log(f"site {name}: the page at \\S+{name} was fetched")
    got = shown(daemon, name)
    assert (got.status, got.body.rstrip(b" ")) == (503, PAGE)
    types = {"text": b"text/plain", "xhtml": b"application/xhtml+xml; charset=utf-8"}
    assert got.one("Content-Type") == types.get(name, b"text/html; charset=utf-8")
    assert got.one("Cache-Control") == b"no-store"
    assert got.one("Sorry-Cause") == b"members"


@pytest.mark.parametrize("path", [*FAULTS, *SILENT], ids=name_of)
def test_not_good(town: tuple[Daemon, Pages], path: bytes) -> None:
    """The site's own page is shown, and the log says once what is wrong."""
    daemon, pages = town
    name = name_of(path)
    why = {**FAULTS, **SILENT}[path][1]
    said = f"site {name}: no page from {pages.url}/{name}: {why}; the site's own is shown"
    daemon.wait_for_log(re.escape(said))
    count = sum(one.target == path for one in pages.requests)
    until(lambda: sum(one.target == path for one in pages.requests) > count + 1, "more requests")
    assert daemon.log.count(f"site {name}: no page from") == 1
    assert shown(daemon, name).body.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("refused", "connection refused"),
        ("unknown", "there is no such name"),
        ("plain", "it took longer than 1.5 s"),
    ],
)
def test_nobody_there(town: tuple[Daemon, Pages], name: str, why: str) -> None:
    """What failed is said in a few words."""
    town[0].wait_for_log(rf"site {name}: no page from \S+: {why}; the site's own is shown$")


def test_a_name(town: tuple[Daemon, Pages]) -> None:
    """The URL may have a name."""
    town[0].wait_for_log("site local: the page at http://localhost:\\S+ was fetched")


def test_nothing_of_a_visitor_goes_there(town: tuple[Daemon, Pages]) -> None:
    """Its server hears of the URL, and of who asks: sorryd."""
    daemon, pages = town
    daemon.wait_for_log("site good: the page")
    shown(daemon, "good")
    asked = next(one for one in pages.requests if one.target == b"/good")
    names = sorted(line.partition(b":")[0].lower() for line in asked.lines)
    assert names == [b"accept", b"connection", b"host", b"user-agent"]
    assert not any(b"secret" in one.target for one in pages.requests)


def test_no_connection_outlives_its_request(town: tuple[Daemon, Pages]) -> None:
    """Hundreds of requests later, of every kind, there are as many descriptors as before."""
    daemon, pages = town
    daemon.wait_for_log("site endless: no page")
    before = daemon.descriptors()
    count = len(pages.requests)
    until(lambda: len(pages.requests) > count + 200, "200 requests")
    assert daemon.descriptors() < before + 50


@BOTH_KINDS
def test_refreshed_and_kept(tmp_path: Path) -> None:
    """Asked whether it has changed, changed, away, and away over a restart."""
    state = {"page": b"<p>one", "tag": b'"1"'}

    def script(conversation: Conversation) -> None:
        asked = conversation.request()
        if asked is None:
            return
        tag = b"ETag: " + state["tag"]
        if asked.one("If-None-Match") == state["tag"]:
            conversation.send(answer(b"", tag, status=304, length=False))
        else:
            conversation.send(answer(state["page"], HTML, tag))

    with Member(script) as pages:
        ini = sites({"shop": f"{pages.url}/page"})
        daemon = Daemon(tmp_path, ini, launcher=HASTE)
        daemon.start()
        until(lambda: shown(daemon, "shop").body == b"<p>one", "the page")
        known = until(
            lambda: [one for one in pages.requests if one.one("If-None-Match")], "a condition"
        )
        assert known[0].one("If-None-Match") == b'"1"'
        state.update(page=b"<p>two", tag=b'"2"')
        until(lambda: shown(daemon, "shop").body == b"<p>two", "the changed page")
    daemon.wait_for_log("no page from .*: connection refused; the last one is kept")
    assert shown(daemon, "shop").body == b"<p>two"
    daemon.kill()
    with daemon:
        assert shown(daemon, "shop").body == b"<p>two"
        daemon.config.write_text(sites({"shop": f"{pages.url}/other"}))
        daemon.ask("daemon.reload")
        assert shown(daemon, "shop").body.startswith(b"<!doctype html>")


def test_certificates_are_verified(tmp_path: Path) -> None:
    """By SSL_CERT_FILE as OpenSSL has it: one of another name, and one of nobody, are refused."""
    (tmp_path / "ca.pem").write_bytes(ROOT.pem)
    with ExitStack() as on:
        servers = {}
        for name, issuer, names in (
            ("right", ROOT, ["127.0.0.1"]),
            ("named", ROOT, ["localhost"]),
            ("wrong", ROOT, ["other.example"]),
            ("stranger", authority(), ["127.0.0.1"]),
        ):
            folder = tmp_path / name
            folder.mkdir()
            servers[name] = on.enter_context(Pages(server_side(folder, *issue(issuer, names))))
        plain = on.enter_context(Pages())
        urls = {name: f"{server.url}/good" for name, server in servers.items()}
        urls["named"] = urls["named"].replace("127.0.0.1", "localhost")
        urls["down"] = f"{servers['right'].url}/down"
        ANSWERS[b"/down"] = moved(f"{plain.url}/good".encode())
        environment = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        daemon = on.enter_context(
            Daemon(tmp_path, sites(urls), launcher=HASTE, environment=environment)
        )
        for name in ("right", "named"):
            daemon.wait_for_log(f"site {name}: the page at https://\\S+/good was fetched")
        for name, why in (
            ("wrong", "its certificate is for another name"),
            ("stranger", "TLS: certificate verify failed"),
            ("down", f"it redirects from https to {plain.url}/good"),
        ):
            daemon.wait_for_log(rf"site {name}: no page from \S+: {why}; the site's own is shown$")
        assert plain.requests == []


def test_the_start_waits_for_nobody(tmp_path: Path) -> None:
    """Neither for a server that says nothing, nor for the end when sorryd is stopped."""
    with (
        Pages() as pages,
        Daemon(tmp_path, sites({"shop": f"{pages.url}/silent"})) as daemon,
        visitor(daemon.port("shop")) as wire,
    ):
        wire.send(request(b"/", b"Accept: text/html"))
        assert wire.answer().body.startswith(b"<!doctype html>")
        until(lambda: pages.requests, "the request")
