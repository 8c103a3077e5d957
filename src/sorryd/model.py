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

    __hash__ = str.__hash__  # as it compares; Enum's own is Python, and hashes the name

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
    DOWN = "down"  # its checks fail


class Balance(enum.StrEnum):
    """How requests are shared among the members that are up."""

    ROUND_ROBIN = "round_robin"
    LEAST_CONN = "least_conn"
    HASH = "hash"  # the visitor's address: rendezvous hashing
    STICKY = "sticky"  # a signed cookie; who has none, by round robin


class CheckKind(enum.StrEnum):
    """What an active check asks of a member."""

    HTTP = "http"  # a request, over TLS where the member is https://
    TCP = "tcp"  # a connection, and a TLS handshake where the member is https://


class LogFormat(enum.StrEnum):
    """How a line of the access log looks."""

    COMBINED = "combined"
    JSON = "json"


class SorryMode(enum.StrEnum):
    """How a site that is down answers."""

    HERE = "here"  # its own page, at the address that was asked for
    REDIRECT = "redirect"  # 302 to a page elsewhere
    FETCH = "fetch"  # a page from elsewhere, at the address that was asked for


class PageKind(enum.StrEnum):
    """What a page of the apology is: the end of its file's name."""

    HTML = "html"
    PROBLEM = "json"  # application/problem+json (RFC 9457)
    TEXT = "txt"


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all values: frozen, keyword-only, comparable, encodable."""


# --- configuration ---------------------------------------------------------------------


class Listen(Value, frozen=True):
    """A listening address; `host` is a literal IPv4 or IPv6 address without brackets.

    `path` is that of a UNIX socket; `host` is empty and `port` 0 then. So they are with `name`,
    that of a socket which the supervisor opened (sd_listen_fds_with_names(3)). With `proxy`, each
    connection begins with the PROXY protocol.
    """

    host: str
    port: int
    tls: bool = False
    proxy: bool = False
    path: str | None = None
    name: str | None = None


class Certificate(Value, frozen=True):
    """What a TLS listener shows: PEM files, or one made by sorryd itself.

    `chain` is leaf first. `key` None means that the key is in the chain's file.
    """

    chain: str
    key: str | None = None
    self_signed: bool = False


class MemberTls(Value, frozen=True):
    """How an ``https://`` member is verified.

    `ca` None is the system's store. `name` None is the host of the member's URL. `cert` and
    `key` are what we show it, if it asks; `key` None: it is in the file of `cert`.
    """

    ca: str | None = None
    name: str | None = None
    verify: bool = True
    cert: str | None = None
    key: str | None = None


class Member(Value, frozen=True):
    """A server behind sorryd. `url` is its name everywhere: as written.

    `socket` is the path of a UNIX socket; `host` is ``localhost`` and `port` 80 then, for Host.
    `path` is put before every target: b"" or ``/app`` without a slash at its end.
    `max_connections` is how many requests it gets at once, 0: no limit.
    """

    url: str
    host: str
    port: int
    path: str = ""
    socket: str | None = None
    max_connections: int = 0
    weight: int = 1  # 1..256
    standby: bool = False
    retry: float = 5.0  # seconds that it rests after a failure
    tls: MemberTls | None = None  # None: plain


class Check(Value, frozen=True):
    """How members are checked, all durations in seconds.

    `expect` are ranges of status codes, both ends included. `host` None is the member's own
    authority. Each wait is `interval` and up to `jitter` (0..1) of it more or less.
    """

    kind: CheckKind = CheckKind.HTTP
    method: str = "GET"
    target: str = "/"
    host: str | None = None
    expect: tuple[tuple[int, int], ...] = ((200, 399),)
    interval: float = 2.0
    timeout: float = 2.0
    jitter: float = 0.1
    rise: int = 2
    fall: int = 3


class Timeouts(Value, frozen=True):
    """Durations in seconds, named as in sorryd.ini."""

    connect: float = 5.0
    header: float = 10.0
    idle: float = 60.0
    body: float = 30.0
    stream: float = 3600.0
    answer: float = 60.0
    tunnel: float = 3600.0
    queue: float = 5.0


class PageSource(Value, frozen=True):
    """A page of the apology, as it was read: a Jinja2 template that passed its rehearsal.

    `language` is a tag of RFC 5646 in lower case, `path` the file.
    """

    source: str
    path: str = "maintenance.html"
    kind: PageKind = PageKind.HTML
    language: str = "en"


class Assets(Value, frozen=True):
    """Files that sorryd serves by itself, in every phase.

    `prefixes` begin and end with a slash; what is below one is the file of the same path below
    `folder`, which is absolute.
    """

    prefixes: tuple[str, ...]
    folder: str


class Exempt(Value, frozen=True):
    """Requests that always go to the members, whatever the phase.

    `path` is one path, or where it ends with a slash all below it. `method` None is any.
    """

    path: str
    method: str | None = None


class Site(Value, frozen=True):
    """One ``[site NAME]`` of sorryd.ini, checked."""

    name: str
    listen: tuple[Listen, ...]
    members: tuple[Member, ...]
    timezone: str
    sorry_pages: tuple[PageSource, ...]  # one of HTML at least; the first of a kind is for all
    hosts: tuple[str, ...] = ()  # lower case, ``*.`` may begin one; none: any
    certificates: tuple[Certificate, ...] = ()
    tls_min: str = "1.2"  # "1.2" or "1.3"
    balance: Balance = Balance.ROUND_ROBIN
    sticky_cookie: str = "SRV"
    check: Check | None = None
    fail_on: tuple[int, ...] = ()  # status codes that count as a failure of the member
    slow_start: float = 0.0  # seconds in which a member that recovered comes to its weight
    max_queue: int = 1000  # requests that wait for members with max_connections
    preserve_host: bool = True
    trusted_proxies: tuple[str, ...] = ()  # networks (CIDR), and the word ``unix``
    redirect_https: bool = False
    rewrite_location: bool = True
    timeouts: Timeouts = Timeouts()
    max_header_bytes: int = 32768
    max_body_bytes: int = 0  # 0: no limit
    max_connections: int = 10000
    sorry_status: int = 503
    retry_after: float = 30.0  # said when no end is known
    drain: float = 30.0
    announce: float = 86400.0
    sorry_mode: SorryMode = SorryMode.HERE
    sorry_url: str | None = None  # of `redirect` and `fetch`
    sorry_assets: tuple[Assets, ...] = ()
    sorry_file: str | None = None  # while this path is a file, the site is down
    exempt: tuple[Exempt, ...] = ()
    bypass_networks: tuple[str, ...] = ()  # networks (CIDR), and the word ``unix``
    bypass_secret: bytes | None = None  # what is in bypass_secret_file; None: sorryd's own key
    hook: str | None = None  # the path of a program, or an http(s) URL
    read_only: bool = False  # planned windows refuse only unsafe methods


class Config(Value, frozen=True):
    """All of sorryd.ini, checked; paths are absolute."""

    file: str
    control: str  # path of the control socket
    state: str  # path of the journal
    timezone: str
    sites: tuple[Site, ...]
    control_mode: int = 0o660
    control_group: str | None = None
    nameserver: tuple[str, int] | None = None  # address and port; None: the system's resolver
    access_log: str = ""  # a path, "-" for stdout, or "" for none
    access_log_format: LogFormat = LogFormat.COMBINED
    down_limit: float = 86400.0  # an open-ended down longer than this is warned of, daily
    workers: int = 0  # edge processes; 0: the one process is all
    shutdown: float = 30.0  # seconds that requests in flight get when sorryd stops
    retire: float = 600.0  # seconds that they get in a worker that another one replaces
    user: str | None = None  # who sorryd becomes when its addresses are bound; None: stays
    group: str | None = None  # None: the user's own
    admin: tuple[str, int] | None = None  # address and port of the numbers; None: none
