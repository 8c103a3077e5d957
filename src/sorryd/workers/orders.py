"""What a control process and its workers tell each other: orders down, words up.

Frozen messages over a UNIX socket, in order. A worker counts the orders that it has carried out
and says so with `Done`: what was published is in force everywhere once all have. Listening
sockets go along with `Fit` as descriptors.
"""

from __future__ import annotations

from sorryd.model import Listen, Value
from sorryd.numbers import EdgeNumbers
from sorryd.recording import LogTo
from sorryd.reports import Active, Report
from sorryd.snapshot import SiteView
from sorryd.window import Window

# --- down -------------------------------------------------------------------------------------


class Begin(Value, frozen=True, tag=True):
    """The first order: what holds as long as the worker lives.

    `own_key` is the daemon's secret (edge/cookie_key.py), `nameserver` as Config has it.
    `is_daemon`: there is no terminal. `state` is the path of the journal, beside which the
    worker may put files.
    """

    number: int
    own_key: bytes
    state: str
    nameserver: tuple[str, int] | None = None
    is_daemon: bool = False


class Patch(Value, frozen=True):
    """A site that is new or has changed.

    `view` has no windows: they are in `windows`, those that are known by their ids alone; None:
    they are all as before. Without `has_pages` the sorry file and the fetched page are as before.
    """

    name: str
    view: SiteView
    windows: tuple[str | Window, ...] | None
    has_pages: bool


class Publish(Value, frozen=True, tag=True):
    """A snapshot: `sites` in their order, and the `patches` of those that have changed."""

    serial: int
    sites: tuple[str, ...]
    patches: tuple[Patch, ...]


class Opening(Value, frozen=True):
    """A listening socket; `key` tells it from all others that there were.

    `is_new`: its descriptor comes with the order. The rest is as Bound has it.
    """

    key: int
    listen: Listen
    sites: tuple[str, ...]
    is_new: bool
    is_given: bool = False


class Pem(Value, frozen=True):
    """A certificate with its chain and its key; `path` is where they were read."""

    path: str
    chain: bytes
    key: bytes


class Papers(Value, frozen=True):
    """The certificates of one site."""

    site: str
    pems: tuple[Pem, ...]


class Fit(Value, frozen=True, tag=True):
    """Accept at these sockets, and at no others. The sites are published before."""

    openings: tuple[Opening, ...]
    papers: tuple[Papers, ...]
    log: LogTo
    retire: float


class Show(Value, frozen=True, tag=True):
    """Show these certificates from now on."""

    papers: tuple[Papers, ...]


class Reopen(Value, frozen=True, tag=True):
    """The access log was moved away."""


class Count(Value, frozen=True, tag=True):
    """Say what is in flight."""


class Measure(Value, frozen=True, tag=True):
    """Say what you have counted."""


class Retire(Value, frozen=True, tag=True):
    """Accept no more; end when nobody is left, or after `limit` seconds."""

    limit: float


class Stop(Value, frozen=True, tag=True):
    """Stop, within `limit` seconds."""

    limit: float


class Hurry(Value, frozen=True, tag=True):
    """Wait no longer for what is in flight."""


Order = Begin | Publish | Fit | Show | Reopen | Count | Measure | Retire | Stop | Hurry

# --- up ---------------------------------------------------------------------------------------


class Ready(Value, frozen=True, tag=True):
    """The first word: a worker is there."""

    pid: int


class Done(Value, frozen=True, tag=True):
    """So many orders were carried out."""

    orders: int


class Reported(Value, frozen=True, tag=True):
    """The edge has seen something."""

    report: Report


class Said(Value, frozen=True, tag=True):
    """A line for the log.

    `level` is a name of Twisted's LogLevel, `namespace` that of the logger, a module's.
    """

    level: str
    namespace: str
    text: str


class Counted(Value, frozen=True, tag=True):
    """What is in flight."""

    active: tuple[Active, ...]


class Measured(Value, frozen=True, tag=True):
    """What the edge has counted since it began."""

    numbers: EdgeNumbers


class Failed(Value, frozen=True, tag=True):
    """An order could not be carried out, and the worker goes on as it was; `Done` follows."""

    order: str


class Leaving(Value, frozen=True, tag=True):
    """An operator wants this worker to go: it serves until it is told to retire."""


Word = Ready | Done | Reported | Said | Counted | Measured | Failed | Leaving
