"""A lone visitor, whose every request is timed by itself.

``python -m bench.loads.lone LOAD`` asks for the path of the load on one connection, again and
again, and reads each answer whole before the next request. It blocks, and nothing else is done
between a request and the end of its answer. The percentiles are of the requests that were made:
wrk's are not, which adds a made-up one for each that might have been made while it waited
("coordinated omission"), so that a stall of the machine of 5 ms counts as forty slow requests.
"""

from __future__ import annotations

import contextlib
import gc
import socket
import time
from collections.abc import Iterator, Sequence

import msgspec

from bench.load import Counted, Load
from bench.loads import told
from bench.loads.transfers import head, received
from bench.loads.visitors import requests


def main() -> None:
    """Load, and print what was counted."""
    gc.disable()  # its pauses would be taken for the proxy's
    load = told()
    took: list[int] = []
    errors = 0
    started = time.perf_counter_ns()
    try:
        took.extend(_visit(load))  # what came before an error is kept
    except (OSError, ValueError):
        errors = 1
    seconds = (time.perf_counter_ns() - started) / 1e9
    took.sort()
    counted = Counted(
        requests=len(took),
        seconds=seconds,
        unexpected=errors,
        p50=percentile(took, 50) / 1e3,
        p99=percentile(took, 99) / 1e3,
    )
    print(msgspec.json.encode(counted).decode())


def _visit(load: Load) -> Iterator[int]:
    """Nanoseconds of each request, for the seconds of the load. Raises OSError and ValueError."""
    asked = requests(load)[0]
    with contextlib.closing(socket.create_connection(("127.0.0.1", load.port), 10)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.monotonic() + load.seconds
        while time.monotonic() < end:
            begun = time.perf_counter_ns()
            sock.sendall(asked)
            _, body, length = head(sock)
            left = length - len(body)
            while left > 0:
                left -= len(received(sock))
            yield time.perf_counter_ns() - begun


def percentile(ordered: Sequence[int], percent: int) -> int:
    """The least of `ordered` that so many of a hundred do not exceed; 0 where there is none."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0


if __name__ == "__main__":
    main()
