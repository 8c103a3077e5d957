"""Reloads of a control side in memory: to which configuration, and what they answer."""

from __future__ import annotations

from msgspec.structs import replace
from tests.control.world import CONFIG, A, World, member, site

from sorryd.messages import DaemonReload
from sorryd.model import Config, Site
from sorryd.replies import ReloadResult

SHOP, BLOG = CONFIG.sites
WIKI = site("wiki", member(A))


def with_sites(*sites: Site, **keys: object) -> Config:
    """The configuration with these sites, and other keys of [sorryd]."""
    return replace(CONFIG, sites=sites, **keys)


def told(
    added: tuple[str, ...] = (),
    changed: tuple[str, ...] = (),
    removed: tuple[str, ...] = (),
    settings: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
) -> ReloadResult:
    """A result, empty but for what is said."""
    return ReloadResult(
        added=added, changed=changed, removed=removed, settings=settings, warnings=warnings
    )


def reload(world: World, config: Config) -> ReloadResult:
    """Reload, to `config`."""
    world.preparation.next = config
    answer = world.ask(DaemonReload())
    assert isinstance(answer, ReloadResult)
    return answer
