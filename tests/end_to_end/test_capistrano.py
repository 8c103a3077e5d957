"""Capistrano's deploy:web:disable and :enable, as the shell commands that they come to.

They put a page into shared/system, of mode 0644, and remove it; nothing of them knows sorryd.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Load, Pages, asking, check_page
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import Message, request, visitor

PAGE: Final = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Down for maintenance</title></head>
<body>
<img src="/images/logo.png" alt="">
<h1>We are down for ${REASON:-maintenance}.</h1>
<p>We will be back ${UNTIL:-shortly}. ありがとうございます</p>
</body>
</html>
"""
PUT: Final = {
    "written": f"""
        cat > "$SHARED/system/maintenance.html" <<END\n{PAGE}END
        chmod 0644 "$SHARED/system/maintenance.html"
    """,
    "written in a draft": f"""
        umask 077
        cat > "$SHARED/system/.upload" <<END\n{PAGE}END
        chmod 0644 "$SHARED/system/.upload"
        mv "$SHARED/system/.upload" "$SHARED/system/maintenance.html"
    """,
}
ENABLE: Final = 'rm "$SHARED/system/maintenance.html"'
LOGO: Final = bytes(range(256))


class Shop:
    """An application deployed by Capistrano, and sorryd before it."""

    def __init__(self, folder: Path, daemon: Daemon, member: Pages) -> None:
        self.folder = folder
        self.daemon = daemon
        self.member = member

    def cap(self, script: str, **environment: str) -> None:
        """Run a task on the server."""
        subprocess.run(
            ["sh", "-euc", script], check=True, timeout=PATIENCE,
            env={"PATH": os.environ["PATH"], "SHARED": str(self.folder / "shared"), **environment},
        )  # fmt: skip

    def ask(self, target: bytes = b"/", *lines: bytes, method: bytes = b"GET") -> Message:
        """What a visitor gets."""
        with visitor(self.daemon.port()) as wire:
            wire.send(request(target, *lines, method=method))
            return wire.answer(method)

    def wait_for_page(self, text: str) -> None:
        """Wait until the page says that: a file is there before anything is in it."""
        until(lambda: text.encode() in self.ask().body, text)

    def wait_for_cause(self, cause: bytes, is_so: bool = True) -> None:
        """Wait until the site is down for that cause, or is not."""
        until(lambda: (self.ask().one("Sorry-Cause") == cause) is is_so, f"{cause!r}: {is_so}")

    def wait_for(self, status: int) -> None:
        """Wait until visitors get that; how late that may be, other tests say."""
        until(lambda: self.ask().status == status, f"{status} at /")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The folders as Capistrano makes them: releases, shared, current."""
    folder = tmp_path_factory.mktemp("rails")
    public = folder / "releases" / "20261128" / "public"
    (public / "images").mkdir(parents=True)
    (public / "images" / "logo.png").write_bytes(LOGO)
    (folder / "shared" / "system").mkdir(parents=True)
    (public / "system").symlink_to("../../../shared/system")
    (folder / "current").symlink_to("releases/20261128")
    with Pages() as member:
        ini = configuration(
            [member.url],
            sorry_file="current/public/system/maintenance.html",
            sorry_assets="/images/ /javascripts/ /stylesheets/ from current/public",
        )
        with Daemon(folder, ini) as daemon:
            yield Shop(folder, daemon, member)


@pytest.fixture
def shop(deployed: Shop) -> Iterator[Shop]:
    """The shop, live before each test and after it."""
    deployed.wait_for(200)
    yield deployed
    (deployed.folder / "shared" / "system" / "maintenance.html").unlink(missing_ok=True)
    deployed.wait_for_cause(b"file", False)
    deployed.daemon.ask("site.up", {"site": None})
    deployed.wait_for(200)


@pytest.mark.parametrize("put", PUT)
def test_it_is_seen_within_a_quarter_of_a_second(shop: Shop, put: str) -> None:
    """By every visitor, however the page is put there; and nobody is lost."""
    with Load(shop.daemon.port()) as load:
        load.wait_for(50)
        begun = time.time()
        shop.cap(PUT[put])
        done = time.time()
        load.wait_till(done + 0.5)
        removing = time.time()
        shop.cap(ENABLE)
        removed = time.time()
        load.wait_till(removed + 0.5)
        load.wait_for(50)
    assert load.faults == []
    pages = [one for one in load.answers if one.is_page]
    apologies = [one for one in load.answers if not one.is_page]
    late_pages = [one.asked for one in pages if done < one.asked < removing]
    late_apologies = [one.asked for one in apologies if one.asked > removed]
    assert all(begun <= one.answered for one in apologies)
    assert any(one.answered < removing for one in apologies)
    assert any(one.asked > removed for one in pages)
    # 250 ms are promised, on a machine that is not as busy as that of a test may be.
    assert max(late_pages, default=done) - done < 1.0
    assert max(late_apologies, default=removed) - removed < 1.0


def test_the_page_is_the_one_that_was_put_there(shop: Shop) -> None:
    """At every path and for every method, with what the operator said; no cache may keep it."""
    shop.cap(PUT["written"], REASON="database upgrade", UNTIL="12pm Central Time")
    shop.wait_for_page("We are down for database upgrade.")
    for target, method in ((b"/", b"GET"), (b"/cart?step=2", b"POST"), (b"/a/b/c", b"DELETE")):
        got = shop.ask(target, method=method)
        assert got.status == 503
        assert b"down for database upgrade." in got.body
        assert "back 12pm Central Time. ありがとうございます".encode() in got.body
        assert got.one("Content-Type") == b"text/html; charset=utf-8"
        assert got.one("Sorry-Cause") == b"file"
        assert got.one("Retry-After") == b"30"
        assert got.one("Cache-Control") == b"no-store"
        assert got.one("ETag") is got.one("Last-Modified") is None
    assert shop.ask(method=b"HEAD").status == 503


def test_a_slow_upload(shop: Shop) -> None:
    """The site is down from the first byte on; the page is whole when the last one is there."""
    shop.cap('printf "<p>We are down" > "$SHARED/system/maintenance.html"')
    shop.wait_for(503)
    shop.cap('printf " for maintenance.\\n" >> "$SHARED/system/maintenance.html"')
    until(lambda: shop.ask().body == b"<p>We are down for maintenance.\n", "the whole page")


def test_its_images_are_served(shop: Shop) -> None:
    """As Apache's rewrite conditions had it, and from the same folder."""
    shop.cap(PUT["written"])
    shop.wait_for(503)
    got = shop.ask(b"/images/logo.png")
    assert (got.status, got.body) == (200, LOGO)
    assert got.one("Content-Type") == b"image/png"


def test_f5_gives_the_page_first_asked_for(shop: Shop) -> None:
    """The address bar is as it was, so to ask again is enough."""
    with visitor(shop.daemon.port()) as wire:
        shop.cap(PUT["written"])
        shop.wait_for(503)
        assert asking(wire, b"/cart?step=2").status == 503
        shop.cap(ENABLE)
        shop.wait_for(200)
        check_page(asking(wire, b"/cart?step=2"), "/cart?step=2")


def test_requests_in_flight_are_finished(shop: Shop) -> None:
    """Who has begun to be served is served, while new visitors get the page."""
    with visitor(shop.daemon.port()) as wire:
        wire.send(request(b"/held/order"))
        shop.member.wait_for("/held/order")
        shop.cap(PUT["written"])
        shop.wait_for(503)
        shop.member.release("/held/order")
        check_page(wire.answer(), "/held/order")
        assert asking(wire, b"/next").status == 503


def test_the_history_has_it(shop: Shop) -> None:
    """A file that came and went leaves both turns of the phase, with its cause."""
    shop.cap(PUT["written"])
    shop.wait_for(503)
    shop.cap(ENABLE)
    shop.wait_for(200)
    said = shop.daemon.ctl("history", "shop")
    assert said.returncode == 0
    assert "sorry file" in said.stdout, said.stdout
    shop.daemon.wait_for_log(r"site shop: live -> draining \(the sorry file is there\)")


def test_under_a_window(shop: Shop) -> None:
    """The file is the page while it is there; the window holds the site after it, as planned."""
    shop.daemon.ask("site.down", {"site": "shop", "reason": "disks"})
    assert shop.ask().one("Sorry-Cause") == b"manual"
    shop.cap(PUT["written"])
    shop.wait_for_page("We are down for maintenance.")
    assert shop.ask().one("Sorry-Cause") == b"file"
    shop.cap(ENABLE)
    shop.wait_for_cause(b"manual")
    assert b"disks" in shop.ask().body
    shop.daemon.ask("site.up", {"site": "shop"})
    assert shop.ask().status == 200


def test_up_names_the_file(shop: Shop) -> None:
    """What the operator must do is said; until then, nothing is changed."""
    shop.cap(PUT["written"])
    shop.wait_for(503)
    said = shop.daemon.ctl("enable", "shop")
    assert said.returncode == 1
    assert str(shop.folder / "current/public/system/maintenance.html") in said.stderr
    assert shop.daemon.ctl("is-down", "shop").returncode == 0
    assert "file" in shop.daemon.ctl("status", "shop").stdout
    shop.cap(ENABLE)
    shop.wait_for(200)
    assert shop.daemon.ctl("is-down", "shop").returncode == 1


def test_a_deploy_while_it_is_there(shop: Shop) -> None:
    """``current`` moves to another release: no visitor sees the application meanwhile."""
    shop.cap(PUT["written"])
    shop.wait_for(503)
    with Load(shop.daemon.port()) as load:
        load.wait_for(50)
        shop.cap(
            """
            cd "$SHARED/.."
            cp -RP releases/20261128 releases/20261129
            ln -s releases/20261129 next
            mv -T next current
            """
        )
        load.wait_till(time.time() + 0.5)
    assert load.faults == []
    assert not any(one.is_page for one in load.answers)


def test_sorryctl_does_the_same(shop: Shop) -> None:
    """`sorryctl disable` takes REASON and UNTIL from the environment, as cap does."""
    said = shop.daemon.ctl("disable", "shop", REASON="a new rack", UNTIL="12pm Central Time")
    assert said.returncode == 0, said.stderr
    got = shop.ask(b"/cart", b"Accept: text/html")
    assert got.status == 503
    assert b"a new rack" in got.body
    assert b"12pm Central Time" in got.body
    assert shop.daemon.ctl("enable", "shop").returncode == 0
    assert shop.ask(b"/cart").status == 200
