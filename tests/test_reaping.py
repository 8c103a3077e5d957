"""Children that nobody waits for, and those that somebody does."""

from __future__ import annotations

import subprocess
import sys

import pytest
from twisted.internet.task import Clock

from sorryd.reaping import Reaping, takes_orphans

SET_CHILD_SUBREAPER = 36  # linux/prctl.h

# Run as a process of its own: whether orphans come to it is for all of a process.
REAPER = f"""
import ctypes, os, subprocess, sys, time
from pathlib import Path
from twisted.internet.task import Clock
from sorryd.reaping import EVERY, Reaping, takes_orphans

def stat(pid):
    return Path(f"/proc/{{pid}}/stat").read_text().rpartition(")")[2].split()

def wait_for(done):
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)

if "subreaper" in sys.argv:
    assert ctypes.CDLL(None).prctl({SET_CHILD_SUBREAPER}, 1, 0, 0, 0) == 0
assert takes_orphans()
clock = Clock()
reaping = Reaping(clock)
reaping.start()
left = subprocess.run(
    ["sh", "-c", "sleep 0.05 >/dev/null & echo $!"], capture_output=True, text=True, check=True
)
orphan = int(left.stdout)
wait_for(lambda: stat(orphan)[:2] == ["Z", str(os.getpid())])
owned = subprocess.Popen(["sh", "-c", "exit 7"])
wait_for(lambda: stat(owned.pid)[0] == "Z")
clock.advance(EVERY)
assert stat(orphan)[0] == stat(owned.pid)[0] == "Z"
assert owned.wait() == 7
clock.advance(EVERY)
assert not Path(f"/proc/{{orphan}}").exists()
reaping.stop()
print("reaped")
"""


def test_a_subreaper_reaps_orphans_alone() -> None:
    """What nobody waits for is gone at the second look; who waits for a child still gets it."""
    done = subprocess.run(
        [sys.executable, "-c", REAPER, "subreaper"], capture_output=True, text=True, timeout=120
    )
    assert (done.stdout, done.stderr) == ("reaped\n", "")


def _can_unshare() -> bool:
    try:
        command = ["unshare", "--pid", "--fork", "--mount-proc", "true"]
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not _can_unshare(), reason="no namespace of process ids can be made here")
def test_the_first_process_reaps_orphans_alone() -> None:
    """The same as PID 1, as in a container."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", REAPER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("reaped\n", "")


def test_elsewhere_it_does_not_look() -> None:
    """A process to which no orphans come has no timer for them."""
    assert not takes_orphans()
    clock = Clock()
    Reaping(clock).start()
    assert clock.getDelayedCalls() == []
