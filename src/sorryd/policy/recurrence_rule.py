"""Recurrence rules as people write them, judged and put in one form (RFC 5545 §3.3.10).

Pure. A `Rule` says how often; `recurrence` says when.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from functools import lru_cache
from math import prod
from typing import Final

from sorryd.model import Value

WORDS: Final = {"daily": "FREQ=DAILY", "weekly": "FREQ=WEEKLY", "monthly": "FREQ=MONTHLY"}
MOST_AN_HOUR: Final = 4
"""Instances that a rule may have in an hour."""

_FREQUENCIES: Final = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_TOO_OFTEN: Final = frozenset({"SECONDLY", "MINUTELY"})
_PLAIN: Final = {  # lists of numbers: the least and the largest
    "BYMONTH": (1, 12),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
}
_SIGNED: Final = {  # lists of numbers, also from the end: the largest
    "BYWEEKNO": 53,
    "BYYEARDAY": 366,
    "BYMONTHDAY": 31,
    "BYSETPOS": 366,
}
_ONE: Final = {"INTERVAL": (1, 9999), "COUNT": (1, 9999)}
_ORDER: Final = (
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY"),
    *("BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS", "WKST"),
)
_NOT_WITH: Final = {  # the table of §3.3.10: where a part makes no sense
    "BYWEEKNO": frozenset({"HOURLY", "DAILY", "WEEKLY", "MONTHLY"}),
    "BYYEARDAY": frozenset({"DAILY", "WEEKLY", "MONTHLY"}),
    "BYMONTHDAY": frozenset({"WEEKLY"}),
}
_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER: Final = re.compile(r"[+-]?\d{1,6}")
_UNTIL: Final = re.compile(r"\d{8}(T\d{6}Z?)?")
_SAY: Final = "say daily, weekly, monthly, or a rule such as FREQ=WEEKLY;BYDAY=SU"


class RuleFault(ValueError):
    """What was written is no rule, or none that is served; its str says why."""


class Rule(Value, frozen=True, kw_only=True):
    """A rule; `text` is all of it in one form, without ``RRULE:``.

    `by` is it without COUNT and UNTIL. UNTIL is the instant `until_utc`, or `until_local`, a local
    time without a zone. Both are the last that may be.
    """

    text: str
    by: str
    frequency: str
    interval: int = 1
    count: int | None = None
    until_utc: float | None = None
    until_local: datetime | None = None

    def has(self, *names: str) -> bool:
        """Whether one of these parts is there."""
        return any(f";{name}=" in self.by for name in names)

    def also(self, name: str, value: int) -> Rule:
        """The same rule with one more part."""
        return parse(f"{self.text};{name}={value}")


@lru_cache(maxsize=4096)
def parse(text: str) -> Rule:
    """``daily``, ``weekly``, ``monthly`` or an RRULE, also with ``RRULE:`` before it.

    From HOURLY to YEARLY. UNTIL may be UTC, local, or a day, of which all is meant. Raises
    RuleFault.
    """
    words = text.strip()
    words = WORDS.get(words.lower(), words.upper().removeprefix("RRULE:"))
    parts = _parts(words)
    frequency = parts["FREQ"]
    _check_together(parts, frequency)
    until_utc, until_local = _until(parts.get("UNTIL"))
    if until_local is not None:
        parts["UNTIL"] = f"{until_local:%Y%m%dT%H%M%S}"
    if parts.get("INTERVAL") == "1":
        del parts["INTERVAL"]
    in_order: dict[str, str] = {name: parts[name] for name in _ORDER if name in parts}
    return Rule(
        text=_joined(in_order),
        by=_joined({name: of for name, of in in_order.items() if name not in ("COUNT", "UNTIL")}),
        frequency=frequency,
        interval=int(parts.get("INTERVAL", 1)),
        count=int(parts["COUNT"]) if "COUNT" in parts else None,
        until_utc=until_utc,
        until_local=until_local,
    )


def _joined(parts: dict[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _parts(words: str) -> dict[str, str]:
    """The parts of a rule by name, each judged by itself."""
    parts: dict[str, str] = {}
    for part in words.removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if name not in _ORDER or not equals:
            raise RuleFault(f"{_shown(part)}: not a part of a rule ({_SAY})")
        if name in parts:
            raise RuleFault(f"{name}: said twice")
        parts[name] = _value(name, value)
    if "FREQ" not in parts:
        raise RuleFault(f"FREQ is missing ({_SAY})")
    return parts


def _value(name: str, value: str) -> str:
    match name:
        case "FREQ":
            if value in _TOO_OFTEN:
                raise RuleFault(f"FREQ={value}: more often than HOURLY is not served")
            if value not in _FREQUENCIES:
                raise RuleFault(f"FREQ={_shown(value)}: one of {', '.join(_FREQUENCIES)}")
            return value
        case "UNTIL":
            if not _UNTIL.fullmatch(value):
                raise RuleFault(f"UNTIL={_shown(value)}: say 20271231T225959Z, or without the Z")
            return value
        case "WKST":
            return _weekday(name, value, numbered=False)
        case "BYDAY":
            return ",".join(_weekday(name, one, numbered=True) for one in value.split(","))
        case _ if name in _ONE:
            return str(_number(name, value, *_ONE[name]))
        case _ if name in _PLAIN:
            return _numbers(name, value, *_PLAIN[name])
        case _:
            return _numbers(name, value, -_SIGNED[name], _SIGNED[name])


def _weekday(name: str, value: str, *, numbered: bool) -> str:
    match = _DAY.fullmatch(value)
    if match is None or (match[1] and not numbered):
        raise RuleFault(f"{name}={_shown(value)}: days are MO, TU, WE, TH, FR, SA, SU")
    if not match[1]:
        return value
    return f"{_number(name, match[1], -53, 53)}{match[2]}"


def _numbers(name: str, value: str, least: int, largest: int) -> str:
    found = {_number(name, one, least, largest) for one in value.split(",")}
    return ",".join(map(str, sorted(found)))


def _number(name: str, value: str, least: int, largest: int) -> int:
    number = int(value) if _NUMBER.fullmatch(value) else None
    if number is None or not least <= number <= largest or (least < 0 and number == 0):
        from_end = f", or from the end -1 to {least}" if least < 0 else ""
        first = 0 if least == 0 else 1
        raise RuleFault(f"{name}={_shown(value)}: {first} to {largest}{from_end}")
    return number


def _check_together(parts: dict[str, str], frequency: str) -> None:
    """Raise RuleFault where parts do not go with each other."""
    for name, others in _NOT_WITH.items():
        if name in parts and frequency in others:
            raise RuleFault(f"{name}: makes no sense with FREQ={frequency}")
    numbered = any(character.isdigit() for character in parts.get("BYDAY", ""))
    if numbered and (frequency not in ("MONTHLY", "YEARLY") or "BYWEEKNO" in parts):
        where = "BYWEEKNO" if "BYWEEKNO" in parts else f"FREQ={frequency}"
        raise RuleFault(f"BYDAY={parts['BYDAY']}: numbered days make no sense with {where}")
    if "BYSETPOS" in parts and not any(n.startswith("BY") and n != "BYSETPOS" for n in parts):
        raise RuleFault("BYSETPOS: needs another BY part to choose from")
    if "COUNT" in parts and "UNTIL" in parts:
        raise RuleFault("COUNT and UNTIL exclude each other")
    if prod(parts.get(name, "").count(",") + 1 for name in ("BYMINUTE", "BYSECOND")) > MOST_AN_HOUR:
        raise RuleFault(f"more often than {MOST_AN_HOUR} times an hour is not served")


def _until(value: str | None) -> tuple[float | None, datetime | None]:
    """UNTIL as an instant, or as a local time."""
    if value is None:
        return None, None
    try:
        if len(value) == 8:
            day = datetime.strptime(value, "%Y%m%d")
            return None, datetime.combine(day, time(23, 59, 59))
        at = datetime.strptime(value.removesuffix("Z"), "%Y%m%dT%H%M%S")
    except ValueError:
        raise RuleFault(f"UNTIL={value}: there is no such time") from None
    return (at.replace(tzinfo=UTC).timestamp(), None) if value.endswith("Z") else (None, at)


def _shown(text: str) -> str:
    """The text as a message may hold it: one line, printable, not too long."""
    line = "".join(character if character.isprintable() else "?" for character in text)
    return (line if len(line) <= 60 else f"{line[:57]}...") or "(nothing)"
