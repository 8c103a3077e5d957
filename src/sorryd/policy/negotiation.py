"""Which form of the apology suits a request best (RFC 9110 §12.5).

HTML is for browsers, and for all who don't mind: who sends no Accept or ``*/*``, curl among
them, and who asks for what there is not, since a 503 in any form says more than 406. JSON and
text are for who prefers them: with a higher weight, or with the same but named more exactly,
as in axios' ``application/json, text/plain, */*``.

No field is refused: what can't be read in it, and all of it beyond `LONGEST`, says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sorryd.model import PageKind
from sorryd.policy.languages import lookup

LONGEST: Final = 1024
"""Bytes of a field that are read. Browsers send a fifth of that."""

_weight: Final = re.compile(r"\s*q\s*=\s*([01](?:\.[0-9]{0,9})?|\.[0-9]{1,9})\s*", re.I).fullmatch
_is_weight: Final = re.compile(r"\s*q\s*=", re.I).match
_EXACT, _MAIN_TYPE, _ANY, _NOT_NAMED = 3, 2, 1, 0
_JSON: Final = frozenset({"application/problem+json", "application/json"})


def kind_for(accept: str | None) -> PageKind:
    """The kind of page that an Accept field asks for; None is no field."""
    best = dict.fromkeys(PageKind, (_NOT_NAMED, 0.0))
    for name, weight in _weighted(accept):
        for kind, how_exact in _meant(name):
            exact, other = best[kind]
            if how_exact > exact or (how_exact == exact and weight > other):
                best[kind] = how_exact, weight
    # max() keeps the first of equals: HTML, then JSON.
    kind = max(PageKind, key=lambda kind: (best[kind][1], best[kind][0]))
    return kind if best[kind][1] > 0 else PageKind.HTML


def _meant(name: str) -> Iterator[tuple[PageKind, int]]:
    """The kinds that a media range covers, and how exactly it names them."""
    main, _, sub = name.partition("/")
    if main == "*":  # "*" alone is what Java's HttpURLConnection sends
        yield from ((kind, _ANY) for kind in PageKind)
    elif name == "text/html":
        yield PageKind.HTML, _EXACT
    elif name == "text/plain":
        yield PageKind.TEXT, _EXACT
    elif name in _JSON or sub.endswith("+json"):
        yield PageKind.PROBLEM, _EXACT
    elif name == "text/*":
        yield PageKind.HTML, _MAIN_TYPE
        yield PageKind.TEXT, _MAIN_TYPE
    elif name == "application/*":
        yield PageKind.PROBLEM, _MAIN_TYPE


def language_for(accept_language: str | None, offered: Sequence[str]) -> str:
    """The language of `offered` for an Accept-Language field; the first is for all others.

    Range by range in the order of their weights (RFC 4647 §3.4); one for which there is none is
    content with one below it, ``pt`` with ``pt-br``.
    """
    if len(offered) == 1:
        return offered[0]
    ranges = sorted(_weighted(accept_language), key=lambda one: -one[1])
    refused = {name for name, weight in ranges if weight == 0}
    willing = [one for one in offered if one not in refused]
    for name, weight in ranges:
        if weight == 0:
            break
        if name == "*":
            return (willing or offered)[0]
        found = lookup(name, willing) or next(
            (o for o in willing if o.startswith(f"{name}-")), None
        )
        if found is not None:
            return found
    return offered[0]


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether an Accept-Encoding field asks for gzip rather than nothing.

    It must name it: ``*`` alone is said by some who can't undo it. Only who refuses to have it
    as it is gets gzip by ``*``.
    """
    weights = dict(_weighted(accept_encoding))
    rest = weights.get("*")
    identity = weights.get("identity", 1.0 if rest is None or rest > 0 else 0.0)
    named = weights.get("gzip", weights.get("x-gzip"))
    if named is None:
        return identity == 0 and bool(rest)
    # Identity, where it is not named, is acceptable and no more (RFC 9110 §12.5.3).
    return named > 0 and named >= weights.get("identity", 0.0)


def _weighted(field: str | None) -> Iterator[tuple[str, float]]:
    """The elements of a field, in lower case, with their weights; 1 where none is given."""
    if field is None:
        return
    for element in field[:LONGEST].split(","):
        name, *parameters = element.split(";")
        weight: float | None = 1.0
        for parameter in parameters:
            if _is_weight(parameter):
                read = _weight(parameter)
                weight = None if read is None else min(1.0, float(read[1]))
                break
        if weight is not None:
            yield name.strip().lower(), weight
