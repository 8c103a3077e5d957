"""sorryd's configurations, small and grown, as the bench writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.growth import Site, configuration, site_of
from bench.places import Ports
from bench.scenarios import VISITED

from sorryd import config
from sorryd.model import Config

PORTS = Ports(plain=8080, tls=0, sorry=0, bulk=0, admin=8404)


def read(folder: Path, sites: list[Site]) -> Config:
    """What sorryd reads of it."""
    (folder / "sorry.html").write_text("Sorry.")
    written = configuration(sites, PORTS, folder, folder / "sorry.html", folder / "access.log")
    (folder / "sorryd.ini").write_text(written)
    return config.load(str(folder / "sorryd.ini"))


@pytest.mark.parametrize("members", [10, 1000])
def test_as_many_checks_are_made_a_second(tmp_path: Path, members: int) -> None:
    """Whoever has more members asks each less often: checks cost by time, not by request."""
    addresses = tuple(f"127.0.{at // 250}.{1 + at % 250}:80" for at in range(members))
    (shop,) = read(tmp_path, [Site(name="shop", host="", members=addresses)]).sites
    assert len(shop.members) == members
    assert shop.check is not None
    assert members / shop.check.interval == 5.0


def test_the_sites_that_are_asked_are_among_the_many(tmp_path: Path) -> None:
    """The same ten are there where there are ten, and where there are a thousand."""
    few = [site_of(host, ("127.0.0.1:80",)) for host in VISITED]
    many = [site_of(f"site-{at}.example", ("127.0.0.1:80",)) for at in range(1000)]
    assert len(few) == 10
    assert set(few) < set(many)
    assert {host for site in read(tmp_path, few).sites for host in site.hosts} == set(VISITED)
