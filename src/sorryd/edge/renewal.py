"""Certificates that are renewed while sorryd runs, and those that should have been.

Both are asked to look by a timer; nothing here waits or schedules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from twisted.logger import Logger

from sorryd.edge.certificates import SiteCertificates, prints_of, site_certificates
from sorryd.edge.tls import TlsFault
from sorryd.model import Site
from sorryd.reports import ShownCertificate

log = Logger()

TOLD_EVERY: Final = 86400.0
"""Seconds between two warnings of the same certificates."""

Shows = Mapping[str, SiteCertificates]
"""What is shown, by the names of the sites."""


class Renewal:
    """Shows what is in the PEM files when they have changed.

    `renewed` gets the certificates of all sites when those of one are new. Where what is in the
    files can't be shown (half of it is written, or the key is still the old one), the log says
    so once, the old ones stay, and it is tried again at the next change.
    """

    def __init__(self, own_folder: str, renewed: Callable[[Shows], None]) -> None:
        """`own_folder` is where certificates of sorryd's own are."""
        self._own_folder = own_folder
        self._renewed = renewed
        self._watched: dict[str, _Watched] = {}

    @property
    def certificates(self) -> Shows:
        """What is shown now."""
        return {name: watched.certificates for name, watched in self._watched.items()}

    def watch(self, sites: Iterable[Site], certificates: Shows) -> None:
        """These are the `sites` now, and what they show: at the start, and after a reload."""
        self._watched = {
            site.name: _Watched(site, certificates[site.name])
            for site in sites
            if site.name in certificates
        }

    def look(self, now: float) -> None:
        """Read the files that have changed, at the instant `now`."""
        renewed = [watched.renew(self._own_folder, now) for watched in self._watched.values()]
        if any(renewed):
            self._renewed(self.certificates)


class _Watched:
    """The certificates of one site, and what their files look like."""

    def __init__(self, site: Site, certificates: SiteCertificates) -> None:
        self.certificates = certificates
        self._site = site
        self._prints = certificates.prints
        self._told = ""

    def renew(self, own_folder: str, now: float) -> bool:
        """Whether there are new ones."""
        prints = prints_of(self._prints)
        if prints == self._prints and now < self.certificates.renew_at:
            return False
        # What changes from here on, while the files are read, is seen at the next look.
        self._prints = prints
        try:
            fresh = site_certificates(self._site, own_folder)
        except TlsFault as fault:
            self._tell(str(fault))
            return False
        self._prints = fresh.prints
        self._told = ""
        if fresh.chains == self.certificates.chains:
            return False
        self.certificates = fresh
        for shown in fresh.shown:
            _tell_renewed(shown)
        return True

    def _tell(self, fault: str) -> None:
        if fault != self._told:
            self._told = fault
            log.error(
                "site {site}: its certificates have changed, but can't be shown: {fault}; "
                "the old ones stay until the files change again",
                site=self._site.name, fault=fault,
            )  # fmt: skip


def _tell_renewed(shown: ShownCertificate) -> None:
    until = datetime.fromtimestamp(shown.expires, UTC).isoformat().replace("+00:00", "Z")
    log.info(
        "site {site}: {file} was read anew, and is valid until {until}",
        site=shown.site, file=shown.file, until=until,
    )  # fmt: skip


class Warnings:
    """Says in the log which certificates need a look: when they are first shown, then daily."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[SiteCertificates, float]] = {}

    def look(self, certificates: Shows, now: float) -> None:
        """Warn of what is wrong with `certificates` at the instant `now`, where it is time to."""
        before, self._told = self._told, {}
        for site, shown in certificates.items():
            of, at = before.get(site, (None, now))
            if of is shown and at <= now < at + TOLD_EVERY:  # the clock may have been set back
                self._told[site] = (shown, at)
                continue
            self._told[site] = (shown, now)
            for warning in shown.warnings(now):
                log.warn("site {site}: {warning}", site=site, warning=warning)
