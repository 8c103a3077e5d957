"""What one configuration changes of another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sorryd.model import Config
from sorryd.replies import ReloadResult
from sorryd.window import Window

SETTINGS: Final = (
    *("timezone", "access_log", "access_log_format", "down_limit"),
    *("workers", "shutdown", "retire", "admin"),
)
"""Keys of ``[sorryd]`` that a reload changes."""

LATER: Final = ("nameserver", "user", "group")
"""Keys of ``[sorryd]`` that count from the next start."""


def differences(
    running: Config, new: Config, recertified: Iterable[str], windows: Iterable[Window]
) -> ReloadResult:
    """What changes when `new` takes the place of the `running` configuration.

    `recertified` names sites that show other certificates from then on. `windows` are those
    that are known: what happens to those of a site that goes is said as a warning.
    """
    before = {site.name: site for site in running.sites}
    after = {site.name: site for site in new.sites}
    others = frozenset(recertified)
    removed = tuple(name for name in before if name not in after)
    return ReloadResult(
        added=tuple(name for name in after if name not in before),
        changed=tuple(
            name
            for name, site in after.items()
            if name in before and (site != before[name] or name in others)
        ),
        removed=removed,
        settings=tuple(_changed(SETTINGS, running, new)),
        warnings=(*_stranded(removed, windows), *_put_off(running, new)),
    )


def spoken(result: ReloadResult) -> str:
    """`result` as history and log tell it, without its warnings."""
    told = {
        "added": result.added,
        "changed": result.changed,
        "removed": result.removed,
        "settings": result.settings,
    }
    said = [f"{what} {', '.join(names)}" for what, names in told.items() if names]
    return "; ".join(said) or "nothing has changed"


def _changed(keys: Iterable[str], running: Config, new: Config) -> Iterator[str]:
    return (key for key in keys if getattr(running, key) != getattr(new, key))


def _put_off(running: Config, new: Config) -> Iterator[str]:
    return (f"{key}: counts from the next start" for key in _changed(LATER, running, new))


def _stranded(removed: Iterable[str], windows: Iterable[Window]) -> Iterator[str]:
    kept = {(one.site, one.series or one.id) for one in windows if not one.is_final}
    for name in removed:
        if count := sum(site == name for site, _ in kept):
            what = "window is" if count == 1 else "windows are"
            yield f"{name}: {count} {what} kept, and will act if the site comes back"
