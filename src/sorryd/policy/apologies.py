"""The apologies of one site: the same facts in every form in which they can be had.

`Forms` are what a site's configuration makes possible. `Apologies` are those of one outage: each
is made when it is first asked for, and then kept.

Where no member is left, a site shows what it fetched, as a balancer with a standby for the page
does; nobody is redirected, which would lose the address over a failure that may last for a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, assert_never

from msgspec.structs import replace

from sorryd.model import Cause, PageKind, Site, SorryMode
from sorryd.policy import built_in
from sorryd.policy.apology import (
    HTML,
    Apology,
    ReadyApology,
    Representation,
    dress,
    gzipped,
    last_lines,
)
from sorryd.policy.cross_origin import granted, readable
from sorryd.policy.facts import Facts
from sorryd.policy.menu import Menu, Variant
from sorryd.policy.pages import PageFault, page_of
from sorryd.snapshot import GivenPage

MEDIA_TYPES: Final = {
    PageKind.HTML: HTML,
    PageKind.PROBLEM: "application/problem+json",
    PageKind.TEXT: "text/plain; charset=utf-8",
}


class Apologies:
    """What the visitors of a site that is down get, each in the form that suits them."""

    __slots__ = ("_facts", "_make", "_menu", "_plain", "_ready", "cause")

    def __init__(self, facts: Facts, menu: Menu, make: Callable[[Variant], Representation]) -> None:
        """`make` gives the apology of `facts`, not compressed, in a form of the `menu`."""
        self._facts = facts
        self.cause = facts.cause
        self._menu = menu
        self._make = make
        self._plain: dict[Variant, Representation] = {}
        self._ready: list[ReadyApology | None] = [None] * len(menu.variants)

    def response(
        self,
        method: bytes,
        lines: Sequence[bytes],
        now: float,
        close: bool = False,
        keep_alive: bool = False,
        block: bytes | None = None,
    ) -> bytes:
        """The answer to a request of a `method` with these field `lines`, at the instant `now`.

        `close` and `keep_alive`: see `Apology.head`; `block`: see `Menu.wish`.
        """
        place, origin = self._menu.wish(lines, block)
        ready = self._ready[place] or self._prepare(place)
        if origin is None:
            return ready.response(now, method == b"HEAD", close, keep_alive)
        grant = granted(origin, lines) if method == b"OPTIONS" else None
        if grant is not None:
            cause = b"Sorry-Cause: %b\r\n" % self._facts.cause.value.encode("ascii")
            return grant + cause + last_lines(now, close, keep_alive)
        more = readable(origin)
        return ready.apology.response(now, method == b"HEAD", close, keep_alive, more)

    def apology(self, variant: Variant) -> Apology:
        """The apology in one form."""
        plain = self._plain.get(variant.plain)
        if plain is None:
            plain = self._plain[variant.plain] = self._make(variant.plain)
        return dress(self._facts, gzipped(plain) if variant.is_gzipped else plain)

    def form(self, accept: str | None, language: str | None) -> Apology:
        """What one gets whose fields Accept and Accept-Language say this; None is no field."""
        return self.apology(self._menu.choose(accept, language, None))

    def _prepare(self, place: int) -> ReadyApology:
        ready = ReadyApology(self.apology(self._menu.variants[place]))
        self._ready[place] = ready
        return ready


class Forms:
    """In which forms a site can apologise. `tell` hears of pages that fail: path and why."""

    def __init__(self, site: Site, tell: Callable[[str, str], None]) -> None:
        self._site = site
        self._tell = tell
        self._pages = {(one.kind, one.language): page_of(one) for one in site.sorry_pages}
        own = {kind: self._languages(kind) for kind in PageKind}
        self._own = Menu(own)
        self._given = Menu({**own, PageKind.HTML: ()})
        self._elsewhere = Menu({**own, PageKind.HTML: built_in.LANGUAGES})

    def _languages(self, kind: PageKind) -> Sequence[str]:
        """Those of the site's pages of that kind, else those of what is built in."""
        of_pages = [page.language for page in self._pages.values() if page.kind is kind]
        if of_pages:
            return of_pages
        first = self._site.sorry_pages[0].language
        return sorted(built_in.LANGUAGES, key=lambda language: language != first)

    def apologies(
        self, facts: Facts, file: GivenPage | None = None, fetched: GivenPage | None = None
    ) -> Apologies:
        """Those of one outage. `file` and `fetched` are pages that others wrote, if any.

        A file without a body stands for what is said in other outages.
        """
        mode = self._mode(facts)
        given = fetched if mode is SorryMode.FETCH else None
        if facts.cause is Cause.FILE and file is not None and file.body:
            given, mode = file, SorryMode.HERE
        location = self._site.sorry_url if mode is SorryMode.REDIRECT else None

        def make(variant: Variant) -> Representation:
            if variant.kind is PageKind.HTML and given is not None:
                return Representation(media_type=given.media_type, body=given.body)
            if variant.kind is PageKind.HTML and location is not None:
                return _elsewhere(facts, variant, location)
            return self._own_page(facts, variant)

        if given is not None:
            return Apologies(facts, self._given, make)
        return Apologies(facts, self._own if location is None else self._elsewhere, make)

    def _mode(self, facts: Facts) -> SorryMode:
        mode = self._site.sorry_mode
        if facts.planned:
            return mode
        # Where only this request failed, the status is another than the site's.
        is_whole = facts.status == self._site.sorry_status
        return mode if mode is SorryMode.FETCH and is_whole else SorryMode.HERE

    def _own_page(self, facts: Facts, variant: Variant) -> Representation:
        """The site's own page, or what is built in where it has none or that fails."""
        language = variant.language or ""
        page = self._pages.get((variant.kind, language))
        if page is None:
            return _built_in(facts, variant.kind, language)
        try:
            return _said(variant.kind, page.render(facts), language)
        except PageFault as fault:
            self._tell(page.path, str(fault))
            return _built_in(facts, variant.kind, language)


def _built_in(facts: Facts, kind: PageKind, language: str) -> Representation:
    match kind:
        case PageKind.HTML:
            return _said(kind, built_in.LAST_RESORT, built_in.LANGUAGES[0])
        case PageKind.PROBLEM:
            return _said(kind, built_in.problem(facts, language), language)
        case PageKind.TEXT:
            return _said(kind, built_in.text(facts, language), language)
        case _:
            assert_never(kind)


def _elsewhere(facts: Facts, variant: Variant, location: str) -> Representation:
    language = variant.language or ""
    page = built_in.elsewhere(facts, language, location)
    return replace(_said(variant.kind, page, language), location=location)


def _said(kind: PageKind, text: str, language: str) -> Representation:
    return Representation(
        media_type=MEDIA_TYPES[kind],
        body=text.encode("utf-8", "replace"),  # a reason from JSON may hold half a surrogate pair
        language=language,
    )
