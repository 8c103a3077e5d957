"""What docs/sorryctl.md shows of ``sorryctl top``."""

from __future__ import annotations

from sorryd.ctl.rates import Flow, Flows, MemberFlow


def _flow(good: float, bad: float, sent: float, p50: float, p99: float) -> Flow:
    codes = {"none": 0.0, "1xx": 0.0, "2xx": good, "3xx": 0.0, "4xx": 0.5, "5xx": bad}
    return Flow(requests=sum(codes.values()), codes=codes, sent=sent, p50=p50, p99=p99)


def _member(url: str, health: str, flow: Flow, in_flight: int, idle: int) -> MemberFlow:
    return MemberFlow(**flow, url=url, state="ready", health=health, in_flight=in_flight, idle=idle)


FLOWS: Flows = {
    "now": "2026-11-28T12:10:00+09:00",
    "seconds": 1.0,
    "workers": 2,
    "missing": 0,
    "restarts": 0,
    "sites": [
        {
            **_flow(641, 3, 5_360_000, 0.011, 0.18),
            "name": "shop",
            "phase": "announced",
            "cause": None,
            "until": None,
            "next": "2026-11-29T02:00:00+09:00",
            "connections": 212,
            "tunnels": 9,
            "waiting": 0,
            "in_flight": 20,
            "accepted": 12.0,
            "received": 310_000.0,
            "itself": Flow(requests=0.0, codes={}, sent=0.0, p50=None, p99=None),
            "members": [
                _member("http://10.0.0.11:3000", "up", _flow(640, 0, 5.3e6, 0.0112, 0.044), 20, 14),
                _member("http://10.0.0.12:3000", "trial", _flow(1, 3, 6e4, 0.13, 1.2), 1, 0),
            ],
        }
    ],
}
