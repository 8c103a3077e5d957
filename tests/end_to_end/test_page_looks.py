"""The shipped pages in a real browser: how they are set, for whom, and on what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.contrast import Colour, contrast
from tests.end_to_end.chromium import NEEDS_CHROMIUM, Tab
from tests.end_to_end.shelf import Shelf, kinds, outage

pytestmark = NEEDS_CHROMIUM

LANGUAGES = pytest.mark.parametrize("language", ["en", "ja"])
SCREENS: Final = {
    "phone, small": (320, 568, 2.0, True),
    "phone": (390, 844, 2.0, True),
    "tablet": (820, 1180, 1.0, True),
    "desktop": (1440, 900, 1.0, False),
}
KINDS: Final = sorted(kinds())

TEXTS: Final = """
    [...document.querySelectorAll("main *")]
      .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
      .filter(one => one.checkVisibility() && !one.matches(".spoken"))
      .map(one => [one.innerText, getComputedStyle(one).color])
"""
STICKS_OUT: Final = """
    [...document.querySelectorAll("main *")]
      .filter(one => one.checkVisibility())
      .filter(one => { const box = one.getBoundingClientRect();
                       return box.left < 0 || box.right > innerWidth + .5; })
      .map(one => one.outerHTML)
"""


@pytest.fixture(scope="module")
def shelf() -> Iterator[Shelf]:
    """All kinds of pages."""
    with Shelf() as one:
        yield one


@LANGUAGES
@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_every_kind_fits(tab: Tab, shelf: Shelf, language: str, screen: str) -> None:
    """Nothing sticks out of any screen, and all text stands out from its ground in both schemes."""
    width, height, scale, phone = SCREENS[screen]
    tab.screen(width, height, scale, phone)
    for kind in KINDS:
        tab.open(shelf.url(language, kind))
        assert tab.value("document.documentElement.lang") == language
        assert tab.value("document.documentElement.scrollWidth") <= width, kind
        assert tab.value(STICKS_OUT) == [], kind
        for scheme in ("light", "dark"):
            tab.media(prefers_color_scheme=scheme)
            ground = Colour.of(tab.value("getComputedStyle(document.body).backgroundColor"))
            assert (ground.luminance < 0.1) is (scheme == "dark")
            texts = tab.value(TEXTS)
            assert len(texts) >= 5
            assert [
                text for text, colour in texts if contrast(Colour.of(colour), ground) < 4.5
            ] == [], kind


@LANGUAGES
def test_a_page_without_long_words_needs_no_scrolling(
    tab: Tab, shelf: Shelf, language: str
) -> None:
    """On a desktop, all is seen at once."""
    tab.screen(1440, 900)
    for kind in sorted({*KINDS} - {"long"}):
        tab.open(shelf.url(language, kind))
        assert tab.value("document.documentElement.scrollHeight") <= 900, kind


def named(nodes: list[dict[str, Any]], role: str) -> list[str]:
    """The names of all that a screen reader knows by a role."""
    return [
        node.get("name", {}).get("value", "")
        for node in nodes
        if not node["ignored"] and node["role"]["value"] == role
    ]


@pytest.mark.parametrize(
    ("language", "heading", "link", "left"),
    [
        ("en", "Down for maintenance", "Try again", "1 hour 47 minutes "),
        ("ja", "メンテナンス中です", "もう一度試す", "1 時間 47 分 "),
    ],
)
def test_screen_readers(
    tab: Tab, shelf: Shelf, language: str, heading: str, link: str, left: str
) -> None:
    """A screen reader finds one landmark, one heading, facts by name, and the time left once."""
    shelf.facts["planned"] = kinds()["planned"]
    tab.language(language)
    tab.zone("Asia/Tokyo")
    tab.open(shelf.url(language, "planned"))
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    assert len(named(nodes, "main")) == 1
    assert named(nodes, "heading") == [heading]
    assert named(nodes, "link") == [link]
    assert len(named(nodes, "status")) == 1
    assert len(named(nodes, "timer")) == 1
    assert len(named(nodes, "term")) == len(named(nodes, "definition")) == 3
    assert len(named(nodes, "time")) == 2
    said = named(nodes, "StaticText")
    assert said.count(left.strip()) + said.count(left) == 1
    assert tab.text("#count") not in said


@pytest.mark.parametrize(
    ("until", "live"),
    [(7000, "off"), (3590, "polite"), (1000, "off"), (600, "off"), (290, "polite")],
)
def test_time_is_seldom_read_aloud(tab: Tab, shelf: Shelf, until: float, live: str) -> None:
    """The time left is announced at quarters of an hour, and by the minute in the last five."""
    shelf.facts["soon"] = outage(until=until)
    tab.open(shelf.url("en", "soon"))
    assert tab.value("document.querySelector('#left').ariaLive") == live


def test_keyboard(tab: Tab, shelf: Shelf) -> None:
    """The tab key gets to the only link, and one sees that it is there."""
    tab.open(shelf.url("en", "planned"))
    tab.press("Tab")
    assert tab.value("document.activeElement.id") == "again"
    assert tab.value("getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_print(tab: Tab, shelf: Shelf) -> None:
    """On paper there is nothing to press and nothing that moves."""
    tab.open(shelf.url("en", "planned"))
    tab.media("print")
    hidden = "['#again', '#note', '#count'].map(one => document.querySelector(one))"
    assert tab.value(f"{hidden}.some(one => one.checkVisibility())") is False
    assert tab.value("document.querySelector('h1').checkVisibility()") is True


def test_forced_colours(tab: Tab, shelf: Shelf) -> None:
    """Who chose few colours gets these, on the clock, too."""
    tab.media(forced_colors="active")
    tab.open(shelf.url("en", "planned"))
    ink = tab.value("getComputedStyle(document.body).color")
    for part in ("face", "ticks", "hand", "pin", "arc"):
        assert tab.value(f"getComputedStyle(document.querySelector('.{part}')).color") == ink


def test_no_motion(tab: Tab, shelf: Shelf) -> None:
    """Who wants no motion sees minutes until the last one, and nothing glides."""
    tab.media(prefers_reduced_motion="reduce")
    tab.language("en")
    tab.open(shelf.url("en", "planned"))
    assert tab.text("#count").split()[1::2] == ["hr", "min"]
    assert tab.value("getComputedStyle(document.querySelector('.hand')).transitionDuration") == "0s"
