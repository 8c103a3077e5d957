"""What of a snapshot a worker has to be told: only what it does not know yet. Pure.

A site may have ten thousand windows: a member that comes and goes changes none of them, and an
operator one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from sorryd.snapshot import SiteView
from sorryd.window import Window
from sorryd.workers.orders import Patch

Views = Mapping[str, SiteView]
"""Sites as a worker knows them, by their names."""


def patches(known: Views, views: Iterable[SiteView]) -> tuple[Patch, ...]:
    """What makes `views` of what is `known`; nothing for a site that is as it was."""
    found = (_patch(known.get(view.site.name), view) for view in views)
    return tuple(patch for patch in found if patch is not None)


def _patch(known: SiteView | None, view: SiteView) -> Patch | None:
    name = view.site.name
    if known is None:
        return Patch(name, replace(view, windows=()), view.windows, has_pages=True)
    if known == view:
        return None
    has_pages = known.file != view.file or known.fetched != view.fetched
    return Patch(
        name=name,
        view=replace(
            view,
            windows=(),
            file=view.file if has_pages else None,
            fetched=view.fetched if has_pages else None,
        ),
        windows=None if known.windows == view.windows else _windows(known, view),
        has_pages=has_pages,
    )


def _windows(known: SiteView, view: SiteView) -> tuple[str | Window, ...]:
    before = _by_id(known)
    return tuple(one.id if before.get(one.id) == one else one for one in view.windows)


def _by_id(view: SiteView) -> dict[str, Window]:
    return {window.id: window for window in view.windows}


def patched(known: Views, sites: Sequence[str], told: Iterable[Patch]) -> dict[str, SiteView]:
    """The `sites` as they are, by what is `known` and what was `told`. Raises KeyError."""
    fresh = {patch.name: _view(known, patch) for patch in told}
    return {name: fresh[name] if name in fresh else known[name] for name in sites}


def _view(known: Views, patch: Patch) -> SiteView:
    before, view = known.get(patch.name), patch.view
    if patch.windows is None:
        assert before is not None
        view = replace(view, windows=before.windows)
    else:
        there = {} if before is None else _by_id(before)
        windows = (there[one] if isinstance(one, str) else one for one in patch.windows)
        view = replace(view, windows=tuple(windows))
    if not patch.has_pages:
        assert before is not None
        view = replace(view, file=before.file, fetched=before.fetched)
    return view
