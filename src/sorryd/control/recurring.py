"""What a command means for a series, and for its instances. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from msgspec.structs import replace

from sorryd.errors import conflict
from sorryd.policy.acting import acts
from sorryd.policy.instances import Series, has, instance
from sorryd.policy.recurrence_rule import parse
from sorryd.window import Window


def is_same(new: Window, old: Window) -> bool:
    """Whether `new`, planned again under the id of `old`, says nothing new.

    Nor does a series that begins with an instance of the old one: ``--from 02:00`` means another
    day each day.
    """
    said = replace(
        new,
        author=old.author,
        sequence=old.sequence,
        changed=old.changed,
        renewed=old.renewed,
    )
    if said == old or new.every is None or old.every != new.every:
        return said == old
    if new.end is None or old.end is None or parse(new.every).count is not None:
        return False
    moved = replace(said, start=old.start, end=old.start + (new.end - new.start))
    return moved == old and new.start > old.start and has(old, new.start)


def left_over(
    old: Window,
    new: Window,
    alive: Iterable[Window],
    series: Sequence[Series],
    taken: Container[str],
    now: float,
) -> Iterator[Window]:
    """What else changes when `new` takes the place of `old`, and one of them is a series.

    What is open goes on as it was. Instances that were changed one by one are cancelled where the
    new rule has not got them. `taken` are the ids of those that the journal has.
    """
    if old.every is None:
        if new.every is not None and acts(old, now):
            as_first = replace(new, start=old.start, end=old.end)
            name = instance(as_first, old.start, taken).id
            yield replace(old, id=name, series=old.id, recurs=old.start)
        return
    kept = next((one.kept for one in series if one.window.id == old.id), frozenset())
    for one in alive:
        if one.series != old.id or one.recurs is None:
            continue
        if acts(one, now):
            yield one
        elif one.recurs in kept and not (_recurs(new) and has(new, one.recurs)):
            yield replace(one, cancelled=now, sequence=one.sequence + 1)


def open_instance(series: Window, alive: Iterable[Window], now: float) -> Window:
    """The instance of `series` that is open. Raises ControlError unless there is one."""
    mine = [one for one in alive if one.series == series.id]
    found = [one for one in mine if acts(one, now)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(one.id for one in found)
        raise conflict(f"several instances of {series.id} are open: say one of {names}", "id")
    coming = mine[0].id if mine else f"{series.id}@FROM"
    raise conflict(f"no instance of {series.id} is open: say one, such as {coming}", "id")


def going_on(changed: Iterable[Window], now: float) -> Iterator[str]:
    """Warnings on instances that go on as they were."""
    for one in changed:
        if acts(one, now):
            yield f"{one.id} is open and goes on as it was (sorryctl end {one.id} ends it)"


def _recurs(window: Window) -> bool:
    return window.every is not None and not window.is_final
