"""A process that another one has forked can be ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.end_to_end.waiting import PATIENCE

from sorryd.workers.handle import Handle

SLEEPS = "import time; time.sleep(1000)"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", SLEEPS]) as process:
        yield process
        process.kill()


@pytest.fixture(params=[True, False], ids=["pidfd", "pid"])
def has_pidfd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Also where the kernel does not know that call."""
    if not request.param:
        monkeypatch.delattr(os, "pidfd_open")
    return bool(request.param)


@pytest.mark.usefixtures("has_pidfd")
def test_killed(child: subprocess.Popen[bytes]) -> None:
    """It ends, whatever it does."""
    handle = Handle(child.pid)
    child.send_signal(signal.SIGSTOP)
    handle.kill()
    assert child.wait(PATIENCE) == -signal.SIGKILL
    handle.kill()
    handle.close()
    handle.close()
    handle.kill()


@pytest.mark.parametrize("pid", [0, -1])
def test_nobody(pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has no pid here is not ended: by such a number many would be, and we among them."""
    signalled: list[int] = []
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.setattr(os, "kill", lambda pid, number: signalled.append(pid))
    handle = Handle(pid)
    handle.kill()
    handle.close()
    assert signalled == []


def test_stranger_with_its_pid(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has ended is no one else, whoever has its pid by now."""
    handle = Handle(child.pid)
    child.kill()
    child.wait(PATIENCE)
    signalled: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signalled.append(pid))
    handle.kill()
    handle.close()
    late = Handle(child.pid)
    late.kill()
    late.close()
    assert signalled == []
