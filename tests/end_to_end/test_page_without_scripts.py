"""The shipped page in a real browser that runs no scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.end_to_end.chromium import NEEDS_CHROMIUM, Tab
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Pages

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A site whose page says that one may come again after a second."""
    folder = tmp_path_factory.mktemp("without_scripts")
    with Pages() as member, Daemon(folder, configuration([member.url], retry_after="1s")) as daemon:
        yield daemon


@pytest.fixture
def order(shop: Daemon, tab: Tab) -> Iterator[str]:
    """Where an order is sent by POST, when the site is down and the reader runs no scripts."""
    url = f"http://127.0.0.1:{shop.port()}/order?id=7"
    tab.open(url)
    form = '<form method=post action="/order?id=7"><button name=a value=1>Send</button></form>'
    tab.value(f"document.body.innerHTML = {form!r}; document.querySelector('button').focus()")
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    shop.ask("site.down", {"for": "2h", "reason": "disks"})
    yield url
    shop.ask("site.up")


def test_it_comes_back(shop: Daemon, tab: Tab, order: str) -> None:
    """The page is loaded again now and then, by GET also where it came by POST."""
    tab.press("Enter")
    tab.wait_for_answer("POST")
    seen = len(tab.events)
    tab.wait_for("Page.loadEventFired", since=seen)
    assert "Down for maintenance" in tab.text("main")
    assert "Back by" in tab.text("main")
    assert tab.text("#count") == ""
    shop.ask("site.up")
    tab.until("document.body.innerText.includes('this is the page at /order?id=7')")
    assert [one["method"] for one in tab.requests() if one["url"] == order].count("POST") == 1


def test_the_link(shop: Daemon, tab: Tab, order: str) -> None:
    """By hand it goes at once, from within a page, too."""
    tab.open(f"{order}&more=1#total")
    assert "Down for maintenance" in tab.text("main")
    shop.ask("site.up")
    tab.press("Tab")
    tab.press("Enter")
    tab.until("document.body.innerText.includes('this is the page at /order?id=7')")
