"""Dates: a small part of EDTF, with arithmetic of its own."""

import re
from typing import NamedTuple

UNBOUNDED_START, UNBOUNDED_END = float("-inf"), float("inf")

PRECISIONS = ["second", "minute", "hour", "day", "month", "season", "year", "decade"]  # finer before coarser
DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]
ONE_DATE = re.compile(
    r"((?P<decade>\d{3})X|(?P<year>-?\d{4})(-(?P<month>0[1-9]|1[0-2])(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)Z?)?)?)?)(?P<mark>[?~%]?)",
    re.ASCII,
)
INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


class Span(NamedTuple):
    """Outer bounds of a date: inclusive seconds of one shared count, and the text documents show for them."""

    low: float
    high: float
    earliest: str | None
    latest: str | None
    precision: str
    approximate: bool
    uncertain: bool


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_length(year: int, month: int) -> int:
    return DAYS_BEFORE_MONTH[month] - DAYS_BEFORE_MONTH[month - 1] + (month == 2 and is_leap(year))


def day_number(year: int, month: int, day: int) -> int:
    """Days from 0000-01-01, proleptic Gregorian with astronomical years; negative before it."""
    leap_days = (year + 3) // 4 - (year + 99) // 100 + (year + 399) // 400
    after_february = month > 2 and is_leap(year)
    return 365 * year + leap_days + DAYS_BEFORE_MONTH[month - 1] + after_february + day - 1


def year_text(year: int) -> str:
    return f"{year:04d}" if year >= 0 else f"-{-year:04d}"


def one_date(text: str) -> Span:
    match = ONE_DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} lies outside the dates this model speaks")
    first_year = int(match["year"] or match["decade"] + "0")
    last_year = first_year + 9 if match["decade"] else first_year
    first_month, last_month = (int(match["month"]),) * 2 if match["month"] else (1, 12)
    last_day = int(match["day"]) if match["day"] else month_length(last_year, last_month)
    first_day = last_day if match["day"] else 1
    precision = "decade" if match["decade"] else "year"
    for finer in ("month", "day", "second"):
        precision = finer if match[finer] else precision
    low = day_number(first_year, first_month, first_day) * 86_400
    high = day_number(last_year, last_month, last_day) * 86_400 + 86_399
    earliest = f"{year_text(first_year)}-{first_month:02d}-{first_day:02d}"
    latest = f"{year_text(last_year)}-{last_month:02d}-{last_day:02d}"
    if match["hour"]:
        low += int(match["hour"]) * 3600 + int(match["minute"]) * 60 + int(match["second"])
        high = low
        earliest = latest = f"{earliest}T{match['hour']}:{match['minute']}:{match['second']}Z"
    approximate, uncertain = match["mark"] in ("~", "%"), match["mark"] in ("?", "%")
    return Span(low, high, earliest, latest, precision, approximate, uncertain)


def span(text: str) -> Span:
    """The bounds of a date or interval; an open (`..`) or unknown (empty) end is unbounded, without text."""
    if "/" not in text:
        return one_date(text)
    left, right = text.split("/")
    start = None if left in ("", "..") else one_date(left)
    end = None if right in ("", "..") else one_date(right)
    known = [each for each in (start, end) if each is not None]
    return Span(
        start.low if start else UNBOUNDED_START,
        end.high if end else UNBOUNDED_END,
        start.earliest if start else None,
        end.latest if end else None,
        max((each.precision for each in known), key=PRECISIONS.index),
        any(each.approximate for each in known),
        any(each.uncertain for each in known),
    )


def instant(text: str) -> tuple[int, int]:
    """A point of recorded time in UTC: whole seconds, of the same count as `Span`, and nanoseconds."""
    match = INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an instant in UTC")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    seconds = day_number(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    return seconds, int((match[7] or "").ljust(9, "0"))
