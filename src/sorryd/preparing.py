"""A new configuration beside the running one: all that can fail is done, and nothing changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from sorryd import ini
from sorryd.access_log import AccessLog, AccessLogFault
from sorryd.admin.port import AdminPort, Held
from sorryd.config import ConfigError, build
from sorryd.control.reloading import Prepared
from sorryd.edge.certificates import SiteCertificates, site_certificates
from sorryd.edge.listener import Bound, ListenFault
from sorryd.edge.tls import TlsFault
from sorryd.errors import ControlError, ErrorCode, conflict
from sorryd.given.pages import Given, given
from sorryd.model import Config
from sorryd.recording import Recording, log_of
from sorryd.sockets import Place, Sockets

_log = Logger()
T = TypeVar("T")
Certificates = Mapping[str, SiteCertificates]  # by the site's name

FIXED: Final = ("control", "control_mode", "control_group", "state")
"""Keys of ``[sorryd]`` that a running daemon can't change: who may ask it, where it writes."""

MOST_FAULTS: Final = 100
"""Faults of a file that one answer tells."""


class Fittings(NamedTuple):
    """What the edge needs of a configuration."""

    config: Config
    bound: Mapping[Place, Bound]
    certificates: Certificates
    log: AccessLog | None
    given: Given
    admin: Held | None


class _Ready:
    """See control.reloading.Prepared."""

    def __init__(self, preparing: Preparing, fittings: Fittings) -> None:
        self.recertified = preparing.recertified(fittings.certificates)
        self.warnings = preparing.warnings(fittings.certificates)
        self._preparing = preparing
        self._fittings = fittings

    def take_effect(self) -> Deferred[Sequence[str]]:
        if self._preparing.is_stopped:
            self.drop()
            return succeed(())
        return self._preparing.fit(self._fittings)

    def drop(self) -> None:
        self._preparing.sockets.drop(self._fittings.bound)
        self._preparing.recording.drop(self._fittings.log)
        self._preparing.admin.drop(self._fittings.admin)


class Preparing:
    """See control.reloading.Prepares. Files are read in a thread: no visitor waits for them.

    `shown` gives the certificates that are shown now, `fit` puts fittings in place.
    """

    def __init__(
        self,
        reactor: Any,
        sockets: Sockets,
        recording: Recording,
        admin: AdminPort,
        shown: Callable[[], Certificates],
        fit: Callable[[Fittings], Deferred[Sequence[str]]],
        now: Callable[[], float],
    ) -> None:
        self.sockets = sockets
        self.recording = recording
        self.admin = admin
        self.fit = fit
        self.is_stopped = False
        self._reactor = reactor
        self._shown = shown
        self._now = now

    def stop(self) -> None:
        """Let nothing take effect any more: it would open again what is being closed."""
        self.is_stopped = True

    def load(self, running: Config) -> Deferred[Config]:
        """The file of the `running` configuration as it is now."""
        return Deferred.fromCoroutine(self._load(running))

    def prepare(self, config: Config) -> Deferred[Prepared]:
        """Bind and open what is new in `config`, and load all certificates."""
        return Deferred.fromCoroutine(self._prepare(config))

    def recertified(self, certificates: Certificates) -> frozenset[str]:
        """The sites that show something else than `certificates` now."""
        before = {name: one.chains for name, one in self._shown().items()}
        after = {name: one.chains for name, one in certificates.items()}
        names = before.keys() | after.keys()
        return frozenset(name for name in names if before.get(name) != after.get(name))

    def warnings(self, certificates: Certificates) -> tuple[str, ...]:
        """What the operator should know of `certificates`."""
        now = self._now()
        return tuple(
            f"{name}: {text}" for name, one in certificates.items() for text in one.warnings(now)
        )

    async def _load(self, running: Config) -> Config:
        try:
            return await self._in_thread(_read, running)
        except ConfigError as error:
            raise _refusal(running.file, error.faults) from None

    async def _prepare(self, config: Config) -> Prepared:
        try:
            return _Ready(self, await self._fittings(config))
        except (ListenFault, TlsFault, AccessLogFault) as fault:
            raise conflict(f"nothing was changed: {fault}") from None

    async def _fittings(self, config: Config) -> Fittings:
        bound = self.sockets.bind(config.sites)
        admin = None
        try:
            admin = self.admin.bind(config.admin)
            certificates = await self._in_thread(certificates_of, config)
            found = await self._in_thread(self._given_of, config)
            log = self.recording.open(log_of(config))
            return Fittings(config, bound, certificates, log, found, admin)
        except BaseException:
            self.sockets.drop(bound)
            self.admin.drop(admin)
            raise

    def _given_of(self, config: Config) -> Given:
        return given(config.sites, own_folder(config), self._now())

    def _in_thread(self, function: Callable[[Config], T], config: Config) -> Deferred[T]:
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), function, config)


def own_folder(config: Config) -> str:
    """Where sorryd's own certificates, keys and copies of pages are."""
    return os.path.dirname(config.state)


def certificates_of(config: Config) -> Certificates:
    """What the sites of `config` show. Raises TlsFault."""
    folder = own_folder(config)
    return {
        site.name: site_certificates(site, folder) for site in config.sites if site.certificates
    }


def warn_of_unverified(config: Config) -> None:
    """Say which members of `config` are not verified."""
    for site in config.sites:
        for member in site.members:
            if member.tls is not None and not member.tls.verify:
                _log.warn("member {url}: verify=no: anybody could answer for it", url=member.url)


def _read(running: Config) -> Config:
    document = ini.read(running.file)
    config = build(document)
    if faults := _fixed(document, running, config):
        raise ConfigError(faults)
    return config


def _fixed(document: ini.Document, running: Config, new: Config) -> tuple[ini.Fault, ...]:
    """What of `new` a running daemon can't take over."""
    section = document.sections.get("sorryd", ini.Section("sorryd", 1))
    return tuple(
        ini.Fault(
            document.file,
            section.entries[key].line if key in section.entries else section.line,
            "sorryd",
            key,
            "changes only with a restart",
        )
        for key in FIXED
        if getattr(running, key) != getattr(new, key)
    )


def _refusal(file: str, faults: Sequence[ini.Fault]) -> ControlError:
    told = [str(fault) for fault in faults[:MOST_FAULTS]]
    if len(faults) > MOST_FAULTS:
        told.append(f"... and {len(faults) - MOST_FAULTS} more")
    text = f"{file} is refused, and nothing was changed"
    return ControlError(ErrorCode.CONFLICT, text, faults=tuple(told))
