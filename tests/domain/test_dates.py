"""Dates are judged by tables adjudicated by hand, by enumeration of the calendar, and by what must always hold.

DATELINE_EXAMPLES sets how many texts hypothesis tries in each property of arbitrary texts (2,000 by default).
"""

import calendar
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from service.domain import dates

SHARED = Path(os.environ.get("DATELINE_SHARED") or Path(__file__).parents[3] / "shared")
VECTORS = SHARED / "data" / "edtf" / "vectors.jsonl"

EXAMPLES = int(os.environ.get("DATELINE_EXAMPLES", "2000"))
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

POINT = re.compile(dates.POINT_PATTERN.removesuffix("$") + r"\Z")
EDTF = re.compile(dates.EDTF_PATTERN.removesuffix("$") + r"\Z")


def outcome(text: str) -> dates.Date | dates.DateError:
    try:
        return dates.parse(text)
    except dates.DateError as error:
        return error


def parsed(text: str) -> dates.Date | None:
    date = outcome(text)
    return date if isinstance(date, dates.Date) else None


def refusal(text: str) -> dates.DateError:
    error = outcome(text)
    assert isinstance(error, dates.DateError)
    return error


# Adjudicated cases


def test_vectors() -> None:
    if not VECTORS.exists():
        pytest.skip(f"no {VECTORS}; DATELINE_SHARED names the folder that holds data/edtf/vectors.jsonl")
    wanted, found = {}, {}
    for line in VECTORS.read_text().splitlines():
        vector = json.loads(line)
        text = vector["edtf"]
        wanted[text] = (vector["valid"], vector["earliest"], vector["latest"])
        date = parsed(text)
        # The vectors give date-times by their day in UTC.
        bounds = (date.earliest, date.latest) if date else (None, None)
        found[text] = (date is not None, *(bound and bound.partition("T")[0] for bound in bounds))
    assert found == wanted
    assert len(wanted) == 202


@pytest.mark.parametrize(
    ("edtf", "earliest", "latest", "precision"),
    [
        ("1999", "1999-01-01", "1999-12-31", "year"),
        ("2000-02", "2000-02-01", "2000-02-29", "month"),
        ("1900-02", "1900-02-01", "1900-02-28", "month"),
        ("2000-02-29", "2000-02-29", "2000-02-29", "day"),
        ("-0043-03-15", "-0043-03-15", "-0043-03-15", "day"),
        ("0000-02-29", "0000-02-29", "0000-02-29", "day"),
        ("-0004-02-29", "-0004-02-29", "-0004-02-29", "day"),
        ("-9999", "-9999-01-01", "-9999-12-31", "year"),
        # Date-times, in UTC.
        ("2025-02-19T09:14:03", "2025-02-19T09:14:03Z", "2025-02-19T09:14:03Z", "second"),
        ("2025-02-19T09:14:03Z", "2025-02-19T09:14:03Z", "2025-02-19T09:14:03Z", "second"),
        ("2025-02-19T00:30:00+01", "2025-02-18T23:30:00Z", "2025-02-18T23:30:00Z", "second"),
        ("2025-02-19T00:30:00-00:45", "2025-02-19T01:15:00Z", "2025-02-19T01:15:00Z", "second"),
        ("2025-02-19T00:00:00+14:00", "2025-02-18T10:00:00Z", "2025-02-18T10:00:00Z", "second"),
        ("2025-02-19T00:00:00-12:00", "2025-02-19T12:00:00Z", "2025-02-19T12:00:00Z", "second"),
        ("2025-02-19T00:00:00+00:00", "2025-02-19T00:00:00Z", "2025-02-19T00:00:00Z", "second"),
        ("2024-02-29T24:00:00", "2024-03-01T00:00:00Z", "2024-03-01T00:00:00Z", "second"),
        ("9999-12-31T24:00:00", "+10000-01-01T00:00:00Z", "+10000-01-01T00:00:00Z", "second"),
        ("0000-01-01T00:00:00+01", "-0001-12-31T23:00:00Z", "-0001-12-31T23:00:00Z", "second"),
        ("-9999-01-01T00:00:00+14", "-10000-12-31T10:00:00Z", "-10000-12-31T10:00:00Z", "second"),
        # Seasons and other parts of a year.
        ("2001-21", "2001-03-01", "2001-05-31", "season"),
        ("2001-22", "2001-06-01", "2001-08-31", "season"),
        ("2001-23", "2001-09-01", "2001-11-30", "season"),
        ("2003-24", "2003-12-01", "2004-02-29", "season"),
        ("2001-25", "2001-03-01", "2001-05-31", "season"),
        ("2001-28", "2001-12-01", "2002-02-28", "season"),
        ("2001-29", "2001-09-01", "2001-11-30", "season"),
        ("2001-30", "2001-12-01", "2002-02-28", "season"),
        ("2001-31", "2001-03-01", "2001-05-31", "season"),
        ("2001-32", "2001-06-01", "2001-08-31", "season"),
        ("2001-33", "2001-01-01", "2001-03-31", "season"),
        ("2001-36", "2001-10-01", "2001-12-31", "season"),
        ("2001-37", "2001-01-01", "2001-04-30", "season"),
        ("2001-39", "2001-09-01", "2001-12-31", "season"),
        ("2001-40", "2001-01-01", "2001-06-30", "season"),
        ("2001-41", "2001-07-01", "2001-12-31", "season"),
        ("-0001-24", "-0001-12-01", "0000-02-29", "season"),
        ("-0001-30", "-0001-12-01", "0000-02-29", "season"),
        ("9999-24", "9999-12-01", "+10000-02-29", "season"),
        ("199X-24", "1990-12-01", "2000-02-29", "decade"),
        # Masks.
        ("199X", "1990-01-01", "1999-12-31", "decade"),
        ("19XX", "1900-01-01", "1999-12-31", "century"),
        ("2XXX", "2000-01-01", "2999-12-31", "millennium"),
        ("XXXX", "0000-01-01", "9999-12-31", "longer"),
        ("X999", "0999-01-01", "9999-12-31", "longer"),
        ("1XX9", "1009-01-01", "1999-12-31", "millennium"),
        ("-000X", "-0009-01-01", "-0001-12-31", "decade"),
        ("-XXX0", "-9990-01-01", "-0010-12-31", "longer"),
        ("1999-X0", "1999-10-01", "1999-10-31", "month"),
        ("1999-X1", "1999-01-01", "1999-11-30", "year"),
        ("1999-0X", "1999-01-01", "1999-09-30", "year"),
        ("190X-02-29", "1904-02-29", "1908-02-29", "decade"),
        ("1X00-02-29", "1200-02-29", "1600-02-29", "millennium"),
        ("-000X-02-29", "-0008-02-29", "-0004-02-29", "decade"),
        ("-X000-02-29", "-8000-02-29", "-2000-02-29", "longer"),
        ("20XX-02-2X", "2000-02-20", "2099-02-28", "century"),
        ("1999-XX-31", "1999-01-31", "1999-12-31", "year"),
        ("1999-X4-31", None, None, None),
        ("1999-X1-31", "1999-01-31", "1999-01-31", "day"),
        ("1999-XX-XX", "1999-01-01", "1999-12-31", "year"),
        ("1999-02-X9", "1999-02-09", "1999-02-19", "month"),
        ("2000-02-X9", "2000-02-09", "2000-02-29", "month"),
        # Long years, exponents, significant digits.
        ("Y12345", "+12345-01-01", "+12345-12-31", "year"),
        ("Y-138E8", "-13800000000-01-01", "-13800000000-12-31", "year"),
        ("Y1E4", "+10000-01-01", "+10000-12-31", "year"),
        ("Y200000000000", "+200000000000-01-01", "+200000000000-12-31", "year"),
        ("Y-2E11", "-200000000000-01-01", "-200000000000-12-31", "year"),
        ("1950S1", "1000-01-01", "1999-12-31", "millennium"),
        ("1950S3", "1950-01-01", "1959-12-31", "decade"),
        ("1950S4", "1950-01-01", "1950-12-31", "year"),
        ("1950S99", "1950-01-01", "1950-12-31", "year"),
        ("-1950S2", "-1999-01-01", "-1900-12-31", "century"),
        ("-0012S2", "-0099-01-01", "-0001-12-31", "century"),
        ("0012S2", "0000-01-01", "0099-12-31", "century"),
        ("Y-138E8S3", "-13899999999-01-01", "-13800000000-12-31", "longer"),
        # Intervals.
        ("2025-02/..", "2025-02-01", None, "month"),
        ("/2025-02-19", None, "2025-02-19", "day"),
        ("../..", None, None, "longer"),
        ("/", None, None, "longer"),
        ("/..", None, None, "longer"),
        ("1999/2001-02-03", "1999-01-01", "2001-02-03", "year"),
        ("2004-06-11/2004", "2004-06-11", "2004-12-31", "year"),
        ("1984-11-12/1984-11-XX", "1984-11-12", "1984-11-30", "month"),
        ("2003-22/2003-22", "2003-06-01", "2003-08-31", "season"),
        ("2012-24/2013-21", "2012-12-01", "2013-05-31", "season"),
        ("-0044/0014", "-0044-01-01", "0014-12-31", "year"),
        ("Y-138E8/Y-46E8", "-13800000000-01-01", "-4600000000-12-31", "year"),
        ("Y-61000/..", "-61000-01-01", None, "year"),
        # Sets.
        ("[1984]", "1984-01-01", "1984-12-31", "year"),
        ("[1999,1667..1668-12]", None, None, None),
        ("[1999,1667-01..1668-12]", "1667-01-01", "1999-12-31", "year"),
        ("{..1983-12-31,1984-10-10..1984-11-01,1984-11-05..}", None, None, "day"),
        ("[..1983,1990]", None, "1990-12-31", "year"),
        ("{2001-21,2001-23..}", "2001-03-01", None, "season"),
        ("{Y-61000..-2000}", "-61000-01-01", "-2000-12-31", "year"),
        ("[199X,2001-02-03]", "1990-01-01", "2001-02-03", "decade"),
    ],
)
def test_bounds(edtf: str, earliest: str | None, latest: str | None, precision: str | None) -> None:
    date = parsed(edtf)
    found = (date.earliest, date.latest, date.precision) if date else (None, None, None)
    assert found == (earliest, latest, precision)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0), ("now", 0), ("..", 0), ("-", 1), ("19", 2), ("193", 3), ("12345", 4), ("+1999", 0), ("-0000", 1),
        ("-0000S2", 1), ("1999 ", 4), (" 1999", 0), ("1999\n", 4), ("1999\x00", 4), ("199x", 3), ("１９９９", 0),
        ("1999-", 5), ("1999-1", 6), ("1999-123", 7), ("1999-00", 5), ("1999-13", 5), ("1999-20", 5), ("1999-42", 5),
        ("1999-2X", 5), ("1999-01-", 8), ("1999-01-1", 9), ("1999-01-00", 8), ("1999-01-32", 8), ("1999-02-29", 8),
        ("1900-02-29", 8), ("2000-02-3X", 8), ("1999-04-31", 8), ("19X9-02-29", 8), ("XX01-02-29", 8),
        ("1999-21-01", 5), ("1999-X4-31", 8), ("1999-01-01-01", 10), ("1999??", 5), ("1999?~", 5), ("~~1999", 1),
        ("-~1999", 1), ("Y", 1), ("Y1999", 1), ("Y-1999", 2), ("Y01999", 1), ("Y1E3", 1), ("Y1E", 3), ("Y1E0", 3),
        ("Y1E05", 3),
        ("Y12E-3", 4), ("Y2000X", 5), ("Y20000-01", 6), ("Y200000000001", 1), ("Y-200000000001", 2), ("Y1E999", 1),
        ("Y1E" + "9" * 200, 1), ("Y" + "9" * 200, 1), ("Y2E11S1", 1), ("1950S", 5), ("1950S0", 5), ("1950S02", 5),
        ("19XXS2", 4), ("1950S2-01", 6), ("1999E2", 4),
        ("1999-01-01T", 11), ("1999-01-01T1:00:00", 12), ("1999-01-01T10:00", 16), ("1999-01-01T10:00:0", 18),
        ("1999-01-01T25:00:00", 11), ("1999-01-01T24:00:01", 11), ("1999-01-01T10:60:00", 14),
        ("1999-01-01T10:00:60", 17), ("1999-01-01T10:00:00.5", 19), ("1999-01-01T10:00:00z", 19),
        ("1999-01-01T10:00:00Z0", 19), ("1999-01-01T10:00:00+1", 19), ("1999-01-01T10:00:00+0100", 19),
        ("1999-01-01T10:00:00+14:01", 19), ("1999-01-01T10:00:00-12:01", 19), ("1999-01-01T10:00:00-00:00", 19),
        ("1999-01-01T10:00:00-00", 19), ("1999-01-01T10:00:00+01:60", 19), ("1999-01-01T١٠:00:00", 11),
        ("1999-01T10:00:00", 7), ("1999-01-0XT10:00:00", 9), ("1999-01-01?T10:00:00", 10), ("1999T10:00:00", 4),
        ("1999/1998", 5), ("1999/2000/2001", 9), ("1999/Y20000", 5), ("1999/x", 5), ("x/1999", 0), ("1999/...", 5),
        ("1999-01-01T10:00:00/2000", 10), ("2004-06-11/2004-05", 11),
        ("[", 1), ("[]", 1), ("[1999", 5), ("[1999}", 6), ("{1999]", 6), ("[..]", 3), ("[1999,]", 6), ("[,1999]", 1),
        ("[1999, 2000]", 6), ("[1999..,2000]", 5), ("[1999,..2000]", 6), ("[2000..1999]", 7), ("[1999..2000-01]", 7),
        ("[1999...2000]", 7), ("[..1999..]", 7), ("[1999/2000]", 5), ("[[1999]]", 1), ("[1999-01-01T10:00:00]", 11),
        ("[1999]x", 7), ("2001-21^southern", 7), ("(1999)", 0), ("1999" * 65, 256),
    ],
)  # fmt: skip
def test_refusals_name_the_character(text: str, position: int) -> None:
    error = refusal(text)
    assert (error.text, error.position) == (text, position), error.reason


@pytest.mark.parametrize(
    ("edtf", "approximate", "uncertain"),
    [
        ("1999", False, False),
        ("1999~", True, False),
        ("1999?", False, True),
        ("1999%", True, True),
        ("2004-~06-11", True, False),
        ("?2004-06-~11", True, True),
        ("1984?/2004~", True, True),
        ("[1984,?1985]", False, True),
        ("~Y-138E8", True, False),
        ("1950S2~", True, False),
        ("2001-?09~-09", True, True),
    ],
)
def test_qualifiers_are_flags_and_widen_nothing(edtf: str, approximate: bool, uncertain: bool) -> None:
    date, bare = dates.parse(edtf), dates.parse(re.sub("[?~%]", "", edtf))
    assert (date.approximate, date.uncertain) == (approximate, uncertain)
    assert (date.start, date.end, date.precision) == (bare.start, bare.end, bare.precision)


@pytest.mark.parametrize(
    ("edtf", "is_point"),
    [("1999", True), ("199X~", True), ("1999-01-01T00:00:00", True), ("1999/2000", False), ("[1999]", False)],
)
def test_points_are_told_from_intervals_and_sets(edtf: str, is_point: bool) -> None:
    assert dates.parse(edtf).is_point is is_point


# The calendar, counted day by day


@cache
def days_of_year(year: int) -> list[tuple[int, int]]:
    lengths = [calendar.monthrange(2000 if calendar.isleap(year) else 2001, month)[1] for month in range(1, 13)]
    return [(month, day) for month, length in enumerate(lengths, 1) for day in range(1, length + 1)]


def test_every_day_follows_the_one_before() -> None:
    second = dates.seconds_of(-402, 1, 1)
    for year in range(-402, 2402):
        assert dates.year_start(year) == second
        for month, day in days_of_year(year):
            assert dates.seconds_of(year, month, day) == second
            if year in (-401, -400, -1, 0, 1, 1899, 1900, 1970, 2000):
                assert dates.bound_text(second, time=False) == day_text(year, month, day)
            second += 86_400
    assert dates.seconds_of(1970, 1, 1) == 0


@given(st.datetimes(timezones=st.just(UTC)))
def test_seconds_agree_with_the_standard_library(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    seconds = dates.seconds_of(*moment.timetuple()[:6])
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds) == moment
    assert dates.bound_text(seconds, time=True) == moment.strftime(f"{moment.year:04d}-%m-%dT%H:%M:%SZ")


@given(st.integers(-dates.YEAR_MAX, dates.YEAR_MAX), st.integers(1, 12), st.integers(1, 28))
def test_far_years_repeat_every_400(year: int, month: int, day: int) -> None:
    cycle, near = divmod(year, 400)
    assert dates.seconds_of(year, month, day) == dates.seconds_of(near, month, day) + cycle * 146_097 * 86_400
    assert dates.EARLIEST < dates.seconds_of(year, month, day) < dates.LATEST
    text = dates.bound_text(dates.seconds_of(year, month, day), time=False)
    assert text == day_text(year, month, day)


def day_text(year: int, month: int, day: int) -> str:
    sign = "-" if year < 0 else "+" if year > 9999 else ""
    return f"{sign}{abs(year):04d}-{month:02d}-{day:02d}"


# Masks, against enumeration

PAIRS = [tens + units for tens in "0123456789X" for units in "0123456789X"]
NUMBERS = {width: " ".join(f"{number:0{width}d}" for number in range(10**width)) for width in (2, 4)}


@cache
def fitting(mask: str) -> list[int]:
    """The numbers whose digits are those of the mask, where X is any digit; rising."""
    return [int(digits) for digits in re.findall(rf"\b{mask.replace('X', '[0-9]')}\b", NUMBERS[len(mask)])]


def fitting_days(year_mask: str, month_mask: str, day_mask: str) -> tuple[str, str] | None:
    """First and last of all days of the calendar that fit, or None; a sign begins the mask of the year."""
    sign = -1 if year_mask[0] == "-" else 1
    # There is no year -0000.
    years = [sign * year for year in fitting(year_mask.lstrip("-")) if year or sign > 0]
    months, days = fitting(month_mask), fitting(day_mask)
    found = {
        leap: [(month, day) for month, day in days_of_year(2000 if leap else 2001) if month in months and day in days]
        for leap in (True, False)
    }
    years = sorted(year for year in years if found[calendar.isleap(year)])
    if not years:
        return None
    first, last = found[calendar.isleap(years[0])][0], found[calendar.isleap(years[-1])][-1]
    return day_text(years[0], *first), day_text(years[-1], *last)


@pytest.mark.parametrize(
    "year",
    ["2000", "2001", "0000", "-0000", "-0004", "-000X", "190X", "19X9", "-X0X0", "1X00", "X100", "-XX00"],
)
def test_every_mask_of_month_and_day(year: str) -> None:
    masks = [(month, day) for month in PAIRS for day in PAIRS if month[0] in "0123X" and day[0] in "01234X"]
    wanted = {f"{year}-{month}-{day}": fitting_days(year, month, day) for month, day in masks}
    found = {text: (date.earliest, date.latest) if (date := parsed(text)) else None for text in wanted}
    assert found == wanted
    # The pattern of points matches just these.
    assert {text for text in wanted if POINT.search(text)} == {text for text, days in wanted.items() if days}


@pytest.mark.parametrize("sign", ["", "-"])
def test_every_mask_of_leap_days(sign: str) -> None:
    masks = [f"{sign}{century}{year}" for century in PAIRS for year in ("00", "0X", "XX", "X1", "X6", "9X", "04")]
    wanted = {f"{mask}-02-29": fitting_days(mask, "02", "29") for mask in masks}
    found = {text: (date.earliest, date.latest) if (date := parsed(text)) else None for text in wanted}
    assert found == wanted
    assert {text for text in wanted if POINT.search(text)} == {text for text, days in wanted.items() if days}


@pytest.mark.parametrize("sign", ["", "-"])
def test_every_mask_of_a_year_and_its_months(sign: str) -> None:
    for year in [f"{sign}{century}{year}" for century in PAIRS[::3] for year in PAIRS[::4]]:
        for month in ("", "-02", "-1X", "-XX", "-X0", "-X7"):
            days = fitting_days(year, month[1:] or "XX", "XX")
            date = parsed(year + month)
            assert (date and (date.earliest, date.latest)) == days, year + month


# Texts of every kind

qualifiers = st.sampled_from(["", "", "", "?", "~", "%"])
signs = st.sampled_from(["", "", "-"])
numbers = st.integers(1, 9_999).map(str)


def masked(numbers: st.SearchStrategy[int], width: int) -> st.SearchStrategy[str]:
    def mask(number: int, places: set[int]) -> str:
        digits = f"{number:0{width}d}"
        return "".join("X" if place in places else digit for place, digit in enumerate(digits))

    return st.builds(mask, numbers, st.sets(st.integers(0, width - 1), max_size=width) | st.just(set()))


years = st.builds("".join, st.tuples(signs, masked(st.integers(0, 9999), 4)))
plain_years = st.builds("{}{:04d}".format, signs, st.integers(0, 9999))
exponents = st.just("") | st.integers(1, 12).map("E{}".format)
rounded = st.builds("{}S{}".format, plain_years, st.integers(1, 6))
long_years = st.builds(
    "Y{}{}{}{}".format,
    signs,
    st.integers(1, 10**12),
    exponents,
    st.just("") | st.integers(1, 14).map("S{}".format),
)
months = st.builds("{}-{}{}".format, years, qualifiers, masked(st.integers(1, 12), 2) | st.integers(21, 41).map(str))
days = st.builds(
    "{}{}-{}{}{}-{}{}".format,
    years,
    qualifiers,
    qualifiers,
    masked(st.integers(1, 12), 2),
    qualifiers,
    qualifiers,
    masked(st.integers(1, 31), 2),
)
unchecked = st.builds("{}{}{}".format, qualifiers, years | rounded | long_years | months | days, qualifiers)
points = unchecked.filter(parsed)
offsets = st.sampled_from(["", "Z", "+01", "-05:30", "+14:00", "-12", "+00:00", "-00:01"])
date_times = st.builds(
    "{}T{}{}".format,
    st.builds("{}-{:02d}-{:02d}".format, plain_years, st.integers(1, 12), st.integers(1, 31)),
    st.times().map(lambda time: time.strftime("%H:%M:%S")) | st.just("24:00:00"),
    offsets,
)


def in_order(pair: tuple[str, str]) -> tuple[str, str]:
    first, second = map(parsed, pair)
    return pair[::-1] if first and second and first.start > second.start else pair  # type: ignore[operator]


ends = points | st.sampled_from(["", ".."])
intervals = st.tuples(ends, ends).map(in_order).map("/".join)
of_one_form = (plain_years, masked(st.integers(0, 9999), 4), long_years, months, days)
ranges = st.one_of([st.tuples(form, form) for form in of_one_form]).map(in_order).map("..".join)
members = points | ranges.filter(lambda text: parsed(f"[{text}]"))
sets = st.builds(
    lambda brackets, start, members, end: brackets[0] + start + ",".join(members) + end + brackets[1],
    st.sampled_from(["[]", "{}"]),
    st.sampled_from(["", ".."]),
    st.lists(members, min_size=1, max_size=6),
    st.sampled_from(["", ".."]),
)
edtf_texts = (points | date_times | intervals | sets).filter(parsed)


def edited(text: str, edits: list[tuple[int, str, int]]) -> str:
    """The text with parts at some places replaced; none, one or more characters for none, one or more."""
    for place, part, length in edits:
        at = place % (len(text) + 1)
        text = text[:at] + part + text[at + length :]
    return text


alphabet = "0123456789XYEST?~%-/.,[]{}:+Z \n"
parts = st.text(alphabet, max_size=3) | st.text(max_size=1)
mutations = st.builds(
    edited, edtf_texts, st.lists(st.tuples(st.integers(0, 300), parts, st.integers(0, 3)), min_size=1, max_size=3)
)
wordings = st.lists(
    st.sampled_from(
        [
            "before",
            "after",
            "c.",
            "circa",
            "possibly",
            "from",
            "to",
            "between",
            "and",
            "or",
            "until",
            "1999",
            "2000",
            "44",
            "3",
            "12",
            "BC",
            "BCE",
            "AD",
            "century",
            "19th",
            "Feb",
            "March",
            "2025",
            "spring",
            "Q3",
            "-",
            ",",
            "/",
            ".",
            "1990s",
            "open",
            "unknown",
            "10:00",
            "T",
            "Z",
        ]
    ),
    max_size=6,
).map(" ".join)
any_texts = st.text() | st.text(alphabet) | unchecked | date_times | mutations | wordings


@pytest.mark.timeout(300 + EXAMPLES // 10)
@many
@given(any_texts)
@example("Y" + "9" * 255)
@example("[" + "1999," * 50 + "]")
@example("\ud800")
def test_any_text_is_a_date_or_a_date_error(text: str) -> None:
    found = outcome(text)
    if isinstance(found, dates.Date):
        check_invariants(found, text)
        return
    assert found.text == text
    assert 0 <= found.position <= len(text)
    assert not POINT.search(text) or len(text) > dates.TEXT_LENGTH_MAX
    assert str(found) == f"{found.reason} (at character {found.position + 1})"
    if found.suggestion is not None:
        assert found.suggestion != text
        check_invariants(dates.parse(found.suggestion), found.suggestion)


@pytest.mark.timeout(300 + EXAMPLES // 10)
@many
@given(edtf_texts)
def test_valid_texts_keep_every_promise(text: str) -> None:
    check_invariants(dates.parse(text), text)


def check_invariants(date: dates.Date, text: str) -> None:
    assert date.edtf == text
    assert len(text) <= dates.TEXT_LENGTH_MAX
    assert date.precision in dates.PRECISIONS
    assert date.approximate == bool(set(text) & set("~%"))
    assert date.uncertain == bool(set(text) & set("?%"))
    assert 0 < len(date.display) <= 300
    assert date.display.isprintable()
    assert EDTF.search(text)
    assert bool(POINT.search(text)) == date.is_point
    if date.start is not None and date.end is not None:
        assert date.start <= date.end
    if date.is_point:
        assert date.start is not None
        assert date.end is not None
    rest_of_day = 0 if date.has_time else 86_399
    for bound, seconds, rest in ((date.earliest, date.start, 0), (date.latest, date.end, rest_of_day)):
        assert (bound is None) == (seconds is None)
        if bound is None or seconds is None:
            continue
        assert dates.EARLIEST < seconds < dates.LATEST
        assert len(bound) <= 40
        numbers = re.fullmatch(r"([+-]?\d{4,})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)Z)?", bound)
        assert numbers, bound
        assert dates.seconds_of(*(int(number) for number in numbers.groups() if number)) + rest == seconds
        # Years of more than four digits carry a sign here and a Y in EDTF, without month and day.
        if bound[0] != "+" and len(numbers[1].lstrip("-")) == 4:
            again = dates.parse(bound)
            assert seconds in (again.start, again.end)


# How dates relate to each other


@given(points, points)
def test_an_interval_spans_its_ends(first: str, second: str) -> None:
    start, end = dates.parse(first), dates.parse(second)
    assume(("Y" in first) == ("Y" in second))
    interval = parsed(f"{first}/{second}")
    assert start.start is not None
    assert end.end is not None
    assert (interval is None) == (start.start > end.end)
    if interval:
        assert (interval.start, interval.end) == (start.start, end.end)
        assert interval.precision == coarser(start, end)
    for text, bounds in ((f"{first}/..", (start.start, None)), (f"/{first}", (None, start.end))):
        date = dates.parse(text)
        assert (date.start, date.end, date.precision) == (*bounds, start.precision)


@given(st.lists(points, min_size=1, max_size=6), st.sampled_from(["[]", "{}"]))
def test_a_set_spans_its_members(texts: list[str], brackets: str) -> None:
    text = brackets[0] + ",".join(texts) + brackets[1]
    found = dates.parse(text)
    parts = [dates.parse(member) for member in texts]
    assert found.start == min(part.start for part in parts if part.start is not None)
    assert found.end == max(part.end for part in parts if part.end is not None)
    assert found.precision == max((part.precision for part in parts), key=dates.PRECISIONS.index)
    assert dates.parse(f"{text[:-1]}..{text[-1]}").end is None
    assert dates.parse(f"{text[0]}..{text[1:]}").start is None


@given(points, points)
def test_a_range_has_ends_of_one_precision_in_order(first: str, second: str) -> None:
    start, end = dates.parse(first), dates.parse(second)
    assert start.start is not None
    assert end.end is not None
    date = parsed(f"[{first}..{second}]")
    assert (date is not None) == (start.precision == end.precision and start.start <= end.end)
    if date:
        assert (date.start, date.end) == (start.start, end.end)


def coarser(one: dates.Date, other: dates.Date) -> str:
    return max(one.precision, other.precision, key=dates.PRECISIONS.index)


@given(points, st.integers(0, 20))
def test_a_lost_digit_only_widens(text: str, place: int) -> None:
    places = [index for index, char in enumerate(text) if char.isdigit()]
    assume(places and not set(text) & set("YES"))
    at = places[place % len(places)]
    wider = parsed(f"{text[:at]}X{text[at + 1 :]}")
    # Numbers above 12 name seasons only as they stand, and a season has no masks.
    assume(wider is not None)
    narrower = dates.parse(text)
    assert wider is not None
    if not re.search(r"-[?~%]?(?:2[1-9]|3[0-9]|4[01])[?~%]?$", text):
        assert contains(wider, narrower)


def contains(outer: dates.Date, inner: dates.Date) -> bool:
    assert None not in (outer.start, outer.end, inner.start, inner.end)
    return outer.start <= inner.start and inner.end <= outer.end  # type: ignore[operator]


@given(plain_years, st.integers(1, 12), st.integers(1, 28), st.times())
def test_each_precision_lies_in_the_next_coarser(year: str, month: int, day: int, time: Any) -> None:
    assume(year != "-0000")
    date = f"{year}-{month:02d}-{day:02d}"
    texts = [f"{date}T{time:%H:%M:%S}", date, date[:-3], year, year[:-1] + "X", year[:-2] + "XX", year[:-3] + "XXX"]
    spans = [dates.parse(text) for text in texts]
    for inner, outer in pairwise(spans):
        assert contains(outer, inner)
        assert dates.PRECISIONS.index(inner.precision) < dates.PRECISIONS.index(outer.precision)


@given(st.dates(), st.dates())
def test_dates_are_in_the_order_of_their_text(one: Any, other: Any) -> None:
    first, second = dates.parse(one.isoformat()), dates.parse(other.isoformat())
    assert (first.start, first.end) == (dates.seconds_of(*one.timetuple()[:3]), first.start + 86_399)  # type: ignore[operator]
    assert (first.start < second.start) == (one < other)  # type: ignore[operator]


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)))
def test_an_offset_changes_the_text_and_not_the_moment(moment: datetime) -> None:
    offset = moment.utcoffset()
    assert offset is not None
    assume(offset.total_seconds() % 60 == 0 and -12 <= offset.total_seconds() / 3600 <= 14)
    date = dates.parse(moment.isoformat())
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert (date.start, date.end) == (seconds, seconds)


# Bounded work


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of the dates package a call runs."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        if not frame.f_globals["__name__"].startswith(dates.__name__):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "repeated",
    [
        "1999,", "XXXX-02-29,", "1999..2000,", "..,", "Y1", "9", "X", "-", "?", "1?-", "/", "[", "]", "E9", "S9",
        "T", "1999-", "-XX", "1999/", "~1999~,", "\u0661", " ", "c. ", "from ", "1 or ", "1999 to ", "é",
    ],
)  # fmt: skip
@pytest.mark.parametrize("opening", ["", "[", "Y1", "1999/", "1999-01-01T"])
def test_work_grows_with_the_length_at_most(opening: str, repeated: str) -> None:
    def work(length: int) -> int:
        text = (opening + repeated * length)[:length]
        return lines_run(lambda: parsed(text))

    short, long = work(64), work(dates.TEXT_LENGTH_MAX)
    assert long <= 4 * short + 400
    # Beyond the limit nothing is read.
    assert work(100_000) == work(1_000) < 40


@pytest.mark.parametrize("text", ["or " * 33, "c. " * 33, "from c. 1 to " * 7, "1999 to " * 12, "x" * 100, "[1," * 33])
def test_suggestions_are_bounded_work(text: str) -> None:
    assert lines_run(lambda: refusal(text).suggestion) < 100_000
    assert refusal(text * 10_000).suggestion is None


@pytest.mark.parametrize("member", ["1999", "-19XX-XX", "?1999-01-01~", "1999..2000", "Y1E5S1", "1999-21"])
@pytest.mark.parametrize("fault", ["!", ",", "..", "]]", "\n"])
def test_the_pattern_does_not_try_twice(member: str, fault: str) -> None:
    # A pattern that went back over its members would not come to an end here.
    assert not EDTF.search("[" + ",".join([member] * 5_000) + fault)
    assert EDTF.search("[" + ",".join([member] * 5_000) + "]")


# Words


@pytest.mark.parametrize(
    ("edtf", "display"),
    [
        ("2025-02-19", "19 February 2025"),
        ("2025-02", "February 2025"),
        ("1999", "1999"),
        ("0409", "409 CE"),
        ("-0043", "44 BCE"),
        ("-0043-03-15", "15 March 44 BCE"),
        ("0004-02", "February of 4 CE"),
        ("0000", "1 BCE"),
        ("-9999", "10,000 BCE"),
        ("Y170000002", "170,000,002 CE"),
        ("Y-138E8", "13.8 billion years ago"),
        ("Y-65500000", "65.5 million years ago"),
        ("Y-251902000", "251,902,001 BCE"),
        ("1985-04-12T23:20:30Z", "12 April 1985, 23:20:30 UTC"),
        ("1985-04-12T23:20:30-04", "12 April 1985, 23:20:30 UTC-04"),
        ("1985-04-12T23:20:30", "12 April 1985, 23:20:30"),
        ("1999~", "c. 1999"),
        ("1999?", "possibly 1999"),
        ("1999%", "possibly c. 1999"),
        ("2004-06-11~", "c. 11 June 2004"),
        ("2004-06~-11", "11 June 2004 (year and month approximate)"),
        ("?2004-06-~11", "11 June 2004 (year uncertain, day approximate)"),
        ("2004-%21", "spring 2004 (season uncertain and approximate)"),
        ("199X", "1990s"),
        ("199X~", "1990s (approximate)"),
        ("190X", "a year from 1900 to 1909"),
        ("19XX", "a year from 1900 to 1999"),
        ("-01XX", "a year from 200 to 101 BCE"),
        ("000X", "a year from 1 BCE to 9 CE"),
        ("XXXX", "an unknown year"),
        ("1XX3", "a year matching 1XX3"),
        ("2004-XX", "some month of 2004"),
        ("1984-1X", "October, November or December 1984"),
        ("1984-0X", "some month from January to September 1984"),
        ("1985-04-XX", "some day in April 1985"),
        ("1985-04-1X", "some day from 10 to 19 April 1985"),
        ("1985-04-3X", "30 April 1985"),
        ("1985-XX-XX", "some day in 1985"),
        ("1985-XX-25", "day 25 of some month of 1985"),
        ("156X-12-25", "25 December of a year in the 1560s"),
        ("1950S2", "about 1950 (1900 to 1999)"),
        ("2001-21", "spring 2001"),
        ("2001-24", "winter 2001–2002"),
        ("-0044-24", "winter 45–44 BCE"),
        ("0000-24", "winter 1 BCE–1 CE"),
        ("2001-30", "southern summer 2001–2002"),
        ("2001-34", "second quarter of 2001"),
        ("20XX-40", "first half of a year from 2000 to 2099"),
        ("1964/2008", "1964 to 2008"),
        ("2025-02/..", "from February 2025"),
        ("2025-02/", "from February 2025, end unknown"),
        ("../1985", "until 1985"),
        ("/1985", "until 1985, start unknown"),
        ("../..", "start and end open"),
        ("/..", "start unknown, end open"),
        ("[1667,1668,1670..1672]", "one of 1667, 1668 or 1670 to 1672"),
        ("{1667,1668,1670..1672}", "all of 1667, 1668 and 1670 to 1672"),
        ("[1760-01,1760-12..]", "one of January 1760; or December 1760 or later"),
        ("[..1760-12-03]", "3 December 1760 or earlier"),
        ("{1760..}", "1760 and later"),
        ("{1960..1970}", "all of 1960 to 1970"),
        ("[1984]", "1984"),
    ],
)
def test_display(edtf: str, display: str) -> None:
    assert dates.parse(edtf).display == display


def test_display_of_a_long_set_counts_the_rest() -> None:
    date = dates.parse("[" + ",".join(["-0123-12"] * 28) + "]")
    assert len(date.display) <= 300
    assert re.fullmatch(r"one of (December 124 BCE, )+December 124 BCE or \d+ more", date.display)
    shown = date.display.count("December")
    assert date.display.endswith(f" {28 - shown} more")


@pytest.mark.parametrize("form", ["{0}/{1}", "[{0}..{1}]", "{{{0}..{1},{0}}}", "[{0}..{1},{0}..{1}]"])
def test_display_of_the_longest_dates_is_cut(form: str) -> None:
    # Of all dates these take the most words.
    display = dates.parse(form.format("?-15XX-~0X-%1X", "%-15XX-~0X-?1X")).display
    assert "some day from 10 to 19 of some month from January to September of a year from 1600" in display
    assert len(display) == 300
    assert display.endswith("…")


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("Feb 19 2025", "2025-02-19"),
        ("February 19th, 2025", "2025-02-19"),
        ("Wednesday, 19 February 2025", "2025-02-19"),
        ("19-Feb-2025", "2025-02-19"),
        ("19.02.2025", "2025-02-19"),
        ("2025/02/19", "2025-02-19"),
        ("19/2/2025", "2025-02-19"),
        ("2/19/2025", "2025-02-19"),
        ("03/04/2025", None),
        ("20250219", "2025-02-19"),
        ("1999-1-1", "1999-01-01"),
        ("1999-00-00", "1999"),
        ("1999-06-00", "1999-06"),
        ("Feb. 2025", "2025-02"),
        ("spring 2001", "2001-21"),
        ("Q3 2001", "2001-35"),
        ("199x", "199X"),
        ("199u", "199X"),
        ("1999-02-19t10:00:00z", "1999-02-19T10:00:00Z"),
        ("1999-02-19 10:00", "1999-02-19T10:00:00"),
        ("1999-02-19T10:00:00.123456+0200", "1999-02-19T10:00:00+02:00"),
        ("1999-02-19T10:00:00-00:00", "1999-02-19T10:00:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("c. 1999", "1999~"),
        ("ca 1999", "1999~"),
        ("possibly 1999", "1999?"),
        ("1999?~", "1999%"),
        ("1990s", "199X"),
        ("the 1990's", "199X"),
        ("1900s", None),
        ("19th century", "18XX"),
        ("before 1999", "../1999"),
        ("since Feb 2008", "2008-02/.."),
        ("before c. 44 BC", "../-0043~"),
        ("44 BCE", "-0043"),
        ("1 BC", "0000"),
        ("AD 79", "0079"),
        ("between 1999 and 2001", "1999/2001"),
        ("1999 – 2001", "1999/2001"),
        ("1999-2001", "1999/2001"),
        ("1999 or 2001", "[1999,2001]"),
        ("2004/open", "2004/.."),
        ("unknown/2004", "/2004"),
        ("2001/1999", "1999/2001"),
        ("Y-61000/-2000", "{Y-61000..-2000}"),
        ("1999-01-01T10:00:00Z/1999-01-02T10:00:00Z", "1999-01-01/1999-01-02"),
        ("[1667, 1668]", "[1667,1668]"),
        ("12345", "Y12345"),
        ("Y2006", "2006"),
        ("-0000", "0000"),
        ("１９９９", "1999"),
        ("1999\n", "1999"),
        ("1999 2000", None),
        ("2016-02-31", None),
        ("some day", None),
        ("", None),
    ],
)
def test_suggestions(text: str, suggestion: str | None) -> None:
    assert refusal(text).suggestion == suggestion
