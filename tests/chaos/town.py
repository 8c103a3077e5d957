"""What the proof runs on: a daemon, its files, its members, and who comes to it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.certificates import DAY, authority, issue
from tests.chaos.words import Word, read
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.family import MARK, Family
from tests.end_to_end.waiting import PATIENCE
from tests.soak.town import MemberProcess, free_ports

SITES: Final = ("blog", "news")
"""Those that have windows; all the load goes to the others, which never have one."""

_PROJECT: Final = Path(__file__).parents[2]
_KEYS: Final = """
retry = 0
balance = {balance}
certificate = {name}.pem
private_key = {name}.key
sorry_page = sorry.html
timeout_idle = 5m
timeout_queue = 20s
announce = {announce}
drain = 0s
"""


@dataclasses.dataclass(frozen=True)
class Shape:
    """What of a configuration changes; `extra` is one listener more, of the shop."""

    workers: int = 0
    members: tuple[int, ...] = (0, 1)  # which of them, and in which order
    weight: int = 1  # of the first of them
    extra: bool = False
    balance: str = "round_robin"
    announce: str = "1h"


class Aside:
    """A process of ours that says one line when it is ready, and ends with its stdin."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"tests.chaos.{module}", *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_PROJECT,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.said = self._process.stdout.readline().decode().strip()
        assert self.said, f"{module} does not start"

    def end(self) -> None:
        """Let it end, and wait for that."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate(timeout=3 * PATIENCE)
        assert self._process.returncode == 0, self._process.args

    def kill(self) -> None:
        """Whatever it does."""
        self._process.kill()
        self._process.communicate()


class Town:
    """All of it, in `folder`, which is removed at the end unless it is to `keep`."""

    def __init__(self, folder: Path, chance: random.Random, *, keep: bool = True) -> None:
        self.folder = folder
        self._keep = keep
        self.chance = chance
        self.plain, self.tls, self.extra, *ports = free_ports(5)
        self._members = [
            MemberProcess(str(port), f"http://127.0.0.1:{port}", [str(port), "127.0.0.1"])
            for port in ports
        ]
        self._talker = Aside("talker")
        self._root = authority()
        self._visiting: list[Aside] = []
        self.certify()
        self.write_page("at first")
        self.family = os.urandom(8).hex()
        self.daemon = Daemon(folder, "", environment={MARK: self.family})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.daemon.kill()
        Family(self.family).kill()  # of a daemon that was killed, or is faulty
        for aside in (*self._visiting, self._talker):
            aside.kill()
        for member in self._members:
            member.kill()
        if not self._keep:
            shutil.rmtree(self.folder)

    # --- the files ---

    def certify(self) -> None:
        """A new certificate and a new key for all, each file put in its place whole."""
        names = [f"{site}.example" for site in ("shop", "talk", *SITES)]
        chain, key = issue(self._root, names, until=datetime.now(UTC) + 90 * DAY)
        for site in ("shop", "talk", *SITES):
            _put(self.folder / f"{site}.pem", chain)
            _put(self.folder / f"{site}.key", key)

    def write_page(self, text: str) -> None:
        """Another sorry page."""
        _put(self.folder / "sorry.html", f"<title>Sorry</title><p>{text}</p>\n".encode())

    def configure(self, shape: Shape) -> None:
        """Write sorryd.ini."""
        _put(self.daemon.config, self._ini(shape).encode())

    def _ini(self, shape: Shape) -> str:
        doors = f"127.0.0.1:{self.plain}, 127.0.0.1:{self.tls} tls"
        urls = [self._members[number].url for number in shape.members]
        weighed = [f"{urls[0]} weight={shape.weight}", *urls[1:]]
        lines = [
            "[sorryd]", "control = control.sock", "state = sorryd.db", "timezone = UTC",
            f"workers = {shape.workers}",
        ]  # fmt: skip
        for site in ("shop", "talk", *SITES):
            members = [f"http://127.0.0.1:{self._talker.said}"] if site == "talk" else weighed
            more = f", 127.0.0.1:{self.extra}" if shape.extra and site == "shop" else ""
            lines += [
                f"[site {site}]", f"listen = {doors}{more}", f"hosts = {site}.example",
                "members =", *(f"    {member}" for member in members),
                _KEYS.format(name=site, balance=shape.balance, announce=shape.announce),
            ]  # fmt: skip
        return "\n".join(lines)

    # --- who comes ---

    def load(self, many: int) -> None:
        """Let visitors come; `words` has what became of them."""
        seed = self.chance.randrange(1 << 30)
        file = self.folder / "load.json"
        self._visiting.append(Aside("load", self.plain, self.tls, many, seed, file))

    def probe(self) -> None:
        """Let somebody look at the sites that have windows."""
        self._visiting.append(Aside("probe", self.plain, self.folder / "probe.json", *SITES))

    def let_go(self) -> None:
        """Let who came end what they do, and come no more."""
        visiting, self._visiting = self._visiting, []
        for aside in visiting:
            aside.end()

    def words(self) -> Sequence[Word]:
        """All that those wrote who came."""
        files = [self.folder / name for name in ("load.json", "probe.json")]
        return [word for file in files if file.exists() for word in read(file)]


def _put(file: Path, data: bytes) -> None:
    fresh = file.with_suffix(".fresh")
    fresh.write_bytes(data)
    os.replace(fresh, file)
