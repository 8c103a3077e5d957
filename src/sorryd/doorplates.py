"""Where sites listen, for the log: said once, however many edges accept there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twisted.logger import Logger

from sorryd.edge.listener import Bound, place_of

log = Logger()

Doorplate = tuple[str, str]
"""A site, and where it listens."""


def doorplates(bound: Iterable[Bound]) -> Sequence[Doorplate]:
    """What there is to say of these sockets."""
    return [(site, place_of(one)) for one in bound for site in one.sites]


class Doorplates:
    """What was said last. Mutable: one per daemon."""

    def __init__(self) -> None:
        self._shown: Sequence[Doorplate] = ()

    def show(self, now: Sequence[Doorplate]) -> None:
        """Visitors are accepted there, and nowhere else: say what is new of it."""
        before, self._shown = self._shown, now
        for site, place in now:
            if (site, place) not in before:
                log.info("site {site} listens at {place}", site=site, place=place)
        for site, place in before:
            if (site, place) not in now:
                log.info("site {site} listens at {place} no more", site=site, place=place)
