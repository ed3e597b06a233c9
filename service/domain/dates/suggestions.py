"""What was probably meant by a date that is no EDTF.

A suggestion is made where the meaning is plain and left out where it is not: `03/04/2025` gets none.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

_LENGTH_MAX: Final = 100
"""Longer texts are prose or mangled sets; nothing is guessed for them."""

_DEPTH_MAX: Final = 2
"""Phrases within phrases: `before c. 44 BC` has two."""

_IsValid = Callable[[str], bool]


def suggest(text: str, is_valid: _IsValid) -> str | None:
    """The first guess for which `is_valid` holds."""
    if len(text) > _LENGTH_MAX:
        return None
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES)
    plain = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in plain)
    return _meaning(" ".join(plain.split()), is_valid, _DEPTH_MAX)


def _meaning(words: str, is_valid: _IsValid, depth: int) -> str | None:
    # Spaces go, but not between two digits: "1999 2000" is not one number.
    spelling = re.sub(r"(?<![0-9]) | (?![0-9])", "", words.upper())
    phrase = words.lower()
    guesses = chain(_respelt(spelling), _timed(words.upper()), _filled(_WORDINGS, phrase))
    if depth > 0:
        guesses = chain(guesses, _phrased(phrase, is_valid, depth - 1))
    return next(filter(is_valid, guesses), None)


_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")

_MONTHS = {
    name: f"{number:02d}"
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sept sep", "october oct", "november nov", "december dec",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip

_PARTS_OF_YEAR = {
    "spring": "21", "summer": "22", "autumn": "23", "fall": "23", "winter": "24",
    "q1": "33", "q2": "34", "q3": "35", "q4": "36",
}  # fmt: skip

# How a named group of the patterns below is written in EDTF; the others are taken as they are.
_WRITTEN: Final[dict[str, Callable[[str], str]]] = {
    "month": lambda digits: digits.zfill(2),
    "day": lambda digits: digits.zfill(2),
    "name": lambda name: _MONTHS.get(name) or _PARTS_OF_YEAR.get(name) or "",
    "ad": lambda digits: digits.zfill(4),
    "bc": lambda digits: f"-{int(digits) - 1:04d}" if int(digits) > 1 else "0000",
    "century": lambda digits: f"{int(digits) - 1:02d}XX",
}

_Rules = tuple[tuple[re.Pattern[str], str], ...]


def _rules(*rules: tuple[str, str]) -> _Rules:
    return tuple((re.compile(pattern), template) for pattern, template in rules)


def _filled(rules: _Rules, text: str) -> Iterator[str]:
    for pattern, template in rules:
        if match := pattern.fullmatch(text):
            written = {name: _WRITTEN.get(name, str)(group) for name, group in match.groupdict().items()}
            yield template.format_map(written)


_SPELLINGS = _rules(
    (r"(?P<year>-?[0-9]{4})[-/.](?P<month>[0-9]{1,2})", "{year}-{month}"),
    (r"(?P<year>-?[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})", "{year}-{month}-{day}"),
    (r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})", "{year}-{month}-{day}"),
    (r"(?P<month>[0-9]{1,2})[-/.](?P<year>[0-9]{4})", "{year}-{month}"),
    # Databases write zeros for what is not known.
    (r"(?P<year>-?[0-9]{4})-00(?:-00)?", "{year}"),
    (r"(?P<month_of>-?[0-9]{4}-[0-9]{2})-00", "{month_of}"),
    # Points stand between day, month and year, in this order; with other signs only numbers above 12 tell.
    (r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})", "{year}-{month}-{day}"),
    (r"(?P<day>1[3-9]|[23][0-9])[-/](?P<month>[0-9]{1,2})[-/](?P<year>[0-9]{4})", "{year}-{month}-{day}"),
    (r"(?P<month>[0-9]{1,2})[-/](?P<day>1[3-9]|[23][0-9])[-/](?P<year>[0-9]{4})", "{year}-{month}-{day}"),
    (r"(?P<month>[0-9]{1,2})[-/](?P<day>(?P=month))[-/](?P<year>[0-9]{4})", "{year}-{month}-{day}"),
    (r"(?:THE)?(?P<decade>[0-9]{2}[1-9])0'?S", "{decade}X"),
    (r"\+?(?P<year>[1-9][0-9]{4,11})", "Y{year}"),
    (r"-(?P<year>[1-9][0-9]{4,11})", "Y-{year}"),
    (r"Y(?P<sign>-?)(?P<ad>[0-9]{1,4})", "{sign}{ad}"),
    (r"\+(?P<date>[0-9].*)", "{date}"),
    (r"-(?P<zero>0000.*)", "{zero}"),
    (r"(?P<start>[0-9]{4})-(?P<end>[0-9]{4})", "{start}/{end}"),
    # Intervals the wrong way round, with one Y, or with a time of day.
    (r"(?P<start>[^/T]+)/(?P<end>[^/T]+)", "{end}/{start}"),
    (r"(?P<start>[^/]+)/(?P<end>[^/]+)", "{{{start}..{end}}}"),
    (r"(?P<start>[^/T]+)(?:T[^/]*)?/(?P<end>[^/T]+)(?:T[^/]*)?", "{start}/{end}"),
)

_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_NAME = r"(?P<name>[a-z]{3,9}|q[1-4])\.?"
_YEAR = r"(?P<year>[0-9]{4})"

_WORDINGS = _rules(
    (rf"{_NAME},? (?:of )?{_YEAR}", "{year}-{name}"),
    (rf"{_YEAR},?[ -]{_NAME}", "{year}-{name}"),
    (rf"{_NAME}[ -]{_DAY},?[ -]{_YEAR}", "{year}-{name}-{day}"),
    (rf"(?:[a-z]{{3,9}}\.?, )?{_DAY}\.?[ -](?:of )?{_NAME},?[ -]{_YEAR}", "{year}-{name}-{day}"),
    (rf"{_YEAR}[ -]{_NAME}[ -]{_DAY}", "{year}-{name}-{day}"),
    (r"(?P<bc>[1-9][0-9]{0,3}) ?b\.?c\.?(?:e\.?)?", "{bc}"),
    (r"(?P<ad>[1-9][0-9]{0,3}) ?(?:a\.?d\.?|c\.?e\.?)", "{ad}"),
    (r"a\.?d\.? ?(?P<ad>[1-9][0-9]{0,3})", "{ad}"),
    (r"(?:the )?(?P<century>[1-9][0-9]?)(?:st|nd|rd|th) century", "{century}"),
)


def _respelt(spelling: str) -> Iterator[str]:
    """EDTF with its capitals, or in the letters of the 2012 draft, and what other notations mean."""
    yield spelling
    yield re.sub(r"\?~|~\?|[?~%]{2,}", lambda marks: "%" if len(set(marks[0])) > 1 else marks[0][0], spelling)
    yield spelling.replace("U", "X")
    for end, edtf in (("OPEN", ".."), ("NOW", ".."), ("PRESENT", ".."), ("UNKNOWN", "")):
        yield re.sub(f"(?<=/){end}|{end}(?=/)", edtf, spelling)
    yield from _filled(_SPELLINGS, spelling)


_MOMENT = re.compile(
    r"(-?[0-9]{4}-[0-9]{2}-[0-9]{2})[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:[.,][0-9]+)?"
    r" ?(?:(Z|UTC|GMT)|([+-][0-9]{2}):?([0-9]{2})?)?"
)


def _timed(text: str) -> Iterator[str]:
    if match := _MOMENT.fullmatch(text):
        date, hour, minute, second, zone, offset_hours, offset_minutes = match.groups()
        # A leap second has no number of its own; the second before it is the nearest that has.
        second = min(second or "00", "59")
        offset = f"{offset_hours}:{offset_minutes or '00'}" if offset_hours else ""
        yield f"{date}T{hour.zfill(2)}:{minute}:{second}{'Z' if zone or offset == '-00:00' else offset}"


# Longer words before the shorter ones that begin them.
_APPROXIMATE = re.compile(r"(?:circa|approximately|approx|about|around|ca|c)\.? ?(.+)")
_UNCERTAIN = re.compile(r"(?:possibly|probably|perhaps|maybe) (.+)")
_BEFORE = re.compile(r"(?:before|until|till|up to|by|not after|no later than) (.+)")
_AFTER = re.compile(r"(?:after|since|from|not before|no earlier than) (.+?)(?: on| onwards)?")
_BETWEEN = re.compile(r"(?:between|from)? ?(.+?) (?:-|to|and|until|till|through) (.+)")
_EITHER = re.compile(r"(?:either )?(.+?) or (.+)")


def _phrased(phrase: str, is_valid: _IsValid, depth: int) -> Iterator[str]:
    for pattern, template in (
        (_APPROXIMATE, "{}~"),
        (_UNCERTAIN, "{}?"),
        (_BETWEEN, "{}/{}"),
        (_EITHER, "[{},{}]"),
        (_BEFORE, "../{}"),
        (_AFTER, "{}/.."),
    ):
        if match := pattern.fullmatch(phrase):
            parts = [_meaning(part, is_valid, depth) or "" for part in match.groups()]
            # Only single dates can be put together: an interval has no qualifier and no place in another one.
            if not any(part == "" or part[0] in "[{" or "/" in part for part in parts):
                yield template.format(*parts)
