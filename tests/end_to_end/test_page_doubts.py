"""The shipped page in a real browser, and answers that are not plain: it never runs in circles."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from tests.end_to_end.chromium import NEEDS_CHROMIUM, Tab
from tests.end_to_end.shelf import Shelf, outage
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import answer

from sorryd.model import Cause, Phase

pytestmark = NEEDS_CHROMIUM

PATH: Final = "/en/one"
SPEED: Final = 100
FAST: Final = f"""
    const began = Date.now(), clock = Date.now, moment = performance.now.bind(performance);
    const timer = setTimeout;
    Date.now = () => began + (clock() - began) * {SPEED};
    performance.now = () => moment() * {SPEED};
    window.setTimeout = (call, wait) => timer(call, wait / {SPEED});
"""
"""Lets time run a hundred times as fast for a page."""
SOON: Final = "Math.random = () => 0;"

Says = Callable[[str], bytes]


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """A page of an outage without an end."""
    with Shelf({"one": outage(cause=Cause.MEMBERS)}) as one:
        yield one


def bare(status: int, *lines: bytes) -> Says:
    """An answer of another server, without a body."""
    return lambda method: answer(b"", *lines, status=status)


def heads_say(shelf: Shelf, *says: Says | None) -> list[float]:
    """Answer HEAD with these, one after the other and the last one for ever; None is the apology.

    GET is always answered with the apology. Returned are the instants at which GET is asked for.
    """
    left = list(says)
    loaded: list[float] = []

    def reply(method: str) -> bytes:
        if method == "GET":
            loaded.append(time.time())
            return shelf.apology(PATH, method)
        say = left.pop(0) if len(left) > 1 else left[0]
        return shelf.apology(PATH, method) if say is None else say(method)

    shelf.answers[PATH] = reply
    return loaded


def heads(shelf: Shelf, count: int) -> None:
    """Wait until HEAD was asked for so often."""
    until(lambda: shelf.asked.count(("HEAD", PATH)) >= count, f"HEAD number {count}")


def test_down_for_others_only(tab: Tab, shelf: Shelf) -> None:
    """In a window that HEAD knows nothing of, the page leaves it to the reader to go on."""
    shelf.facts["one"] = outage(cause=Cause.MANUAL)
    loaded = heads_say(shelf, bare(200))
    tab.before_scripts(FAST)
    tab.open(shelf.url("en", "one"))
    heads(shelf, 4)
    assert tab.text("#note") == "This page can be opened again."
    assert len(loaded) == 1


def test_verified(tab: Tab, shelf: Shelf) -> None:
    """While all is being checked, the first sign of the site is enough."""
    shelf.facts["one"] = outage(phase=Phase.VERIFYING)
    loaded = heads_say(shelf, bare(200))
    tab.before_scripts(FAST)
    tab.open(shelf.url("en", "one"))
    until(lambda: len(loaded) == 2, "the page to be loaded again")
    assert shelf.asked[:3] == [("GET", PATH), ("HEAD", PATH), ("GET", PATH)]


def test_one_answer_failed(tab: Tab, shelf: Shelf) -> None:
    """Where no work was planned, and HEAD finds the site open twice, the page goes on."""
    loaded = heads_say(shelf, bare(200))
    tab.before_scripts(FAST)
    tab.open(shelf.url("en", "one"))
    until(lambda: len(loaded) == 2, "the page to be loaded again")
    assert shelf.asked[1:3] == [("HEAD", PATH)] * 2


def test_back_for_head_and_down_for_get(tab: Tab, shelf: Shelf) -> None:
    """Where going on leads back to this page, it waits four times as long each time."""
    first = True

    def reply(method: str) -> bytes:
        nonlocal first
        was, first = first, method == "GET"
        return shelf.apology(PATH, method) if was or method == "GET" else answer(b"", status=200)

    shelf.answers[PATH] = reply
    tab.before_scripts(FAST)
    tab.before_scripts(
        "history.replaceState = () => { sessionStorage.stays ="
        " (sessionStorage.stays || '') + performance.now() / 1000 + ' '; };"
    )
    tab.open(shelf.url("en", "one"))
    stays = tab.until("(sessionStorage.stays || '').split(' ').length > 4 && sessionStorage.stays")
    assert [
        stay
        for stay, least in zip(stays.split(), (30, 4, 16, 64), strict=False)
        if float(stay) < least
    ] == []


@pytest.mark.parametrize("status", [502, 503, 504])
def test_down_by_another_server(tab: Tab, shelf: Shelf, status: int) -> None:
    """A server in between that has nothing to give is no news of the site."""
    loaded = heads_say(shelf, None, bare(status, b"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"))
    tab.before_scripts(FAST)
    tab.open(shelf.url("en", "one"))
    heads(shelf, 4)
    assert tab.text("#note").startswith("You can leave this page open")
    assert len(loaded) == 1


@pytest.mark.parametrize(
    "back",
    [
        pytest.param(bare(404), id="a page that is gone"),
        pytest.param(bare(405), id="HEAD is not known"),
        pytest.param(bare(302, b"Location: /login"), id="a redirect"),
        pytest.param(bare(302, b"Location: http://192.0.2.1/"), id="a redirect elsewhere"),
        pytest.param(bare(500), id="an error of the site itself"),
    ],
)
def test_any_other_answer_is_the_sites_own(tab: Tab, shelf: Shelf, back: Says) -> None:
    """What is no apology is for the reader to see, and is not followed before that."""
    loaded = heads_say(shelf, None, back)
    tab.before_scripts(FAST)
    tab.open(shelf.url("en", "one"))
    until(lambda: len(loaded) == 2, "the page to be loaded again")
    assert {path for _, path in shelf.asked} == {PATH}


def test_a_connection_that_is_cut(tab: Tab, shelf: Shelf) -> None:
    """No answer at all is no news of the site; the page asks again."""

    def cut(method: str) -> bytes:
        raise OSError("cut")

    loaded = heads_say(shelf, None, cut, cut, bare(200))
    tab.before_scripts(FAST)
    tab.open(shelf.url("en", "one"))
    until(lambda: len(loaded) == 2, "the page to be loaded again")
    assert shelf.asked.count(("HEAD", PATH)) >= 4


def test_other_words(tab: Tab, shelf: Shelf) -> None:
    """When the operator says something else, the page says it, too."""
    shelf.facts["one"] = outage(cause=Cause.MANUAL, reason="New disks")
    tab.before_scripts(FAST)
    tab.open(shelf.url("en", "one"))
    heads(shelf, 1)
    shelf.facts["one"] = outage(cause=Cause.MANUAL, reason="New disks, and a new roof")
    tab.until("document.querySelector('main').innerText.includes('a new roof')")


def test_planned_work_went_wrong(tab: Tab, shelf: Shelf) -> None:
    """A window that ends with all members dead is told as what it is."""
    shelf.facts["one"] = outage(since=-60, until=3)
    tab.before_scripts(SOON)
    tab.open(shelf.url("en", "one"))
    heads(shelf, 1)
    shelf.facts["one"] = outage(cause=Cause.MEMBERS)
    tab.until("document.querySelector('h1')?.innerText.endsWith('having trouble')")


def test_it_takes_longer(tab: Tab, shelf: Shelf) -> None:
    """Past the end it says that it looks, then that it takes longer, and stays as it is."""
    shelf.facts["one"] = outage(since=-60, until=3)
    loaded = heads_say(shelf, None)
    tab.before_scripts("Math.random = () => 0.3;")
    tab.open(shelf.url("en", "one"))
    tab.until("document.querySelector('#note').innerText.startsWith('It is time')")
    assert tab.value("document.title") == "Down for maintenance \N{EN DASH} shop.example"
    tab.until("document.querySelector('#note').innerText.startsWith('It is taking')")
    assert tab.text("#count") == "0 sec"
    assert len(loaded) == 1


def test_without_storage(tab: Tab, shelf: Shelf) -> None:
    """Who lets no site keep anything is taken back all the same."""
    loaded = heads_say(shelf, None, bare(200))
    tab.before_scripts(
        FAST + "Object.defineProperty(window, 'sessionStorage',"
        " { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    tab.open(shelf.url("en", "one"))
    until(lambda: len(loaded) == 2, "the page to be loaded again")
