"""A page of the apology: a Jinja2 template, compiled and tried before it is needed.

These are its variables; those that are unknown are none, which prints as nothing and is false
in ``{% if %}``:

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

In a page of HTML everything is escaped. In one of JSON ``tojson`` quotes a value.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import jinja2

from sorryd.model import Cause, PageKind, PageSource, Phase, Value
from sorryd.policy.dates import rfc3339, spoken
from sorryd.policy.facts import Facts
from sorryd.policy.templates import environment, first_fault, line_of

DEFAULT: Final = "en"
"""The language of a page that does not say which."""

_LANG = re.compile(
    r"<html\b[^>]*?\slang\s*=\s*[\"']?([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)(?=[\"'\s/>])", re.I
)
_NO_JSON: Final = "not JSON in every outage (write {{ reason | tojson }}, without quotes)"
_QUOTED: Final = 'r"\\\n'  # breaks out of a JSON string, unless it was quoted


class PageFault(Exception):
    """A page that is no good template: `text` says why, `line` (from 1) where."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(line, text)
        self.line = line
        self.text = text

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


class Page(Value, frozen=True):
    """A template that compiled, and rendered once for every cause and phase."""

    template: jinja2.Template
    kind: PageKind = PageKind.HTML
    language: str = DEFAULT
    path: str = ""

    def render(self, facts: Facts) -> str:
        """The text of the page. Raises PageFault."""
        try:
            text = self.template.render(_variables(facts, self.language))
            if self.kind is PageKind.PROBLEM:
                json.loads(text)
        except json.JSONDecodeError as error:
            raise PageFault(error.lineno, f"{_NO_JSON}: {error.msg}") from None
        except Exception as error:
            # A template is a program: it may raise anything, ZeroDivisionError included.
            raise PageFault(line_of(error), str(error) or type(error).__name__) from None
        return text


def default_page_path() -> Path:
    """The page that comes with sorryd, those in other languages beside it.

    Within the wheel, else in the checkout's etc.
    """
    package = Path(__file__).parents[1]
    packaged = package / "pages" / "maintenance.html"
    return packaged if packaged.exists() else package.parents[1] / "etc" / "maintenance.html"


def language_of(source: str) -> str:
    """The language that a page of HTML says in ``<html lang="...">``, in lower case."""
    said = _LANG.search(source)
    return DEFAULT if said is None else said[1].lower()


def page_of(source: PageSource) -> Page:
    """The page made of what was read. Raises PageFault, see `compile_page`."""
    page = compile_page(source.source, source.language, source.kind)
    return Page(template=page.template, kind=page.kind, language=page.language, path=source.path)


@functools.lru_cache(maxsize=256)
def compile_page(source: str, language: str = DEFAULT, kind: PageKind = PageKind.HTML) -> Page:
    """Compile a template, and try it on every cause and phase.

    Raises PageFault for bad syntax, unknown variables, other files asked for, and whatever
    fails when it is rendered; of a page of JSON, for what is none.
    """
    jinja = environment(kind is PageKind.HTML)
    try:
        tree = jinja.parse(source)
        template = jinja.from_string(tree)
    except jinja2.TemplateSyntaxError as error:
        raise PageFault(error.lineno, error.message or "bad syntax") from None
    except (RecursionError, SyntaxError, ValueError, OverflowError) as error:
        raise PageFault(1, f"too complex for a page: {error}") from None
    fault = first_fault(tree, _KNOWN)
    if fault is not None:
        raise PageFault(*fault)
    page = Page(template=template, kind=kind, language=language)
    for facts in _rehearsals():
        page.render(facts)
    return page


def _variables(facts: Facts, language: str) -> dict[str, object]:
    """The variables of a page in a `language`, as Jinja2 takes them."""
    zone, since, until = facts.timezone, facts.since, facts.promised
    said = None if until is None else spoken(until, zone, up=True, language=language)
    return {
        "site": facts.site,
        "reason": facts.reason_in(language),
        "from": None if since is None else spoken(since, zone, language=language),
        "until": facts.promised_text or said,
        "from_iso": None if since is None else rfc3339(since, zone),
        "until_iso": None if until is None else rfc3339(until, zone, up=True),
        "cause": facts.cause.value,
        "planned": facts.planned,
        "phase": facts.phase.value,
        "status": facts.status,
        "retry_after": facts.wait,
        "lang": language,
    }


def _rehearsals() -> Iterator[Facts]:
    """One of each kind of outage that a page must be ready for."""
    for cause in Cause:
        yield Facts(site="site", cause=cause, timezone="UTC")
        yield Facts(site="site", cause=cause, timezone="UTC", reason="r", since=0.0, until=60.0)
        yield Facts(site="site", cause=cause, timezone="UTC", reason=_QUOTED, until_text=_QUOTED)
    for phase in (Phase.DRAINING, Phase.VERIFYING):
        yield Facts(site="site", cause=Cause.WINDOW, timezone="UTC", phase=phase, since=0.0)


_KNOWN: Final = frozenset(_variables(next(_rehearsals()), DEFAULT))
