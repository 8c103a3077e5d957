"""An edge that leaves: how it is told to, and how visitors find out."""

from __future__ import annotations

import http.client
import socket

from tests.edge.town import REQUEST, Town, site

from sorryd.edge.listener import Bound


def told(wire: socket.socket, host: str = "") -> str | None:
    """What the Connection field of the answer to a request says."""
    wire.sendall(REQUEST % host.encode())
    answer = http.client.HTTPResponse(wire)
    answer.begin()
    answer.read()
    return answer.getheader("Connection")


def opened(town: Town, proxy: bool = False, **fields: object) -> Bound:
    """A town with a site, and where it listens."""
    town.publish(site("shop", **fields))
    bound = town.bound("shop", proxy=proxy)
    town.open(bound)
    return bound


def goes(town: Town, how: str, limit: float = 30.0) -> list[object]:
    """The edge retires, or stops; what is returned has something in it when that is over."""
    over: list[object] = []
    leave = town.edge.retire if how == "retire" else town.edge.stop
    leave(limit).addCallback(over.append)
    return over


def arrives(town: Town, count: int = 1) -> None:
    town.loop.until(lambda: town.edge._lobby.count() == count)
