"""Secret links for operators, made for what holds a site down or will do so. Pure."""

from __future__ import annotations

from sorryd.control.answers import instant
from sorryd.errors import ControlError, conflict, invalid_params
from sorryd.messages import SiteBypass
from sorryd.model import Config, Site, Value
from sorryd.policy import bypass
from sorryd.policy.acting import acts, concerns
from sorryd.policy.urls import site_urls
from sorryd.policy.windows import Standing
from sorryd.replies_bypass import BypassResult, FieldResult
from sorryd.snapshot import GivenPage, SiteView
from sorryd.window import Window


class Target(Value, frozen=True, kw_only=True):
    """What a link is for: a window of a site, or its sorry file."""

    site: Site
    window: Window | None = None
    file: GivenPage | None = None


def site_of(request: SiteBypass, config: Config) -> str:
    """The name of the site that is asked about; it may be left out where there is one alone."""
    if request.site is not None:
        return request.site
    if len(config.sites) == 1:
        return config.sites[0].name
    names = ", ".join(site.name for site in config.sites)
    raise invalid_params(f"say for which site ({names})", "site")


def target(view: SiteView, standing: Standing, named: Window | None) -> Target:
    """What the link is for: the window `named`, else what holds the site down, else the next.

    Raises ControlError where that will hold nothing down.
    """
    site = view.site
    if named is not None:
        return Target(site=site, window=_usable(named, site))
    if view.file is not None:
        return Target(site=site, file=view.file)
    held = next((one for one in view.windows if one.id == standing.window), None)
    windows = (held, *standing.partial, standing.next)
    window = next((one for one in windows if one is not None and not one.scope.members), None)
    if window is None:
        raise conflict(f"site {site.name}: nothing holds it down, and no window is to come")
    return Target(site=site, window=window)


def result(target: Target, key: bytes, now: float) -> BypassResult:
    """The link; `key` is that for tokens of the site."""
    site, window = target.site, target.window
    if window is not None:
        holder, begin = bypass.holder_of_window(window), max(now, window.start)
    else:
        assert target.file is not None
        holder, begin = bypass.holder_of_file(target.file), now
    expires = bypass.expiry(begin)
    token = bypass.make(key, site.name, holder, expires)
    path = bypass.link(token)
    return BypassResult(
        site=site.name,
        window=None if window is None else window.id,
        path=path,
        urls=tuple(f"{url}{path}" for url in site_urls(site)),
        header=FieldResult(name=bypass.FIELD, value=token),
        expires=instant(expires, site.timezone),
        warnings=_warnings(window, now),
    )


def _usable(window: Window, site: Site) -> Window:
    """`window`, if it will hold the site down."""
    if window.is_final:
        raise _refused(f"{window.id} is over")
    if not concerns(window, site.name):
        raise _refused(f"{window.id} is not for site {site.name}")
    if window.every is not None:
        raise _refused(f"{window.id} is a series: name one of its instances, ID@FROM")
    if window.scope.members:
        raise _refused(f"{window.id} takes out members: nobody gets the apology for that")
    return window


def _refused(text: str) -> ControlError:
    return conflict(text, "window")


def _warnings(window: Window | None, now: float) -> tuple[str, ...]:
    if window is None or acts(window, now):
        return ()
    return ("the window is to come: the link sets its cookie once it has begun",)
