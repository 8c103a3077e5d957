"""The processes that a daemon has started, as Linux tells of them; proc(5)."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MARK: Final = "SORRYD_TESTS_FAMILY"
"""In the environment of a daemon, by which all that it ever started is known."""

_LISTENING: Final = "0A"  # TCP_LISTEN, in /proc/net/tcp


@dataclasses.dataclass(frozen=True)
class Family:
    """All with `mark` in their environment, and what they hold at some `ports` of this machine."""

    mark: str
    ports: tuple[int, ...] = ()

    def pids(self) -> set[int]:
        """Those that live."""
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if self.mark.encode() in (entry / "environ").read_bytes():
                        found.add(int(entry.name))
        return found

    def at(self, *ports: int) -> Family:
        """The same, as seen at these ports."""
        return dataclasses.replace(self, ports=ports)

    def kill(self) -> None:
        """SIGKILL to each of them."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def descriptors(self) -> int:
        """How many file descriptors they have open."""
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.pids())

    def polls(self) -> int:
        """How many of these are epoll instances."""
        targets = [target for pid in self.pids() for target in _targets(pid)]
        return targets.count("anon_inode:[eventpoll]")

    def memory(self, what: str = "VmRSS") -> int:
        """Bytes of their memory, by a name of proc(5)'s status: VmRSS now, VmHWM at the most."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in self.pids()]
        return sum(int(text.split(f"{what}:")[1].split()[0]) * 1024 for text in texts)

    def forget_peak(self) -> None:
        """Let VmHWM begin anew (proc(5), clear_refs)."""
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def listening(self, pids: set[int]) -> set[int]:
        """Those of `pids` that hold one of the listening sockets."""
        doors = {inode for inode, _, state in self._sockets() if state == _LISTENING}
        return {pid for pid in pids if doors & _inodes(pid)}

    def visitors(self, pid: int) -> set[int]:
        """The ports of the visitors whose connections it holds."""
        held = _inodes(pid)
        return {far for inode, far, state in self._sockets() if far and inode in held}

    def _sockets(self) -> list[tuple[int, int, str]]:
        """Inode, the other side's port and state of the sockets at our ports."""
        found = []
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].partition(":")[2], 16) in self.ports:
                far = int(fields[2].partition(":")[2], 16)
                found.append((int(fields[9]), far, fields[3]))
        return found


def _inodes(pid: int) -> set[int]:
    return {int(target[8:-1]) for target in _targets(pid) if target.startswith("socket:[")}


def _targets(pid: int) -> Iterator[str]:
    """What its descriptors are, those that are still there when they are looked at."""
    with contextlib.suppress(OSError):
        for link in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                yield os.readlink(link.path)


def name(pid: int) -> str:
    """As lists of processes have it; empty where it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def shared_memory(pid: int, what: str = "Pss") -> int:
    """Bytes of memory, its share of what it shares; 0 where it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) * 1024
    return 0
