"""Which reactor runs sorryd, and by which clock its timers go."""

from __future__ import annotations

import sys
import time
from typing import Any

from sorryd.edge.rest import Rest


def take_uvloop() -> None:
    """Install uvloop where it is there, and nobody has chosen a reactor (``--reactor``)."""
    if "twisted.internet.reactor" in sys.modules:
        return
    try:
        from sorryd.uv_loop import Loop
    except ImportError:
        return
    from twisted.internet import asyncioreactor

    asyncioreactor.install(Loop())


def rest_of(reactor: Any) -> Rest:
    """What else `reactor` does than the data path; its descriptors can be told of uvloop alone."""
    loop = getattr(reactor, "_asyncioEventloop", None)
    return Rest(reactor.timeout, getattr(loop, "backend", None))


def keep_monotonic_time(reactor: Any) -> None:
    """Let timers follow the monotonic clock: Twisted's own follow the wall clock.

    See docs/architecture.md, Two clocks.
    """
    reactor.seconds = time.monotonic
