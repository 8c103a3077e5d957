"""What the log says of where sites listen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from twisted.logger import capturedLogs, formatEvent

from sorryd.doorplates import Doorplates, doorplates
from sorryd.edge.listener import Bound, bind
from sorryd.model import Listen


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def bound(stack: ExitStack, *sites: str, tls: bool = False, path: Path | None = None) -> Bound:
    """A new socket of these sites."""
    host, name = ("", str(path)) if path else ("127.0.0.1", None)
    listen = Listen(host=host, port=0, tls=tls, path=name)
    return Bound(listen, sites, stack.enter_context(bind(listen)))


def port_of(one: Bound) -> int:
    return int(one.sock.getsockname()[1])


def test_said_once(sockets: ExitStack) -> None:
    """Each site is told where it listens; what is as it was is not said again."""
    both, alone = bound(sockets, "shop", "blog"), bound(sockets, "news", tls=True)
    plates = Doorplates()
    with capturedLogs() as log:
        plates.show(doorplates([both, alone]))
        plates.show(doorplates([both, alone]))
    place, other = f"http://127.0.0.1:{port_of(both)}", f"https://127.0.0.1:{port_of(alone)}"
    assert [formatEvent(event) for event in log] == [
        f"site shop listens at {place}",
        f"site blog listens at {place}",
        f"site news listens at {other}",
    ]


def test_what_comes_and_goes(sockets: ExitStack) -> None:
    """A site that moves is said to have come and gone; one that stays is not named."""
    kept, gone, fresh = (bound(sockets, "shop") for _ in range(3))
    plates = Doorplates()
    plates.show(doorplates([kept, gone]))
    with capturedLogs() as log:
        plates.show(doorplates([Bound(kept.listen, ("shop", "blog"), kept.sock), fresh]))
    assert [formatEvent(event) for event in log] == [
        f"site blog listens at http://127.0.0.1:{port_of(kept)}",
        f"site shop listens at http://127.0.0.1:{port_of(fresh)}",
        f"site shop listens at http://127.0.0.1:{port_of(gone)} no more",
    ]


@pytest.mark.parametrize(("tls", "ending"), [(False, ""), (True, " (TLS)")])
def test_unix_socket(sockets: ExitStack, tmp_path: Path, tls: bool, ending: str) -> None:
    """A UNIX socket is told by its path."""
    path = tmp_path / "shop.sock"
    plates = doorplates([bound(sockets, "shop", tls=tls, path=path)])
    assert plates == [("shop", f"unix:{path}{ending}")]
