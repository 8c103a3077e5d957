"""What is measured: the scenarios, and the request that each of them makes."""

from __future__ import annotations

import enum
from typing import assert_never

import msgspec

from bench.load import Load
from bench.places import Body, Place, Ports


class Scenario(enum.StrEnum):
    """Kinds of load; the last one is sorryd's alone."""

    PLAIN = "plain"
    TLS = "tls"
    SORRY = "sorry"
    LARGE = "large"
    WORKERS = "workers"
    WINDOW = "window"


def describe(scenario: Scenario) -> str:
    """What it is, in a line."""
    match scenario:
        case Scenario.PLAIN:
            return "1 KiB, kept-alive, 64 connections"
        case Scenario.TLS:
            return "1 KiB over TLS, kept-alive, 64 connections, ECDSA P-256"
        case Scenario.SORRY:
            return "the sorry page, kept-alive, 64 connections"
        case Scenario.LARGE:
            return "1 MiB, kept-alive, 16 connections"
        case Scenario.WORKERS:
            return "1 KiB, kept-alive, 64 connections, two workers each on two cores"
        case Scenario.WINDOW:
            return "a window opens and closes under the plain load"
        case _:
            assert_never(scenario)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario at one proxy: where it asks, and the answer that is right."""

    secure: bool
    port: int
    path: str
    status: int
    body: Body
    connections: int
    judged: bool = False  # whether the load looks at each answer, which costs it time

    def load(self, seconds: int) -> Load:
        """The load of a round of `seconds`."""
        scheme = "https" if self.secure else "http"
        return Load(
            url=f"{scheme}://127.0.0.1:{self.port}{self.path}",
            connections=self.connections,
            seconds=seconds,
            statuses=(self.status,) if self.judged else None,
            length=self.body.length if self.judged else 0,
        )


def case(scenario: Scenario, place: Place, ports: Ports) -> Case:
    """The scenario at the proxy that has `ports`."""
    match scenario:
        case Scenario.PLAIN | Scenario.WORKERS | Scenario.WINDOW:
            return Case(
                secure=False,
                port=ports.plain,
                path="/small",
                status=200,
                body=place.small,
                connections=64,
            )
        case Scenario.TLS:
            return Case(
                secure=True,
                port=ports.tls,
                path="/small",
                status=200,
                body=place.small,
                connections=64,
            )
        case Scenario.SORRY:
            return Case(
                secure=False,
                port=ports.sorry,
                path="/any/path?and=query",
                status=503,
                body=place.sorry,
                connections=64,
                judged=True,
            )
        case Scenario.LARGE:
            return Case(
                secure=False,
                port=ports.plain,
                path="/large",
                status=200,
                body=place.large,
                connections=16,
            )
        case _:
            assert_never(scenario)
