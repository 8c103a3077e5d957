"""What was asked for by a name that nothing has: said so that the next try is right. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

from sorryd.errors import ControlError, not_found
from sorryd.model import Config
from sorryd.window import Window

_MOST = 10  # names that a message lists
_COMPARED = 300  # names that are compared with one
_LONGEST, _OFF = 64, 3  # letters of a name, and how many may be lacking or too many


def no_site(name: str, config: Config) -> ControlError:
    """There is no such site; which there are."""
    names = [site.name for site in config.sites]
    said = f"there is no site {name}{_meant(name, names)}"
    return not_found(f"{said} (there is: {_listed(names)})", "site")


def no_window(name: str, windows: Iterable[Window], config: Config) -> ControlError:
    """There is no window of that id; what may have been meant among those that are not over."""
    alive = [window for window in windows if not window.is_final]
    said = f"there is no window {name}"
    if any(name == site.name for site in config.sites):
        alive = [window for window in alive if window.site in (None, name)]
        said += f", that is a site; its windows are: {_listed(_names(alive))}"
    elif meant := _meant(name, [one.id for one in alive] if "@" in name else _names(alive)):
        said += meant
    elif following := _next_of(name, alive):
        said += f": the next of {following.series} is {following.id}"
    else:
        said += f" (open or to come: {_listed(_names(alive))})"
    return not_found(said, "id")


def no_member(name: str, config: Config, site: str | None) -> ControlError:
    """There is no such member; which there are."""
    sites = [one for one in config.sites if site in (None, one.name)]
    said = f"there is no member {name}"
    if any(name == one.name for one in sites):
        said += ", that is a site"
        sites = [one for one in sites if one.name == name]
    urls = [member.url for one in sites for member in one.members]
    return not_found(f"{said} (there is: {_listed(urls)})", "url")


def near(name: str, names: Iterable[str]) -> str:
    """The one of `names` that may have been meant; "" for none.

    Among the first three hundred that are about as long: it costs some 50 us to compare two.
    """
    if len(name) > _LONGEST:
        return ""
    alike = (one for one in names if abs(len(one) - len(name)) <= _OFF)
    return next(iter(get_close_matches(name, list(islice(alike, _COMPARED)), n=1)), "")


def _next_of(name: str, windows: Iterable[Window]) -> Window | None:
    """Of the series whose instance is meant, the one that comes next; arranged they come."""
    series, at, _ = name.partition("@")
    return next((one for one in windows if at and one.series == series), None)


def _names(windows: Iterable[Window]) -> list[str]:
    """The ids of windows, and of series in place of their instances."""
    return list(dict.fromkeys(window.series or window.id for window in windows))


def _meant(name: str, names: Sequence[str]) -> str:
    found = near(name, names)
    return f": did you mean {found}?" if found else ""


def _listed(names: Sequence[str]) -> str:
    more = [f"{len(names) - _MOST} more"] if len(names) > _MOST else []
    return ", ".join([*names[:_MOST], *more]) or "none"
