"""The nouns of sorryd: frozen values that every part may hold and none may change.

Nothing here does I/O, reads a clock or imports another part of sorryd.

Times. An *instant* is a float of POSIX seconds (UTC, wall clock); it decides windows and
nothing else. A *moment* is a float of ``time.monotonic`` seconds; it times the data path
and the rest of a failed member. A *duration* is a float of seconds. The three never mix.
"""

from __future__ import annotations

import enum

import msgspec


class Phase(enum.StrEnum):
    """Where a site stands in its maintenance."""

    LIVE = "live"
    ANNOUNCED = "announced"
    DRAINING = "draining"
    DOWN = "down"
    VERIFYING = "verifying"

    @property
    def serves(self) -> bool:
        """Whether a new request goes to the members."""
        return self is Phase.LIVE or self is Phase.ANNOUNCED


class Cause(enum.StrEnum):
    """Why visitors get the apology."""

    WINDOW = "window"
    MANUAL = "manual"
    FILE = "file"
    MEMBERS = "members"


class MemberState(enum.StrEnum):
    """What the operator wants of a member (HAProxy's three administrative states)."""

    READY = "ready"
    DRAIN = "drain"
    MAINT = "maint"


class Health(enum.StrEnum):
    """What sorryd found out about a member."""

    UP = "up"
    RESTING = "resting"  # failed; gets nothing until its rest is over
    TRIAL = "trial"  # rested; one request at a time until it answers


class WindowKind(enum.StrEnum):
    """Planned by ``schedule``, or by hand with ``down``."""

    PLANNED = "planned"
    MANUAL = "manual"


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all values: frozen, keyword-only, comparable, encodable."""


# --- configuration ---------------------------------------------------------------------


class Listen(Value, frozen=True):
    """A listening address; `host` is a literal IPv4 or IPv6 address without brackets."""

    host: str
    port: int
    tls: bool = False


class Certificate(Value, frozen=True):
    """What a TLS listener shows: PEM files, or one made by sorryd itself.

    `chain` is leaf first. `key` None means that the key is in the chain's file.
    """

    chain: str
    key: str | None = None
    self_signed: bool = False


class MemberTls(Value, frozen=True):
    """How an ``https://`` member is verified.

    `ca` None is the system's store. `name` None is the host of the member's URL.
    """

    ca: str | None = None
    name: str | None = None
    verify: bool = True


class Member(Value, frozen=True):
    """A server behind sorryd. `url` is its name everywhere: scheme://host:port as written."""

    url: str
    host: str
    port: int
    weight: int = 1  # 1..256
    standby: bool = False
    retry: float = 5.0  # seconds that it rests after a failure
    tls: MemberTls | None = None  # None: plain


class Timeouts(Value, frozen=True):
    """Durations in seconds, named as in sorryd.ini."""

    connect: float = 5.0
    header: float = 10.0
    idle: float = 60.0
    body: float = 30.0
    stream: float = 3600.0
    answer: float = 60.0
    tunnel: float = 3600.0


class Site(Value, frozen=True):
    """One ``[site NAME]`` of sorryd.ini, checked."""

    name: str
    listen: tuple[Listen, ...]
    members: tuple[Member, ...]
    timezone: str
    sorry_page: str  # path of the Jinja2 template
    sorry_template: str  # its source, read when the configuration was
    certificate: Certificate | None = None
    tls_min: str = "1.2"  # "1.2" or "1.3"
    preserve_host: bool = True
    timeouts: Timeouts = Timeouts()
    max_header_bytes: int = 32768
    max_body_bytes: int = 0  # 0: no limit
    max_connections: int = 10000
    sorry_status: int = 503
    retry_after: float = 30.0  # said when no end is known
    drain: float = 30.0
    announce: float = 86400.0


class Config(Value, frozen=True):
    """All of sorryd.ini, checked; paths are absolute."""

    file: str
    control: str  # path of the control socket
    state: str  # path of the journal
    timezone: str
    sites: tuple[Site, ...]
    control_mode: int = 0o660
    control_group: str | None = None


# --- windows ---------------------------------------------------------------------------


class Author(Value, frozen=True):
    """Who the kernel says the caller is (SO_PEERCRED)."""

    uid: int
    name: str
    pid: int


class Window(Value, frozen=True):
    """A time of maintenance, half-open: ``[start, end)``.

    A window acts only while neither `ended` nor `cancelled` is set; both are final.
    `released` names sites that ``up SITE`` took out of a window for every site: final too.
    """

    id: str
    site: str | None  # None: every site, later ones too
    kind: WindowKind
    start: float
    end: float | None  # None: open-ended (only ``down``)
    reason: str
    timezone: str
    author: Author
    created: float
    drain: float | None = None  # None: the site's
    until_text: str | None = None  # UNTIL that is no time, shown to visitors as it is
    ended: float | None = None
    cancelled: float | None = None
    released: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether it can never act again."""
        return self.ended is not None or self.cancelled is not None


# --- what the control side publishes ----------------------------------------------------


class MemberView(Value, frozen=True):
    """A member as the edge shall treat it now."""

    member: Member
    state: MemberState = MemberState.READY
    weight: int = 1
    health: Health = Health.UP


class SiteView(Value, frozen=True):
    """A site as the edge shall serve it: its members, and the windows that concern it.

    `windows`, arranged as policy/windows.py takes them, holds those that may still act, whenever
    they start, and the ended ones that the present down-time began with. The phase is worked
    out from them and the clock, on every request.
    """

    site: Site
    members: tuple[MemberView, ...]
    windows: tuple[Window, ...] = ()


class Snapshot(Value, frozen=True):
    """All that the edge knows. Replaced whole; `serial` grows by one each time."""

    serial: int
    sites: tuple[SiteView, ...]


# --- what the edge reports ----------------------------------------------------------------


class MemberFailed(Value, frozen=True, tag=True):
    """A member refused a connection, or broke its answer."""

    site: str
    url: str
    why: str


class MemberAnswered(Value, frozen=True, tag=True):
    """A member on trial gave a whole answer head."""

    site: str
    url: str


class EdgePassed(Value, frozen=True, tag=True):
    """The edge saw a site's phase change at `at` (an instant), before any alarm did."""

    site: str
    at: float


Report = MemberFailed | MemberAnswered | EdgePassed


class Active(Value, frozen=True):
    """Requests in flight at one member of one site."""

    site: str
    url: str
    requests: int
