"""The hooks of all sites, each with a courier of its own, so that none waits for another.

Nothing waits for a hook: neither a phase, nor a command, nor a reload.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.courier import Courier, Send
from sorryd.model import Config, Site
from sorryd.stream import Hook, Stream

_AGAIN = 1.0  # seconds between two questions to a journal that fails

_log = Logger()


class Hooks:
    """All couriers. `send` brings an event to a site's hook, `wall` is the wall clock."""

    def __init__(
        self,
        reactor: Any,
        stream: Stream,
        send: Send,
        wall: Callable[[], float],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.reactor = reactor
        self.stream = stream
        self.send = send
        self.wall = wall
        self.chance = chance
        self._couriers: dict[Hook, Courier] = {}
        self._ended: list[Courier] = []  # those that still have a delivery under way
        self._config: Config | None = None
        self._is_asking = False
        self._is_stopped = False
        stream.listen(self._grown)

    def use(self, config: Config) -> None:
        """These are the hooks from now on. A new one is told of what comes, an old one goes on."""
        wanted = _hooks_of(config)
        for hook in self._couriers.keys() - wanted.keys():
            self._end(self._couriers.pop(hook))
        for hook, courier in self._couriers.items():
            courier.use(wanted[hook], config)
        self._config = config
        self._ask()

    def stop(self, seconds: float) -> Deferred[None]:
        """Begin nothing more; fires when what is under way is over.

        It has so many seconds, and is ended then.
        """
        self._is_stopped = True
        for courier in self._couriers.values():
            self._end(courier)
        self._couriers.clear()
        late = self.reactor.callLater(seconds, self.hurry)

        def over(_: object) -> None:
            if late.active():
                late.cancel()

        return DeferredList([one.idle() for one in self._ended]).addCallback(over)

    def hurry(self) -> None:
        """End what is under way."""
        for courier in self._ended:
            courier.terminate()

    def _end(self, courier: Courier) -> None:
        courier.stop()
        self._ended = [one for one in (*self._ended, courier) if one.is_busy]

    def _ask(self) -> None:
        """Ask the journal how far each hook has been told, where one of them is new."""
        if self._is_asking or self._is_stopped or self._config is None:
            return
        self._is_asking = True
        hooks = frozenset(_hooks_of(self._config))
        asked = self.stream.hook_cursors(hooks)
        asked.addCallbacks(lambda known: self._begin(hooks, known), self._refused)

    def _begin(self, hooks: frozenset[Hook], known: dict[str, int]) -> None:
        self._is_asking = False
        config = self._config
        if self._is_stopped or config is None:
            return
        sites = _hooks_of(config)
        for hook in hooks & sites.keys() - self._couriers.keys():
            courier = Courier(self, hook, known[hook[0]], sites[hook], config)
            self._couriers[hook] = courier
            courier.proceed()
        if hooks != sites.keys():  # another configuration since
            self._ask()

    def _refused(self, why: Failure) -> None:
        self._is_asking = False
        _log.error("hooks can't begin yet: {why}", why=why.getErrorMessage())
        self.reactor.callLater(_AGAIN, self._ask)

    def _grown(self) -> None:
        for courier in tuple(self._couriers.values()):
            courier.proceed()


def _hooks_of(config: Config) -> dict[Hook, Site]:
    return {(site.name, site.hook): site for site in config.sites if site.hook is not None}
