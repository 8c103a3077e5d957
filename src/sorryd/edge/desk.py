"""What a site's visitors are held up by now, and who among them is not: kept up to date.

A Reception (policy/reception.py) is made once per change of the standing, or of what the
control side says. On a quiet site there is none, and requests pay for nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from sorryd.edge.drain import Drain
from sorryd.edge.partial_drain import PartialDrain
from sorryd.edge.wheel import Wheel
from sorryd.model import Site
from sorryd.policy.bypass import holders
from sorryd.policy.heads import RequestHead
from sorryd.policy.reception import Apologise, Held, Reception, Rules, Verdict
from sorryd.policy.windows import Standing
from sorryd.snapshot import SiteView
from sorryd.window import Window


class Desk:
    """Mutable: one per site and process.

    `own_key` is the daemon's secret; `expire` is called when some who are in flight may have had
    their time: `spares` says who has not.
    """

    def __init__(self, own_key: bytes, wheel: Wheel, expire: Callable[[], None]) -> None:
        self._own_key = own_key
        self._drain = Drain(wheel, expire)
        self._partial_drain = PartialDrain(wheel, expire)
        self._rules: Rules
        self._of: tuple[SiteView, Standing] | None = None
        self._reception: Reception | None = None

    def configure(self, site: Site) -> None:
        """Judge by these rules from now on."""
        self._rules = Rules(site, self._own_key)
        self._of = None

    def follow(self, view: SiteView, standing: Standing, now: float) -> Reception | None:
        """Who judges requests while the site stands so; None: all go to the members."""
        if self._of is None or self._of[0] is not view or self._of[1] != standing:
            self._of = view, standing
            reception = Reception(self._rules, _held(view, standing, now))
            self._reception = None if reception.is_idle else reception
        self._drain.follow(standing)
        self._partial_drain.follow(standing.partial, view.site.drain)
        return self._reception

    # --- requests in flight, judged as if they were new ones ---

    def spares(self, head: RequestHead, client: str, now: float) -> bool:
        """Whether one may go on, though a drain is over, maybe not its own."""
        match self._judged(head, client, now):
            case Apologise(window=None):
                return not self._drain.is_over
            case Apologise(window=Window() as window):
                return not self._partial_drain.is_over(window)
            case _:
                return True

    def covering(self, head: RequestHead, client: str, now: float) -> Window | None:
        """The window on a part of the site whose apology it gets; None: that of the phase."""
        verdict = self._judged(head, client, now)
        return verdict.window if isinstance(verdict, Apologise) else None

    def _judged(self, head: RequestHead, client: str, now: float) -> Verdict | None:
        return None if self._reception is None else self._reception.judge(head, client, now)


def _held(view: SiteView, standing: Standing, now: float) -> Held:
    down = not standing.phase.serves
    return Held(
        down=down,
        holders=holders(view, standing.partial, now) if down else (),
        partial=standing.partial,
        tokens=bool(view.windows) or view.file is not None,
    )
