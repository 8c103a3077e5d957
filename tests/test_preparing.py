"""What is prepared for a reload takes effect, or is let go."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.at_once import AtOnce
from tests.certificates import DAY, authority, issue
from tests.control.world import CONFIG, result, site
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory

from sorryd.admin.port import AdminPort
from sorryd.edge.listener import Bound
from sorryd.errors import ControlError, ErrorCode
from sorryd.given.copies import Copy, write_copy
from sorryd.model import Certificate, Config, Listen, SorryMode
from sorryd.preparing import Certificates, Fittings, Preparing
from sorryd.recording import Recording
from sorryd.snapshot import GivenPage
from sorryd.sockets import Place, Sockets

LISTEN = Listen(host="127.0.0.1", port=0, tls=True)


class World:
    """A daemon that listens nowhere yet, and keeps what shall take effect."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "shop.pem"
        self.certify(90)
        certificates = (Certificate(chain=str(self.file)),)
        shop = site("shop", listen=(LISTEN,), certificates=certificates)
        self.config = replace(CONFIG, state=str(folder / "sorryd.db"), sites=(shop,))
        self.shown: Certificates = {}
        self.fitted: list[Fittings] = []
        self.sockets = Sockets()
        recording = Recording(AtOnce(), True, lambda access: None)
        self.admin = AdminPort(AtOnce(), Factory)
        self.preparing = Preparing(
            AtOnce(), self.sockets, recording, self.admin, lambda: self.shown, self.fit, time.time
        )

    def fit(self, fittings: Fittings) -> Deferred[Sequence[str]]:
        self.fitted.append(fittings)
        return succeed(())

    def certify(self, days: int) -> None:
        """Put a new certificate into the file, for so many days."""
        until = datetime.now(UTC) + days * DAY
        self.file.write_bytes(b"".join(issue(authority(), ["shop.example"], until=until)))

    def refusal(self, config: Config) -> ControlError:
        """Why `config` can't be prepared."""
        with pytest.raises(ControlError) as refused:
            result(self.preparing.prepare(config))
        return refused.value


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    running = World(tmp_path)
    yield running
    for fittings in running.fitted:
        running.sockets.drop(fittings.bound)


def test_it_takes_effect(world: World) -> None:
    """All that the edge needs is handed over at once, the sockets open."""
    result(world.preparing.prepare(world.config)).take_effect()
    (fittings,) = world.fitted
    assert fittings.config == world.config
    assert fittings.certificates.keys() == {"shop"}
    assert [one.sock.fileno() >= 0 for one in fittings.bound.values()] == [True]


def test_what_others_wrote_is_looked_at(world: World, tmp_path: Path) -> None:
    """A sorry file, and the last copy of a page from elsewhere, before visitors come in by it."""
    path, url = tmp_path / "sorry.html", "https://pages.example/"
    path.write_bytes(b"<p>sorry")
    copy = Copy(url=url, page=GivenPage(body=b"<p>far", media_type="text/html", since=5.0))
    write_copy(str(tmp_path), "shop", copy)
    fields = {"sorry_file": str(path), "sorry_mode": SorryMode.FETCH, "sorry_url": url}
    config = replace(world.config, sites=(replace(world.config.sites[0], **fields),))
    result(world.preparing.prepare(config)).take_effect()
    given = world.fitted[0].given
    assert given.files["shop"].body == b"<p>sorry"
    assert given.fetched == {"shop": copy.page}


def test_it_stops(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes effect when sorryd stops is let go: nobody would close it any more."""
    prepared = result(world.preparing.prepare(world.config))
    dropped: list[object] = []
    monkeypatch.setattr(world.sockets, "drop", dropped.append)
    world.preparing.stop()
    prepared.take_effect()
    monkeypatch.undo()
    assert world.fitted == []
    (bound,) = dropped
    world.sockets.drop(bound)  # type: ignore[arg-type]  # it is what was bound


def test_a_certificate_that_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reload is refused, and what was bound for it is closed."""
    world.file.write_text("nothing")
    dropped: list[Mapping[Place, Bound]] = []
    drop = world.sockets.drop

    def watched(bound: Mapping[Place, Bound]) -> None:
        dropped.append(bound)
        drop(bound)

    monkeypatch.setattr(world.sockets, "drop", watched)
    error = world.refusal(world.config)
    assert error.code is ErrorCode.CONFLICT
    assert error.message.startswith(f"nothing was changed: {world.file}: ")
    assert [one.sock.fileno() for bound in dropped for one in bound.values()] == [-1]


def test_recertified(world: World) -> None:
    """A site counts where the certificates in its files are others than those shown."""
    first = result(world.preparing.prepare(world.config))
    first.take_effect()
    assert first.recertified == {"shop"}
    world.shown = world.fitted[0].certificates
    again = result(world.preparing.prepare(world.config))
    again.drop()
    assert again.recertified == frozenset()
    world.certify(90)
    other = result(world.preparing.prepare(world.config))
    other.drop()
    assert other.recertified == {"shop"}


@pytest.mark.parametrize(("days", "said"), [(90, 0), (5, 1)])
def test_warnings(world: World, days: int, said: int) -> None:
    """Certificates that end soon are warned of, with their site and file."""
    world.certify(days)
    prepared = result(world.preparing.prepare(world.config))
    prepared.drop()
    assert len(prepared.warnings) == said
    assert all(text.startswith(f"shop: {world.file} expires in ") for text in prepared.warnings)
