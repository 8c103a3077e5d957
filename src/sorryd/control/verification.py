"""Which windows have come to their end and wait for their members, and since when.

A check counts that began after we saw the end. That is told by the moment, so that a wall
clock that is set makes no old check a new one; a restart begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from sorryd.model import Site
from sorryd.policy.acting import concerns
from sorryd.window import Window


class Verification:
    """Remembers the moment since when each site of each window is verified."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], float] = {}

    @property
    def sites(self) -> frozenset[str]:
        """The names of the sites whose members are to be checked."""
        return frozenset(site for _, site in self._since)

    def look(self, windows: Sequence[Window], sites: Iterable[Site], moment: float) -> bool:
        """At `moment` these windows are verifying; whether other sites are to be checked now."""
        before = self.sites
        self._since = {
            (window.id, site.name): self._since.get((window.id, site.name), moment)
            for site in sites
            for window in windows
            if concerns(window, site.name)
        }
        return self.sites != before

    def healthy(
        self,
        windows: Iterable[Window],
        sites: Iterable[Site],
        is_healthy: Callable[[Site, tuple[str, ...], float], bool],
    ) -> Iterator[tuple[Window, Site]]:
        """The windows with those of their sites that `is_healthy` finds so.

        It is asked with the members of the window's scope, and the moment since when.
        """
        for window in windows:
            for site in sites:
                since = self._since.get((window.id, site.name))
                if since is not None and is_healthy(site, window.scope.members, since):
                    yield window, site
