"""iCalendar (RFC 5545): whole days for whatever is not said to the minute, and the date as it was given in words."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from icalendar import Calendar, vUri
from icalendar import Event as Component

from service.api.exports.forms import Entry, Format, Loss, Written, date_losses, lines_of, parts_of
from service.domain.event import Occurred

PRODUCT: Final = "-//dateline//EN"
YEARS: Final = range(1, 10_000)
STATUS: Final = {"happened": "CONFIRMED", "cancelled": "CANCELLED", "not_happened": "CANCELLED"}
OWN: Final = ("key", "collection", "kind", "phase", "revision")
"""Members for which a calendar has no property, each as one of our own."""
SEQUENCE_MAX: Final = 2**31 - 1


class ICal(Format):
    name = "ical"
    media_type = "text/calendar"
    suffix = "ics"
    carries = frozenset(
        {
            *("id", "title", "summary", "language", "occurred", "tags", "standing", "recorded", "created", *OWN),
            *("claims.source", "claims.stance", "claims.speakers", "claims.published"),
            *("places.name", "places.latitude", "places.longitude"),
        }
    )

    def begin(self) -> bytes:
        calendar = Calendar()
        calendar.add("prodid", PRODUCT)
        calendar.add("version", "2.0")
        calendar.add("name", self.about.title)
        calendar.add("x-wr-calname", self.about.title)
        if self.about.description:
            calendar.add("description", self.about.description)
        calendar.add("source", vUri(self.about.address))
        return _lines(calendar).removesuffix(b"END:VCALENDAR\r\n")

    def write(self, entry: Entry) -> Written:
        event = entry.event
        if event.occurred is None:
            return Written(None, frozenset({"undated"}))
        dates, lost = _dates(event.occurred)
        if dates is None:
            return Written(None, lost)
        component = Component()
        component.add("uid", event.id)
        component.add("dtstamp", _instant(event.recorded))
        component.add("created", _instant(event.created.recorded))
        component.add("last-modified", _instant(event.recorded))
        # It begins at nothing and grows with every version, since which of them mattered is nobody's to say.
        component.add("sequence", min(event.revision - event.created.revision, SEQUENCE_MAX))
        component.add("dtstart", dates[0])
        if dates[1] is not None:
            component.add("dtend", dates[1])
        said = "" if not lost - {"open_end"} else f" ({event.occurred.display})"
        language = {"language": event.language} if event.language else {}
        component.add("summary", event.title + said, language)
        component.add("description", "\n".join(lines_of(entry)))
        component.add("status", STATUS.get(event.phase, "TENTATIVE"))
        component.add("transp", "TRANSPARENT")
        component.add("url", vUri(entry.address))
        if event.tags:
            component.add("categories", event.tags)
        names = [place.name for place in event.places if place.name]
        if names:
            component.add("location", "; ".join(names))
        point = next((place for place in event.places if place.latitude is not None), None)
        if point is not None:
            component.add("geo", (point.latitude, point.longitude))
        component.add("x-dateline-edtf", event.occurred.edtf)
        for name in OWN:
            if (value := getattr(event, name)) is not None:
                component.add(f"x-dateline-{name}", str(value))
        # There is one position to an event.
        more: set[Loss] = {"places"} if sum(place.latitude is not None for place in event.places) > 1 else set()
        return Written(_lines(component), lost | more)

    def end(self) -> bytes:
        return b"END:VCALENDAR\r\n"


def _lines(component: Calendar | Component) -> bytes:
    text: bytes = component.to_ical()
    return text


def _instant(recorded: str) -> datetime:
    return datetime.fromisoformat(recorded).astimezone(UTC).replace(microsecond=0)


Ends = tuple[date, date | None]


def _dates(occurred: Occurred) -> tuple[Ends | None, frozenset[Loss]]:
    """When it begins and ends, the end not belonging to it; None where a calendar has no place for it."""
    if occurred.earliest is None:
        return None, frozenset({"open_start"})
    bounds = [parts_of(bound) for bound in (occurred.earliest, occurred.latest) if bound is not None]
    years = [parts[0] for parts in bounds]
    if min(years) < 1:
        return None, frozenset({"before_common_era"})
    if max(years) not in YEARS or bounds[-1][:3] == (9_999, 12, 31):
        return None, frozenset({"out_of_range"})
    if "T" in occurred.earliest:
        times = [datetime(*parts, tzinfo=UTC) for parts in bounds]
        end = times[1] + timedelta(seconds=1) if len(times) == 2 and times[1] > times[0] else None
        return (times[0], end), date_losses(occurred)
    days = [date(*parts[:3]) for parts in bounds]
    return (days[0], days[1] + timedelta(days=1) if len(days) == 2 else None), date_losses(occurred)
