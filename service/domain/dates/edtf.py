"""EDTF (ISO 8601-2, Library of Congress 2019), levels 0 to 2, read into exact bounds.

The text is the truth; bounds, precision and flags follow from it. Where the specification is silent:

- `24:00:00` is the first second of the next day. Leap seconds (`:60`) are refused, as Unix time has none.
- Offsets run from -12:00 to +14:00; `-00:00` is refused, as in ISO 8601.
- A time of day stands alone, in no interval and no set, and takes no qualifier and no X.
- An interval is refused where no reading of its ends puts the start before the end: `2004-06-11/2003` is,
  `2004-06-11/2004` is not. Both its years are written with Y or neither.
- Both ends of a range in a set have the same precision; only the first member may begin and only the last
  may end with `..`.
- A year with Y has more than four digits once its exponent is multiplied out. Significant digits count from
  the left of the year as written, leading zeros included, just as X does.
- Masked digits stand for all days of the calendar that fit them; where none does, the date is refused.
"""

import re
from functools import cached_property
from typing import Final, NoReturn

import msgspec

from service.domain.dates import display, suggestions
from service.domain.dates.grammar import (
    DAY,
    DAYS,
    LONGER,
    MONTH,
    MONTHS,
    PAIRS,
    POINT,
    PRECISIONS,
    SEASON,
    SEASONS,
    SECOND,
    TEXT_LENGTH_MAX,
    TIME,
    YEAR,
    Precision,
)
from service.domain.dates.gregorian import (
    DAY_SECONDS,
    YEAR_MAX,
    bound_text,
    day_number,
    days_in_month,
    year_start,
)

EARLIEST: Final = -(2**63)
"""Stands for an open or unknown start where a number is needed: before every date."""
LATEST: Final = 2**63 - 1
"""Stands for an open or unknown end where a number is needed: after every date."""

_OFFSET_MINUTES = range(-12 * 60, 14 * 60 + 1)


class DateError(ValueError):
    """A text that is no EDTF date: what is wrong with it, and the index where, its length at the most."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        super().__init__(f"{reason} (at character {position + 1})")
        self.text = text
        self.position = position
        self.reason = reason

    @cached_property
    def suggestion(self) -> str | None:
        """An EDTF date that was probably meant, if there is one."""
        return suggestions.suggest(self.text, _is_valid)


class Date(msgspec.Struct, frozen=True):
    """One EDTF date, date-time, interval or set, with its outer bounds in inclusive Unix seconds.

    `start` and `end` are None where open or unknown; a day ends at its 23:59:59. `precision` is one of
    PRECISIONS, that of the coarser end or member. `is_point` tells one date or date-time, masked or qualified
    as it may be, from an interval or a set.
    """

    edtf: str
    start: int | None
    end: int | None
    precision: Precision
    approximate: bool
    uncertain: bool
    is_point: bool
    has_time: bool

    @property
    def earliest(self) -> str | None:
        """The outer lower bound: a day, or a second in UTC where a time of day is given; None as `start`."""
        return None if self.start is None else bound_text(self.start, self.has_time)

    @property
    def latest(self) -> str | None:
        """The outer upper bound, in the same form; None as `end`."""
        return None if self.end is None else bound_text(self.end, self.has_time)

    @property
    def display(self) -> str:
        """The date in English, at most 300 characters."""
        return display.describe(self.edtf)


# First second, last second, and the index of the precision in PRECISIONS.
_Span = tuple[int, int, int]
_OpenSpan = tuple[int | None, int | None, int]

_MARK = re.compile("[?~%X]")
_FEBRUARY = (2,)
_LEAP_DAY = (29,)

_NO_YEAR = "there is no year -0000; the year 0000 is 1 BCE"
_FOUR_DIGITS = "a year has four digits, and a longer one begins with Y"
_OFFSETS = "an offset from UTC lies between -12:00 and +14:00, and is +00:00 where there is none"


def parse(text: str) -> Date:
    """The date that a text states; DateError where it states none, for any text whatsoever."""
    if len(text) > TEXT_LENGTH_MAX:
        _refuse(text, TEXT_LENGTH_MAX, f"a date has at most {TEXT_LENGTH_MAX} characters")
    is_point = has_time = False
    start: int | None
    end: int | None
    if text[:1] in ("[", "{"):
        start, end, unit = _set(text)
    elif "/" in text:
        start, end, unit = _interval(text)
    else:
        is_point = True
        if "T" in text:
            has_time = True
            start, end, unit = _date_time(text)
        else:
            start, end, unit = _point(text, 0, len(text))
    both = "%" in text
    return Date(text, start, end, PRECISIONS[unit], both or "~" in text, both or "?" in text, is_point, has_time)


def _is_valid(text: str) -> bool:
    try:
        parse(text)
    except DateError:
        return False
    return True


def _refuse(text: str, position: int, reason: str) -> NoReturn:
    raise DateError(text, position, reason)


def _set(text: str) -> _OpenSpan:
    close = "]" if text[0] == "[" else "}"
    last = len(text) - 1
    if last == 0 or text[last] != close:
        _refuse(text, len(text), f"a set that begins with {text[0]} ends with {close}")
    start: int | None = LATEST
    end: int | None = EARLIEST
    coarsest = SECOND
    begin = 1
    for member in text[1:last].split(","):
        stop = begin + len(member)
        low, high, unit = _member(text, begin, stop, open_start=begin == 1, open_end=stop == last)
        start = None if start is None or low is None else min(start, low)
        end = None if end is None or high is None else max(end, high)
        coarsest = max(coarsest, unit)
        begin = stop + 1
    return start, end, coarsest


def _member(text: str, begin: int, stop: int, *, open_start: bool, open_end: bool) -> _OpenSpan:
    dots = text.find("..", begin, stop)
    if dots < 0:
        return _point(text, begin, stop)
    if dots == begin:
        if not open_start:
            _refuse(text, dots, "only the first member of a set may begin with ..")
        _, end, unit = _point(text, begin + 2, stop)
        return None, end, unit
    start, _, unit = _point(text, begin, dots)
    if dots + 2 == stop:
        if not open_end:
            _refuse(text, dots, "only the last member of a set may end with ..")
        return start, None, unit
    _, end, end_unit = _point(text, dots + 2, stop)
    if unit != end_unit:
        _refuse(text, dots + 2, "both ends of a range in a set have the same precision")
    if start > end:
        _refuse(text, dots + 2, "the range ends before it starts")
    return start, end, unit


def _interval(text: str) -> _OpenSpan:
    slash = text.index("/")
    begin = slash + 1
    again = text.find("/", begin)
    if again >= 0:
        _refuse(text, again, "an interval has one / only")
    start = end = None
    coarsest = SECOND
    left, right = text[:slash], text[begin:]
    if left not in ("", ".."):
        start, _, coarsest = _point(text, 0, slash)
    if right not in ("", ".."):
        _, end, unit = _point(text, begin, len(text))
        coarsest = max(coarsest, unit)
    if coarsest == SECOND:
        return None, None, LONGER
    if start is not None and end is not None:
        if start > end:
            _refuse(text, begin, "the interval ends before it starts")
        if ("Y" in left) != ("Y" in right):
            _refuse(text, begin, "either both years of an interval are written with Y or neither")
    return start, end, coarsest


def _date_time(text: str) -> _Span:
    letter = text.index("T")
    start, _, unit = _point(text, 0, letter)
    mark = _MARK.search(text, 0, letter)
    if mark is not None:
        _refuse(text, mark.start(), "a date with a time of day has no qualifier and no X")
    if unit != DAY:
        _refuse(text, letter, "a time of day follows a whole date")
    begin = letter + 1
    match = TIME.fullmatch(text, begin)
    if match is None:
        _refuse_time(text, begin)
    hour, minute, second, sign, offset_hours, offset_minutes = match.groups()
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    if seconds > DAY_SECONDS:
        _refuse(text, begin, "after 24:00:00 comes the next day")
    if sign is not None:
        offset = int(sign + offset_hours) * 60 + int(sign + (offset_minutes or "00"))
        if offset not in _OFFSET_MINUTES or (sign == "-" and offset == 0):
            _refuse(text, match.start(4), _OFFSETS)
        seconds -= offset * 60
    moment = start + seconds
    return moment, moment, SECOND


def _refuse_time(text: str, begin: int) -> NoReturn:
    for place, pattern in enumerate("00:00:00", begin):
        found = text[place : place + 1]
        if not (found == ":" if pattern == ":" else "0" <= found <= "9"):
            _refuse(text, place, "a time of day is written hh:mm:ss")
    if text[begin : begin + 2] > "24":
        _refuse(text, begin, "a day has 24 hours")
    if text[begin + 3] > "5":
        _refuse(text, begin + 3, "an hour has 60 minutes")
    if text[begin + 6] > "5":
        _refuse(text, begin + 6, "a minute has 60 seconds, and a leap second no number")
    _refuse(text, begin + 8, "after hh:mm:ss comes nothing, Z, or an offset such as +02:00")


def _point(text: str, begin: int, stop: int) -> _Span:
    """Bounds and precision of the one date that stands between two positions of the text."""
    match = POINT.match(text, begin, stop)
    assert match is not None, "every part of the pattern may be empty"
    _, prefix, digits, exponent, significant, _, _, month, _, _, day, _ = match.groups()
    if "Y" in prefix:
        span = _long_year(text, match)
    elif len(digits) != 4:
        if not digits:
            _refuse(text, match.start(3), "a date begins with a year of four digits")
        _refuse(text, match.start(3) + min(len(digits), 4), _FOUR_DIGITS)
    elif exponent is not None:
        _refuse(text, match.start(4) - 1, "only a year that begins with Y has an exponent")
    elif significant is not None:
        if "X" in digits:
            _refuse(text, match.start(5) - 1, "a year has either X or significant digits")
        span = _rounded_year(text, match, int(digits), 4)
    else:
        low, high, lost = _years(text, match)
        if month is None:
            span = year_start(low), year_start(high + 1) - 1, lost or YEAR
        elif day is None:
            span = _month(text, match, low, high, lost)
        else:
            span = _day(text, match, low, high, lost)
    if match.end() != stop:
        _refuse_rest(text, match.end())
    return span


def _years(text: str, match: re.Match[str]) -> tuple[int, int, int]:
    """First and last year of four digits, and the unit that its leftmost X has lost (0 without X)."""
    digits = match[3]
    if "X" not in digits:
        low = high = int(digits)
        lost = 0
    else:
        low, high = int(digits.replace("X", "0")), int(digits.replace("X", "9"))
        lost = LONGER - digits.index("X")
    if not match[2]:
        return low, high, lost
    if high == 0:
        _refuse(text, match.start(3), _NO_YEAR)
    # The year nearest to 0 has a 1 in the last masked place, if nothing else holds it away from 0.
    return -high, -(low or 10 ** (3 - digits.rindex("X"))), lost


def _long_year(text: str, match: re.Match[str]) -> _Span:
    digits, exponent = match[3], match[4]
    at = match.start(3)
    if not digits or digits[0] in "0X":
        _refuse(text, at, "Y is followed by a number that begins with 1 to 9")
    if "X" in digits:
        _refuse(text, at + digits.index("X"), "a year that begins with Y has no X")
    length = len(digits)
    if exponent is not None:
        if not exponent or exponent[0] == "0":
            _refuse(text, match.start(4), "E is followed by a number that begins with 1 to 9")
        # What does not fit into two digits is far beyond the years read, whatever it stands for.
        length += int(exponent[:3])
    if length < 5:
        _refuse(text, at, "a year that begins with Y has more than four digits")
    year = int(digits) * 10 ** (length - len(digits)) if length < 20 else YEAR_MAX + 1
    return _rounded_year(text, match, year, length)


def _rounded_year(text: str, match: re.Match[str], year: int, length: int) -> _Span:
    """The years that share with one of `length` digits those that are significant: itself, where all are."""
    significant = match[5]
    lost = 0
    if significant is not None:
        if not significant or significant[0] == "0":
            _refuse(text, match.start(5), "S is followed by a number that begins with 1 to 9")
        lost = max(length - int(significant), 0)
    low = year - year % 10**lost
    high = low + 10**lost - 1
    if high > YEAR_MAX:
        _refuse(text, match.start(3), f"years go from -{YEAR_MAX:,} to {YEAR_MAX:,}")
    if match[8] is not None:
        _refuse(text, match.end(6), "this form of a year stands without a month")
    if match[2][-1:] == "-":
        if year == 0:
            _refuse(text, match.start(3), _NO_YEAR)
        low, high = -high, -(low or 1)
    return year_start(low), year_start(high + 1) - 1, min(YEAR + lost, LONGER)


def _month(text: str, match: re.Match[str], low: int, high: int, lost: int) -> _Span:
    months = MONTHS.get(match[8])
    if months is not None:
        first, last = months[0], months[-1]
        unit = MONTH if len(months) == 1 else YEAR
    elif match[8] in SEASONS:
        first, count = SEASONS[match[8]]
        last = first + count - 1
        unit = SEASON
    else:
        _refuse_pair(text, match, 8, "a month is 01 to 12, a season or other part of a year 21 to 41")
    start = day_number(low, first, 1)
    end = day_number(high + last // 12, last % 12 + 1, 1)
    return start * DAY_SECONDS, end * DAY_SECONDS - 1, max(unit, lost)


def _day(text: str, match: re.Match[str], low: int, high: int, lost: int) -> _Span:
    months, days = MONTHS.get(match[8]), DAYS.get(match[11])
    if months is None:
        _refuse_pair(text, match, 8, "the month of a day is 01 to 12")
    if days is None:
        _refuse_pair(text, match, 11, "a day is 01 to 31")
    if lost and months == _FEBRUARY and days == _LEAP_DAY:
        low, high = _leap_years(match[3], low, high)
    first = _first_day(low, months, days)
    if first is None:
        length = max(days_in_month(high, month) for month in months)
        _refuse(text, match.start(11), f"that month has {length} days")
    last = _last_day(high, months, days) or first
    unit = DAY if first == last else YEAR if len(months) > 1 else MONTH if len(days) > 1 else DAY
    return first * DAY_SECONDS, last * DAY_SECONDS + DAY_SECONDS - 1, max(unit, lost)


def _leap_years(mask: str, low: int, high: int) -> tuple[int, int]:
    """The first and last leap year that fit the mask, or the first and last year where none does."""
    years = [
        century * 100 + year
        for century in PAIRS[mask[:2]]
        for year in PAIRS[mask[2:]]
        if year % 4 == 0 and (year or century % 4 == 0)
    ]
    if low < 0:
        years = [-year for year in reversed(years) if year]
    return (years[0], years[-1]) if years else (low, high)


def _first_day(year: int, months: tuple[int, ...], days: tuple[int, ...]) -> int | None:
    day = days[0]
    for month in months:
        if day <= days_in_month(year, month):
            return day_number(year, month, day)
    return None


def _last_day(year: int, months: tuple[int, ...], days: tuple[int, ...]) -> int | None:
    for month in reversed(months):
        length = days_in_month(year, month)
        for day in reversed(days):
            if day <= length:
                return day_number(year, month, day)
    return None


def _refuse_pair(text: str, match: re.Match[str], group: int, reason: str) -> NoReturn:
    pair = match[group]
    if len(pair) != 2:
        _refuse(text, match.start(group) + min(len(pair), 2), "months and days have two digits")
    _refuse(text, match.start(group), reason)


def _refuse_rest(text: str, position: int) -> NoReturn:
    found = text[position]
    if found == "T":
        _refuse(text, position, "a time of day has no place in an interval or a set")
    if found.isspace():
        _refuse(text, position, "a date has no spaces or line breaks")
    _refuse(text, position, f"{found!r} cannot stand here")
