"""Two outages, and readers of what is said of them, for the tests of the apology."""

from __future__ import annotations

from collections.abc import Mapping

from sorryd.model import Cause, PageKind, PageSource, Site
from sorryd.policy.apologies import Apologies, Forms
from sorryd.policy.apology import Apology
from sorryd.policy.facts import Facts
from sorryd.policy.menu import Variant
from sorryd.policy.pages import compile_page
from sorryd.snapshot import GivenPage

TWO = 1795280400.0  # 2026-11-22 02:00 in Tokyo
FIVE = TWO + 3 * 3600
PLANNED = Facts(
    site="shop",
    cause=Cause.WINDOW,
    timezone="Asia/Tokyo",
    reason="Database upgrade",
    since=TWO,
    until=FIVE,
)
DEAD = Facts(site="shop", cause=Cause.MEMBERS, timezone="Asia/Tokyo", retry_after=12.5)
EN = PageSource(source="<p>{{ reason }} {{ until }}")
LONG = PageSource(source="<p>" + "long " * 99)
GIVEN = GivenPage(body=b"<p>theirs\xff" + b" " * 99, media_type="text/html", since=TWO)

Parsed = tuple[str, Mapping[str, str], bytes]


def told(source: str, facts: Facts) -> str:
    """What a page of HTML makes of the facts."""
    return compile_page(source).render(facts)


def site(*pages: PageSource, **fields: object) -> Site:
    """A site with these pages, or one that says nothing; `fields` are those of model.Site."""
    whole: dict[str, object] = {
        "name": "shop",
        "listen": (),
        "members": (),
        "timezone": "Asia/Tokyo",
        "sorry_pages": pages or (PageSource(source=""),),
    }
    return Site(**(whole | fields))  # type: ignore[arg-type]


def apologies(
    facts: Facts,
    *pages: PageSource,
    file: GivenPage | None = None,
    fetched: GivenPage | None = None,
    **fields: object,
) -> Apologies:
    """What a `site` says of the facts."""
    return Forms(site(*pages, **fields), lambda path, fault: None).apologies(facts, file, fetched)


def apology(source: str, facts: Facts) -> Apology:
    """What a site with one page says of the facts in HTML."""
    return apologies(facts, PageSource(source=source)).apology(Variant(PageKind.HTML, "en"))


def parsed(response: bytes) -> tuple[str, Mapping[str, str], bytes]:
    head, _, body = response.partition(b"\r\n\r\n")
    status, *lines = head.decode("ascii").split("\r\n")
    fields = {name: value for name, _, value in (line.partition(": ") for line in lines)}
    assert len(fields) == len(lines)
    return status, fields, body


def got(said: Apologies, *lines: bytes, method: bytes = b"GET", now: float = TWO) -> Parsed:
    """What a request with these field lines gets."""
    return parsed(said.response(method, lines, now))
