"""Certificates whose files change while they are shown."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.certificates import DAY, issue
from tests.edge.handshakes import NAME, ROOT, showing
from twisted.logger import capturedLogs, formatEvent

from sorryd.edge.certificates import SiteCertificates, site_certificates
from sorryd.edge.renewal import Renewal
from sorryd.edge.tls import TlsFault
from sorryd.model import Certificate, Site

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def leaf(days: float = 90) -> tuple[bytes, bytes]:
    return issue(ROOT, [NAME], since=NOON - DAY, until=NOON + days * DAY)


def swap(path: Path, content: bytes) -> None:
    """Another file in the place of the one that was there, as renewals write it."""
    draft = path.with_suffix(".new")
    draft.write_bytes(content)
    os.replace(draft, path)


class House:
    """A daemon's certificates, in a folder: two sites, what is shown, and what is logged."""

    def __init__(self, folder: Path, *sites: Site) -> None:
        self.folder = folder
        self.shows: list[Mapping[str, SiteCertificates]] = []
        self.renewal = Renewal(str(folder), self.shows.append)
        self.take(sites)

    def take(self, sites: Iterable[Site]) -> None:
        certificates = {site.name: site_certificates(site, str(self.folder)) for site in sites}
        self.renewal.watch(sites, certificates)

    def looks(self, now: datetime = NOON) -> list[str]:
        """What the log says of a look."""
        with capturedLogs() as logs:
            self.renewal.look(now.timestamp())
        return [f"{event['log_level'].name}: {formatEvent(event)}" for event in logs]


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    return tmp_path / "shop.pem"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "shop.key"


@pytest.fixture
def house(tmp_path: Path, chain: Path, key: Path) -> House:
    """The sites `shop`, with its files, and `other`, with one file for both."""
    chain_pem, key_pem = leaf()
    chain.write_bytes(chain_pem)
    key.write_bytes(key_pem)
    (tmp_path / "other.pem").write_bytes(b"".join(leaf()))
    other = showing(Certificate(chain=str(tmp_path / "other.pem")), name="other")
    return House(tmp_path, showing(Certificate(chain=str(chain), key=str(key))), other)


def test_nothing_new(house: House, chain: Path, key: Path) -> None:
    """Files that are as they were are not read; written again as they were, they are not news."""
    before = house.renewal.certificates
    assert house.looks() == []
    swap(chain, chain.read_bytes())
    os.utime(key, (1, 1))
    assert house.looks() == []
    assert house.shows == []
    assert house.renewal.certificates == before


def test_renewed(house: House, chain: Path, key: Path) -> None:
    """New files are shown, those of other sites as before; the log says until when they hold."""
    before = house.renewal.certificates
    fresh = leaf(180)
    swap(chain, fresh[0])
    swap(key, fresh[1])
    (told,) = house.looks()
    assert (
        told == f"info: site shop: {chain} was read anew, and is valid until 2030-06-30T12:00:00Z"
    )
    (shown,) = house.shows
    assert shown.keys() == {"shop", "other"}
    assert shown["shop"].shown[0].expires == (NOON + 180 * DAY).timestamp()
    assert shown["other"] is before["other"]
    assert house.renewal.certificates == shown
    assert house.looks() == []


def halves(chain: Path, key: Path, fresh: tuple[bytes, bytes], how: str) -> str:
    """Bring the files half way to `fresh`; what is wrong with them then."""
    match how:
        case "key to come":
            swap(chain, fresh[0])
            return f"{key}: is not the key of the first certificate"
        case "cut":
            swap(key, fresh[1])
            chain.write_bytes(fresh[0][:300])
            return f"{chain}: holds a broken certificate"
        case "empty":
            chain.write_bytes(b"")
            return f"{chain}: holds no certificate"
        case "missing":
            chain.unlink()
            return f"{chain}: can't be read: No such file"
        case _:
            key.unlink()
            os.mkfifo(key)
            return f"{key}: is not a file"


@pytest.mark.parametrize("how", ["key to come", "cut", "empty", "missing", "FIFO"])
def test_half_way(house: House, chain: Path, key: Path, how: str) -> None:
    """What can't be shown yet is said once; it is shown when it is whole."""
    before, fresh = house.renewal.certificates, leaf(180)
    fault = halves(chain, key, fresh, how)
    (told,) = house.looks()
    assert told.startswith("error: site shop: its certificates have changed, but can't be shown")
    assert fault in told
    assert house.looks() == house.looks() == []
    assert house.shows == []
    assert house.renewal.certificates == before
    swap(chain, fresh[0])
    swap(key, fresh[1])
    (told,) = house.looks()
    assert told.startswith("info: site shop")
    assert len(house.shows) == 1


def test_the_same_fault_again(house: House, chain: Path) -> None:
    """A fault that stays while the file changes is not told again; one that comes back is."""
    good = chain.read_bytes()
    swap(chain, b"one")
    assert len(house.looks()) == 1
    swap(chain, b"another")
    assert house.looks() == []
    swap(chain, good)
    assert house.looks() == []
    swap(chain, b"one")
    assert len(house.looks()) == 1


def test_links(tmp_path: Path, chain: Path, key: Path) -> None:
    """A link that leads to another folder is a change, as certbot and Kubernetes make it."""
    data = tmp_path / "data"
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for file, pem in zip(("tls.crt", "tls.key"), leaf(), strict=True):
            (tmp_path / folder / file).write_bytes(pem)
    data.symlink_to(tmp_path / "one")
    chain.symlink_to(data / "tls.crt")
    key.symlink_to(data / "tls.key")
    house = House(tmp_path, showing(Certificate(chain=str(chain), key=str(key))))
    assert house.looks() == []
    swapped = tmp_path / "data.new"
    swapped.symlink_to(tmp_path / "two")
    os.replace(swapped, data)
    assert len(house.looks()) == 1
    assert len(house.shows) == 1


def test_changed_while_it_was_read(
    house: House, chain: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes between the look at the files and their reading is not overlooked."""
    first, second = leaf(100), leaf(180)
    swap(chain, first[0])
    swap(key, first[1])
    load = site_certificates

    def late(site: Site, own_folder: str) -> SiteCertificates:
        certificates = load(site, own_folder)
        swap(chain, second[0])
        swap(key, second[1])
        return certificates

    with monkeypatch.context() as patch:
        patch.setattr("sorryd.edge.renewal.site_certificates", late)
        house.looks()
    house.looks()
    ends = [shown["shop"].shown[0].expires for shown in house.shows]
    assert ends == [(NOON + days * DAY).timestamp() for days in (100, 180)]


def test_after_a_reload(house: House, tmp_path: Path) -> None:
    """What is watched is what the last reload brought."""
    (tmp_path / "new.pem").write_bytes(b"".join(leaf()))
    house.take([showing(Certificate(chain=str(tmp_path / "new.pem")), name="new")])
    (tmp_path / "shop.pem").unlink()
    assert house.looks() == []
    swap(tmp_path / "new.pem", b"".join(leaf(180)))
    assert len(house.looks()) == 1
    assert house.shows[0].keys() == {"new"}


def test_own(tmp_path: Path) -> None:
    """One of sorryd's own is made anew in time, and when its file is gone."""
    house = House(tmp_path, showing(Certificate(chain="", self_signed=True)))
    now = datetime.now(UTC)
    assert house.looks(now) == []
    (tmp_path / "self-signed-shop.pem").unlink()
    assert len(house.looks(now)) == 1
    assert house.looks(now) == []
    assert len(house.shows) == 1


def test_own_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """... and nobody is warned of its end."""
    house = House(tmp_path, showing(Certificate(chain="", self_signed=True)))
    due = house.renewal.certificates["shop"].renew_at
    assert house.looks(datetime.fromtimestamp(due - 60, UTC)) == []
    monkeypatch.setattr("sorryd.edge.self_signed.time.time", lambda: due)
    assert len(house.looks(datetime.fromtimestamp(due, UTC))) == 1
    assert house.renewal.certificates["shop"].renew_at > due
    assert house.looks(datetime.fromtimestamp(due, UTC)) == []
    assert house.renewal.certificates["shop"].warnings(due) == []


def test_broken_at_the_start(tmp_path: Path) -> None:
    """Files that can't be shown are a fault before anything is watched."""
    site = replace(showing(Certificate(chain=str(tmp_path / "none.pem"))), tls_min="1.3")
    with pytest.raises(TlsFault, match="can't be read"):
        House(tmp_path, site)
