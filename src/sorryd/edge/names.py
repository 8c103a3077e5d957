"""The names of members, looked up in the background and always at hand.

A name is looked up when its first member is there, and again when what was found has run out:
after its TTL where somebody told one, else after `UNKNOWN_TTL`. New addresses replace the old
ones at once and all together; a lookup that fails keeps those that are known. Who connects never
waits for DNS, but before the first answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.edge.descriptors import Seldom
from sorryd.edge.resolving import Found, NotFound, Resolver
from sorryd.edge.wheel import NEVER, Wheel

log = Logger()

UNKNOWN_TTL: Final = 15.0
"""Seconds that addresses hold where nobody says (the system's resolver never does)."""

SHORTEST: Final = 1.0
LONGEST: Final = 3600.0
"""Seconds: what a TTL is held to, as a name server may say 0 or years."""

AGAIN: Final = 5.0
"""Seconds after which a failed lookup is tried again."""

Waiter = Callable[[], None]


class Name:
    """One name, its addresses, and who waits for the first of them."""

    def __init__(
        self, host: str, resolver: Resolver, wheel: Wheel, unused: Callable[[Name], None]
    ) -> None:
        self.host = host
        self.addresses: tuple[str, ...] = ()
        self.why = ""  # there are none
        self.users = 0  # members
        self.deadline = NEVER  # when to look again
        self._resolver = resolver
        self._wheel = wheel
        self._unused = unused
        self._is_asking = False
        self._turn = 0
        self._poor: set[str] = set()  # could not be connected to, since the last lookup
        self._waiting: list[Waiter] = []
        self._seldom = Seldom(lambda: wheel.now)

    def start(self) -> None:
        """Look it up, and from then on again and again."""
        self._wheel.add(self)
        self._ask()

    def leave(self) -> None:
        """One member less has it; without any, it is looked up no more."""
        self.users -= 1
        if not self.users:
            self._wheel.discard(self)
            self._unused(self)

    def in_turn(self) -> list[str]:
        """The addresses in the order to try them: the next one's turn first, poor ones last."""
        addresses = self.addresses
        if len(addresses) > 1:
            self._turn = (self._turn + 1) % len(addresses)
            addresses = addresses[self._turn :] + addresses[: self._turn]
        return sorted(addresses, key=self._poor.__contains__) if self._poor else list(addresses)

    def could_not(self, address: str) -> None:
        """An address could not be connected to."""
        self._poor.add(address)

    def could(self, address: str) -> None:
        """... and could."""
        self._poor.discard(address)

    def wait(self, waiter: Waiter) -> Callable[[], None]:
        """Call `waiter` when the lookup that goes on has ended. Returns what takes that back."""
        self._waiting.append(waiter)
        self._ask()

        def cancel() -> None:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

        return cancel

    def timed_out(self) -> None:
        """What was found has run out (see wheel.py)."""
        self._ask()

    # --- looking up ---

    def _ask(self) -> None:
        if not self._is_asking:
            self._is_asking = True
            self.deadline = NEVER
            looked_up = maybeDeferred(self._resolver.lookup, self.host)
            looked_up.addCallbacks(self._found, self._failed)

    def _found(self, found: Found) -> None:
        if set(found.addresses) != set(self.addresses):
            if self.addresses:
                log.info(
                    "{host} is now {new} (was {old})",
                    host=self.host, new=", ".join(found.addresses), old=", ".join(self.addresses),
                )  # fmt: skip
            self.addresses = found.addresses
        self._poor.clear()
        ttl = UNKNOWN_TTL if found.ttl is None else min(max(found.ttl, SHORTEST), LONGEST)
        self._answered(ttl)

    def _failed(self, failure: Failure) -> None:
        known = failure.check(NotFound) is not None
        self.why = str(failure.value) if known else "it can't be looked up"
        if self._seldom.is_due():
            log.warn(
                "{host}: {why}; {what}",
                host=self.host, why=self.why,
                what="its last addresses are kept" if self.addresses else "it is tried again",
            )  # fmt: skip
        self._answered(AGAIN)

    def _answered(self, again: float) -> None:
        self._is_asking = False
        self.deadline = self._wheel.now + again
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter()


class Names:
    """The names of all members; each is kept as long as a member has it."""

    def __init__(self, resolver: Resolver, wheel: Wheel) -> None:
        self._resolver = resolver
        self._wheel = wheel
        self._names: dict[str, Name] = {}

    def take(self, host: str) -> Name:
        """A name that one member more has."""
        name = self._names.get(host)
        if name is None:
            name = self._names[host] = Name(host, self._resolver, self._wheel, self._forget)
            name.start()
        name.users += 1
        return name

    def _forget(self, name: Name) -> None:
        del self._names[name.host]
