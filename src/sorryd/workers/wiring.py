"""An edge of this process, whether it is a worker's or the daemon's only one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sorryd.edge.edge import Edge
from sorryd.edge.memory import keep_buffers
from sorryd.edge.readiness import Readiness
from sorryd.edge.resolving import resolver_of
from sorryd.reports import Report


def wired_edge(
    reactor: Any,
    readiness: Readiness,
    nameserver: tuple[str, int] | None,
    report: Callable[[Report], None],
    own_key: bytes,
) -> Edge:
    """An edge on the clocks of this machine; `nameserver` as Config has it, `own_key` as Begin."""
    keep_buffers()
    resolver = resolver_of(reactor, nameserver)
    return Edge(reactor, resolver, readiness, time.time, time.monotonic, report, own_key)
