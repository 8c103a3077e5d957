"""The window scenario: a window opens and closes on time while the site is under load."""

from __future__ import annotations

import contextlib
import http.client
import math
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench import control, load
from bench.load import Counted
from bench.processes import Set
from bench.scenarios import Case

ALLOWED = 0.1  # seconds after an edge by which a visitor must have seen it
_AHEAD, _LASTS, _AFTER = 2.0, 2.0, 1.0
_PAUSE = 0.005


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A request of our own; `asked` and `answered` are instants; status 0 is no answer."""

    asked: float
    answered: float
    status: int


class Edges(msgspec.Struct, frozen=True, kw_only=True):
    """When a visitor saw the edges, in seconds after them (None: never).

    `strays` counts answers that fit neither side: no answer, another status, or a change of
    mind between the edges.
    """

    opened: float | None
    closed: float | None
    strays: int
    probes: int
    counted: Counted

    @property
    def on_time(self) -> bool:
        """Whether both edges were seen, neither early nor more than `ALLOWED` late."""
        return all(late is not None and 0 <= late <= ALLOWED for late in (self.opened, self.closed))

    @property
    def errors(self) -> int:
        """All that went wrong, apart from lateness."""
        return self.strays + self.counted.errors

    @property
    def well(self) -> bool:
        """Whether it was on time and nothing went wrong."""
        return self.on_time and not self.errors


def read_edges(probes: Sequence[Probe], start: float, end: float, counted: Counted) -> Edges:
    """What `probes`, in the order asked, saw of the window ``[start, end)``."""
    statuses = [probe.status for probe in probes]
    first_down = statuses.index(503) if 503 in statuses else len(probes)
    down = statuses[first_down:]
    first_back = first_down + (down.index(200) if 200 in down else len(down))
    wanted = [200] * first_down + [503] * (first_back - first_down)
    wanted += [200] * (len(probes) - first_back)
    return Edges(
        opened=probes[first_down].answered - start if first_down < len(probes) else None,
        closed=probes[first_back].answered - end if first_back < len(probes) else None,
        strays=sum(got != want for got, want in zip(statuses, wanted, strict=True)),
        probes=len(probes),
        counted=counted,
    )


def run(case: Case, socket: Path, cores: Set) -> Edges:
    """Plan a window two seconds ahead that lasts two, load the site, and look every 5 ms.

    Raises BenchError where sorryd refuses the window or the load does not run.
    """
    start = math.ceil(time.time()) + _AHEAD
    end = start + _LASTS
    # Either side of the edge is right for the load; the probes know which is when.
    asked = msgspec.structs.replace(
        case.load(math.ceil(_AHEAD + 1 + _LASTS + _AFTER)), statuses=(200, 503)
    )
    process = load.start(asked, cores)
    try:
        control.schedule(socket, "shop", start, end)
        probes = _probe(case, end + _AFTER)
        counted = load.finish(process, asked)
    finally:
        process.kill()
        process.wait()
    return read_edges(probes, start, end, counted)


def _probe(case: Case, until: float) -> list[Probe]:
    probes = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", case.port, timeout=2)) as to:
        while (asked := time.time()) < until:
            status = _status(to, case.plan.path)
            probes.append(Probe(asked=asked, answered=time.time(), status=status))
            time.sleep(_PAUSE)
    return probes


def _status(connection: http.client.HTTPConnection, path: str) -> int:
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        connection.close()  # the next request opens it anew
        return 0
    return response.status
