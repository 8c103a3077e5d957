"""The pages of ``sorry_mode = fetch``: fetched ahead, refreshed, and kept while none comes.

    fetcher = Fetcher(reactor, folder, get, truth.fetch_page)
    fetcher.use(config.sites, first_copies(config.sites, folder))
    fetcher.stop()

What was good last is shown whatever becomes of the server it is from. The journal's folder has a
copy, for the next start.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.given.copies import Copy, CopyFault, NotGood, read_copy, write_copy
from sorryd.model import Site, SorryMode
from sorryd.snapshot import GivenPage

EVERY: Final = 60.0
"""Seconds from one good answer to the next request."""

SOONEST: Final = 5.0
"""Seconds after the first failure; each further one waits twice as long."""

LATEST: Final = 300.0
"""Seconds to the next request, however long nothing has come."""

JITTER: Final = 0.1
"""Each wait is longer or shorter by up to this part of it: many daemons may ask one server."""

Get = Callable[[str, Copy | None], Deferred[Copy]]
"""Given a URL and what came from there last; fails with NotGood."""

log = Logger()


def pause(failures: int) -> float:
    """Seconds to wait after so many failures in a row, none: after a good answer."""
    return min(SOONEST * 2 ** min(failures - 1, 16), LATEST) if failures else EVERY


def first_copies(sites: Iterable[Site], folder: str) -> dict[str, Copy]:
    """What is kept, by the sites' names. Waits for the disk."""
    copies = {}
    for site in sites:
        if site.sorry_mode is SorryMode.FETCH and site.sorry_url is not None:
            try:
                copy = read_copy(folder, site.name, site.sorry_url)
            except CopyFault as fault:
                log.warn("site {site}: {fault}", site=site.name, fault=str(fault))
                continue
            if copy is not None:
                copies[site.name] = copy
    return copies


class Fetcher:
    """Fetches for all sites.

    `folder` is the journal's. `fetched` gets a site and its page; None where the one before is
    of another URL. `chance` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        reactor: Any,
        folder: str,
        get: Get,
        fetched: Callable[[str, GivenPage | None], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.reactor = reactor
        self.folder = folder
        self.get = get
        self.fetched = fetched
        self.chance = chance
        self._rounds: dict[str, _Rounds] = {}

    def use(self, sites: Iterable[Site], copies: Mapping[str, Copy]) -> None:
        """Fetch for `sites` from now on; `copies` are their `first_copies`."""
        before, self._rounds = self._rounds, {}
        for site in sites:
            url = site.sorry_url if site.sorry_mode is SorryMode.FETCH else None
            running = before.get(site.name)
            if running is not None and running.url == url:
                self._rounds[site.name] = before.pop(site.name)
            elif url is not None:
                self._begin(site.name, url, copies.get(site.name))
            elif running is not None:
                self.fetched(site.name, None)
        for rounds in before.values():
            rounds.stop()

    def _begin(self, site: str, url: str, copy: Copy | None) -> None:
        self.fetched(site, None if copy is None else copy.page)
        self._rounds[site] = rounds = _Rounds(self, site, url, copy)
        rounds.wait(0.0)

    def stop(self) -> None:
        """Fetch no more."""
        rounds, self._rounds = self._rounds, {}
        for one in rounds.values():
            one.stop()


class _Rounds:
    """The requests for one site, one after the other."""

    def __init__(self, fetcher: Fetcher, site: str, url: str, copy: Copy | None) -> None:
        self.url = url
        self._fetcher = fetcher
        self._site = site
        self._copy = copy
        self._failures = 0
        self._is_stopped = False
        self._is_unkept = False  # and the log has told of it
        self._next: IDelayedCall | None = None
        self._asking: Deferred[None] | None = None

    def wait(self, seconds: float) -> None:
        swing = JITTER * (2 * self._fetcher.chance() - 1)
        self._next = self._fetcher.reactor.callLater(seconds * (1 + swing), self._begin)

    def stop(self) -> None:
        self._is_stopped = True
        if self._next is not None:
            self._next.cancel()
        if self._asking is not None:
            self._asking.cancel()

    def _begin(self) -> None:
        self._next = None
        self._asking = self._fetcher.get(self.url, self._copy).addCallbacks(self._good, self._bad)
        self._asking.addErrback(self._bug).addCallback(self._over)

    def _over(self, _: object) -> None:
        self._asking = None
        if not self._is_stopped:
            self.wait(pause(self._failures))

    def _good(self, copy: Copy) -> Deferred[None] | None:
        if self._is_stopped:
            return None
        if self._failures or self._copy is None:
            self._log_good(copy)
        self._failures = 0
        if copy == self._copy and not self._is_unkept:
            return None
        self._copy = copy
        self._fetcher.fetched(self._site, copy.page)
        return self._keep(copy)

    def _bad(self, failure: Failure) -> None:
        failure.trap(NotGood)
        if self._is_stopped:
            return
        self._failures += 1
        if self._failures == 1:
            log.warn(
                "site {site}: no page from {url}: {why}; {instead}",
                site=self._site,
                url=self.url,
                why=failure.getErrorMessage(),
                instead="the site's own is shown" if self._copy is None else "the last one is kept",
            )

    def _log_good(self, copy: Copy) -> None:
        log.info(
            "site {site}: the page at {url} was fetched: {size} bytes of {media_type}",
            site=self._site,
            url=self.url,
            size=len(copy.page.body),
            media_type=copy.page.media_type,
        )

    def _keep(self, copy: Copy) -> Deferred[None]:
        reactor, folder = self._fetcher.reactor, self._fetcher.folder
        pool = reactor.getThreadPool()
        kept = deferToThreadPool(reactor, pool, write_copy, folder, self._site, copy)
        return kept.addCallbacks(self._kept, self._not_kept)

    def _kept(self, _: object) -> None:
        self._is_unkept = False

    def _not_kept(self, failure: Failure) -> None:
        failure.trap(CopyFault)
        if not self._is_unkept:
            log.warn(
                "site {site}: {why}; a restart would not have the page",
                site=self._site,
                why=failure.getErrorMessage(),
            )
        self._is_unkept = True

    def _bug(self, failure: Failure) -> None:
        if self._is_stopped:  # while a copy was written
            return
        self._failures += 1
        log.failure("a bug in what fetches a page; it goes on", failure)
