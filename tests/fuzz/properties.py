"""All properties, by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.fuzz.case import Property
from tests.fuzz.head_lines import HeadLines
from tests.fuzz.locations import Locations
from tests.fuzz.member_side import MemberSide
from tests.fuzz.proxy_headers import ProxyHeaders
from tests.fuzz.visitor_side import VisitorSide

PROPERTIES: Final[Mapping[str, Callable[[], Property]]] = {
    "visitor": VisitorSide,
    "member": MemberSide,
    "proxy": ProxyHeaders,
    "lines": HeadLines,
    "locations": Locations,
}
