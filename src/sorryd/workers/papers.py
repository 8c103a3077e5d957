"""Certificates on their way to a worker, and back into what is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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


def certificates_of(papers: Iterable[Papers], sites: Mapping[str, Site]) -> Certificates:
    """What was sent, as it can be shown; the files are not looked at. Raises TlsFault."""
    return {
        one.site: SiteCertificates(
            sites[one.site], [pair_of(pem.path, pem.chain, pem.key) for pem in one.pems], {}
        )
        for one in papers
        if one.site in sites
    }
