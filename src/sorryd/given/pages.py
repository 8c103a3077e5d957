"""Pages that somebody else wrote: what the rest of the daemon has to do with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred

from sorryd.given.copies import Copy
from sorryd.given.fetching import Fetcher, first_copies
from sorryd.given.sight import Sight
from sorryd.given.sorry_files import SorryFiles, first_sights
from sorryd.model import Site
from sorryd.snapshot import GivenPage

Give = Callable[[str, GivenPage | None], None]


class Given(NamedTuple):
    """What is there before anybody looks after it, by the sites' names."""

    sights: Mapping[str, Sight]
    copies: Mapping[str, Copy]

    @property
    def files(self) -> dict[str, GivenPage]:
        """The sorry files that are there."""
        return {name: one.page for name, one in self.sights.items() if one.page is not None}

    @property
    def fetched(self) -> dict[str, GivenPage]:
        """The pages that were fetched by an earlier run."""
        return {name: one.page for name, one in self.copies.items()}


def given(sites: Iterable[Site], folder: str, now: float) -> Given:
    """What there is for `sites` at the instant `now`. Waits for disks."""
    return Given(first_sights(sites, now), first_copies(sites, folder))


class GivenPages:
    """Looks after all of them, and tells of what it finds."""

    def __init__(
        self, reactor: Any, folder: str, now: Callable[[], float], find_file: Give, fetch_page: Give
    ) -> None:
        self._reactor = reactor
        self._now = now
        self._files = SorryFiles(reactor, now, find_file)
        self._fetcher = Fetcher(reactor, folder, self._get, fetch_page)

    def use(self, sites: Collection[Site], first: Given) -> None:
        """Look after those of `sites`, which have begun as `first` says."""
        self._files.use(sites, first.sights)
        self._fetcher.use(sites, first.copies)

    def stop(self) -> None:
        """Look after nothing any more."""
        self._files.stop()
        self._fetcher.stop()

    def _get(self, url: str, before: Copy | None) -> Deferred[Copy]:
        # Imported late: twisted.web is for those who fetch alone.
        from sorryd.given.request import fetch

        return fetch(self._reactor, url, before, self._now)
