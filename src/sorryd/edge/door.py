"""A listening address as visitors find it: the sites behind it, and what it shows over TLS."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Final

from OpenSSL import SSL

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.certificates import ServerNames, SiteCertificates
from sorryd.edge.site import SiteEdge
from sorryd.model import Listen
from sorryd.policy.keeping import keep
from sorryd.policy.routing import LONGEST_NAME, Routes, host_name

REMEMBERED: Final = 1024
"""Spellings of Host that are looked up once; with more, all are looked up again."""

_LONGEST_HOST: Final = LONGEST_NAME + len(".:65535")  # bytes of one that is remembered


class Door:
    """Who comes in here. `home` is the default site, which one belongs to before a request.

    The connections hold it, even when its listener is gone; it follows the sites as they come
    and go. `context` is what TLS begins with; None on a plain listener.
    """

    home: SiteEdge
    alone: SiteEdge | None
    """The only site that there is; None: it takes `site_for` to find out."""

    def __init__(self, listen: Listen) -> None:
        self.listen = listen
        self.names: tuple[str, ...] = ()  # of its sites, the default first
        self.context: SSL.Context | None = None
        self._sites: tuple[SiteEdge, ...] = ()
        self.alone = None
        self._routes = Routes([()])
        self._known: dict[bytes, SiteEdge] = {}
        self._chosen: Callable[[bytes], SiteEdge | None] = self._choose
        self._show_differently = False

    # --- what it leads to ---

    def lead_to(self, sites: Mapping[str, SiteEdge]) -> None:
        """Lead to those of `sites` that are its own, as they are configured now.

        Where none of them is left, it leads where it did, so that they can finish.
        """
        found = tuple(sites[name] for name in self.names if name in sites)
        if found:
            self._sites = found
        self.home = self._sites[0]
        self.alone = self.home if len(self._sites) == 1 else None
        self._routes = Routes([site.view.site.hosts for site in self._sites])
        self._known = {}
        self._chosen = functools.lru_cache(maxsize=REMEMBERED)(self._choose)
        shown = {site.view.site.certificates for site in self._sites}
        self._show_differently = len(shown) > 1

    def show(self, certificates: Mapping[str, SiteCertificates]) -> None:
        """Show these from now on, by the names of the sites, if it speaks TLS."""
        if self.listen.tls:
            self.context = ServerNames(
                [
                    (site.view.site.hosts, certificates[site.view.site.name])
                    for site in self._sites
                    if site.view.site.name in certificates
                ]
            ).default

    # --- what connections ask ---

    def site_for(self, host: bytes, server_name: bytes | None) -> SiteEdge:
        """The site that a request is for, by its Host as it came.

        `server_name` is the name that the visitor asked for by SNI. Where a site was chosen by
        it, and the Host is for one with other certificates: BadMessage 421 (RFC 9110 §15.5.20).
        """
        site = self._known.get(host)
        if site is None:
            site = self._look_up(host)
        if server_name is not None and server_name != host and self._show_differently:
            self._check(site, server_name)
        return site

    def _look_up(self, host: bytes) -> SiteEdge:
        site = self._sites[self._routes.find(host_name(host))]
        if len(host) <= _LONGEST_HOST:
            keep(self._known, REMEMBERED, host, site)
        return site

    def _check(self, site: SiteEdge, server_name: bytes) -> None:
        chosen = self._chosen(server_name)
        if chosen is None or chosen is site:
            return
        if chosen.view.site.certificates != site.view.site.certificates:
            raise BadMessage(421, "the TLS connection is for another host")

    def _choose(self, server_name: bytes) -> SiteEdge | None:
        """A name that no site has chose nothing: it may be that of a proxy's setting."""
        place = self._routes.named(host_name(server_name))
        return None if place is None else self._sites[place]
