"""The proleptic Gregorian calendar in exact integers, for any year.

Years are astronomical: 0000 exists and is 1 BCE. Seconds are Unix seconds in UTC, which know no leap seconds.
"""

from datetime import date

YEAR_MAX = 200_000_000_000
"""The last year read, and as many before the year 0; seconds in 64 bits reach to some 292 billion."""

DAY_SECONDS = 86_400

# Every 400 years the calendar repeats itself to the day. Reducing a year to its cycle makes the standard
# library's quick arithmetic serve for all of them, although its own years end at 9999.
_CYCLE_YEARS = 400
_CYCLE_DAYS = 146_097
_EPOCH = date(1970, 1, 1).toordinal()

_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; ValueError where the calendar has no such day."""
    cycle, remainder = divmod(year - 1, _CYCLE_YEARS)
    return cycle * _CYCLE_DAYS + date(remainder + 1, month, day).toordinal() - _EPOCH


def civil(day: int) -> tuple[int, int, int]:
    """Year, month and day of a count of days since 1970-01-01."""
    cycle, remainder = divmod(day + _EPOCH - 1, _CYCLE_DAYS)
    there = date.fromordinal(remainder + 1)
    return cycle * _CYCLE_YEARS + there.year, there.month, there.day


def seconds_of(year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Unix seconds of a moment in UTC; ValueError where the calendar has no such day."""
    return day_number(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second


def year_start(year: int) -> int:
    """The first second of a year; the last one is `year_start(year + 1) - 1`."""
    return day_number(year, 1, 1) * DAY_SECONDS


def year_text(year: int) -> str:
    """At least four digits; a year of more carries its sign: `0409`, `-0043`, `+170000002`."""
    if 0 <= year <= 9999:
        return f"{year:04d}"
    sign = "-" if year < 0 else "+"
    return f"{sign}{abs(year):04d}"


def bound_text(seconds: int, time: bool) -> str:
    """The day of a second, as `2025-02-19`, or with `time` the second itself, as `2025-02-19T09:14:03Z`."""
    days, rest = divmod(seconds, DAY_SECONDS)
    year, month, day = civil(days)
    text = f"{year_text(year)}-{month:02d}-{day:02d}"
    if not time:
        return text
    return f"{text}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"
