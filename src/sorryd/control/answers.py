"""What is so, in the words of the control protocol. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile

from sorryd.model import Cause, Config, MemberState, Phase, Value
from sorryd.policy.acting import Stage, acts, concerns, holding, opening, stage
from sorryd.policy.expiry import warning
from sorryd.policy.health import any_up
from sorryd.policy.outlook import MOST, outlook
from sorryd.policy.reminders import open_since
from sorryd.policy.reminders import warning as warning_of_down
from sorryd.policy.scopes import as_for
from sorryd.policy.windows import Standing
from sorryd.replies import (
    CertificateStatus,
    InstanceResult,
    MemberResult,
    MemberStatus,
    SiteStatus,
    StretchResult,
    WindowPhase,
    WindowResult,
    WorkerStatus,
)
from sorryd.replies_history import AuthorResult
from sorryd.reports import Active, ShownCertificate, WorkerSeen
from sorryd.snapshot import MemberView, SiteView
from sorryd.times import TimeFault, format_instant, parse_zone
from sorryd.window import Author, Saying, Window

_FEW = 30  # changes of a site's phase that are told of, however many sites there are
Loads = Mapping[tuple[str, str], int]  # requests in flight, by site and URL


class Scene(Value, frozen=True, kw_only=True):
    """All that an answer may tell, at the instant `now`. `standings` are by site."""

    config: Config
    now: float
    views: tuple[SiteView, ...]
    standings: Mapping[str, Standing]
    loads: Loads
    certificates: tuple[ShownCertificate, ...] = ()
    ahead: float = 0.0  # seconds to look ahead


def following(windows: Iterable[Window]) -> dict[str, Window]:
    """Of each series the instance that is open or comes next, by its id; arranged they come."""
    found: dict[str, Window] = {}
    for window in windows:
        if window.series is not None and not window.is_final:
            found.setdefault(window.series, window)
    return found


def loads(active: Iterable[Active]) -> Loads:
    """Requests in flight by member; what several edges count is added up."""
    found: dict[tuple[str, str], int] = {}
    for one in active:
        key = one.site, one.url
        found[key] = found.get(key, 0) + one.requests
    return found


def instant(at: float, zone: str) -> str:
    """An instant in RFC 3339; in UTC where the machine has unlearned the zone since."""
    try:
        return format_instant(at, parse_zone(zone))
    except TimeFault:
        return format_instant(at, parse_zone("UTC"))


def optional(at: float | None, zone: str) -> str | None:
    """An instant in RFC 3339, where there is one."""
    return None if at is None else instant(at, zone)


def by_language(reasons: Iterable[Saying]) -> dict[str, str]:
    """Reasons by their languages."""
    return {one.language: one.text for one in reasons}


def window_result(
    window: Window,
    scene: Scene,
    warnings: tuple[str, ...] = (),
    coming: Window | None = None,
) -> WindowResult:
    """A window as it is; `coming` is the instance of a series that is open or comes next."""
    if not (window.is_final or _has_site(window, scene.config)):
        warnings = (*warnings, f"there is no site {window.site} in the configuration")
    over = window.cancelled if window.ended is None else window.ended
    return WindowResult(
        id=window.id,
        site=window.site,
        from_=instant(window.start, window.timezone),
        until=optional(window.end, window.timezone),
        reason=window.reason,
        every=window.every,
        series=window.series,
        next=None if coming is None else _instance_result(coming),
        reasons=by_language(window.reasons),
        timezone=window.timezone,
        drain=window.drain,
        until_healthy=window.until_healthy,
        give_up=None if window.until_healthy is None else window.give_up,
        scope=window.scope,
        warnings=warnings,
        phase=_window_phase(window if coming is None else coming, scene),
        author=author_result(window.author),
        created=instant(window.created, window.timezone),
        verified=optional(window.verified, window.timezone),
        gave_up=optional(window.gave_up, window.timezone),
        ended=optional(over, window.timezone),
    )


def _instance_result(one: Window) -> InstanceResult:
    return InstanceResult(
        id=one.id,
        from_=instant(one.start, one.timezone),
        until=optional(one.end, one.timezone),
    )


def site_statuses(
    scene: Scene, site: str | None, warnings: tuple[str, ...] = ()
) -> tuple[SiteStatus, ...]:
    """One site, or all; `warnings` go with the windows that hold them down."""
    views = (view for view in scene.views if site in (None, view.site.name))
    return tuple(_site_status(view, scene, warnings) for view in views)


def _site_status(view: SiteView, scene: Scene, warnings: tuple[str, ...]) -> SiteStatus:
    site, standing = view.site, scene.standings[view.site.name]
    opened = takewhile(lambda window: opening(window) <= scene.now, view.windows)
    governing = next((window for window in opened if window.id == standing.window), None)
    return SiteStatus(
        name=site.name,
        phase=standing.phase,
        cause=cause_of(view, standing),
        reason=standing.reason or "",
        until=optional(standing.until, site.timezone),
        until_text=standing.until_text if standing.until is None else None,
        window=None if governing is None else window_result(governing, scene, warnings),
        next=None if standing.next is None else window_result(standing.next, scene),
        partial=tuple(window_result(window, scene) for window in _partial(view, scene.now)),
        members=tuple(_member_status(member, site.name, scene) for member in view.members),
        certificates=tuple(
            _certificate_status(one, site.timezone, scene.now)
            for one in scene.certificates
            if one.site == site.name
        ),
        warnings=_reminder(standing, scene),
        ahead=tuple(_stretches(view, scene)),
    )


def cause_of(view: SiteView, standing: Standing) -> Cause | None:
    """Why visitors get the apology; None: they do not."""
    return standing.cause or (None if any_up(view.members) else Cause.MEMBERS)


def _stretches(view: SiteView, scene: Scene) -> Iterator[StretchResult]:
    site, file = view.site, view.file
    since = None if file is None else file.since
    end = scene.now + scene.ahead
    most = max(_FEW, MOST // len(scene.views))  # so that many sites take no longer than one
    for one in outlook(view.windows, site, scene.now, end, since, most):
        yield StretchResult(
            from_=instant(one.start, site.timezone),
            until=instant(one.end, site.timezone),
            phase=one.phase,
            window=one.window,
            partial=one.partial,
        )


def _reminder(standing: Standing, scene: Scene) -> tuple[str, ...]:
    """What to warn of where a site is down without an end for longer than it should."""
    since = open_since(standing)
    if since is None or scene.now < since + scene.config.down_limit:
        return ()
    return (warning_of_down(since, scene.now),)


def _partial(view: SiteView, now: float) -> Iterator[Window]:
    """The windows that act on a part of a site, as they do so there."""
    opened = takewhile(lambda window: opening(window) <= now, view.windows)
    acting = (as_for(window, view.site) for window in opened if acts(window, now))
    return (one for one in acting if not one.scope.is_whole and concerns(one, view.site.name))


def member_result(site: str, url: str, scene: Scene) -> MemberResult:
    """A member of a site as it is."""
    (status,) = (
        _member_status(member, site, scene)
        for view in scene.views
        if view.site.name == site
        for member in view.members
        if member.member.url == url
    )
    return MemberResult(
        site=site,
        url=status.url,
        weight=status.weight,
        standby=status.standby,
        state=status.state,
        health=status.health,
        active=status.active,
    )


def _member_status(view: MemberView, site: str, scene: Scene) -> MemberStatus:
    return MemberStatus(
        url=view.member.url,
        weight=view.weight,
        standby=view.member.standby,
        state=view.state,
        health=view.health,
        active=scene.loads.get((site, view.member.url), 0),
    )


def worker_status(seen: WorkerSeen, zone: str) -> WorkerStatus:
    """A worker as it is."""
    return WorkerStatus(
        number=seen.number,
        pid=seen.pid,
        since=optional(seen.since, zone),
        restarts=seen.restarts,
        restarted=optional(seen.restarted, zone),
        leaving=seen.is_leaving,
    )


def _certificate_status(shown: ShownCertificate, zone: str, now: float) -> CertificateStatus:
    return CertificateStatus(
        file=shown.file,
        names=shown.names,
        expires=instant(shown.expires, zone),
        warning=warning(shown, now),
    )


def _has_site(window: Window, config: Config) -> bool:
    return window.site is None or any(site.name == window.site for site in config.sites)


def author_result(author: Author) -> AuthorResult:
    """Who the kernel said it was."""
    return AuthorResult(uid=author.uid, name=author.name, pid=author.pid)


def _window_phase(window: Window, scene: Scene) -> WindowPhase:
    if window.cancelled is not None:
        return WindowPhase.CANCELLED
    if window.ended is not None or holding(window) <= scene.now:
        return WindowPhase.ENDED
    sites = [site for site in scene.config.sites if concerns(window, site.name)]
    if at := stage(window, scene.now):
        if at is Stage.VERIFYING:
            return WindowPhase.VERIFYING
        is_draining = any(_is_draining(window, scene.standings[site.name]) for site in sites)
        return WindowPhase.DRAINING if is_draining else WindowPhase.DOWN
    announced = any(window.start - site.announce <= scene.now for site in sites)
    return WindowPhase.ANNOUNCED if announced else WindowPhase.SCHEDULED


def _is_draining(window: Window, standing: Standing) -> bool:
    """Whether what `window` takes away still finishes what is in flight."""
    if window.scope.members:
        taken = {one.url: one.state for one in standing.withdrawn}
        return any(taken.get(url) is MemberState.DRAIN for url in window.scope.members)
    return window.scope.is_whole and standing.phase is Phase.DRAINING
