"""What Prometheus is told, as families of metrics. Pure.

docs/metrics.md has them as a list for people. Labels are bounded by what is configured: nothing
that a visitor sends becomes one.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from sorryd.admin.families import Counter, Durations, Gauge
from sorryd.admin.overview import Overview
from sorryd.model import Cause, Health, MemberState, Phase
from sorryd.numbers import CAUSES, CLASSES, PHASES, Answered, MemberNumbers, SiteNumbers, by_class
from sorryd.policy.health import any_up
from sorryd.snapshot import SiteView

OWN = ""
"""The member of requests for which none was asked: sorryd itself."""


def families(seen: Overview) -> Iterator[Metric]:
    """All of them."""
    yield from _daemon(seen)
    yield from _sites(seen)
    yield from _members(seen)
    yield from _requests(seen)
    yield from _connections(seen)
    yield from _traffic_of_members(seen)


# --- the daemon -----------------------------------------------------------------------------


def _daemon(seen: Overview) -> Iterator[Metric]:
    build = Gauge("sorryd_build_info", "What runs; always 1.")
    build.set(1, version=seen.version, python=seen.python)
    yield build
    serial = Gauge("sorryd_snapshot_serial", "How often what edges serve by was published.")
    serial.set(seen.snapshot.serial)
    yield serial
    failures = Counter("sorryd_journal_failures", "What the journal refused, or could not give.")
    failures.count(seen.journal_failures)
    yield failures
    up = Gauge("sorryd_worker_up", "Whether the worker is there.")
    restarts = Counter("sorryd_worker_restarts", "How often the worker died, and was replaced.")
    leaving = Gauge("sorryd_workers_leaving", "Replaced workers that finish what is in flight.")
    leaving.set(sum(worker.is_leaving for worker in seen.workers))
    for worker in seen.workers:
        if not worker.is_leaving:
            up.set(float(worker.pid is not None), worker=str(worker.number))
            restarts.count(worker.restarts, worker=str(worker.number))
    yield from (up, restarts, leaving)
    expiry = Gauge(
        "sorryd_certificate_expiry_timestamp_seconds", "When a certificate in use expires."
    )
    for shown in seen.certificates:
        expiry.set(shown.expires, site=shown.site, file=shown.file)
    yield expiry


# --- sites ----------------------------------------------------------------------------------


def _sites(seen: Overview) -> Iterator[Metric]:
    phase = Gauge("sorryd_site_phase", "1 for the phase in which a site is, 0 for the others.")
    cause = Gauge("sorryd_site_cause", "1 for why visitors get the apology, 0 for other causes.")
    ending = Gauge("sorryd_site_down_until_timestamp_seconds", "The promised end of a down-time.")
    coming = Gauge("sorryd_site_next_window_start_timestamp_seconds", "The next planned window.")
    for view in seen.snapshot.sites:
        name, standing = view.site.name, seen.standings[view.site.name]
        phase.set_one_of(Phase, standing.phase, "phase", site=name)
        why = standing.cause or _without_members(view)
        for one in Cause:
            cause.set(float(one is why), site=name, cause=one.value)
        if standing.until is not None:
            ending.set(standing.until, site=name)
        if standing.next is not None:
            coming.set(standing.next.start, site=name)
    yield from (phase, cause, ending, coming)


def _without_members(view: SiteView) -> Cause | None:
    return None if any_up(view.members) else Cause.MEMBERS


def _members(seen: Overview) -> Iterator[Metric]:
    health = Gauge("sorryd_member_health", "1 for how a member is, 0 for what it is not.")
    state = Gauge("sorryd_member_state", "1 for what is wanted of a member, 0 for the others.")
    weight = Gauge("sorryd_member_weight", "The weight of a member now.")
    for view in seen.snapshot.sites:
        for member in view.members:
            labels = {"site": view.site.name, "member": member.member.url}
            health.set_one_of(Health, member.health, "health", **labels)
            state.set_one_of(MemberState, member.state, "state", **labels)
            weight.set(member.weight * member.ramp, **labels)
    yield from (health, state, weight)


# --- requests -------------------------------------------------------------------------------


def _requests(seen: Overview) -> Iterator[Metric]:
    total = Counter("sorryd_requests", "Requests that are over.")
    durations = Durations(
        "sorryd_request_duration_seconds", "From a request's head to the end of its answer."
    )
    sent = Counter("sorryd_sent_bytes", "Bytes of answers to visitors, within TLS.")
    for site in seen.numbers.sites:
        phase = seen.standings[site.site].phase
        for member, answered in _answered(site):
            labels = {"site": site.site, "member": member}
            _count_answers(total, answered, phase, labels)
            durations.put(answered, labels)
            sent.count(answered.sent, **labels)
    yield from (total, durations, sent)
    apologies = Counter("sorryd_apologies", "Requests that got the apology.")
    unfinished = Counter("sorryd_requests_unfinished", "Requests without a whole answer.")
    waiting = Gauge("sorryd_queue_requests", "Requests that wait until a member has room.")
    for site in seen.numbers.sites:
        for cause, count in zip(CAUSES, site.apologies, strict=True):
            apologies.count(count, site=site.site, cause=cause.value)
        for ended in site.ended:
            unfinished.count(ended.requests, site=site.site, end=ended.how)
        waiting.set(site.waiting, site=site.site)
    yield from (apologies, unfinished, waiting)


def _answered(site: SiteNumbers) -> Iterator[tuple[str, Answered]]:
    yield OWN, site.itself
    yield from ((one.url, one.answered) for one in site.members)


def _count_answers(total: Counter, answered: Answered, now: Phase, labels: dict[str, str]) -> None:
    """All classes of the phase of now and of those that had requests: of series that are not
    there from the beginning, Prometheus would miss the first requests."""
    for phase in PHASES:
        row = by_class(answered, phase)
        if phase is now or phase is Phase.LIVE or any(row):
            for code, count in zip(CLASSES, row, strict=True):
                total.count(count, **labels, phase=phase.value, code=code)


# --- connections ----------------------------------------------------------------------------


def _connections(seen: Overview) -> Iterator[Metric]:
    now = Gauge("sorryd_connections", "Connections of visitors, tunnels too.")
    tunnels = Gauge("sorryd_tunnels", "Upgraded connections, such as WebSockets.")
    accepted = Counter("sorryd_connections_accepted", "Connections of visitors that were accepted.")
    away = Counter("sorryd_connections_turned_away", "Those over max_connections.")
    handshakes = Counter("sorryd_tls_handshakes", "TLS handshakes of visitors, by how they ended.")
    received = Counter("sorryd_received_bytes", "Bytes that visitors sent, within TLS.")
    for site in seen.numbers.sites:
        now.set(site.open, site=site.site)
        tunnels.set(site.tunnels, site=site.site)
        accepted.count(site.accepted, site=site.site)
        away.count(site.turned_away, site=site.site)
        handshakes.count(site.handshakes, site=site.site, result="completed")
        handshakes.count(site.broken_handshakes, site=site.site, result="failed")
        received.count(site.received, site=site.site)
    yield from (now, tunnels, accepted, away, handshakes, received)


def _traffic_of_members(seen: Overview) -> Iterator[Metric]:
    in_flight = Gauge("sorryd_member_requests_in_flight", "Requests and tunnels at a member.")
    idle = Gauge(
        "sorryd_member_connections_idle", "Connections that are kept for the next request."
    )
    connects = Counter("sorryd_member_connects", "Attempts to connect to a member for a request.")
    retries = Counter("sorryd_member_retries", "Requests sent again: a kept connection had ended.")
    failovers = Counter("sorryd_member_failovers", "Requests that another member took over.")
    failures = Counter("sorryd_member_failures", "Failures that a member was blamed for.")

    def tell(one: MemberNumbers, labels: dict[str, str]) -> None:
        in_flight.set(one.in_flight, **labels)
        idle.set(one.idle, **labels)
        connects.count(one.connects, **labels)
        retries.count(one.retries, **labels)
        failovers.count(one.failovers, **labels)
        failures.count(one.failures, **labels)

    for site in seen.numbers.sites:
        for one in site.members:
            tell(one, {"site": site.site, "member": one.url})
    yield from (in_flight, idle, connects, retries, failovers, failures)
