"""Histograms: how a stretch of time is cut into buckets, and how many events fall into each.

Buckets are of the calendar: an interval of the interface, or, for stretches too long for that, several millennia. An
event counts in every bucket that its bounds reach into, and for certain in the one that they lie inside.
"""

from collections.abc import Iterable
from itertools import accumulate, count, pairwise
from typing import Annotated, Final, Literal, get_args

from msgspec import Meta, Struct

from service.domain.dates import EARLIEST, LATEST, YEAR_MAX, bound_text, seconds_of, year_start
from service.domain.dates.gregorian import DAY_SECONDS, civil
from service.domain.event import Output
from service.domain.values import Bound, Count

Interval = Annotated[
    Literal["day", "week", "month", "quarter", "year", "decade", "century", "millennium"],
    Meta(title="Interval", description="A length of time in the calendar; weeks are those of ISO 8601."),
]
INTERVALS: Final[tuple[Interval, ...]] = get_args(get_args(Interval)[0])
Clock = Annotated[
    Literal["occurred", "published", "recorded"],
    Meta(title="Clock", description="By which of the three clocks events are counted."),
]
CLOCKS: Final[tuple[Clock, ...]] = get_args(get_args(Clock)[0])

BUCKETS_MAX: Final = 1_000
AUTO_MAX: Final = 100
"""Of the intervals that are not asked for by name, the finest is taken that needs no more buckets."""

_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1_200, "millennium": 12_000}
_MONDAY: Final = 3
"""Days from the Monday before 1970 to its first day: weeks are those of ISO 8601."""

FIRST_SECOND: Final = year_start(-YEAR_MAX)
LAST_SECOND: Final = year_start(YEAR_MAX + 1) - 1


class Scale(Struct, frozen=True):
    """An interval, and how many of it make a bucket: more than one only of millennia."""

    interval: Interval
    step: int = 1

    def number(self, second: int) -> int:
        """The number of the bucket that holds a second; they are numbered through all years."""
        day = second // DAY_SECONDS
        if self.interval == "day":
            return day
        if self.interval == "week":
            return (day + _MONDAY) // 7
        year, month, _ = civil(day)
        return (year * 12 + month - 1) // (_MONTHS[self.interval] * self.step)

    def start(self, number: int) -> int:
        """The first second of a bucket."""
        if self.interval == "day":
            return number * DAY_SECONDS
        if self.interval == "week":
            return (number * 7 - _MONDAY) * DAY_SECONDS
        year, month = divmod(number * _MONTHS[self.interval] * self.step, 12)
        return seconds_of(year, month + 1)

    def needed(self, first: int, last: int) -> int:
        """How many buckets hold all seconds from the first to the last."""
        return self.number(last) - self.number(first) + 1


def scale_for(first: int, last: int) -> Scale:
    """The finest scale that is not too fine for a stretch of time; every stretch has one."""
    steps = (digit * 10**power for power in count() for digit in (1, 2, 5))
    longer = (Scale("millennium", step) for step in steps)
    named = (Scale(interval) for interval in INTERVALS)
    return next(scale for scales in (named, longer) for scale in scales if scale.needed(first, last) <= AUTO_MAX)


class Bucket(Output, frozen=True, kw_only=True):
    """A stretch of time, and how many events fall into it."""

    start: Annotated[Bound, Meta(description="Its first day.")]
    end: Annotated[Bound, Meta(description="Its last day.")]
    count: Annotated[Count, Meta(description="Events that reach, or may reach, into it.")]
    certain: Annotated[Count, Meta(description="Those of them that lie inside it.")]


class Buckets(Struct, frozen=True):
    """Buckets one after the other without a gap. edges: the first second of each, and the second after the last."""

    scale: Scale
    edges: list[int]

    @property
    def number(self) -> int:
        return max(len(self.edges) - 1, 0)


def cut(scale: Scale, first: int, last: int) -> Buckets:
    """The buckets that hold all seconds from the first to the last."""
    begin = scale.number(first)
    return Buckets(scale, [scale.start(number) for number in range(begin, scale.number(last) + 2)])


class Tally:
    """How many events fall into each bucket, as they are told one after the other."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        # What is reached into is kept as where it begins and where it no longer is, so that long spans cost no more.
        self._steps = [0] * (buckets.number + 1)
        self._certain = [0] * buckets.number

    def add(self, ranges: Iterable[tuple[int, int]], number: int = 1) -> None:
        """So many events, each of which falls into a bucket where any of these ranges of places does.

        The place before the first bucket is -1, that after the last one their number.
        """
        every = sorted(ranges)
        for place in {first for first, last in every if first == last and 0 <= first < self._buckets.number}:
            self._certain[place] += number
        reached = -1
        for first, last in every:
            self._reach(max(first, reached + 1), last, number)
            reached = max(reached, last)

    def _reach(self, first: int, last: int, number: int) -> None:
        begin, stop = max(first, 0), min(last, self._buckets.number - 1) + 1
        if begin < stop:
            self._steps[begin] += number
            self._steps[stop] -= number

    def counted(self, rate: int = 1) -> list[Bucket]:
        """The buckets; rate: for how many events each one stands that was told."""
        counts = accumulate(self._steps)
        edges = pairwise(self._buckets.edges)
        return [
            Bucket(
                start=bound_text(max(begin, FIRST_SECOND), False),
                end=bound_text(min(after - 1, LAST_SECOND), False),
                count=count * rate,
                certain=certain * rate,
            )
            for (begin, after), count, certain in zip(edges, counts, self._certain, strict=False)
        ]


def extremes(spans: Iterable[tuple[int, int]]) -> tuple[int | None, int | None]:
    """The first and the last bound that is known of any of these."""
    known = [bound for span in spans for bound in span if bound not in (EARLIEST, LATEST)]
    return min(known, default=None), max(known, default=None)


def shown(first: int | None, last: int | None, low: int, high: int) -> tuple[int, int] | None:
    """From where to where there are events to show, whose bounds known begin and end so: of a window, what they span.

    Where all events are open at both ends, it is what of the window is known; None where that is nothing.
    """
    if first is None or last is None:
        known = [each for each in (low, high) if each not in (EARLIEST, LATEST)]
        return (known[0], known[-1]) if known else None
    return min(max(first, low), high), min(max(last, low), high)
