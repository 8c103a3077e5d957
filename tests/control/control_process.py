"""A control socket on a real reactor, run as a process of its own by test_listening.

Usage: control_process.py REACTOR PATH MODE GROUP
It says "ready", or why not; answers daemon.version with the author in place of versions; stops
on SIGTERM.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

REACTOR, PATH, MODE, GROUP = sys.argv[1:]
if REACTOR == "uvloop":
    import uvloop
    from twisted.internet import asyncioreactor

    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
else:
    from twisted.internet import epollreactor

    epollreactor.install()

from twisted.internet import reactor as installed  # noqa: E402
from twisted.internet.defer import Deferred, succeed  # noqa: E402

from sorryd.control.listening import ControlSocketError, control_gid, listen_control  # noqa: E402
from sorryd.control.permission import Permission  # noqa: E402
from sorryd.control.server import ControlFactory  # noqa: E402
from sorryd.control.subscriptions import Subscriptions  # noqa: E402
from sorryd.journal import HistoryEntry, Journal  # noqa: E402
from sorryd.messages import Request, SiteUp  # noqa: E402
from sorryd.replies import Result, VersionResult  # noqa: E402
from sorryd.replies_history import HistoryEntry as Deed  # noqa: E402
from sorryd.stream import Stream  # noqa: E402
from sorryd.window import Author  # noqa: E402

reactor = cast(Any, installed)


def execute(request: Request, author: Author) -> Deferred[Result]:
    """The author where versions would be; a long text for site.up, to fill buffers."""
    rest = "x" * 1_000_000 if isinstance(request, SiteUp) else str(author.pid)
    return succeed(
        VersionResult(
            version=str(author.uid), python=author.name, twisted=rest, openssl="", started=""
        )
    )


T = TypeVar("T")


def run(function: Callable[..., T], *args: Any) -> Deferred[T]:
    """Nobody subscribes, so that nothing is read."""
    raise NotImplementedError


def tell(entry: HistoryEntry) -> Deed:
    """See `run`."""
    raise NotImplementedError


nobody = Subscriptions(Stream(Journal("nowhere.db", run)), tell)

os.umask(0o077)  # as in a daemon
try:
    gid = control_gid(GROUP or None)
    permission = Permission(uid=os.geteuid(), gid=gid)
    factory = ControlFactory(reactor, execute, permission, nobody)
    port = listen_control(reactor, PATH, int(MODE, 8), gid, factory)
except ControlSocketError as error:
    print(f"{type(error).__name__}: {error}", flush=True)
    sys.exit(1)
reactor.addSystemEventTrigger("before", "shutdown", port.stop)
reactor.addSystemEventTrigger("before", "shutdown", factory.finish)
reactor.callWhenRunning(print, "ready", flush=True)
reactor.run()
