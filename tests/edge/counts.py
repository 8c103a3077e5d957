"""What a site has counted, in a form that tests can say."""

from __future__ import annotations

from collections.abc import Iterator

from sorryd.numbers import CLASSES, PHASES, Answered, SiteNumbers, by_class


def everybody(numbers: SiteNumbers) -> Iterator[tuple[str, Answered]]:
    """Who answered, by the last letter of a member's name, and what; "" is sorryd itself."""
    yield "", numbers.itself
    yield from ((one.url[-1], one.answered) for one in numbers.members)


def counted(numbers: SiteNumbers) -> int:
    """How many requests were counted; by their codes as many as by their durations."""
    by_code = sum(sum(answered.answers) for _, answered in everybody(numbers))
    assert by_code == sum(sum(answered.durations) for _, answered in everybody(numbers))
    return by_code


def codes(numbers: SiteNumbers) -> dict[str, int]:
    """Requests as ``a live 2xx``: those that there were."""
    return {
        f"{who} {phase} {kind}".strip(): count
        for who, answered in everybody(numbers)
        for phase in PHASES
        for kind, count in zip(CLASSES, by_class(answered, phase), strict=True)
        if count
    }
