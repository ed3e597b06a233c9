"""A valid EDTF text in English, no finer and no surer than it is."""

import re
from collections.abc import Sequence
from typing import Final

from service.domain.dates.grammar import DAYS, MONTHS, POINT, SEASONS
from service.domain.dates.gregorian import days_in_month

DISPLAY_LENGTH_MAX: Final = 300

_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_SEASON_NAMES = {
    "21": "spring", "22": "summer", "23": "autumn", "24": "winter",
    "25": "northern spring", "26": "northern summer", "27": "northern autumn", "28": "northern winter",
    "29": "southern spring", "30": "southern summer", "31": "southern autumn", "32": "southern winter",
    "33": "first quarter of", "34": "second quarter of", "35": "third quarter of", "36": "fourth quarter of",
    "37": "January to April", "38": "May to August", "39": "September to December",
    "40": "first half of", "41": "second half of",
}  # fmt: skip

_DOUBTS = {"?": "uncertain", "~": "approximate", "?~": "uncertain and approximate"}
_DOUBT_PREFIXES = {"": "", "?": "possibly ", "~": "c. ", "?~": "possibly c. "}

# A count of years before now stays true while the two thousand years of our era vanish in its last digit.
_YEARS_AGO_UNIT_MIN = 100_000
_YEARS_AGO_SCALES = ((10**9, "billion"), (10**6, "million"))


def describe(edtf: str) -> str:
    """English for a text that `parse` accepts, at most DISPLAY_LENGTH_MAX characters."""
    text = _described(edtf)
    return text if len(text) <= DISPLAY_LENGTH_MAX else f"{text[: DISPLAY_LENGTH_MAX - 1]}…"


def _described(edtf: str) -> str:
    if edtf[0] in "[{":
        return _set(edtf)
    if "/" in edtf:
        return _interval(edtf)
    if "T" in edtf:
        date, time = edtf.split("T")
        zone = time[8:]
        return f"{_point(date)}, {time[:8]}{' UTC' if zone == 'Z' else f' UTC{zone}' if zone else ''}"
    return _point(edtf)


def _set(edtf: str) -> str:
    opening, word = ("one of ", "or") if edtf[0] == "[" else ("all of ", "and")
    members = [_member(member, word) for member in edtf[1:-1].split(",")]
    if len(members) == 1:
        is_range = ".." in edtf[2:-3]
        return opening + members[0] if is_range else members[0]
    simple = not any(", " in member or f" {word} " in member for member in members)
    comma, last = (", ", f" {word} ") if simple else ("; ", f"; {word} ")
    text = opening + comma.join(members[:-1]) + last + members[-1]
    shown = len(members)
    while len(text) > DISPLAY_LENGTH_MAX and shown > 1:
        shown -= 1
        text = f"{opening}{comma.join(members[:shown])}{last}{len(members) - shown} more"
    return text


def _member(member: str, word: str) -> str:
    start, dots, end = member.partition("..")
    if not dots:
        return _point(start)
    if not start:
        return f"{_point(end)} {word} earlier"
    if not end:
        return f"{_point(start)} {word} later"
    return f"{_point(start)} to {_point(end)}"


def _interval(edtf: str) -> str:
    ends = edtf.split("/")
    start, end = ("" if side in ("", "..") else _point(side) for side in ends)
    if start and end:
        return f"{start} to {end}"
    if start:
        return f"from {start}" if ends[1] else f"from {start}, end unknown"
    if end:
        return f"until {end}" if ends[0] else f"until {end}, start unknown"
    states = ["open" if side else "unknown" for side in ends]
    return f"start and end {states[0]}" if states[0] == states[1] else f"start {states[0]}, end {states[1]}"


def _point(edtf: str) -> str:
    match = POINT.fullmatch(edtf)
    assert match is not None, edtf
    _, prefix, digits, exponent, significant, _, _, month, _, _, day, _ = match.groups()
    masked = "X" in digits
    year = _masked_year(prefix, digits) if masked else _plain_year(prefix, digits, exponent, significant)
    exact = None if masked else int(prefix.strip("Y") + digits)
    if month is None:
        text = year.removeprefix("a year in the ")
    elif month in SEASONS and day is None:
        text = _season(month, exact, year)
    else:
        text = _month_and_day(month, day, exact, year)
    return _qualified(text, _doubts(match), plain="X" not in edtf and significant is None)


def _doubts(match: re.Match[str]) -> dict[str, str]:
    """The doubt about each component, or "": from its left, its right, or the right of a later one."""
    year, month, day = match.group(1, 6), match.group(7, 9), match.group(10, 12)
    names = ("year", "season" if match[8] in SEASONS else "month", "day")
    doubts = {}
    to_the_right = ""
    for name, (left, right) in reversed(tuple(zip(names, (year, month, day), strict=True))):
        if left is None:
            continue
        to_the_right += right
        marks = left + to_the_right
        uncertain = "?" if "?" in marks or "%" in marks else ""
        approximate = "~" if "~" in marks or "%" in marks else ""
        doubts[name] = uncertain + approximate
    return doubts


def _qualified(text: str, doubts: dict[str, str], *, plain: bool) -> str:
    first, *others = set(doubts.values())
    if not others:
        if plain:
            return _DOUBT_PREFIXES[first] + text
        return f"{text} ({_DOUBTS[first]})" if first else text
    notes = []
    for doubt, words in _DOUBTS.items():
        names = [name for name in ("year", "month", "season", "day") if doubts.get(name) == doubt]
        if names:
            notes.append(f"{_listed(names, 'and')} {words}")
    return f"{text} ({', '.join(notes)})"


def _year(year: int) -> str:
    if 1000 <= year <= 9999:
        return str(year)
    if year > 0:
        return f"{year:,} CE"
    return f"{1 - year} BCE" if year > -9999 else f"{1 - year:,} BCE"


def _years(low: int, high: int) -> str:
    """A span of years, whose era is said once where they share it."""
    first, last = _year(low), _year(high)
    _, space, era = last.partition(" ")
    return f"{first.removesuffix(space + era)} to {last}"


def _plain_year(prefix: str, digits: str, exponent: str | None, significant: str | None) -> str:
    magnitude = int(digits) * 10 ** int(exponent or 0)
    sign = -1 if prefix.endswith("-") else 1
    text = (sign < 0 and _years_ago(magnitude)) or _year(sign * magnitude)
    length = len(digits) + int(exponent or 0)
    if significant is None or int(significant) >= length:
        return text
    step = 10 ** (length - int(significant))
    low = magnitude - magnitude % step
    high = low + step - 1
    span = _years(low, high) if sign > 0 else _years(-high, -(low or 1))
    return f"about {text} ({span})"


def _years_ago(magnitude: int) -> str | None:
    if magnitude % _YEARS_AGO_UNIT_MIN == 0:
        for scale, name in _YEARS_AGO_SCALES:
            if magnitude >= scale:
                whole, rest = divmod(magnitude, scale)
                decimals = f".{rest:0{len(str(scale)) - 1}d}".rstrip("0").rstrip(".")
                return f"{whole}{decimals} {name} years ago"
    return None


def _masked_year(prefix: str, digits: str) -> str:
    if digits == "XXXX":
        return "an unknown year BCE" if prefix else "an unknown year"
    if "X" in digits.rstrip("X"):
        return f"a year matching {prefix}{digits}"
    low, high = int(digits.replace("X", "0")), int(digits.replace("X", "9"))
    if prefix:
        return f"a year from {_years(-high, -(low or 1))}"
    if digits.count("X") == 1 and digits[0] != "0" and digits[2] != "0":
        return f"a year in the {low}s"
    return f"a year from {_years(low, high)}"


def _season(season: str, exact: int | None, year: str) -> str:
    name = _SEASON_NAMES[season]
    if exact is None:
        return f"{name} {year}" if name.endswith(" of") else f"{name} of {year}"
    first, count = SEASONS[season]
    if first + count - 1 <= 12:
        return f"{name} {year}"
    # A winter of two years: "winter 45–44 BCE", "winter 1 BCE–1 CE".
    following = _year(exact + 1)
    _, space, era = following.partition(" ")
    return f"{name} {year.removesuffix(space + era)}–{following}"


def _month_and_day(month: str, day: str | None, exact: int | None, year: str) -> str:
    # The year 2000 stands for an unknown one, because it has every day.
    known = 2000 if exact is None else exact
    days = DAYS[day] if day else (1,)
    months = tuple(number for number in MONTHS[month] if days[0] <= days_in_month(known, number))
    longest = max(days_in_month(known, number) for number in months)
    days = tuple(number for number in days if number <= longest)
    if len(months) == 12:
        in_month = f"some month of {year}"
    else:
        names = [_MONTH_NAMES[number - 1] for number in months]
        named = _listed(names, "or") if len(names) <= 4 else f"some month from {names[0]} to {names[-1]}"
        # "February of 5 BCE", because "February 5" would be a day of it.
        in_month = f"{named} {year}" if exact is not None and (day or abs(exact) > 31) else f"{named} of {year}"
    if day is None:
        return in_month
    if day == "XX":
        return f"some day in {year if len(months) == 12 else in_month}"
    some = len(days) > 4
    numbers = f"from {days[0]} to {days[-1]}" if some else _listed([str(number) for number in days], "or")
    if len(months) == 1:
        return f"{'some day ' if some else ''}{numbers} {in_month}"
    return f"{'some ' if some else ''}day {numbers} of {in_month}"


def _listed(words: Sequence[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
