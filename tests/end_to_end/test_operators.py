"""An operator's evening with a real daemon: the site is down for all but those who may see it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Member, saying
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Message, request, visitor

HUGE = 48 << 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with assets, one of them large, behind a symlink as Capistrano makes it."""
    folder = tmp_path_factory.mktemp("operators")
    images = folder / "releases" / "1" / "public" / "images"
    images.mkdir(parents=True)
    (images / "logo.svg").write_text("<svg/>")
    (images / "leak").symlink_to("/etc/passwd")
    with (images / "huge.bin").open("wb") as file:
        for number in range(HUGE >> 20):
            file.write(hashlib.sha256(b"%d" % number).digest() * (1 << 15))
    (folder / "current").symlink_to("releases/1")
    return folder


@pytest.fixture(scope="module")
def shop(folder: Path) -> Iterator[tuple[Daemon, Member]]:
    """A daemon with all that lets some pass."""
    ini = {
        "sorry_assets": "/images/ from current/public",
        "exempt": "/healthz, POST /hooks/",
        "trusted_proxies": "127.0.0.0/8",
        "bypass_networks": "10.1.0.0/16",
    }
    log = "access_log = access.log\naccess_log_format = json"
    with (
        Member(saying(b"hello")) as member,
        Daemon(folder, configuration([member.url], daemon=log, **ini)) as daemon,
    ):
        yield daemon, member


def ask(daemon: Daemon, target: str, *lines: bytes, method: bytes = b"GET") -> Message:
    """One request, and its answer."""
    with visitor(daemon.port()) as wire:
        wire.send(request(target.encode(), *lines, method=method))
        return wire.answer(method)


def bypassed(daemon: Daemon, count: int) -> list[str | None]:
    """How the last requests in the access log were let pass."""
    path = daemon.folder / "access.log"

    def look() -> list[str | None]:
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["bypass"] for line in lines][-count:] if lines else []

    return look()


def test_an_operators_evening(shop: tuple[Daemon, Member]) -> None:
    """The link opens the site to its bearer alone, is in the log, and dies with its window."""
    daemon, member = shop
    daemon.ctl("down", "shop", "--reason", "upgrade", "--drain", "0s")
    assert ask(daemon, "/page").status == 503
    printed = daemon.ctl("bypass", "shop")
    assert (printed.returncode, printed.stderr) == (0, "")
    link = printed.stdout.strip()
    assert link.startswith("/.sorryd/bypass?t=1.")
    followed = ask(daemon, f"{link}&to=%2Fpage")
    assert (followed.status, followed.one("Location")) == (302, b"/page")
    cookie = (followed.one("Set-Cookie") or b"").partition(b";")[0]
    seen = ask(daemon, "/page", b"Cookie: a=1; " + cookie + b"; b=2")
    assert (seen.status, seen.body) == (200, b"hello")
    assert seen.all("Cache-Control") == [b"private, no-store"]
    assert member.requests[-1].one("Cookie") == b"a=1; b=2"
    token = cookie.partition(b"=")[2]
    assert ask(daemon, "/page", b"Sorryd-Bypass: " + token).status == 200
    assert member.requests[-1].one("Sorryd-Bypass") is None
    assert ask(daemon, "/page", b"X-Forwarded-For: 10.1.2.3").status == 200
    assert ask(daemon, "/page", b"X-Forwarded-For: 10.2.2.3").status == 503
    until(
        lambda: sorted(map(str, bypassed(daemon, 4))) == ["None", "cookie", "header", "network"],
        "the lines of the access log",
    )
    assert token.decode() not in (daemon.folder / "access.log").read_text()
    daemon.ctl("up", "shop")
    daemon.ctl("down", "shop", "--drain", "0s")
    assert ask(daemon, "/page", b"Cookie: " + cookie).status == 503
    daemon.ctl("up", "shop")
    assert all(token not in line for one in member.requests for line in one.lines)


def test_links_outlive_a_restart(shop: tuple[Daemon, Member]) -> None:
    """The key is kept: a link is good until its window is over, whatever happens to sorryd."""
    daemon, _ = shop
    daemon.ctl("down", "shop", "--drain", "0s")
    result = json.loads(daemon.ctl("--json", "bypass").stdout)
    field = f"{result['header']['name']}: {result['header']['value']}".encode()
    assert ask(daemon, "/", field).status == 200
    daemon.stop()
    daemon.start()
    assert ask(daemon, "/").status == 503
    assert ask(daemon, "/", field).status == 200
    daemon.ctl("up", "shop")
    refused = daemon.ctl("bypass", "shop")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "nothing holds it down" in refused.stderr


def test_health_checks_and_hooks(shop: tuple[Daemon, Member]) -> None:
    """What is exempt reaches the members while the site is down, and nothing beside it."""
    daemon, _ = shop
    daemon.ctl("down", "shop", "--drain", "0s")
    assert ask(daemon, "/healthz").status == 200
    hook = ask(daemon, "/hooks/a", b"Content-Length: 0", method=b"POST")
    assert hook.status == 200
    for target in ("/hooks/../admin", "/hooks/%2e%2e/admin", "/hooks/..%2fadmin"):
        assert ask(daemon, target, b"Content-Length: 0", method=b"POST").status == 503
    daemon.ctl("up", "shop")


def test_assets(shop: tuple[Daemon, Member], folder: Path) -> None:
    """Files are served in every phase, from wherever `current` leads, and none from elsewhere."""
    daemon, member = shop
    asked = len(member.requests)
    for command in ("up", "down"):
        daemon.ctl(command, "shop")
        got = ask(daemon, "/images/logo.svg")
        assert (got.status, got.body) == (200, b"<svg/>")
        again = ask(daemon, "/images/logo.svg", b"If-None-Match: " + (got.one("ETag") or b""))
        assert (again.status, again.body) == (304, b"")
        for target in ("/images/leak", "/images/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd"):
            assert ask(daemon, target).status == 404
    other = folder / "releases" / "2" / "public" / "images"
    other.mkdir(parents=True)
    (other / "logo.svg").write_text("<svg>2</svg>")
    (folder / "next").symlink_to("releases/2")
    os.replace(folder / "next", folder / "current")
    assert ask(daemon, "/images/logo.svg").body == b"<svg>2</svg>"
    (folder / "next").symlink_to("releases/1")
    os.replace(folder / "next", folder / "current")
    daemon.ctl("up", "shop")
    assert len(member.requests) == asked


def test_large_assets_and_memory(shop: tuple[Daemon, Member], folder: Path) -> None:
    """Eight visitors of a large file cost little, whether they read it, or leave."""
    daemon, _ = shop
    expected = hashlib.sha256((folder / "current/public/images/huge.bin").read_bytes()).digest()
    assert ask(daemon, "/images/logo.svg").status == 200
    before, descriptors = daemon.memory(), daemon.descriptors()
    daemon.family.forget_peak()
    wires = [visitor(daemon.port()) for _ in range(8)]
    for wire in wires:
        wire.send(request(b"/images/huge.bin"))
    got = wires[0].answer()
    assert hashlib.sha256(got.body).digest() == expected
    for wire in wires:
        wire.close()
    until(lambda: daemon.descriptors() <= descriptors, "all files are closed")
    assert daemon.memory("VmHWM") - before < 24 << 20


def test_read_only(tmp_path: Path) -> None:
    """Under a window on unsafe methods readers are served, and an operator may write as well."""
    with (
        Member(saying(b"hello")) as member,
        Daemon(tmp_path, configuration([member.url], read_only="yes", drain="0s")) as daemon,
    ):
        span = ("--from", "now", "--for", "1h", "--id", "copy", "--reason", "a copy is made")
        daemon.ctl("schedule", "shop", *span)
        assert ask(daemon, "/").status == 200
        length = b"Content-Length: 0"
        refused = ask(daemon, "/", length, b"Accept: text/plain", method=b"POST")
        assert (refused.status, refused.one("Sorry-Cause")) == (503, b"window")
        assert b"a copy is made" in refused.body
        printed = daemon.ctl("bypass", "shop", "--verbose").stdout.splitlines()
        assert printed[-1].startswith("for window copy, ")
        assert ask(daemon, "/", length, printed[1].encode(), method=b"POST").status == 200
        daemon.ctl("end", "copy")
        assert ask(daemon, "/", length, method=b"POST").status == 200
