"""What the soak runs on: a daemon, its files, its members, and who answers for their names."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.certificates import authority, issue
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.name_server import NameServer
from tests.end_to_end.workers import asked_workers
from tests.soak.pages import SITES

NAME: Final = "app.example.test"
RELOADED_EVERY: Final = 0.5  # seconds between two looks at the certificates
_OFTEN: Final = f"import sorryd.serving; sorryd.serving.CERTIFICATES_EVERY = {RELOADED_EVERY}"
_PROJECT: Final = Path(__file__).parents[2]

_SITE: Final = """
[site {name}]
listen = 127.0.0.1:{plain}, 127.0.0.1:{tls} tls, 127.0.0.1:{proxy} proxy
hosts = {name}.example
certificate = {name}.pem
trusted_proxies = 127.0.0.1/32
members = {members}
timeout_connect = 1s
timeout_header = 2s
timeout_idle = 5s
timeout_body = 3s
timeout_answer = 2s
timeout_stream = 10s
timeout_tunnel = 10s
timeout_queue = 2s
drain = {drain}
retry_after = {retry_after}s
{more}
"""
_DAEMON: Final = """[sorryd]
control = control.sock
state = sorryd.db
timezone = UTC
nameserver = 127.0.0.1:{nameserver}
access_log = access.json
access_log_format = json
{workers}
"""


class MemberProcess:
    """A member that can be killed, and told its mood. `where` is what member.py takes."""

    def __init__(self, name: str, url: str, where: Sequence[str]) -> None:
        self.name = name
        self.url = url
        self._where = where
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, honest as it is at first, unless it runs."""
        if self._process is not None:
            return
        if len(self._where) == 1:
            Path(self._where[0]).unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.soak.member", *self._where]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_PROJECT
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"listening\n"

    def tell(self, mood: str) -> None:
        """Its mood from now on."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(mood.encode() + b"\n")
            self._process.stdin.flush()

    def kill(self) -> None:
        """kill -9."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


@dataclasses.dataclass(frozen=True)
class Ports:
    """Where the sites listen."""

    plain: int
    tls: int
    proxy: int


class Town:
    """All of it, in `folder`, which is removed at the end unless `keep` was set."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.chance = chance
        self.keep = False
        self.ports = Ports(*free_ports(3))
        self.root = authority()
        self.names = NameServer()
        self.names.records[NAME] = ["127.0.0.1"]
        one, two, named = free_ports(3)
        path = str(folder / "member.sock")
        self.members = [
            MemberProcess("one", f"http://127.0.0.1:{one}", [str(one), "127.0.0.1"]),
            MemberProcess("two", f"http://127.0.0.1:{two}", [str(two), "127.0.0.1"]),
            MemberProcess("unix", f"unix:{path}", [path]),
            MemberProcess(
                "named", f"http://{NAME}:{named}", [str(named), "127.0.0.1", "127.0.0.2"]
            ),
        ]
        for site in SITES:
            self.certify(site)
        self.daemon = Daemon(folder, self.ini(changed=False), launcher=_OFTEN)

    def __enter__(self) -> Self:
        self.names.__enter__()
        try:
            self.daemon.start()
        except BaseException as why:
            self.__exit__(type(why), why, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.daemon.kill()
        for member in self.members:
            member.kill()
        self.names.__exit__(None, None, None)
        if not (self.keep or kind):
            shutil.rmtree(self.folder)

    def certify(self, site: str) -> None:
        """A new certificate for a site, in the place of the one that is there."""
        fresh = self.folder / "fresh"
        fresh.write_bytes(b"".join(issue(self.root, [site])))
        os.replace(fresh, self.folder / f"{site.partition('.')[0]}.pem")

    def ini(self, *, changed: bool = True) -> str:
        """A sorryd.ini: as it was at first, or with this and that `changed`."""
        pick = self.chance.choice
        one, two, unix, named = (member.url for member in self.members)
        extra = pick(["", "\n    http://127.0.0.1:9 standby"]) if changed else ""
        weight = pick([1, 2, 5]) if changed else 1
        full = "retry=1 max_connections=4"
        shop = f"\n    {one} {full} weight={weight}\n    {two} {full}{extra}"
        blog = f"\n    {unix} retry=1\n    {named} retry=1"
        drain, retry_after = (pick(["1s", "2s"]), pick([5, 30])) if changed else ("1s", 30)
        balance = pick(["round_robin", "least_conn", "hash", "sticky"]) if changed else "sticky"
        sites = {
            "shop": (shop, f"balance = {balance}\ncheck = GET /healthz interval=0.5s timeout=1s"),
            "blog": (blog, "balance = least_conn\nfail_on = 503"),
        }
        daemon = _DAEMON.format(nameserver=self.names.port, workers="\n".join(asked_workers()))
        return daemon + "".join(
            _SITE.format(
                name=name, members=members, more=more, drain=drain, retry_after=retry_after,
                **dataclasses.asdict(self.ports),
            )
            for name, (members, more) in sites.items()
        )  # fmt: skip


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now."""
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(sock.getsockname()[1]) for sock in socks]
    for sock in socks:
        sock.close()
    return ports
