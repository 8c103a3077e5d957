"""The members behind every proxy: nginx where it is installed, else one in Python.

``python -m bench.backend FOLDER MEMBER_A MEMBER_B STANDBY`` is the one in Python.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bench.places import Place, fill
from bench.processes import Cores, Fleet, program
from bench.proxies import nginx

_FIELDS = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"via")


def start(fleet: Fleet, place: Place, cores: Cores) -> str:
    """Start the members on the load's cores; returns what they are. Raises BenchError."""
    _start_bulk(fleet, place, cores)
    ports = [place.members.member_a, place.members.member_b, place.members.standby]
    if (binary := program("nginx")) is not None:
        fleet.start("backend", nginx(binary, fill(place, "backend.conf")), ports, cores.load)
        return "nginx"
    folder = str(place.folder / "members")
    command = [sys.executable, "-m", "bench.backend", folder, *map(str, ports)]
    fleet.start("backend", command, ports, cores.load)
    return "Python (nginx is not installed)"


def _start_bulk(fleet: Fleet, place: Place, cores: Cores) -> None:
    port = place.members.bulk_member
    command = [sys.executable, "-m", "bench.bulk", str(place.given("bulk")), str(port)]
    fleet.start("bulk", command, [port], cores.load)


def answer(status: str, body: bytes) -> bytes:
    """A whole answer, as bytes."""
    head = f"HTTP/1.1 {status}\r\nServer: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Connection(asyncio.Protocol):
    """Reads requests without bodies and answers them in order from ready bytes."""

    def __init__(self, ready: dict[bytes, bytes]) -> None:
        self._ready = ready
        self._unread = b""
        self._count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            head, _, self._unread = self._unread.partition(b"\r\n\r\n")
            self._count += 1
            target = head.split(b" ", 2)[1]
            known = self._ready.get(target)
            self._transport.write(self._fields(head) if known is None else known)

    def _fields(self, head: bytes) -> bytes:
        got = {}
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            got[name.lower()] = value.strip()
        lines = [got.get(name, b"") for name in _FIELDS] + [str(self._count).encode()]
        return answer("200 OK", b"\n".join(lines) + b"\n")


class _Standby(asyncio.Protocol):
    """The members never fail here, so a standby that is asked, but for its health, is an error."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        well = data.startswith(b"GET /health ")
        self._transport.write(answer("200 OK" if well else "500 Internal Server Error", b""))
        self._transport.close()


async def _serve(folder: Path, ports: list[int]) -> None:
    ready = {
        f"/{name}".encode(): answer("200 OK", (folder / name).read_bytes())
        for name in ("small", "large")
    }
    ready[b"/health"] = answer("200 OK", b"")
    loop = asyncio.get_running_loop()
    for port in ports[:2]:
        await loop.create_server(lambda: _Connection(ready), "127.0.0.1", port, backlog=1024)
    await loop.create_server(_Standby, "127.0.0.1", ports[2])
    await asyncio.Event().wait()


def main() -> None:
    """Serve until killed."""
    asyncio.run(_serve(Path(sys.argv[1]), [int(port) for port in sys.argv[2:]]))


if __name__ == "__main__":
    main()
