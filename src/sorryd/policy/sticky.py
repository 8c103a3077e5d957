"""Sticky: a cookie keeps a visitor at the member that served it first.

The cookie's value is a MAC of the site and the member's URL: it names no address, and who does
not have the key can make none and test no guess. As HAProxy does with ``cookie insert indirect
nocache``, the cookie is taken out of what goes to the member, and an answer that sets it is
marked as private to its visitor, so that no shared cache hands it on to others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sorryd.model import Health, MemberState
from sorryd.policy.balancing import Request
from sorryd.policy.cookies import FIELD, splitter, value_of, without
from sorryd.policy.macs import code
from sorryd.policy.round_robin import RoundRobin
from sorryd.snapshot import MemberView

_MAC: Final = 16  # bytes, of the 32 of SHA-256
_PRIVATE: Final = b"Cache-Control: private\r\n"


class Cookies:
    """The sticky cookie of one site: how it is called, and what it says of each member.

    `key` is secret, `name` a token (RFC 6265 §4.1.1); members are named by their URLs.
    """

    __slots__ = ("_lines", "_name", "_split", "_urls", "_values")

    def __init__(self, key: bytes, site: str, name: str, urls: Sequence[str]) -> None:
        self._values: Mapping[str, bytes] = {
            url: code(key, f"sticky\n{site}\n{url}", _MAC) for url in urls
        }
        self._urls = {value: url for url, value in self._values.items()}
        self._name = token = name.encode("ascii")
        self._lines = {
            url: b"Set-Cookie: %b=%b; Path=/; HttpOnly; SameSite=Lax" % (token, value)
            for url, value in self._values.items()
        }
        self._split = splitter(token)

    def member(self, head: Request) -> str | None:
        """The URL of the member that the visitor's cookie says; None without a valid one."""
        value = head.sticky
        if value is None:
            value = head.sticky = self._taken(head)
        return self._urls.get(value)

    def line(self, head: Request, url: str, secure: bool) -> bytes:
        """The lines that bind the visitor to a member; b"" where its cookie does already.

        `secure`: it came by https, and shall send the cookie over nothing else.
        """
        value = self._values.get(url)
        if value is None or value == head.sticky:
            return b""
        return b"%b%b\r\n%b" % (self._lines[url], b"; Secure" if secure else b"", _PRIVATE)

    def _taken(self, head: Request) -> bytes:
        """The value of the first cookie of the name; all of them are taken out of `head`.

        RFC 6265 §4.2.1, and what else is sent: several Cookie lines, quotes, spaces, no value.
        """
        name, lines = self._name, head.lines
        # `find` costs a third of `in`, and once over all is enough for most.
        if b"\n".join(lines).find(name) < 0:
            return b""
        ours = [
            at
            for at, line in enumerate(lines)
            if line.find(name) > 0 and line[: len(FIELD)].lower() == FIELD
        ]
        values: list[bytes] = []
        for at in ours:
            lines[at] = without(lines[at], self._split, values)
        for at in reversed(ours):
            if not lines[at]:
                del lines[at]
                if at < head.host_at:
                    head.host_at -= 1
        return value_of(values[0]) if values else b""


class Sticky:
    """A balancer: see balancing.Balancer. Who has no cookie gets a member by `others`.

    As in HAProxy, clients keep a member in drain, of weight 0 or standby. They lose one in
    maintenance, resting or down, and one on trial that has a request in flight already.
    """

    __slots__ = ("_cookies", "_indices", "_others", "_trials", "offers")

    def __init__(self, others: RoundRobin, cookies: Cookies, views: Sequence[MemberView]) -> None:
        self.offers = others.offers
        self._others = others
        self._cookies = cookies
        self._indices = {view.member.url: at for at, view in enumerate(views) if _keeps(view)}
        self._trials = frozenset(at for at, view in enumerate(views) if view.health is Health.TRIAL)

    def pick(self, tried: Collection[int], head: Request, client: str) -> int | None:
        """See Balancer."""
        own = self.own(tried, head, client)
        if own is None:
            return self._others.pick(tried, None, client)
        return None if self.offers.is_full(own) else own

    def own(self, tried: Collection[int], head: Request, client: str) -> int | None:
        """See Balancer."""
        url = self._cookies.member(head)
        own = None if url is None else self._indices.get(url)
        if own is None or own in tried or (own in self._trials and not self.offers.is_free(own)):
            return None
        return own


def _keeps(view: MemberView) -> bool:
    """Whether a member keeps its clients."""
    return view.state is not MemberState.MAINT and view.health in (Health.UP, Health.TRIAL)
