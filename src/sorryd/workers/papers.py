"""Certificates on their way to a worker, and back into what is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sorryd.edge.certificates import SiteCertificates
from sorryd.edge.tls import pair_of
from sorryd.model import Site
from sorryd.workers.interfaces import Certificates
from sorryd.workers.orders import Papers, Pem


def papers_of(certificates: Certificates) -> tuple[Papers, ...]:
    """What is shown, as it can be sent."""
    return tuple(
        Papers(
            site=name,
            pems=tuple(
                Pem(path=pair.path, chain=pair.chain_pem, key=pair.key_pem) for pair in one.pairs
            ),
        )
        for name, one in certificates.items()
    )


class _Shown(NamedTuple):
    papers: Papers
    asked: tuple[object, ...]
    certificates: SiteCertificates


class Showcase:
    """What was sent, as it can be shown. Mutable: to make it takes some 4 ms a site, in which no
    visitor is served, so what has not changed is shown on."""

    def __init__(self) -> None:
        self._shown: dict[str, _Shown] = {}

    def certificates(self, papers: Iterable[Papers], sites: Mapping[str, Site]) -> Certificates:
        """Those of `papers`, for the `sites` that there are; files are not looked at.

        Raises TlsFault, and ValueError for what is no PEM; then nothing has changed.
        """
        fresh = {one.site: self._one(one, sites[one.site]) for one in papers if one.site in sites}
        self._shown = fresh
        return {name: one.certificates for name, one in fresh.items()}

    def _one(self, papers: Papers, site: Site) -> _Shown:
        asked = site.certificates, site.tls_min, site.hosts
        known = self._shown.get(site.name)
        if known is not None and (known.papers, known.asked) == (papers, asked):
            return known
        pairs = [pair_of(pem.path, pem.chain, pem.key) for pem in papers.pems]
        return _Shown(papers, asked, SiteCertificates(site, pairs, {}))
