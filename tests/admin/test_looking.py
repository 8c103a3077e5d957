"""What the admin listener tells is asked for anew each time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.admin.views import site
from tests.control.world import result
from twisted.internet.defer import Deferred, succeed

from sorryd.admin.looking import Looking
from sorryd.numbers import EdgeNumbers, SiteNumbers
from sorryd.snapshot import Snapshot


class Fleet:
    """All edges, which have counted something."""

    numbers_now = EdgeNumbers(sites=(SiteNumbers(site="shop"), SiteNumbers(site="gone")))

    def numbers(self) -> Deferred[EdgeNumbers]:
        return succeed(self.numbers_now)

    def workers(self) -> tuple[()]:
        return ()

    shown = workers


def test_what_is_so_now() -> None:
    """The version that runs, whatever is installed by now, and numbers of sites that there are."""
    truth: Any = SimpleNamespace(
        snapshot=Snapshot(serial=7, sites=(site("shop"),)), standing=lambda one: one.name
    )
    journal: Any = SimpleNamespace(failures=3)
    looking = Looking("0.0.1-before", truth, Fleet(), journal)
    seen = result(looking.look())
    assert (seen.version, seen.snapshot.serial, seen.journal_failures) == ("0.0.1-before", 7, 3)
    assert [one.site for one in seen.numbers.sites] == ["shop"]
    assert set(seen.standings) == {"shop"}
