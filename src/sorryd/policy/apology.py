"""The apology: a site's page and what is known, made into ready bytes.

A page is a Jinja2 template. These are its variables; those that are unknown are none, which
prints as nothing and is false in ``{% if %}``:

==================  ===================================================================
``site``            name of the site
``reason``          what the operator said, in the page's language where they did
``from``            since when, for people: in the site's zone and the page's language
``until``           until when, likewise; or the operator's own words
``from_iso``        the same, RFC 3339
``until_iso``       the same, RFC 3339; none where `until` is in words
``cause``           ``window``, ``manual``, ``file`` or ``members``
``planned``         true where somebody decided it; false where members died
``phase``           ``draining``, ``down`` or ``verifying``; ``down`` where members died
``status``          the status code of the answer
``retry_after``     seconds to wait where no end is known
``lang``            language of the page and of its variables, such as ``en`` or ``pt-br``
==================  ===================================================================

Everything is escaped for HTML. An apology is rendered once per change, never per request:
only the digits of Retry-After and the Date are set in later. Nothing that people wrote is in
its head.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import jinja2

from sorryd.model import Cause, Phase, Value
from sorryd.policy.dates import imf_fixdate, rfc3339, spoken
from sorryd.policy.languages import lookup
from sorryd.policy.templates import ENVIRONMENT, first_fault, line_of
from sorryd.window import Saying

HTML: Final = "text/html; charset=utf-8"
VARIES_BY: Final = "Accept, Accept-Language, Accept-Encoding"

_LAST_RESORT: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Unavailable</title>'
    "<h1>This site is unavailable at the moment</h1><p>Please try again later.</p></html>\n"
)


class Facts(Value, frozen=True, kw_only=True):
    """What the apology of one site tells, and the status it bears.

    `since` and `until` are instants; `until_text` is an end that is no time, said as it is.
    `reasons` are the `reason` in other languages. `retry_after` is a duration. `status` is the
    site's, or 502 or 504 where only this request failed.
    """

    site: str
    cause: Cause
    timezone: str
    phase: Phase = Phase.DOWN
    status: int = 503
    reason: str | None = None
    reasons: tuple[Saying, ...] = ()
    since: float | None = None
    until: float | None = None
    until_text: str | None = None
    retry_after: float = 30.0

    @property
    def promised(self) -> float | None:
        """The end that visitors are told; dead members promise none."""
        return self.until if self.planned else None

    @property
    def planned(self) -> bool:
        """Whether somebody decided this outage."""
        return self.cause is not Cause.MEMBERS

    def reason_in(self, language: str) -> str | None:
        """The reason as readers of a `language` shall read it."""
        said = {one.language: one.text for one in self.reasons}
        return said.get(lookup(language, said) or "") or self.reason or None


class PageFault(Exception):
    """A page that is no good template: `text` says why, `line` (from 1) where."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(line, text)
        self.line = line
        self.text = text

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


class Page(Value, frozen=True):
    """A template that compiled, and rendered once for every cause; in a `language`."""

    template: jinja2.Template
    language: str = "en"


class Apology(Value, frozen=True, kw_only=True):
    """A response whose Retry-After and Date are still open.

    `before` ends with ``Retry-After: ``; `after` begins with the CRLF that ends that line, and
    ends with the CRLF of the last field that is known. `until` is the instant at which the
    visitor may come back; `retry_after` the seconds said where it is None or past. `fault` is
    why a built-in page stands in for the site's own.
    """

    before: bytes
    after: bytes
    body: bytes
    until: float | None
    retry_after: int
    fault: str | None = None

    def wait(self, now: float) -> int:
        """Seconds that Retry-After says at the instant `now` (RFC 9110 §10.2.3)."""
        if self.until is None or self.until <= now:
            return self.retry_after
        return max(1, math.ceil(self.until - now))

    def head(self, now: float, close: bool = False, keep_alive: bool = False) -> bytes:
        """The head with its blank line; `now` is an instant.

        `close` says that the connection ends, `keep_alive` that one of HTTP/1.0 lives
        (RFC 9112 §9.3).
        """
        date = b"Date: %s\r\n" % imf_fixdate(now).encode("ascii")
        connection = b""
        if close:
            connection = b"Connection: close\r\n"
        elif keep_alive:
            connection = b"Connection: keep-alive\r\n"
        return b"%s%d%s%s%s\r\n" % (self.before, self.wait(now), self.after, date, connection)

    def response(
        self, now: float, head_only: bool = False, close: bool = False, keep_alive: bool = False
    ) -> bytes:
        """The whole response, or for HEAD its head alone."""
        head = self.head(now, close, keep_alive)
        return head if head_only else head + self.body


class ReadyApology:
    """An apology with its bytes at hand: worked out once a second, given at every request."""

    __slots__ = ("_from", "_ready", "_to", "apology")

    def __init__(self, apology: Apology) -> None:
        self.apology = apology
        self._from = self._to = math.inf
        self._ready: tuple[bytes, ...] = ()

    def response(
        self, now: float, head_only: bool = False, close: bool = False, keep_alive: bool = False
    ) -> bytes:
        """What `Apology.response` gives, exactly."""
        if keep_alive and not close:
            return self.apology.response(now, head_only, keep_alive=True)
        if not self._from <= now < self._to:
            self._refresh(now)
        return self._ready[2 * head_only + close]

    def _refresh(self, now: float) -> None:
        apology = self.apology
        self._from = math.floor(now)
        self._to = self._from + 1.0
        if apology.until is not None:
            # Retry-After may change within a second, where the end is not a whole one.
            if now < apology.until:
                change = apology.until - math.ceil(apology.until - now)
                self._from = max(self._from, change)
                self._to = min(self._to, change + 1.0)
            else:
                self._from = max(self._from, apology.until)
        self._ready = tuple(
            apology.response(now, head_only, close)
            for head_only in (False, True)
            for close in (False, True)
        )


def default_page_path() -> Path:
    """The page that comes with sorryd: within the wheel, else in the checkout's etc."""
    package = Path(__file__).parents[1]
    packaged = package / "maintenance.html"
    return packaged if packaged.exists() else package.parents[1] / "etc" / "maintenance.html"


@functools.lru_cache(maxsize=64)
def compile_page(source: str, language: str = "en") -> Page:
    """Compile a template, and try it on every cause and phase.

    Raises PageFault for bad syntax, unknown variables, other files asked for, and whatever
    fails when it is rendered.
    """
    try:
        tree = ENVIRONMENT.parse(source)
        page = Page(template=ENVIRONMENT.from_string(tree), language=language)
    except jinja2.TemplateSyntaxError as error:
        raise PageFault(error.lineno, error.message or "bad syntax") from None
    except (RecursionError, SyntaxError, ValueError, OverflowError) as error:
        raise PageFault(1, f"too complex for a page: {error}") from None
    fault = first_fault(tree, _KNOWN)
    if fault is not None:
        raise PageFault(*fault)
    for facts in _rehearsals():
        _html(page, facts)
    return page


def render(page: Page, facts: Facts) -> Apology:
    """The apology of a site in HTML.

    Never fails: where the page does, which its rehearsal did not show, a built-in one stands
    in and `Apology.fault` says why.
    """
    try:
        return _dress(facts, HTML, _html(page, facts))
    except PageFault as fault:
        return _dress(facts, HTML, _LAST_RESORT, str(fault))


def _dress(facts: Facts, media_type: str, text: str, fault: str | None = None) -> Apology:
    """A response of any media type around `text`, by INTERFACE: never kept by a cache."""
    body = text.encode("utf-8", "replace")  # a reason from JSON may hold half a surrogate pair
    before = f"HTTP/1.1 {facts.status} {_phrase(facts.status)}\r\nRetry-After: "
    after = (
        f"\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
        f"Cache-Control: no-store\r\nVary: {VARIES_BY}\r\nSorry-Cause: {facts.cause.value}\r\n"
    )
    return Apology(
        before=before.encode("ascii"),
        after=after.encode("ascii"),
        body=body,
        until=facts.promised,
        retry_after=max(1, math.ceil(facts.retry_after)),
        fault=fault,
    )


def _phrase(status: int) -> str:
    """The reason phrase; empty, which RFC 9112 §4 allows, for a status without a name."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _variables(facts: Facts, language: str) -> dict[str, object]:
    """The variables of a page in a `language`, as Jinja2 takes them."""
    zone, since, until = facts.timezone, facts.since, facts.promised
    until_text = facts.until_text if facts.planned else None
    return {
        "site": facts.site,
        "reason": facts.reason_in(language),
        "from": None if since is None else spoken(since, zone, language=language),
        "until": until_text if until is None else spoken(until, zone, up=True, language=language),
        "from_iso": None if since is None else rfc3339(since, zone),
        "until_iso": None if until is None else rfc3339(until, zone, up=True),
        "cause": facts.cause.value,
        "planned": facts.planned,
        "phase": facts.phase.value,
        "status": facts.status,
        "retry_after": max(1, math.ceil(facts.retry_after)),
        "lang": language,
    }


def _rehearsals() -> Iterator[Facts]:
    """One of each kind of outage that a page must be ready for."""
    for cause in Cause:
        bare = Facts(site="site", cause=cause, timezone="UTC")
        yield bare
        yield Facts(site="site", cause=cause, timezone="UTC", reason="r", since=0.0, until=60.0)
        yield Facts(site="site", cause=cause, timezone="UTC", reason="r", until_text="soon")
    for phase in (Phase.DRAINING, Phase.VERIFYING):
        yield Facts(site="site", cause=Cause.WINDOW, timezone="UTC", phase=phase, since=0.0)


_KNOWN: Final = frozenset(_variables(next(_rehearsals()), "en"))


def _html(page: Page, facts: Facts) -> str:
    try:
        return page.template.render(_variables(facts, page.language))
    except Exception as error:
        # A template is a program: it may raise anything, ZeroDivisionError included.
        raise PageFault(line_of(error), str(error) or type(error).__name__) from None
