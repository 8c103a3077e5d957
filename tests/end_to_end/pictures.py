"""The pictures of the shipped page in docs, taken anew: `python -m tests.end_to_end.pictures`.

Needs chromium, pngquant, and fonts that a reader may have (fonts-noto-core, fonts-noto-cjk).
The clock stands still, so the same page gives the same picture.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.end_to_end.chromium import Chromium
from tests.end_to_end.shelf import Shelf

from sorryd.model import Cause
from sorryd.policy.facts import Facts
from sorryd.window import Saying

DOCS: Final = Path(__file__).parents[2] / "docs"
TWO: Final = 1795280400.0  # 2026-11-22 02:00 in Tokyo
NOW: Final = TWO + 4400
OUTAGE: Final = Facts(
    site="shop.example",
    cause=Cause.WINDOW,
    timezone="Asia/Tokyo",
    reason="Database upgrade",
    reasons=(Saying(language="ja", text="データベースの更新"),),
    since=TWO,
    until=TWO + 3 * 3600,
)
STILL: Final = f"""
    Date.now = () => {NOW * 1000:.0f};
    window.fetch = () => new Promise(() => {{}});
"""


@dataclass(frozen=True)
class Picture:
    """What is taken, for whom: a language, a colour scheme, a zone and a screen."""

    name: str
    language: str
    tags: str
    scheme: str
    zone: str
    width: int
    height: int
    scale: float = 1.0


PICTURES: Final = (
    Picture("page-light", "en", "en-GB", "light", "Europe/London", 1280, 800),
    Picture("page-dark-ja", "ja", "ja-JP", "dark", "Asia/Tokyo", 390, 844, 2.0),
)


def take(browser: Chromium, shelf: Shelf, picture: Picture) -> bytes:
    """A picture as PNG, in few colours."""
    with browser.tab() as tab:
        tab.screen(picture.width, picture.height, picture.scale, phone=picture.scale > 1)
        tab.media(prefers_color_scheme=picture.scheme, prefers_reduced_motion="no-preference")
        tab.zone(picture.zone)
        tab.language(picture.tags)
        tab.before_scripts(STILL)
        tab.open(shelf.url(picture.language, "one"))
        # The hands and the arc glide to their places.
        tab.until("document.getAnimations().every(one => one.playState === 'finished')")
        png = tab.picture()
    return subprocess.run(
        ["pngquant", "--speed", "1", "--strip", "64", "-"],
        input=png,
        capture_output=True,
        check=True,
    ).stdout


def main() -> None:
    """Take them all."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Chromium(Path(folder)) as browser,
        Shelf({"one": OUTAGE}) as shelf,
    ):
        for picture in PICTURES:
            file = DOCS / f"{picture.name}.png"
            file.write_bytes(take(browser, shelf, picture))
            print(f"{file.relative_to(DOCS.parent)}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
