"""What Prometheus is told, read back by its own parser."""

from __future__ import annotations

import re

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from tests.admin.views import NOON, labelled, of, overview, site, told

from sorryd.admin.scrapes import text
from sorryd.model import Phase
from sorryd.numbers import BOUNDS, EdgeNumbers, SiteNumbers
from sorryd.policy.windows import Standing
from sorryd.snapshot import Snapshot

A = {"site": "shop", "member": "http://a"}
B = {"site": "shop", "member": "http://b"}
OWN = {"site": "shop", "member": ""}


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("sorryd_build_info", {"version": "1.2.3", "python": "3.11.2"}, 1),
        ("sorryd_snapshot_serial", {}, 5),
        ("sorryd_journal_failures_total", {}, 4),
        ("sorryd_worker_up", {"worker": "1"}, 1),
        ("sorryd_worker_up", {"worker": "2"}, 0),
        ("sorryd_workers_leaving", {}, 1),
        ("sorryd_worker_restarts_total", {"worker": "2"}, 3),
        (
            "sorryd_certificate_expiry_timestamp_seconds",
            {"site": "shop", "file": "shop.pem"},
            NOON,
        ),
        ("sorryd_site_phase", {"site": "shop", "phase": "down"}, 1),
        ("sorryd_site_phase", {"site": "shop", "phase": "live"}, 0),
        ("sorryd_site_cause", {"site": "shop", "cause": "window"}, 1),
        ("sorryd_site_cause", {"site": "shop", "cause": "members"}, 0),
        ("sorryd_site_down_until_timestamp_seconds", {"site": "shop"}, NOON + 600),
        ("sorryd_site_next_window_start_timestamp_seconds", {"site": "shop"}, NOON + 3600),
        ("sorryd_member_health", {**B, "health": "resting"}, 1),
        ("sorryd_member_health", {**B, "health": "up"}, 0),
        ("sorryd_member_state", {**A, "state": "ready"}, 1),
        ("sorryd_member_weight", B, 2),
        ("sorryd_requests_total", {**A, "phase": "live", "code": "2xx"}, 7),
        ("sorryd_requests_total", {**A, "phase": "live", "code": "5xx"}, 0),
        ("sorryd_requests_total", {**OWN, "phase": "down", "code": "5xx"}, 2),
        ("sorryd_request_duration_seconds_bucket", {**A, "le": "0.0025"}, 0),
        ("sorryd_request_duration_seconds_bucket", {**A, "le": "0.005"}, 7),
        ("sorryd_request_duration_seconds_bucket", {**A, "le": "+Inf"}, 7),
        ("sorryd_request_duration_seconds_count", A, 7),
        ("sorryd_request_duration_seconds_sum", A, 0.021),
        ("sorryd_sent_bytes_total", A, 700),
        ("sorryd_received_bytes_total", {"site": "shop"}, 900),
        ("sorryd_apologies_total", {"site": "shop", "cause": "manual"}, 1),
        ("sorryd_requests_unfinished_total", {"site": "shop", "end": "visitor_left"}, 3),
        ("sorryd_queue_requests", {"site": "shop"}, 2),
        ("sorryd_connections", {"site": "shop"}, 9),
        ("sorryd_tunnels", {"site": "shop"}, 1),
        ("sorryd_connections_accepted_total", {"site": "shop"}, 11),
        ("sorryd_connections_turned_away_total", {"site": "shop"}, 1),
        ("sorryd_tls_handshakes_total", {"site": "shop", "result": "completed"}, 8),
        ("sorryd_tls_handshakes_total", {"site": "shop", "result": "failed"}, 2),
        ("sorryd_member_requests_in_flight", A, 2),
        ("sorryd_member_connections_idle", A, 4),
        ("sorryd_member_connects_total", A, 3),
        ("sorryd_member_retries_total", A, 1),
        ("sorryd_member_failovers_total", B, 5),
        ("sorryd_member_failures_total", B, 6),
    ],
)
def test_told(name: str, labels: dict[str, str], value: float) -> None:
    """Each number stands where it belongs."""
    assert of(told(overview()), name, **labels) == pytest.approx(value)


def test_quiet_site() -> None:
    """Without windows there are no times of them; without members, they are the cause."""
    view = site("shop")
    series = told(
        overview(
            snapshot=Snapshot(serial=1, sites=(view,)),
            standings={"shop": Standing(phase=Phase.LIVE)},
            numbers=EdgeNumbers(sites=(SiteNumbers(site="shop"),)),
        )
    )
    assert of(series, "sorryd_site_phase", site="shop", phase="live") == 1
    assert of(series, "sorryd_site_cause", site="shop", cause="members") == 1
    assert not labelled(series, "sorryd_site_down_until_timestamp_seconds")
    assert not labelled(series, "sorryd_site_next_window_start_timestamp_seconds")


def test_one_phase() -> None:
    """Of the phases of a site, one is 1."""
    series = told(overview())
    phases = labelled(series, "sorryd_site_phase")
    assert len(phases) == len(Phase)
    assert sum(of(series, "sorryd_site_phase", **one) or 0 for one in phases) == 1


def test_series_from_the_beginning() -> None:
    """All classes of codes are there before the first request: rates would miss it otherwise."""
    numbers = EdgeNumbers(sites=(SiteNumbers(site="shop"),))
    phases = labelled(told(overview(numbers=numbers)), "sorryd_requests_total")
    assert {(one["phase"], one["code"]) for one in phases} == {
        (phase, code)
        for phase in ("live", "down")
        for code in ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
    }


def test_buckets() -> None:
    """There are as many as there are bounds, cumulative, and one for the rest."""
    series = told(overview())
    bounds = [
        float(one["le"])
        for one in labelled(series, "sorryd_request_duration_seconds_bucket")
        if one["member"] == "http://a"
    ]
    assert bounds == [*BOUNDS, float("inf")]


def test_names() -> None:
    """As Prometheus' conventions have them: a prefix, base units, and _total for what grows."""
    for family in text_string_to_metric_families(text(overview(), "", False).decode()):
        if family.name.startswith(("process_", "python_")):
            continue
        assert re.fullmatch(r"sorryd_[a-z_]+", family.name)
        assert not re.search(r"_(ms|millis|kb|minutes)(_|$)", family.name)
        assert family.documentation.endswith(".")


def test_openmetrics() -> None:
    """Who asks for OpenMetrics gets that, and it is read by its strict parser."""
    data = text(overview(), "application/openmetrics-text; version=1.0.0", False).decode()
    families = {family.name: family.type for family in openmetrics(data)}
    assert families["sorryd_requests"] == "counter"
    assert families["sorryd_request_duration_seconds"] == "histogram"
    assert data.endswith("# EOF\n")


def test_strange_names() -> None:
    """What stands in a URL or a file's name can't break a line."""
    strange = 'http://a/"\\\n x'
    view = site("shop", strange)
    series = told(overview(snapshot=Snapshot(serial=1, sites=(view,))))
    assert of(series, "sorryd_member_weight", site="shop", member=strange) == 1


def test_this_process() -> None:
    """The processor time and memory of the control process are told as everywhere."""
    series = told(overview())
    assert (of(series, "process_resident_memory_bytes") or 0) > 1e6
    assert of(series, "process_cpu_seconds_total") is not None
