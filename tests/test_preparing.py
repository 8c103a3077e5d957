"""What is prepared for a reload takes effect, or is let go."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.at_once import AtOnce
from tests.control.world import CONFIG, result, site
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sorryd.edge.access import Access
from sorryd.messages import ControlError, ErrorCode
from sorryd.model import Certificate, Config
from sorryd.preparing import Fittings, Preparing
from sorryd.recording import Recording
from sorryd.sockets import Sockets


class World:
    """A daemon that listens nowhere yet."""

    def __init__(self, folder: Path) -> None:
        self.config = replace(CONFIG, state=str(folder / "sorryd.db"), sites=(site("shop"),))
        self.used: list[Access | None] = []
        self.fitted: list[Fittings] = []
        recording = Recording(AtOnce(), True, self.used.append)
        self.preparing = Preparing(
            AtOnce(), Sockets(), recording, dict, self.fitted.append, lambda: 0.0
        )

    def opened(self) -> list[bool]:
        """Whether the sockets are open that were prepared last."""
        return [one.sock.fileno() >= 0 for one in self.fitted[-1].bound.values()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def refusal(deferred: Deferred[object]) -> ControlError:
    """Why something was refused."""
    failures: list[Failure] = []
    deferred.addErrback(failures.append)
    error = failures[0].value
    assert isinstance(error, ControlError)
    assert error.code is ErrorCode.CONFLICT
    return error
