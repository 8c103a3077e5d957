"""What a command changes of a member, decided from what is so. Pure: nothing is done here."""

from __future__ import annotations

from msgspec.structs import replace

from sorryd.control.decisions import Decision, Known, check_site
from sorryd.control.missing import no_member
from sorryd.errors import conflict, invalid_params
from sorryd.journal import MemberPut
from sorryd.messages import MemberSet
from sorryd.model import Member, Site


def find_member(known: Known, request: MemberSet) -> tuple[Site, Member]:
    """The member that `url`, or SITE/URL, means. Raises ControlError unless it is one."""
    check_site(known, request.site)
    wanted = request.url.rstrip("/")
    found = [
        (site, member)
        for site in known.config.sites
        if request.site in (None, site.name)
        for member in site.members
        if wanted in (member.url.rstrip("/"), f"{site.name}/{member.url}".rstrip("/"))
    ]
    if not found:
        raise no_member(request.url, known.config, request.site)
    if len(found) > 1:
        names = ", ".join(f"{site.name}/{member.url}" for site, member in found)
        raise conflict(f"{request.url} is a member of several sites: say one of {names}", "url")
    return found[0]


def set_member(old: MemberPut, request: MemberSet) -> Decision:
    """Give a member another state, weight, or both. Weight 0 gets no requests."""
    if request.state is None and request.weight is None:
        raise invalid_params("say a state, a weight, or both", "state")
    new = replace(
        old,
        state=old.state if request.state is None else request.state,
        weight=old.weight if request.weight is None else request.weight,
    )
    return Decision() if new == old else Decision(changes=(new,), before=(old,))
