"""What of a snapshot a worker has to be told: only what it does not know yet. Pure.

A site may have ten thousand windows, and a member that comes and goes changes none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from sorryd.snapshot import SiteView
from sorryd.workers.orders import Patch

Views = Mapping[str, SiteView]
"""Sites as a worker knows them, by their names."""


def patches(known: Views, views: Iterable[SiteView]) -> tuple[Patch, ...]:
    """What makes `views` of what is `known`; nothing for a site that is as it was."""
    found = (_patch(known.get(view.site.name), view) for view in views)
    return tuple(patch for patch in found if patch is not None)


def _patch(known: SiteView | None, view: SiteView) -> Patch | None:
    if known is None:
        return Patch(name=view.site.name, view=view)
    if known == view:
        return None
    has_windows = known.windows != view.windows
    has_pages = known.file != view.file or known.fetched != view.fetched
    return Patch(
        name=view.site.name,
        view=replace(
            view,
            windows=view.windows if has_windows else (),
            file=view.file if has_pages else None,
            fetched=view.fetched if has_pages else None,
        ),
        has_windows=has_windows,
        has_pages=has_pages,
    )


def patched(known: Views, sites: Sequence[str], told: Iterable[Patch]) -> dict[str, SiteView]:
    """The `sites` as they are, by what is `known` and what was `told`. Raises KeyError."""
    fresh = {patch.name: _view(known, patch) for patch in told}
    return {name: fresh[name] if name in fresh else known[name] for name in sites}


def _view(known: Views, patch: Patch) -> SiteView:
    view = patch.view
    if not patch.has_windows:
        view = replace(view, windows=known[patch.name].windows)
    if not patch.has_pages:
        before = known[patch.name]
        view = replace(view, file=before.file, fetched=before.fetched)
    return view
