"""Buckets: laws of how time is cut, and of which buckets an event falls into."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.dates import EARLIEST, LATEST, YEAR_MAX, bound_text, parse, year_start
from service.domain.histogram import (
    AUTO_MAX,
    INTERVALS,
    LAST_SECOND,
    Scale,
    Tally,
    cut,
    extremes,
    scale_for,
    shown,
)

DAY = 86_400
seconds = st.integers(year_start(-YEAR_MAX), LAST_SECOND)
recent = st.integers(year_start(-50), year_start(2100))
scales = st.sampled_from([Scale(interval) for interval in INTERVALS]) | st.builds(
    Scale, st.just("millennium"), st.sampled_from([2, 5, 10, 5_000_000])
)
stretches = st.lists(seconds | recent, min_size=2, max_size=2).map(sorted)


@given(scale=scales, second=seconds | recent)
def test_a_bucket_holds_the_second_by_which_it_is_found(scale: Scale, second: int) -> None:
    number = scale.number(second)
    assert scale.start(number) <= second < scale.start(number + 1)
    assert scale.number(scale.start(number)) == number
    assert scale.number(scale.start(number) - 1) == number - 1


@given(stretch=stretches)
def test_every_stretch_has_a_scale_of_few_buckets_and_no_finer_one_has(stretch: list[int]) -> None:
    scale = scale_for(*stretch)
    assert scale.needed(*stretch) <= AUTO_MAX
    place = INTERVALS.index(scale.interval)
    if scale.step > 1:
        assert Scale("millennium").needed(*stretch) > AUTO_MAX
    elif place:
        assert Scale(INTERVALS[place - 1]).needed(*stretch) > AUTO_MAX


@given(stretch=stretches)
def test_buckets_have_no_gap_and_hold_the_whole_stretch(stretch: list[int]) -> None:
    buckets = cut(scale_for(*stretch), *stretch)
    assert buckets.edges[0] <= stretch[0] < buckets.edges[1]
    assert buckets.edges[-2] <= stretch[1] < buckets.edges[-1]
    assert all(first < last for first, last in pairwise(buckets.edges))
    told = Tally(buckets).counted()
    assert len(told) == buckets.number
    assert all(bucket.count == bucket.certain == 0 for bucket in told)


@given(day=st.dates(date(1, 1, 1), date(9000, 1, 1)))
def test_weeks_are_those_of_iso_8601(day: date) -> None:
    second = (day - date(1970, 1, 1)).days * DAY
    start = date(1970, 1, 1) + timedelta(seconds=Scale("week").start(Scale("week").number(second)))
    assert start.isoweekday() == 1
    assert start.isocalendar()[:2] == day.isocalendar()[:2]


@pytest.mark.parametrize(
    ("interval", "of", "start", "end"),
    [
        ("day", "2025-02-19", "2025-02-19", "2025-02-19"),
        ("week", "2025-02-19", "2025-02-17", "2025-02-23"),
        ("month", "2024-02-29", "2024-02-01", "2024-02-29"),
        ("quarter", "2025-05-31", "2025-04-01", "2025-06-30"),
        ("year", "-0043-03-15", "-0043-01-01", "-0043-12-31"),
        ("decade", "1999-12-31", "1990-01-01", "1999-12-31"),
        # Years are astronomical and have a year 0, so the decade before it is as long as any other.
        ("decade", "-0001-01-01", "-0010-01-01", "-0001-12-31"),
        ("century", "2000-01-01", "2000-01-01", "2099-12-31"),
        ("millennium", "1999-12-31", "1000-01-01", "1999-12-31"),
    ],
)
def test_buckets_are_those_of_the_calendar(interval: str, of: str, start: str, end: str) -> None:
    date = parse(of)
    assert date.start is not None
    scale = next(Scale(each) for each in INTERVALS if each == interval)
    (bucket,) = Tally(cut(scale, date.start, date.start)).counted()
    assert (bucket.start, bucket.end) == (start, end)


spans = st.tuples(recent | st.just(EARLIEST), recent | st.just(LATEST)).filter(lambda span: span[0] <= span[1])


@given(
    events=st.lists(st.lists(spans, min_size=1, max_size=4), min_size=1, max_size=12),
    scale=st.sampled_from([Scale("decade"), Scale("century")]),
    rate=st.sampled_from([1, 16]),
)
def test_an_event_counts_once_in_each_bucket_that_it_reaches(
    events: list[list[tuple[int, int]]], scale: Scale, rate: int
) -> None:
    stretch = shown(*extremes(span for event in events for span in event), EARLIEST, LATEST)
    if stretch is None:
        assert all(span == (EARLIEST, LATEST) for event in events for span in event)
        return
    buckets = cut(scale, *stretch)
    tally = Tally(buckets)
    for event in events:
        tally.add(
            [
                (
                    -1 if low < buckets.edges[0] else scale.number(low) - scale.number(buckets.edges[0]),
                    buckets.number
                    if high >= buckets.edges[-1]
                    else scale.number(high) - scale.number(buckets.edges[0]),
                )
                for low, high in event
            ]
        )
    for (low, after), told in zip(pairwise(buckets.edges), tally.counted(rate), strict=True):
        reaching = [event for event in events if any(first < after and last >= low for first, last in event)]
        inside = [event for event in events if any(low <= first and last < after for first, last in event)]
        assert (told.count, told.certain) == (len(reaching) * rate, len(inside) * rate)
    assert all(event for event in events)


@given(
    bounds=st.tuples(st.none() | recent, st.none() | recent),
    low=recent | st.just(EARLIEST),
    high=recent | st.just(LATEST),
)
def test_what_is_shown_lies_in_the_window(bounds: tuple[int | None, int | None], low: int, high: int) -> None:
    first, last = sorted(each for each in bounds if each is not None) if None not in bounds else (None, None)
    low, high = min(low, high), max(low, high)
    stretch = shown(first, last, low, high)
    if stretch is None:
        assert (first, low, high) == (None, EARLIEST, LATEST)
    else:
        assert low <= stretch[0] <= stretch[1] <= high


def test_the_ends_of_all_time_are_told() -> None:
    begin, end = year_start(-YEAR_MAX), LAST_SECOND
    told = Tally(cut(scale_for(begin, end), begin, end)).counted()
    assert (told[0].start, told[-1].end) == (bound_text(begin, False), bound_text(end, False))
