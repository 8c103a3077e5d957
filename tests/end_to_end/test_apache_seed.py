"""Apache and sorryd side by side: the set-ups of docs/from-apache-and-capistrano.md, run as shown.

Each is given the same members and asked the same; what they answer is the table shown there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from tests.documents import ROOT, blocks
from tests.end_to_end.apache import NEEDS_APACHE, apache, free_ports, open_folder
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.members import Member, saying
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Message, request, visitor

pytestmark = NEEDS_APACHE

DOCUMENT: Final = "from-apache-and-capistrano.md"
PAGE: Final = b"<!doctype html>\n<title>Maintenance</title>\n<h1>We are down for maintenance</h1>\n"
SITE: Final = b"the site\n"
LOGO: Final = b"\x89PNG\r\n"


class Ask(NamedTuple):
    """A request, as the table names it."""

    said: str
    method: bytes
    target: bytes
    lines: tuple[bytes, ...] = ()


GET: Final = Ask("GET /", b"GET", b"/", (b"Accept: text/html",))
DEEP: Final = Ask("GET /cart?step=2", b"GET", b"/cart?step=2", (b"Accept: text/html",))
POST: Final = Ask("POST /cart", b"POST", b"/cart", (b"Content-Length: 0",))
DELETE: Final = Ask("DELETE /cart/1", b"DELETE", b"/cart/1")
HEAD: Final = Ask("HEAD /", b"HEAD", b"/")
JSON: Final = Ask("GET /api, JSON", b"GET", b"/api", (b"Accept: application/json",))
CACHE: Final = Ask("GET /, by a cache", b"GET", b"/", (b"Accept: text/html",))
LOGO_PNG: Final = Ask("GET /images/logo.png", b"GET", b"/images/logo.png")
NONE_PNG: Final = Ask("GET /images/none.png", b"GET", b"/images/none.png")


class Table:
    """What both answer, row by row, as the document shows it."""

    def __init__(self, ports: tuple[int, int]) -> None:
        self.lines: list[str] = []
        self._ports = ports
        self._kept: list[bytes | None] = [None, None]  # the validators that each has given

    def ask(self, heading: str, *asked: Ask) -> None:
        """More rows."""
        self.lines += [] if not self.lines else [""]
        self.lines.append(f"{heading:24}{'Apache':32}sorryd")
        for one in asked:
            apaches, ours = (self._told(one, which) for which in (0, 1))
            self.lines.append(f"  {one.said:22}{apaches:32}{ours}")

    def wait_for(self, asked: Ask, status: tuple[int, int]) -> None:
        """Wait until Apache and sorryd answer so."""
        until(
            lambda: tuple(self._answer(asked, which).status for which in (0, 1)) == status,
            f"{status} at {asked.said}",
        )

    def check(self, block: str) -> None:
        """It is the block in the document."""
        text = "".join(line.rstrip() + "\n" for line in self.lines)
        print(text)  # to be seen whole where it is another
        assert text == block

    def _answer(self, asked: Ask, which: int, *lines: bytes) -> Message:
        with visitor(self._ports[which]) as wire:
            wire.send(request(asked.target, *asked.lines, *lines, method=asked.method))
            return wire.answer(asked.method)

    def _told(self, asked: Ask, which: int) -> str:
        kept = self._kept[which]
        condition = (b"If-None-Match: " + kept,) if asked is CACHE and kept else ()
        got = self._answer(asked, which, *condition)
        if asked is GET:
            self._kept[which] = got.one("ETag")
        return told(got)


def told(got: Message) -> str:
    """An answer in a few words."""
    kinds = {PAGE: " the page", SITE: " the site", LOGO: " the image", b"": ""}
    kind = kinds.get(got.body, " its own page")
    if (got.one("Content-Type") or b"").startswith(b"application/problem+json"):
        kind = " JSON"
    words = [f"{got.status}{kind}"]
    if (after := got.one("Retry-After")) is not None:
        words.append(f"again in {after.decode()} s")
    if got.one("Cache-Control") == b"no-store":
        words.append("no-store")
    if got.one("ETag") or got.one("Last-Modified"):
        words.append("may be kept")
    return ", ".join(words)


def shown(kind: str) -> list[str]:
    """The blocks of a kind in the document."""
    return [block.text for block in blocks(kind) if block.where.startswith(DOCUMENT)]


def placed(text: str, places: Mapping[str, object]) -> str:
    """A fragment of the document, with what is there on this machine."""
    for named, here in places.items():
        assert named in text, named
        text = text.replace(named, str(here))
    return text


def test_the_document_has_them() -> None:
    """What is run below is what is shown: three fragments for Apache, two for sorryd."""
    assert (len(shown("apache")), len(shown("ini")), len(shown("text"))) == (3, 2, 2)


@pytest.fixture
def running() -> Iterator[ExitStack]:
    """What is started ends with the test."""
    with ExitStack() as on:
        yield on


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Apache may read too."""
    with open_folder() as one:
        yield one


def daemon_of(folder: Path, text: str, places: Mapping[str, object]) -> Daemon:
    """sorryd by a fragment of the document."""
    places = {
        "/run/sorryd/control.sock": "control.sock",
        "/var/lib/sorryd/sorryd.db": "sorryd.db",
        "0.0.0.0:80": "127.0.0.1:0",
        **places,
    }
    return Daemon(folder, placed(text, places))


def test_a_balancer_with_a_standby_for_the_page(folder: Path, running: ExitStack) -> None:
    """While the member lives, when it dies, when the page's server is away too, and after it."""
    front, standby, pages = free_ports(3)
    far, near = folder / "far", folder / "near"
    far.mkdir()
    near.mkdir()
    (far / "maintenance.html").write_bytes(PAGE)
    away = running.enter_context(ExitStack())
    away.enter_context(apache(far, {pages: f"DocumentRoot {far}"}))
    member = Member(saying(SITE))
    running.callback(lambda: member.close())
    site, rewriting, _ = shown("apache")
    # Nobody wants to wait five seconds for what follows in one as well.
    at = {"10.0.0.11:3000": f"127.0.0.1:{member.port}", "retry=5": "retry=1"}
    hosts = {
        front: placed(site, {**at, "localhost:8080": f"127.0.0.1:{standby}"}),
        standby: placed(rewriting, {"10.0.0.20": f"127.0.0.1:{pages}"}),
    }
    running.enter_context(apache(near, hosts))
    places = {**at, "10.0.0.20": f"127.0.0.1:{pages}"}
    daemon = running.enter_context(daemon_of(folder, shown("ini")[0], places))
    daemon.wait_for_log("the page at .* was fetched")

    table = Table((front, daemon.port()))
    table.ask("the member lives", GET, DEEP, POST, HEAD, JSON)
    member.close()
    table.ask("the member is dead", GET, DEEP, POST, DELETE, HEAD, JSON, CACHE)
    away.close()
    table.wait_for(GET, (503, 503))
    table.ask("the page's server too", GET, DEEP, JSON)
    member = Member(saying(SITE), port=member.port)
    table.wait_for(GET, (200, 200))
    table.ask("the member is back", GET, DEEP)
    table.check(shown("text")[0])


def test_a_file_that_takes_the_site_down(folder: Path, running: ExitStack) -> None:
    """While the file is there, and after it."""
    public, system = folder / "current" / "public", folder / "shared" / "system"
    (public / "images").mkdir(parents=True)
    (public / "images" / "logo.png").write_bytes(LOGO)
    system.mkdir(parents=True)
    (public / "system").symlink_to(system)
    members = [running.enter_context(Member(saying(SITE))) for _ in range(2)]
    at: dict[str, object] = {
        f"127.0.0.1:{3000 + n}": f"127.0.0.1:{one.port}" for n, one in enumerate(members)
    }
    (front,) = free_ports(1)
    host = placed(shown("apache")[2], {**at, "/var/rails/shop": folder})
    running.enter_context(apache(folder, {front: host}))
    ini = shown("ini")[1].replace("/var/rails/shop/sorryd.ini", "there")
    daemon = running.enter_context(daemon_of(folder, ini, at))

    table = Table((front, daemon.port()))
    table.ask("no file is there", GET, DEEP, POST, LOGO_PNG, NONE_PNG)
    (system / "maintenance.html").write_bytes(PAGE)
    table.wait_for(GET, (200, 503))
    table.ask("the file is there", GET, DEEP, POST, DELETE, HEAD, JSON, LOGO_PNG, NONE_PNG, CACHE)
    (system / "maintenance.html").unlink()
    table.wait_for(GET, (200, 200))
    table.ask("it is removed", GET, DEEP)
    table.check(shown("text")[1])


def test_the_document_is_found() -> None:
    """The path to it is right."""
    assert (ROOT / "docs" / DOCUMENT).is_file()
