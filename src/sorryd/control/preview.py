"""``page.preview``: the apology as a visitor would get it, before or while there is one. Pure.

It is made by what makes it for visitors, from the same values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from sorryd.errors import conflict, invalid_params
from sorryd.messages import PagePreview
from sorryd.model import Cause, Phase, Site, Value
from sorryd.policy.apologies import Forms
from sorryd.policy.apology import Apology
from sorryd.policy.facts import Facts, facts_of, facts_of_members
from sorryd.policy.health import any_up
from sorryd.policy.windows import Standing, standing_of
from sorryd.replies import PreviewResult
from sorryd.snapshot import SiteView
from sorryd.window import UNSAFE, Author, Window, WindowKind

_SHOWN = (Phase.DRAINING, Phase.DOWN, Phase.VERIFYING)
_HOUR = 3600.0
_charset = re.compile(r";\s*charset\s*=\s*\"?([A-Za-z0-9._-]+)", re.I).search


class Rehearsed(Value, frozen=True):
    """What is shown, the instant at which it is, and what the operator should know of it."""

    facts: Facts
    at: float
    warnings: tuple[str, ...] = ()


def chosen(site: str | None, window: Window | None, names: tuple[str, ...]) -> str:
    """The site whose page is shown: the one that is named, that of the window, or the only one.

    Raises ControlError.
    """
    if window is not None and site is not None and window.site not in (None, site):
        raise conflict(f"{window.id} is a window of {window.site}, not of {site}", "window")
    name = site or (None if window is None else window.site)
    if name is None and len(names) > 1:
        raise invalid_params(f"name one of the sites: {', '.join(names)}", "site")
    return names[0] if name is None else name


def preview(
    request: PagePreview, view: SiteView, held: Standing, window: Window | None, now: float
) -> PreviewResult:
    """The page of the site of `view`, which stands as `held` at the instant `now`.

    `window` is the one to rehearse; None: what holds the site down, that no member is left among
    it, else the next window, else one that is made up. Raises ControlError.
    """
    if request.phase is not None and request.phase not in _SHOWN:
        raise invalid_params(
            f"in phase {request.phase} visitors see the site itself: "
            f"say {', '.join(_SHOWN[:-1])} or {_SHOWN[-1]}",
            "phase",
        )
    is_dead = window is None and held.cause is None and not any_up(view.members)
    if request.cause is Cause.MEMBERS or (request.cause is None and is_dead):
        shown = Rehearsed(facts=facts_of_members(view.site), at=now)
    else:
        shown = _rehearsed(view.site, held, window, now)
        shown = replace(shown, facts=_for_cause(shown.facts, request.cause))
    if request.phase is not None:
        shown = replace(shown, facts=_in_phase(shown.facts, request.phase))
    faults: list[str] = []
    forms = Forms(view.site, lambda path, fault: faults.append(f"{path}: {fault}"))
    said = forms.apologies(shown.facts, view.file, view.fetched)
    apology = said.form(request.accept, request.language)
    return _result(apology, shown.at, (*shown.warnings, *faults))


def _rehearsed(site: Site, held: Standing, window: Window | None, now: float) -> Rehearsed:
    if window is not None:
        return _of_window(site, window, now)
    if held.cause is not None:
        return Rehearsed(facts=facts_of(site, held), at=now)
    if held.next is not None:
        return _of_window(site, held.next, now)
    made_up = _made_up(site, now)
    warning = "no window is planned: this one is made up"
    return replace(_of_window(site, made_up, now), warnings=(warning,))


def _of_window(site: Site, window: Window, now: float) -> Rehearsed:
    """As the page will be when the window opens, or was; now, while it is open."""
    over = window.ended or window.cancelled or window.end
    is_open = window.start <= now and (over is None or now < over)
    at = now if is_open else window.start
    return Rehearsed(
        facts=facts_of(site, standing_of(window, at)),
        at=at,
        warnings=tuple(_who_sees(site, window)),
    )


def _who_sees(site: Site, window: Window) -> Iterator[str]:
    scope, methods = window.scope, window.scope.methods
    if site.read_only and window.kind is WindowKind.PLANNED and scope.is_whole:
        methods = (UNSAFE,)
    if scope.members:
        yield f"{window.id} takes out members only: visitors see this page if none is left"
    elif scope.paths or methods:
        parts = [f"paths below {path}" for path in scope.paths]
        parts += [f"methods that are {one}" if one == UNSAFE else one for one in methods]
        yield f"{window.id} is for {' and '.join(parts)} only: other requests go to the site"


def _made_up(site: Site, now: float) -> Window:
    return Window(
        id="preview",
        site=site.name,
        kind=WindowKind.PLANNED,
        start=now,
        end=now + _HOUR,
        reason="an example of a reason",
        timezone=site.timezone,
        author=Author(uid=0, name="", pid=0),
        created=now,
    )


def _for_cause(facts: Facts, cause: Cause | None) -> Facts:
    return facts if cause is None else replace(facts, cause=cause)


def _in_phase(facts: Facts, phase: Phase) -> Facts:
    """The same in another phase: where members are being tried, no end is known."""
    if not facts.planned:
        return facts  # which has no phases
    if phase is Phase.VERIFYING:
        facts = replace(facts, until=None, until_text=None)
    return replace(facts, phase=phase)


def _result(apology: Apology, at: float, warnings: tuple[str, ...]) -> PreviewResult:
    first, *lines = apology.head(at).decode("ascii").rstrip("\r\n").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    media_type = headers["Content-Type"]
    return PreviewResult(
        status=int(first.split(" ")[1]),
        headers=headers,
        body=_text(apology.body, media_type),
        language=headers.get("Content-Language"),
        type=media_type,
        warnings=warnings,
    )


def _text(body: bytes, media_type: str) -> str:
    """A body as text: in the charset that its type says, else in UTF-8."""
    said = _charset(media_type)
    try:
        return body.decode(said[1] if said else "utf-8", "replace")
    except (LookupError, UnicodeError):  # Python has some that are not for any text
        return body.decode("utf-8", "replace")
