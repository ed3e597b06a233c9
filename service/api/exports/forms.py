"""What every export format is given, and what it owns up to.

A format is written event by event, in the order of the listing, so that it can be sent while it is read. It declares
which members of an event it carries; of these it names what it cannot hold of one event, and where it cannot hold the
event at all it leaves it out and says why.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from html import escape
from typing import ClassVar, Final, Literal, cast, get_args
from urllib.parse import quote

from msgspec import Struct

from service.domain.dates.gregorian import civil
from service.domain.event import Claim, Event, Occurred
from service.domain.resources import Actor, Source

Loss = Literal[
    "undated",
    "before_common_era",
    "out_of_range",
    "open_start",
    "open_end",
    "precision",
    "doubt",
    # Members of an event that are not there, or not whole.
    "key",
    "collection",
    "summary",
    "language",
    "kind",
    "phase",
    "actors",
    "claims",
    "standing",
    "relations",
    "places",
    "tags",
    "media",
    "attributes",
    "external_ids",
    "revision",
    "recorded",
    "created",
]
LOSSES: Final[tuple[Loss, ...]] = get_args(Loss)
LEFT_OUT_MAX: Final = 10_000
"""Events left out that a report names."""


class About(Struct, frozen=True):
    """What is exported: its words, where it is found, and the state that it shows."""

    title: str
    description: str | None
    language: str | None
    address: str
    """Of this export."""
    listing: str
    """Of the same events as this service's own JSON."""
    origin: str
    revision: int
    recorded: str


class Entry(Struct, frozen=True):
    """An event as seen, with what it names."""

    event: Event
    actors: Mapping[str, Actor]
    sources: Mapping[str, Source]
    address: str

    def actor(self, slug: str) -> str:
        found = self.actors.get(slug)
        return slug if found is None else found.name

    def source(self, slug: str) -> str:
        found = self.sources.get(slug)
        return slug if found is None else found.title

    def url(self, slug: str) -> str | None:
        found = self.sources.get(slug)
        return None if found is None or found.url is None else iri(found.url)


class Written(Struct, frozen=True):
    """An event in a format, None where it cannot be there, and what is lost of the members that the format carries."""

    text: bytes | None
    lost: frozenset[Loss] = frozenset()


class Format(ABC):
    """One export in one format."""

    name: ClassVar[str]
    media_type: ClassVar[str]
    suffix: ClassVar[str]
    carries: ClassVar[frozenset[str]]
    """The members of an event that the file has; those of parts with a dot, `claims.quote`, where it has not all."""

    def __init__(self, about: About) -> None:
        self.about = about

    @abstractmethod
    def begin(self) -> bytes: ...

    @abstractmethod
    def write(self, entry: Entry) -> Written: ...

    @abstractmethod
    def end(self) -> bytes: ...

    def lost_together(self) -> Mapping[Loss, int]:
        """What events lose for the company that they are in, beside what was said of each; of how many."""
        return {}


EVERYTHING: Final = frozenset(Event.__struct_fields__)
"""What a format carries that has events as this service has them."""
_DERIVED: Final = frozenset({"claims.id"})
"""What follows from the rest of an event and is missed nowhere."""


def missing(event: Event, carries: frozenset[str]) -> frozenset[Loss]:
    """The members of which the event has something that a format does not carry."""
    names = (name.partition(".")[0] for name in _said(event) if name not in carries)
    return frozenset(cast("Loss", name) for name in names if name not in carries)


def _said(event: Event) -> Iterator[str]:
    """The members that say something. A date is in its EDTF text, a standing in its state, so these have no parts."""
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, list) and value and isinstance(value[0], Struct):
            members = {f"{name}.{each}" for part in value for each in part.__struct_fields__ if _says(part, each)}
            yield from members - _DERIVED
        elif _says(event, name):
            yield name


def _says(part: Struct, name: str) -> bool:
    return getattr(part, name) not in (None, "", [], {})


class Separated:
    """Puts a comma before every part but the first."""

    def __init__(self) -> None:
        self._begun = False

    def __call__(self, part: bytes) -> bytes:
        begun, self._begun = self._begun, True
        return b"," + part if begun else part


# --- Addresses

_UNFIT: Final = re.compile(
    # What separates addresses from what is around them (RFC 3987, 2.2), what no text should hold, what turns a text
    # around (4.1), and a per cent sign that begins no escape.
    r'[\x00-\x20"<>\\^`{|}\x7f-\x9f\ue000-\uf8ff\ufdd0-\ufdef\ufff0-\uffff\u200e\u200f\u202a-\u202e\u2066-\u2069]'
    r"|%(?![0-9A-Fa-f]{2})"
)


_PARTS: Final = re.compile(r"([a-z]+://[^/?#]*)([^#]*)(#?)(.*)", re.DOTALL | re.IGNORECASE)
_BRACKETS: Final = {ord("["): "%5B", ord("]"): "%5D"}
"""They may stand about the numbers of a host, and nowhere else."""


def iri(url: str) -> str:
    """An address as an IRI: what cannot stand in one is escaped, and all else is left as it was given."""
    if parts := _PARTS.fullmatch(url):
        host, path, mark, fragment = parts.groups()
        url = host + path.translate(_BRACKETS) + mark + fragment.translate(_BRACKETS).replace("#", "%23")
    return _UNFIT.sub(lambda found: quote(found[0], safe=""), url)


# --- Dates

Parts = tuple[int, int, int, int, int, int]
"""Year as astronomers count, month, day, hour, minute, second."""
UNITS: Final = ("year", "month", "day", "hour", "minute", "second")


def parts_of(bound: str) -> Parts:
    """A bound as the interface has it: a day, or with `T` a second in UTC."""
    day, _, time = bound.partition("T")
    sign = -1 if day.startswith("-") else 1
    year, month, date = day.lstrip("+-").split("-")
    hour, minute, second = time.rstrip("Z").split(":") if time else ("0", "0", "0")
    return sign * int(year), int(month), int(date), int(hour), int(minute), int(second)


def stated(occurred: Occurred) -> int:
    """How many of the units from the year down the date's finer end states: 1 for a year or a decade, 3 for a day."""
    finest = {"second": 6, "minute": 5, "hour": 4, "day": 3, "month": 2, "season": 2}
    return finest.get(occurred.precision, 1)


def is_whole(occurred: Occurred) -> bool:
    """Whether the date is one unit of the calendar, which its first day and its precision say in full."""
    return occurred.precision in ("second", "minute", "hour", "day", "month", "year") and not (
        set(occurred.edtf) & set("/[{X")
    )


_ISO: Final = re.compile(
    r"(?!0000)\d{4}(-(0[1-9]|1[0-2])(-\d\d(T([01]\d|2[0-3]):\d\d:\d\d(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


def is_iso(edtf: str) -> bool:
    """Whether a date is one of ISO 8601 as it stands: a year of our era, month, day or time, without doubt or end."""
    return _ISO.fullmatch(edtf) is not None


def date_losses(occurred: Occurred, *, doubt: bool = True) -> frozenset[Loss]:
    """What a format loses that has a beginning and an end in days or seconds, and nothing else."""
    lost: set[Loss] = set()
    if occurred.latest is None:
        lost.add("open_end")
    if doubt and (occurred.approximate or occurred.uncertain):
        lost.add("doubt")
    if occurred.precision not in ("day", "second") or set(occurred.edtf) & set("[{"):
        lost.add("precision")
    return frozenset(lost)


# --- Words

STANCES: Final = {
    "asserts": "Reported by",
    "confirms": "Confirmed by",
    "denies": "Denied by",
    "disputes": "Disputed by",
    "corrects": "Corrected by",
    "retracts": "Taken back by",
    "expects": "Expected by",
    "mentions": "Mentioned by",
}


def told_by(entry: Entry, claim: Claim) -> str:
    """Who says it, where, and when: "Mark Rutte in Bild (2025-02-19)"."""
    source = entry.source(claim.source)
    who = " and ".join(entry.actor(slug) for slug in claim.speakers)
    where = f"{who} in {source}" if who else source
    return f"{where} ({claim.published})" if claim.published else where


def lines_of(entry: Entry) -> list[str]:
    """The event in a few lines of plain text: when, what, and who says so."""
    event = entry.event
    lines = [event.occurred.display] if event.occurred is not None else []
    lines += [event.summary] if event.summary else []
    lines += [f"{STANCES[claim.stance]} {told_by(entry, claim)}" for claim in event.claims]
    return [*lines, f"Standing: {event.standing.state}"]


def html_of(entry: Entry) -> str:
    """The same as HTML. All of it is text to begin with, so that nothing in it is markup but what is written here."""
    event = entry.event
    parts = [f"<p>{escape(event.summary)}</p>"] if event.summary else []
    claims = []
    for claim in event.claims:
        words = escape(told_by(entry, claim))
        url = entry.url(claim.source)
        told = f'<a href="{escape(url)}">{words}</a>' if url else words
        quote = f" <q>{escape(claim.quote)}</q>" if claim.quote else ""
        claims.append(f"<li>{STANCES[claim.stance]} {told}{quote}</li>")
    if claims:
        parts.append(f"<ul>{''.join(claims)}</ul>")
    return "".join([*parts, f"<p>Standing: {event.standing.state}</p>"])


__all__ = [
    "EVERYTHING",
    "LEFT_OUT_MAX",
    "LOSSES",
    "STANCES",
    "UNITS",
    "About",
    "Entry",
    "Format",
    "Loss",
    "Parts",
    "Separated",
    "Written",
    "civil",
    "date_losses",
    "html_of",
    "iri",
    "is_iso",
    "is_whole",
    "lines_of",
    "missing",
    "parts_of",
    "stated",
    "told_by",
]
