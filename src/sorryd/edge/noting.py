"""A line whose requests are counted, and written down where there is an access log."""

from __future__ import annotations

from sorryd.edge.access import DONE, SORRY, Access, End, Record
from sorryd.edge.line import Line
from sorryd.edge.site import SiteEdge
from sorryd.policy.access import Caller
from sorryd.policy.heads import RequestHead


class NotedLine(Line):
    """A line, with what is noted of the request that is answered on it.

    Each request begins once, and ends once: `_note` tells how, and is harmless afterwards.
    """

    __slots__ = (
        "_address", "_began", "_caller", "_column", "_is_believed", "_site", "_tls",
    )  # fmt: skip

    _address: str  # of the peer
    _tls: bool
    _is_believed: bool
    _column: int  # of the phase in which the current request began

    def __init__(self, site: SiteEdge) -> None:
        super().__init__(site)
        self._site = site
        # The moment at which the current request began; None: it is over, or not begun.
        self._began: float | None = None
        self.record = None
        self._caller: Caller | None = None  # who asked last, for the access log

    def _begin(self, head: RequestHead | None, wall: float, received: bytes = b"") -> None:
        """Count a request, and write down what becomes of it, where there is a log.

        `wall` is the instant at which it was read, `received` what came in the place of a `head`.
        """
        site = self._site
        self._began = site.moment()
        self._column = site.tally.column
        self.tally = site.tally.itself
        self.code_class = 0
        if site.access is not None:
            self.record = self._record_of(site.access, head, wall)
            self.record.received = received

    def _record_of(self, access: Access, head: RequestHead | None, wall: float) -> Record:
        """A record of a request that was read at the instant `wall`."""
        site = self._site
        # Of whom a proxy would have spoken in a head that can't be read, nobody knows.
        address = self._address if head is None else self.client
        caller = self._caller = access.caller(self._caller, address, self._tls)
        record = access.begin(head, caller, self._is_believed, wall)
        if access.is_timed:
            record.site, record.phase = site.view.site.name, site.phase
        return record

    def _note(self, why: End) -> None:
        """The current request ends so, if it was not noted before."""
        began = self._began
        if began is None:
            return
        self._began = None
        self.tally.count(self._column + self.code_class, self._site.moment() - began)
        if why is not DONE and why is not SORRY:
            self._site.tally.ended[why] += 1
        record = self.record
        if record is not None:
            self.record = None
            record.finish(why)
