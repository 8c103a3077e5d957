"""An operator's secret link in a real browser, before a real sorryd."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from tests.end_to_end.chromium import NEEDS_CHROMIUM, Chromium, Tab
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Pages

pytestmark = NEEDS_CHROMIUM

TARGET = "/article/a%20b?page=3"


def sees_the_site(tab: Tab) -> bool:
    """Whether the tab shows the member's page, rather than the apology."""
    return bool(tab.value("document.body.innerText.includes('this is the page at ')"))


def link(daemon: Daemon) -> str:
    """A secret link, for the address that browsers ask here."""
    path = daemon.ask("site.bypass", {"site": "shop"})["path"]
    return f"http://127.0.0.1:{daemon.port()}{path}"


def test_the_link_opens_one_browser_until_the_window_is_over(
    tmp_path: Path, browser: Chromium, tab: Tab
) -> None:
    """Who opens the link goes on through the site, others do not; scripts and members never see
    the secret, and with the window it is over."""
    with Pages() as member, Daemon(tmp_path, configuration([member.url])) as daemon:
        url = f"http://127.0.0.1:{daemon.port()}{TARGET}"
        daemon.ask("site.down", {"site": "shop", "drain": "0s"})
        tab.open(url)
        assert not sees_the_site(tab)
        tab.open(f"{link(daemon)}&to={quote(TARGET, safe='')}")
        assert (tab.value("location.href"), sees_the_site(tab)) == (url, True)
        assert tab.value("document.cookie + document.referrer") == ""
        assert (
            tab.value("fetch('/more', {method: 'POST', body: 'a'}).then(one => one.status)") == 200
        )
        with browser.tab() as stranger:
            stranger.open(url)
            assert not sees_the_site(stranger)
        daemon.ask("site.up", {"site": "shop"})
        daemon.ask("site.down", {"site": "shop", "drain": "0s"})
        tab.open(url)
        assert not sees_the_site(tab)
        assert member.requests
        assert not any(b"bypass" in line.lower() for one in member.requests for line in one.lines)
