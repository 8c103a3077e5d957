"""What a new connection costs sorryd, in microseconds of its processor time.

``python -m bench.handshakes [--connections 2000]``. Each connection asks once and leaves. TLS
is 1.3 with the certificate of the run, ECDSA P-256; with a ticket it is resumed. Exit code: 0 it
was measured, 2 not.
"""

from __future__ import annotations

import argparse
import os
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import backend, processor, proxies
from bench.checks import unverified
from bench.loads.rest import visit
from bench.places import Members, Ports, prepare
from bench.processes import BenchError, Cores, Fleet
from bench.proxies import Name, Proxy

_WARM = 200  # connections before it counts


def plain(ports: Ports) -> None:
    """Connect, ask, leave."""
    visit(ports.plain, None).close()


def full(ports: Ports) -> None:
    """The same over TLS, by a client that was never here."""
    visit(ports.tls, unverified()).close()


class Resuming:
    """The same by a client that has a ticket. Mutable: it keeps the last one."""

    def __init__(self) -> None:
        self._context = unverified()
        self._ticket: ssl.SSLSession | None = None

    def __call__(self, ports: Ports) -> None:
        tcp = socket.create_connection(("127.0.0.1", ports.tls), timeout=10)
        with self._context.wrap_socket(
            tcp, server_hostname="localhost", session=self._ticket
        ) as sock:
            sock.sendall(b"GET /small HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
            while sock.recv(65536):
                pass
            if self._ticket is not None and not sock.session_reused:
                raise BenchError("a ticket was not taken")
            self._ticket = sock.session


def micros(proxy: Proxy, once: Callable[[Ports], None], count: int) -> float:
    """Microseconds of the proxy's processor time for each of `count` connections."""
    for _ in range(_WARM):
        once(proxy.ports)
    before = processor.read(proxy.pid)
    for _ in range(count):
        once(proxy.ports)
    return processor.seconds(before, processor.read(proxy.pid)) / count * 1e6


def measure(folder: Path, count: int) -> None:
    """Print all. Raises BenchError, and OSError."""
    cores = Cores.of_this_machine()
    place = prepare(folder, Members())
    with Fleet(folder) as fleet:
        backend.start(fleet, place, cores)
        proxy = proxies.start(Name.SORRYD, fleet, place, Ports(), cores)
        if not isinstance(proxy, Proxy):
            raise BenchError(proxy.why)
        os.sched_setaffinity(0, cores.load)
        kinds: dict[str, Callable[[Ports], None]] = {
            "plain": plain,
            "TLS, full handshake": full,
            "TLS, resumed": Resuming(),
        }
        for name, once in kinds.items():
            print(f"{name:20} {micros(proxy, once, count):6.0f} us", flush=True)


def main() -> int:
    """Measure; the exit code is as the module says."""
    parser = argparse.ArgumentParser(prog="python -m bench.handshakes", description=__doc__)
    parser.add_argument("--connections", type=int, default=2000, help="of each kind: %(default)s")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="sorryd-bench-", dir="/tmp") as folder:
            measure(Path(folder), options.connections)
    except (BenchError, OSError) as error:
        print(f"bench.handshakes: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
