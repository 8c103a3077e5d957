"""Sorry files that are looked at, and how often."""

from __future__ import annotations

import pytest
from tests.given.yard import Yard

from sorryd.given import sorry_files
from sorryd.given.sight import Sight, look
from sorryd.given.sorry_files import SorryFiles, first_sights
from sorryd.model import Site

NOON = 1_800_000_000.0
NEVER = 3600.0


class Looking:
    """Sorry files, and how often each was looked at."""

    def __init__(self, yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
        self.yard = yard
        self.looks = 0
        self.look = look
        self.files = SorryFiles(yard, lambda: NOON, yard.note, self._counted)
        self._patch = monkeypatch
        self._sites: tuple[Site, ...] = ()

    def _counted(self, path: str, before: Sight, now: float) -> Sight:
        seen = self.look(path, before, now)
        self.looks += 1
        return seen

    def use(self, *sites: Site) -> None:
        """As at a start, and at a reload."""
        self._sites = sites
        self.files.use(sites, first_sights(sites, NOON))

    def by_inotify_alone(self) -> None:
        """From now on nobody looks who was not told to."""
        self._patch.setattr(sorry_files, "EVERY", NEVER)
        self.yard.until(lambda: self.yard.watches == len(self._sites), "the watches")
        self.looked()

    def looked(self) -> None:
        """Wait until all have been looked at once more, and the last wait has begun."""
        before = self.looks
        self.files.use(self._sites, {})
        self.yard.until(lambda: self.looks >= before + len(self._sites), "a look")

    def until(self, body: bytes | None, name: str = "shop") -> None:
        """Wait until that was found last."""
        self.yard.until(
            lambda: name in self.yard.found and self.yard.body(name) == body, f"{body!r}"
        )
