"""The daemon's results as they arrive, for the type checker only (docs/control-protocol.md)."""

from __future__ import annotations

from typing import TypedDict


class Author(TypedDict):
    """Who asked."""

    uid: int
    name: str
    pid: int


_From = TypedDict("_From", {"from": str})  # a keyword, so not in the class below


class Instance(_From):
    """The instance of a series that is open, or the next one."""

    id: str
    until: str | None


class Scope(TypedDict):
    """What a window covers; nothing is the whole site."""

    paths: list[str]
    members: list[str]
    methods: list[str]


class Window(_From):
    """A window; times are RFC 3339, durations seconds."""

    id: str
    site: str | None
    until: str | None
    reason: str
    every: str | None
    timezone: str
    drain: float | None
    until_healthy: float | None
    give_up: str | None
    scope: Scope
    warnings: list[str]
    phase: str
    author: Author
    created: str
    series: str | None
    next: Instance | None
    reasons: dict[str, str]
    verified: str | None
    gave_up: str | None
    ended: str | None


class Member(TypedDict):
    """A member within its site."""

    url: str
    weight: int
    standby: bool
    state: str
    health: str
    active: int


class SetMember(Member):
    """A member after a change."""

    site: str


class Certificate(TypedDict):
    """A certificate that a site shows; the warning may be empty."""

    file: str
    names: list[str]
    expires: str
    warning: str


class Stretch(_From):
    """A time to come in one phase."""

    until: str
    phase: str
    window: str | None
    partial: bool


class Site(TypedDict):
    """A site."""

    name: str
    phase: str
    cause: str | None
    reason: str
    until: str | None
    until_text: str | None
    window: Window | None
    next: Window | None
    partial: list[Window]
    members: list[Member]
    certificates: list[Certificate]
    warnings: list[str]
    ahead: list[Stretch]


class Worker(TypedDict):
    """A process that serves visitors."""

    number: int
    pid: int | None
    since: str | None
    restarts: int
    restarted: str | None
    leaving: bool


class Status(TypedDict):
    """The daemon and its sites."""

    version: str
    pid: int
    started: str
    now: str
    sites: list[Site]
    workers: list[Worker]


class Version(TypedDict):
    """What runs."""

    version: str
    python: str
    twisted: str
    openssl: str
    started: str


class Upgrade(TypedDict):
    """What ran until now, and what runs from then on."""

    version: str
    started: str
    next_version: str
    within: float


class Reload(TypedDict):
    """What a reload has changed: sites, and keys of [sorryd]."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    settings: list[str]
    warnings: list[str]


class Entry(TypedDict):
    """One line of the history; what was before and after is for scripts."""

    cursor: int
    at: str
    author: Author | None
    action: str
    site: str | None
    window: str | None
    member: str | None
    reason: str
    detail: str


class Field(TypedDict):
    """A field of a request."""

    name: str
    value: str


class Bypass(TypedDict):
    """A secret link."""

    site: str
    window: str | None
    path: str
    urls: list[str]
    header: Field
    expires: str
    warnings: list[str]


class SitePlan(TypedDict):
    """What a window means for one site."""

    site: str
    reason: str | None
    spoken: str | None
    retry_after: int | None


class Planned(_From):
    """A window with all that follows of it."""

    id: str
    site: str | None
    until: str | None
    from_utc: str
    until_utc: str | None
    lasts: float | None
    warnings: list[str]
    sites: list[SitePlan]


class Plan(TypedDict):
    """What will happen."""

    until: str
    windows: list[Planned]
    more: bool


class Answered(TypedDict):
    """Requests that are over, since counting began."""

    codes: dict[str, int]
    durations: list[int]
    seconds: float
    sent: int


class MemberNumbers(TypedDict):
    """A member, with what was counted of it."""

    url: str
    state: str
    health: str
    in_flight: int
    idle: int
    answered: Answered
    connects: int
    retries: int
    failovers: int
    failures: int


class SiteNumbers(TypedDict):
    """A site, with what was counted of it."""

    name: str
    phase: str
    cause: str | None
    until: str | None
    next: str | None
    connections: int
    tunnels: int
    waiting: int
    accepted: int
    turned_away: int
    received: int
    itself: Answered
    members: list[MemberNumbers]


class Numbers(TypedDict):
    """All that was counted."""

    started: str
    now: str
    bounds: list[float]
    workers: int
    missing: int
    restarts: int
    sites: list[SiteNumbers]
