"""Counts: of the events that a selection chooses, how many fall into each bucket, and how many have each value."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from tests.model.choosing import FILTERS, window
from tests.model.dates import UNBOUNDED_END, UNBOUNDED_START, day_number, instant, month_length, span, year_text
from tests.model.forms import Document, Selection
from tests.model.seeing import View

CLOCKS = ["occurred", "published", "recorded"]
INTERVALS = ["day", "week", "month", "quarter", "year", "decade", "century", "millennium"]
FACETS = ["actor", "source", "publisher", "tag", "kind", "country", "standing"]
BUCKETS_MAX, AUTO_MAX = 1_000, 100
MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1_200, "millennium": 12_000}
A_MONDAY = day_number(2025, 2, 17)

Spans = list[tuple[float, float]]


def spans(document: Document, on: str) -> Spans:
    """From when to when an event is on a clock; of claims, each by itself."""
    if on == "recorded":
        moment = instant(document["recorded"])[0]
        return [(moment, moment)]
    if on == "occurred":
        texts = [] if document["occurred"] is None else [document["occurred"]["edtf"]]
    else:
        texts = [claim["published"] for claim in document["claims"] if claim["published"] is not None]
    return [span(text)[:2] for text in texts]


def own_window(selection: Selection, on: str) -> tuple[float, float]:
    """What of time the request itself asks for, on a clock; what is recorded lies within what it asks for anyhow."""
    if on == "recorded":
        return UNBOUNDED_START, UNBOUNDED_END
    return window(selection, "from", "to") if on == "occurred" else window(selection, "published_from", "published_to")


def stretch(every: Iterable[Spans], low: float, high: float) -> tuple[int, int] | None:
    """From the first to the last bound that any event has, pushed into the window; of events without, the window."""
    bounds = [bound for each in every for pair in each for bound in pair]
    if not bounds:
        return None
    known = [bound for bound in bounds if bound not in (UNBOUNDED_START, UNBOUNDED_END)]
    ends = known or [bound for bound in (low, high) if bound not in (UNBOUNDED_START, UNBOUNDED_END)]
    if not ends:
        return None
    first, last = (min(max(bound, low), high) for bound in (min(ends), max(ends)))
    return int(first), int(last)


def date_of(day: int) -> tuple[int, int, int]:
    year = day // 366 - 2
    while day_number(year + 1, 1, 1) <= day:
        year += 1
    month = 1
    while month < 12 and day_number(year, month + 1, 1) <= day:
        month += 1
    return year, month, day - day_number(year, month, 1) + 1


def start_of(day: int, interval: str) -> int:
    """The first day of the bucket that a day is in."""
    if interval == "day":
        return day
    if interval == "week":
        return day - (day - A_MONDAY) % 7
    year, month, _ = date_of(day)
    months = year * 12 + month - 1
    months -= months % MONTHS[interval]
    return day_number(months // 12, months % 12 + 1, 1)


def next_start(start: int, interval: str) -> int:
    if interval in ("day", "week"):
        return start + (1 if interval == "day" else 7)
    year, month, _ = date_of(start)
    months = year * 12 + month - 1 + MONTHS[interval]
    return day_number(months // 12, months % 12 + 1, 1)


def starts(first: int, last: int, interval: str, most: int) -> list[int] | None:
    """The first day of each bucket, and of the one after the last; None where there would be too many."""
    found = [start_of(first // 86_400, interval)]
    while found[-1] * 86_400 <= last:
        found.append(next_start(found[-1], interval))
        if len(found) > most + 1:
            return None
    return found


def text_of(day: int) -> str:
    year, month, rest = date_of(day)
    assert 1 <= rest <= month_length(year, month)
    return f"{year_text(year)}-{month:02d}-{rest:02d}"


def histogram(documents: list[Document], selection: Selection, on: str, interval: str) -> Document | None:
    """None where the interval would make too many buckets."""
    every = [spans(document, on) for document in documents]
    answer: Document = {"undated": every.count([]), "matching": len(documents), "buckets": []}
    between = stretch(every, *own_window(selection, on))
    if between is None:
        return answer
    if interval == "auto":
        interval = next(each for each in INTERVALS if starts(*between, each, AUTO_MAX) is not None)
    days = starts(*between, interval, BUCKETS_MAX)
    if days is None:
        return None
    for start, after in pairwise(days):
        low, high = start * 86_400, after * 86_400 - 1
        reaching = [each for each in every if any(first <= high and low <= last for first, last in each)]
        inside = [each for each in reaching if any(low <= first and last <= high for first, last in each)]
        answer["buckets"].append(
            {"start": text_of(start), "end": text_of(after - 1), "count": len(reaching), "certain": len(inside)}
        )
    return {**answer, "interval": interval}


def facet(documents: list[Document], selection: Selection, view: View, name: str) -> Counter[str]:
    """Of each value of a parameter, how many of the events it would choose if it were asked for in its place."""
    counted = {
        value: sum(FILTERS[name](document, {**selection, name: [value]}, view) for document in documents)
        for document in documents
        for value in values(document, view, name)
    }
    return +Counter(counted)


def values(document: Document, view: View, name: str) -> set[str]:
    sources = {claim["source"] for claim in document["claims"]}
    return {
        "actor": {view.snapshot.actor(part["actor"]) for part in document["actors"]},
        "source": sources,
        "publisher": {
            view.snapshot.actor(publisher)
            for source in sources
            if (publisher := view.snapshot.sources[source].form["publisher"]) is not None
        },
        "tag": {*document["tags"]},
        "kind": {document["kind"]} - {None},
        "country": {place["country"] for place in document["places"]} - {None},
        "standing": {document["standing"]["state"]},
    }[name]
