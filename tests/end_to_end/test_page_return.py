"""The shipped page in a real browser, before a real sorryd: how a reader comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.chromium import NEEDS_CHROMIUM, Chromium, Tab
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Pages, utc
from tests.end_to_end.members import MemberProcess

pytestmark = NEEDS_CHROMIUM

SOON: Final = "Math.random = () => 0;"
"""For tests that have seen chance at work elsewhere: the earliest moment of each span."""

TARGET: Final = "/article/a%20b?page=3&x=%2F"
IS_BACK: Final = "document.body.innerText.includes('this is the page at ')"


def send_a_form(tab: Tab, action: str) -> None:
    """Put a form into the page, and press its button."""
    form = f'<form method=post action="{action}"><button name=a value=1>Send</button></form>'
    tab.value(f"document.body.innerHTML = {form!r}; document.querySelector('button').focus()")
    tab.press("Enter")


class Shop:
    """A site with a member that answers, and who visits it."""

    def __init__(self, daemon: Daemon, member: Pages) -> None:
        self.daemon = daemon
        self.member = member
        self.url = f"http://127.0.0.1:{daemon.port()}"

    def asked(self) -> list[tuple[bytes, bytes]]:
        """Methods and targets that the member has got, but for the browser's own icon."""
        return [
            (one.method, one.target)
            for one in self.member.requests
            if one.target != b"/favicon.ico"
        ]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One daemon for all tests of this file."""
    with (
        Pages() as member,
        Daemon(tmp_path_factory.mktemp("return"), configuration([member.url])) as daemon,
    ):
        yield Shop(daemon, member)


@pytest.fixture
def shop(running: Shop) -> Iterator[Shop]:
    """The site, open, and nobody has been there."""
    running.member.requests.clear()
    yield running
    running.daemon.ask("site.up")


@contextmanager
def loaded_again(tab: Tab) -> Iterator[None]:
    """Within, the page is loaded again by itself."""
    tab.value("window.old = true")
    yield
    tab.until("!window.old && document.readyState === 'complete'")


def heard(tab: Tab) -> None:
    """Wait until the page has been told, for the first time, that the site is down."""
    tab.wait_for_answer("HEAD")


def test_the_end_comes(shop: Shop, tab: Tab) -> None:
    """When the window is over the reader gets the page first asked for, without a hand moved."""
    shop.daemon.ask("window.schedule", {"from": "now", "for": "2s", "reason": "disks"})
    tab.open(f"{shop.url}{TARGET}#section-2")
    assert "Down for maintenance" in tab.text("main")
    tab.until(IS_BACK)
    assert tab.value("location.href") == f"{shop.url}{TARGET}#section-2"
    assert shop.asked()[-1] == (b"GET", TARGET.encode())
    assert {method for method, _ in shop.asked()[:-1]} == {b"HEAD"}


def test_up_before_its_time(shop: Shop, tab: Tab) -> None:
    """Who has the page open when the work is done early need not wait for the end."""
    shop.daemon.ask("site.down", {"for": "2h"})
    tab.before_scripts(SOON)
    tab.open(f"{shop.url}{TARGET}")
    heard(tab)
    shop.daemon.ask("site.up")
    with back_online(tab):
        pass
    tab.until(IS_BACK)
    assert shop.asked() == [(b"HEAD", TARGET.encode()), (b"GET", TARGET.encode())]


@contextmanager
def back_online(tab: Tab) -> Iterator[None]:
    """The reader has no network within, and has it again after."""
    throughput = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    tab.call("Network.emulateNetworkConditions", offline=True, **throughput)
    try:
        yield
    finally:
        tab.call("Network.emulateNetworkConditions", offline=False, **throughput)


def test_no_network(shop: Shop, tab: Tab) -> None:
    """A lost network is no news of the site: the page stays, and asks when it is back."""
    shop.daemon.ask("window.schedule", {"from": "now", "for": "2s"})
    tab.before_scripts(SOON)
    tab.open(shop.url)
    end = tab.value("Date.parse(document.querySelector('#until').dateTime)")
    heard(tab)
    with back_online(tab):
        tab.wait_for("Network.loadingFailed")
        assert "Down for maintenance" in tab.text("main")
        tab.until(f"Date.now() > {end}")
    tab.until(IS_BACK)


@pytest.mark.parametrize("by", [1200, -1200], ids=["extended", "shortened"])
def test_the_end_is_moved(shop: Shop, tab: Tab, by: int) -> None:
    """Another end is shown as soon as the page hears of it, and counted to."""
    now = int(time.time())
    span = {"from": utc(now), "until": utc(now + 3600)}
    window = shop.daemon.ask("window.schedule", span)
    tab.before_scripts(SOON)
    tab.open(shop.url)
    heard(tab)
    moved = now + 3600 + by
    shop.daemon.ask("window.extend", {"id": window["id"], "until": utc(moved)})
    with loaded_again(tab), back_online(tab):
        pass
    assert tab.value("Date.parse(document.querySelector('#until').dateTime) / 1000") == moved
    assert len(tab.answered("HEAD")) == 2


def test_extended_at_the_last_moment(shop: Shop, tab: Tab) -> None:
    """The end that was promised comes, and another one is told: the page tells it, too."""
    window = shop.daemon.ask("window.schedule", {"from": "now", "for": "3s"})
    tab.before_scripts(SOON)
    tab.open(shop.url)
    heard(tab)
    shop.daemon.ask("window.extend", {"id": window["id"], "by": "2h"})
    with loaded_again(tab):
        pass
    assert tab.text("#count").split()[1::2] == ["hr", "min", "sec"]


def test_a_form_is_not_sent_again(shop: Shop, tab: Tab) -> None:
    """What came by POST comes back by GET, at the same URL, and nobody is asked about it."""
    tab.before_scripts(SOON)
    tab.open(f"{shop.url}/form")
    shop.daemon.ask("site.down", {"for": "2h"})
    send_a_form(tab, "/order?id=7#total")
    tab.until("document.querySelector('h1')?.innerText === 'Down for maintenance'")
    heard(tab)
    shop.daemon.ask("site.up")
    with back_online(tab):
        pass
    tab.until(IS_BACK)
    assert tab.value("location.href") == f"{shop.url}/order?id=7#total"
    assert shop.asked()[1:] == [(b"HEAD", b"/order?id=7"), (b"GET", b"/order?id=7")]


def test_try_again(shop: Shop, tab: Tab) -> None:
    """The link asks at once, and forgets nothing of the URL."""
    shop.daemon.ask("site.down", {"for": "2h"})
    tab.open(f"{shop.url}{TARGET}#section-2")
    with loaded_again(tab):
        tab.value("document.querySelector('#again').click()")
    assert "Down for maintenance" in tab.text("main")
    shop.daemon.ask("site.up")
    tab.value("document.querySelector('#again').click()")
    tab.until(IS_BACK)
    assert tab.value("location.href") == f"{shop.url}{TARGET}#section-2"


def test_a_hidden_tab_asks_nothing(shop: Shop, tab: Tab, browser: Chromium) -> None:
    """A tab in the background is silent; when it is looked at again, it asks and goes on."""
    shop.daemon.ask("window.schedule", {"from": "now", "for": "3s"})
    tab.before_scripts(SOON)
    tab.open(shop.url)
    end = tab.value("Date.parse(document.querySelector('#until').dateTime)")
    heard(tab)
    with tab.hidden():
        tab.until("document.hidden")
        tab.until(f"Date.now() > {end + 1500}")
        assert len(tab.answered("HEAD")) == 1
        assert "Down for maintenance" in tab.text("main")
    tab.until(IS_BACK)


def test_members_die_and_live_again(tmp_path: Path, tab: Tab) -> None:
    """An unplanned outage promises nothing, and is over for the reader when it is for the site."""
    keys = {"retry_after": "1s"}
    with (
        MemberProcess("hello") as member,
        Daemon(tmp_path, configuration([f"{member.url} retry=1"], **keys)) as daemon,
    ):
        url = f"http://127.0.0.1:{daemon.port()}/a?b#c"
        member.kill()
        tab.open(url)
        assert "having trouble" in tab.text("main")
        assert tab.text("#count") == ""
        heard(tab)
        member.start()
        tab.until("document.body.innerText.includes('hello')")
        assert tab.value("location.href") == url


@pytest.mark.parametrize(
    ("languages", "language", "heading"),
    [
        ("en-GB", "en", "Down for maintenance"),
        ("ja", "ja", "メンテナンス中です"),
        ("de,ja;q=0.5", "ja", "メンテナンス中です"),
        ("fr", "en", "Down for maintenance"),
    ],
)
def test_in_the_readers_language(
    shop: Shop, tab: Tab, languages: str, language: str, heading: str
) -> None:
    """The page comes in the language that the reader reads best, and its time in it, too."""
    shop.daemon.ask("site.down", {"for": "2h"})
    tab.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": languages})
    tab.open(shop.url)
    assert tab.value("document.documentElement.lang") == language
    assert tab.text("h1") == heading
    assert ("年" in tab.text("#until")) is (language == "ja")


def test_verified_before_it_is_back(tmp_path: Path, tab: Tab) -> None:
    """A site that is not well at the end of its window says that it is being checked, no more."""
    with (
        MemberProcess("hello") as member,
        Daemon(tmp_path, configuration([f"{member.url} retry=1"], retry_after="1s")) as daemon,
    ):
        span = {"from": "now", "for": "3s", "until_healthy": "10m"}
        daemon.ask("window.schedule", span)
        member.kill()
        tab.before_scripts(SOON)
        tab.open(f"http://127.0.0.1:{daemon.port()}/a")
        assert tab.text("h1") == "Down for maintenance"
        tab.until("document.querySelector('h1').innerText === 'Back any moment'")
        member.start()
        tab.until("document.body.innerText.includes('hello')")


def test_only_forms_are_refused(tmp_path: Path, tab: Tab) -> None:
    """Where a site can be read, who sent a form keeps the page until they go on by hand."""
    with (
        Pages() as member,
        Daemon(tmp_path, configuration([member.url], read_only="yes")) as daemon,
    ):
        daemon.ask("window.schedule", {"from": "now", "for": "2h"})
        url = f"http://127.0.0.1:{daemon.port()}"
        tab.before_scripts(SOON)
        tab.open(f"{url}/form")
        send_a_form(tab, "/order?id=7")
        tab.until("document.querySelector('#note')?.innerText === 'This page can be opened again.'")
        assert tab.text("h1") == "Down for maintenance"
        tab.value("document.querySelector('#again').click()")
        tab.until("document.body.innerText.includes('this is the page at /order')")
