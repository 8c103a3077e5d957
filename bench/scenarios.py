"""What is measured: the scenarios, each as data, and the load that each makes at a proxy."""

from __future__ import annotations

import enum
from typing import Literal

import msgspec

from bench.load import Kind, Load
from bench.places import Body, Place, Ports

MIB = 1024 * 1024
GIB = 1024 * MIB


class Scenario(enum.StrEnum):
    """Kinds of load, and what is measured of sorryd alone (`ALONE`)."""

    PLAIN = "plain"
    TLS = "tls"
    TLS_NEW = "tls-new"
    TLS_RESUMED = "tls-resumed"
    TCP_NEW = "tcp-new"
    SORRY = "sorry"
    LARGE = "large"
    DOWNLOAD = "download"
    UPLOAD = "upload"
    UPLOAD_LARGE = "upload-large"
    LATENCY = "latency"
    WEBSOCKET = "websocket"
    WORKERS = "workers"
    GROWTH_MEMBERS = "growth-members"
    GROWTH_SITES = "growth-sites"
    GROWTH_WINDOWS = "growth-windows"
    GROWTH_CONNECTIONS = "growth-connections"
    MEMORY = "memory"
    WINDOW = "window"


ALONE = (Scenario.MEMORY, Scenario.WINDOW)
GROWTH = (
    Scenario.GROWTH_MEMBERS,
    Scenario.GROWTH_SITES,
    Scenario.GROWTH_WINDOWS,
    Scenario.GROWTH_CONNECTIONS,
)

Door = Literal["plain", "tls", "sorry", "bulk"]  # the ports of a proxy at which visitors come


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario: who asks for what, and how.

    `answer` names the body that is right: a file of the place, or what the bulk member says.
    """

    line: str
    door: Door = "plain"
    kind: Kind = Kind.VISITORS
    path: str = "/small"
    answer: Literal["small", "large", "sorry", "read", "bytes", "echo"] = "small"
    status: int = 200
    connections: int = 64
    turns: int = 1  # in a round: more of what differs much from one to the next
    unit: str = "request"
    fields: tuple[tuple[str, str], ...] = ()
    hosts: tuple[str, ...] = ()
    judged: bool = False  # whether the load looks at each answer, which costs it time
    sends: Literal["", "upload", "bulk"] = ""  # the file that goes up
    size: int = 0  # bytes of a transfer
    resumed: bool = False


VISITED = tuple(f"site-{at}.example" for at in range(0, 1000, 111))
"""The sites that are asked where there are many: ten, as far from each other as can be."""

_GZIP = (("Accept-Encoding", "gzip"),)
_CLOSE = (("Connection", "close"),)

PLANS = {
    Scenario.PLAIN: Plan(line="1 KiB, kept-alive, 64 connections"),
    Scenario.TLS: Plan(line="1 KiB over TLS 1.3, kept-alive, 64 connections", door="tls"),
    Scenario.TLS_NEW: Plan(
        line="1 KiB, a new TLS connection for each request, full handshakes",
        door="tls",
        kind=Kind.COMERS,
        connections=16,
        fields=_CLOSE,
    ),
    Scenario.TLS_RESUMED: Plan(
        line="1 KiB, a new TLS connection for each request, resumed",
        door="tls",
        kind=Kind.COMERS,
        connections=16,
        fields=_CLOSE,
        resumed=True,
    ),
    Scenario.TCP_NEW: Plan(
        line="1 KiB, a new TCP connection for each request, 64 at once", fields=_CLOSE
    ),
    Scenario.SORRY: Plan(
        line="the sorry page, gzipped, kept-alive, 64 connections",
        door="sorry",
        path="/any/path?and=query",
        answer="sorry",
        status=503,
        fields=_GZIP,
        judged=True,
    ),
    Scenario.LARGE: Plan(
        line="1 MiB, kept-alive, 16 connections", path="/large", answer="large", connections=16
    ),
    Scenario.DOWNLOAD: Plan(
        line="one download of 1 GiB",
        door="bulk",
        kind=Kind.TRANSFERS,
        path=f"/bytes/{GIB}",
        answer="bytes",
        connections=1,
        unit="MiB",
        size=GIB,
    ),
    Scenario.UPLOAD: Plan(
        line="uploads of 64 KiB, kept-alive, 16 connections",
        door="bulk",
        path="/upload",
        answer="read",
        connections=16,
        turns=3,
        sends="upload",
    ),
    Scenario.UPLOAD_LARGE: Plan(
        line="one upload of 1 GiB",
        door="bulk",
        kind=Kind.TRANSFERS,
        path="/upload",
        answer="read",
        connections=1,
        unit="MiB",
        sends="bulk",
        size=GIB,
    ),
    Scenario.LATENCY: Plan(
        line="1 KiB, kept-alive, one connection",
        kind=Kind.LONE,
        connections=1,
        turns=3,
    ),
    Scenario.WEBSOCKET: Plan(
        line="WebSocket messages of 1 KiB, there and back, 100 tunnels",
        door="bulk",
        kind=Kind.TUNNELS,
        path="/echo",
        answer="echo",
        connections=100,
        unit="message",
    ),
    Scenario.WORKERS: Plan(line="1 KiB, kept-alive, 64 connections, two workers on two cores"),
    Scenario.GROWTH_MEMBERS: Plan(
        line="1 KiB, 1,000 connections; 10 members, and 1,000", connections=1000, turns=3
    ),
    Scenario.GROWTH_SITES: Plan(
        line="1 KiB, 64 connections, ten sites in turn; of 10, and of 1,000",
        hosts=VISITED,
        turns=3,
    ),
    Scenario.GROWTH_WINDOWS: Plan(line="1 KiB, 64 connections; no window, and 10,000", turns=3),
    Scenario.GROWTH_CONNECTIONS: Plan(
        line="1 KiB, 64 connections; no others, and 10,000 at rest beside them", turns=3
    ),
    Scenario.MEMORY: Plan(line="memory of connections at rest, plain and over TLS"),
    Scenario.WINDOW: Plan(line="a window opens and closes under the plain load"),
}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario at one proxy: its plan, where it asks, and the answer that is right."""

    plan: Plan
    port: int
    place: Place

    @property
    def secure(self) -> bool:
        """Whether it asks over TLS."""
        return self.plan.door == "tls"

    @property
    def body(self) -> Body | None:
        """The answer's body, where it is a file of the place."""
        bodies = {"small": self.place.small, "large": self.place.large, "sorry": self.place.sorry}
        return bodies.get(self.plan.answer)

    def load(self, seconds: int) -> Load:
        """The load of a round of `seconds`."""
        plan = self.plan
        return Load(
            kind=plan.kind,
            port=self.port,
            path=plan.path,
            connections=plan.connections,
            seconds=seconds,
            secure=self.secure,
            fields=plan.fields,
            hosts=plan.hosts,
            statuses=(plan.status,) if plan.judged else None,
            body=str(self.place.given(plan.sends)) if plan.sends else "",
            size=plan.size,
            resumed=plan.resumed,
        )


def case(scenario: Scenario, place: Place, ports: Ports) -> Case:
    """The scenario at the proxy that has `ports`."""
    plan = PLANS[scenario]
    return Case(plan=plan, port=getattr(ports, plan.door), place=place)
