"""Rules as people write them: what is taken, in which form, and what is refused."""

from __future__ import annotations

import pytest

from sorryd.policy.recurrence_rule import RuleFault, parse


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("daily", "FREQ=DAILY"),
        (" Weekly ", "FREQ=WEEKLY"),
        ("MONTHLY", "FREQ=MONTHLY"),
        ("RRULE:FREQ=WEEKLY;BYDAY=SU", "FREQ=WEEKLY;BYDAY=SU"),
        ("rrule:byday=-1su,1mo;freq=monthly;", "FREQ=MONTHLY;BYDAY=-1SU,1MO"),
        ("FREQ=MONTHLY;BYDAY=+1SU", "FREQ=MONTHLY;BYDAY=1SU"),
        ("INTERVAL=1;FREQ=DAILY", "FREQ=DAILY"),
        ("BYHOUR=04,2;INTERVAL=02;FREQ=DAILY", "FREQ=DAILY;INTERVAL=2;BYHOUR=2,4"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;WKST=SU", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;WKST=SU"),
        ("FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=3"),
        ("FREQ=DAILY;UNTIL=20271231T225959Z", "FREQ=DAILY;UNTIL=20271231T225959Z"),
        ("FREQ=DAILY;UNTIL=20271231T220000", "FREQ=DAILY;UNTIL=20271231T220000"),
        ("FREQ=DAILY;UNTIL=20271231", "FREQ=DAILY;UNTIL=20271231T235959"),
        ("FREQ=HOURLY;BYMINUTE=0,15,30,45", "FREQ=HOURLY;BYMINUTE=0,15,30,45"),
    ],
)
def test_rules(written: str, text: str) -> None:
    """A rule is kept in one form, in which it is a rule again."""
    assert parse(written).text == text
    assert parse(text) == parse(written)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "(nothing): not a part of a rule (say daily, weekly, monthly, or"),
        ("fortnightly", "FORTNIGHTLY: not a part of a rule"),
        ("BYDAY=SU", "FREQ is missing"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ: said twice"),
        ("FREQ=MINUTELY", "FREQ=MINUTELY: more often than HOURLY is not served"),
        ("FREQ=SECONDLY;INTERVAL=86400", "more often than HOURLY"),
        ("FREQ=NIGHTLY", "one of HOURLY, DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("FREQ=YEARLY;BYEASTER=0", "BYEASTER=0: not a part of a rule"),
        ("FREQ=DAILY;BYHOUR", "BYHOUR: not a part of a rule"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR=24: 0 to 23"),
        ("FREQ=DAILY;BYHOUR=2,x", "BYHOUR=X: 0 to 23"),
        ("FREQ=DAILY;BYHOUR=", "BYHOUR=(nothing): 0 to 23"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0: 1 to 9999"),
        ("FREQ=DAILY;COUNT=-1", "COUNT=-1: 1 to 9999"),
        ("FREQ=DAILY;COUNT=1000000000", "COUNT=1000000000: 1 to 9999"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0: 1 to 31, or from the end -1 to -31"),
        ("FREQ=MONTHLY;BYMONTHDAY=-32", "BYMONTHDAY=-32: 1 to 31, or from the end"),
        ("FREQ=WEEKLY;BYDAY=SUN", "BYDAY=SUN: days are MO, TU, WE, TH, FR, SA, SU"),
        ("FREQ=MONTHLY;BYDAY=54MO", "BYDAY=54: 1 to 53"),
        ("FREQ=WEEKLY;WKST=1MO", "WKST=1MO: days are"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL=SOON: say 20271231T225959Z"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL=20270230: there is no such time"),
        ("FREQ=DAILY;UNTIL=20270101;COUNT=2", "COUNT and UNTIL exclude each other"),
        ("FREQ=WEEKLY;BYDAY=1MO", "numbered days make no sense with FREQ=WEEKLY"),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", "numbered days make no sense with BYWEEKNO"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY: makes no sense with FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO: makes no sense with FREQ=MONTHLY"),
        ("FREQ=DAILY;BYYEARDAY=1", "BYYEARDAY: makes no sense with FREQ=DAILY"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS: needs another BY part"),
        ("FREQ=HOURLY;BYMINUTE=0,1,2,3,4", "more often than 4 times an hour"),
        ("FREQ=HOURLY;BYMINUTE=0,1,2;BYSECOND=0,1", "more often than 4 times an hour"),
        ("FREQ=DAILY\x1b[2J", "FREQ=DAILY?[2J: one of"),
        ("FREQ=DAILY;X=" + 100 * "1", "...: not a part of a rule"),
    ],
)
def test_refused(written: str, words: str) -> None:
    """What is no rule, or one that is not served, is refused in one short line that says why."""
    with pytest.raises(RuleFault) as fault:
        parse(written)
    assert words in str(fault.value)
    assert str(fault.value).isprintable()
    assert len(str(fault.value)) < 160
