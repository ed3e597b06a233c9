"""TimelineJS 3: a slide for each event, in the order of the listing, with the date in our words.

Its years count as historians do, so the year before 1 is -1. It draws a date as finely as it has members, drops an end
that says no more than the beginning, and takes every text for HTML.
"""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import msgspec

from service.api.exports.forms import (
    UNITS,
    About,
    Entry,
    Format,
    Loss,
    Parts,
    Separated,
    Written,
    date_losses,
    html_of,
    iri,
    is_whole,
    parts_of,
    stated,
)
from service.domain.event import Occurred

OPEN_START: Final[frozenset[Loss]] = frozenset({"open_start"})
OWN: Final = ("key", "occurred", "standing", "collection", "phase", "revision")
"""Members that TimelineJS shows nowhere, or not as they are."""
HUMAN_YEARS: Final = range(-271_820, 275_760)
"""What JavaScript's own dates reach; beyond, TimelineJS counts in years alone once it is told so."""


class TimelineJs(Format):
    name = "timelinejs"
    media_type = "application/json"
    suffix = "json"
    carries = frozenset(
        {
            *("id", "key", "collection", "title", "summary", "occurred", "kind", "phase", "standing", "revision"),
            *("claims.source", "claims.stance", "claims.speakers", "claims.quote", "claims.published"),
            *("media.url", "media.caption", "media.credit", "media.alt"),
        }
    )

    def __init__(self, about: About) -> None:
        super().__init__(about)
        self._separated = Separated()
        self._early: list[tuple[Entry, Parts | None]] = []
        self._first: Parts | None = None
        self._cosmological = False
        self._finer = 0

    def begin(self) -> bytes:
        title = {"text": {"headline": escape(self.about.title), "text": escape(self.about.description or "")}}
        head = {"title": title, "_dateline": {"events": self.about.listing, "revision": self.about.revision}}
        return msgspec.json.encode(head)[:-1] + b',"events":['

    def write(self, entry: Entry) -> Written:
        occurred = entry.event.occurred
        if occurred is None:
            return Written(None, frozenset({"undated"}))
        if occurred.earliest is None:
            return self._begun_before_all(entry, occurred)
        early = self._early_slides(parts_of(occurred.earliest))
        dates, lost = dates_of(occurred), _lost(entry, occurred)
        self._finer += "precision" not in lost and any(len(date) > 1 for date in dates.values())
        return Written(early + self._slide(entry, dates), lost)

    def end(self) -> bytes:
        scale = b',"scale":"cosmological"' if self._cosmological else b""
        return self._early_slides(None) + b"]" + scale + b"}"

    def lost_together(self) -> Mapping[Loss, int]:
        """Where one event is told in years alone, so are all."""
        return {"precision": self._finer} if self._cosmological and self._finer else {}

    def _begun_before_all(self, entry: Entry, occurred: Occurred) -> Written:
        """What has no beginning is drawn where the first of the others begins, and so stays before them."""
        latest = parts_of(occurred.latest) if occurred.latest is not None else None
        lost: frozenset[Loss] = _lost(entry, occurred).union(OPEN_START)
        self._finer += "precision" not in lost
        if self._first is None:
            self._early.append((entry, latest))
            return Written(b"", lost)
        begin = self._first if latest is None else min(self._first, latest)
        return Written(self._slide(entry, {"start_date": _date(begin, 3)}), lost)

    def _early_slides(self, first: Parts | None) -> bytes:
        """Slides that waited for the first that has a beginning, None where none will come."""
        if first is not None:
            self._first = first
        early, self._early = self._early, []
        known = [parts for _, parts in early if parts is not None] + ([first] if first is not None else [])
        # Where nothing at all is known to begin, they stand at the year in which our era does.
        begin = min(known, default=(1, 1, 1, 0, 0, 0))
        return b"".join([self._slide(entry, {"start_date": _date(begin, 3)}) for entry, _ in early])

    def _slide(self, entry: Entry, dates: dict[str, dict[str, Any]]) -> bytes:
        event = entry.event
        self._cosmological |= any(date["year"] not in HUMAN_YEARS for date in dates.values())
        slide: dict[str, Any] = {
            **dates,
            "text": {"headline": escape(event.title), "text": html_of(entry)},
            "unique_id": event.id,
            "autolink": False,
            "_dateline": {
                **{name: getattr(event, name) for name in OWN},
                "address": entry.address,
            },
        }
        if event.occurred is not None:
            slide["display_date"] = escape(event.occurred.display)
        if event.kind:
            # It is read twice: what is left when its markup is taken away is markup again.
            slide["group"] = escape(escape(event.kind))
        if event.media:
            medium = event.media[0]
            told = {"caption": medium.caption, "credit": medium.credit}
            slide["media"] = {"url": iri(medium.url)} | {name: escape(words) for name, words in told.items() if words}
            if medium.alt:
                slide["media"]["alt"] = medium.alt
        return self._separated(msgspec.json.encode(slide))


def dates_of(occurred: Occurred) -> dict[str, dict[str, Any]]:
    """When a slide begins and ends: a unit of the calendar as itself, all else from its first to its last day.

    Both ends have the same members, or the end would be dropped where it begins like the beginning.
    """
    assert occurred.earliest is not None
    first = parts_of(occurred.earliest)
    if is_whole(occurred):
        return {"start_date": _date(first, stated(occurred))}
    last = None if occurred.latest is None else parts_of(occurred.latest)
    number = 6 if "T" in occurred.earliest or "T" in (occurred.latest or "") else 3
    dates = {"start_date": _date(first, number)}
    return dates if last is None else {**dates, "end_date": _date(last, number)}


def _date(parts: Parts, number: int) -> dict[str, Any]:
    """The first members of a date. A zero is dropped from what is shown unless it is text."""
    year = parts[0] if parts[0] > 0 else parts[0] - 1
    rest = {unit: part or "0" for unit, part in zip(UNITS[1:number], parts[1:number], strict=True)}
    return {"year": year, **rest}


def _lost(entry: Entry, occurred: Occurred) -> frozenset[Loss]:
    lost: set[Loss] = set(date_losses(occurred))
    if is_whole(occurred):
        lost.discard("precision")
    if len(entry.event.media) > 1:
        lost.add("media")
    return frozenset(lost)
