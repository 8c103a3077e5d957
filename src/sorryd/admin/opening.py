"""Makes the admin listener of its parts, which are loaded only where there is one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.threads import deferToThreadPool

from sorryd.admin.overview import Overview


def listener(
    reactor: Any, look: Callable[[], Deferred[Overview]], is_ready: Callable[[], bool]
) -> IProtocolFactory:
    """What answers at the admin address; its text is made in a thread of the reactor."""
    from sorryd.admin.pages import pages
    from sorryd.admin.scrapes import Scrapes

    aside = partial(deferToThreadPool, reactor, reactor.getThreadPool())
    return pages(Scrapes(look, aside), is_ready, reactor)
