"""Certificates get to a worker, and are shown there as they would be here."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace
from tests.certificates import Authority, authority, issue
from tests.control.world import site

from sorryd.edge.certificates import SiteCertificates, site_certificates
from sorryd.model import Certificate, Site
from sorryd.workers.orders import Papers, Pem
from sorryd.workers.papers import Showcase, papers_of

NAMES: Final = ["shop.example", "*.shop.example"]


@pytest.fixture(scope="module")
def issuer() -> Authority:
    return authority()


@pytest.fixture
def shop(issuer: Authority, tmp_path: Path) -> Site:
    """A site with two kinds of certificates."""
    certificates = []
    for kind in ("ecdsa", "rsa"):
        chain, key = issue(issuer, NAMES, kind=kind)
        path = tmp_path / f"{kind}.pem"
        path.write_bytes(chain + key)
        certificates.append(Certificate(chain=str(path)))
    return site("shop", hosts=("shop.example",), certificates=tuple(certificates))


def sent(one: SiteCertificates) -> tuple[Papers, ...]:
    return papers_of({"shop": one})


def test_there_and_back(shop: Site) -> None:
    """A worker shows the same certificates for the same names, without the files."""
    here = site_certificates(shop, "")
    papers = sent(here)
    for certificate in shop.certificates:
        assert certificate.chain is not None
        Path(certificate.chain).unlink()
    there = Showcase().certificates(papers, {"shop": shop})["shop"]
    assert there.chains == here.chains
    assert there.shown == here.shown
    assert len(there.pairs) == 2
    assert sent(there) == papers


def test_only_what_is_new_is_made(shop: Site, issuer: Authority, tmp_path: Path) -> None:
    """What has not changed is shown on; another certificate, or another name for it, is not."""
    showcase = Showcase()
    papers = sent(site_certificates(shop, ""))
    first = showcase.certificates(papers, {"shop": shop})["shop"]
    busy = replace(shop, drain=99.0)
    assert showcase.certificates(papers, {"shop": busy})["shop"] is first
    renamed = replace(shop, hosts=("*.shop.example",))
    second = showcase.certificates(papers, {"shop": renamed})["shop"]
    assert second is not first
    chain, key = issue(issuer, NAMES)
    renewed = (Papers(site="shop", pems=(Pem(path="new", chain=chain, key=key),)),)
    third = showcase.certificates(renewed, {"shop": renamed})["shop"]
    assert third.chains != second.chains
    assert showcase.certificates((), {"shop": renamed}) == {}


def test_site_that_is_gone(shop: Site) -> None:
    """What was sent for a site that is not published is left aside."""
    assert Showcase().certificates(sent(site_certificates(shop, "")), {}) == {}


def test_nonsense(shop: Site) -> None:
    """What can't be shown changes nothing of what is."""
    showcase = Showcase()
    papers = sent(site_certificates(shop, ""))
    first = showcase.certificates(papers, {"shop": shop})["shop"]
    broken = (Papers(site="shop", pems=(Pem(path="new", chain=b"no", key=b"no"),)),)
    with pytest.raises(ValueError, match="PEM"):
        showcase.certificates(broken, {"shop": shop})
    assert showcase.certificates(papers, {"shop": shop})["shop"] is first
