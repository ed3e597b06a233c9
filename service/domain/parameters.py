"""Selection parameters: one table from which reading, refusing, describing and binding cursors all follow.

A query is a mapping from name to the values given, in order. Nothing here knows HTTP: a timeline's stored selection is
read by the same rules as an address.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from service.domain import dates, values
from service.domain.dates import EARLIEST, LATEST
from service.domain.errors import Fault, InvalidParameter, RefusedParameter, explained, nearest
from service.domain.event import Event
from service.domain.filters import Bounds, Box, ClaimFilter, Filters
from service.domain.instants import RFC3339_PATTERN, instant_of
from service.domain.lenses import Position
from service.domain.selection import digest_of

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 500
REPEATS_MAX: Final = 100

MEMBERS: Final = Event.__struct_fields__

Query = Mapping[str, list[str]]


class Parameter(Struct, frozen=True, kw_only=True):
    """One parameter: its meaning in a sentence, its JSON schema, and whether it may be repeated."""

    name: str
    description: str
    schema: dict[str, Any]
    repeatable: bool = False
    example: Any = None

    def schema_fault(self, text: str) -> str | None:
        """Why the text is none that the schema admits, in a few words, or None."""
        schema = self.schema
        if schema["type"] == "integer":
            if re.fullmatch(r"-?[0-9]{1,19}", text) is None:
                return "not a whole number"
            number = int(text)
            if not schema["minimum"] <= number <= schema["maximum"]:
                return f"not between {schema['minimum']} and {schema['maximum']}"
            return None
        if "enum" in schema:
            words = schema["enum"]
            return None if text in words else f"not one of {', '.join(words)}{nearest(text, words)}"
        if not schema.get("minLength", 0) <= len(text) <= schema["maxLength"]:
            return f"not {schema.get('minLength', 0)} to {schema['maxLength']} characters long"
        if schema.get("format") == "edtf":
            return None  # The parser says better than a pattern what is wrong with a date.
        if schema.get("format") == "date-time" and " " in text:
            return "not an RFC 3339 date-time: in an address its + is written %2B"
        if schema.get("title") == "FieldList":
            unknown = next((name for name in text.split(",") if name not in MEMBERS), None)
            return None if unknown is None else f"wrong: an event has no member {unknown!r}{nearest(unknown, MEMBERS)}"
        if "pattern" in schema and re.search(schema["pattern"], text) is None:
            return f"not of the form {schema['pattern'].replace(chr(92) + 'Z', '$')}"
        return None


def _text(pattern: str, length: int, title: str | None = None) -> dict[str, Any]:
    titled = {} if title is None else {"title": title}
    return {**titled, "type": "string", "pattern": pattern, "minLength": 1, "maxLength": length}


def _words(*words: str, default: str | None = None) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)} | ({} if default is None else {"default": default})


EDTF: Final = {
    **_text(dates.POINT_PATTERN, dates.TEXT_LENGTH_MAX, "EdtfPoint"),
    "format": "edtf",
    "description": "EDTF (ISO 8601-2), levels 0 to 2: one date or date-time, with its whole span.",
}
INSTANT: Final = {
    **_text(RFC3339_PATTERN, 64, "Instant"),
    "format": "date-time",
    "description": "An instant (RFC 3339).",
}
SLUG: Final = msgspec.json.schema(values.Slug)
WORD: Final = msgspec.json.schema(values.Word)
REVISION: Final = msgspec.json.schema(values.Revision)
ID: Final = msgspec.json.schema(values.Id)
DEGREES: Final = r"-?[0-9]{1,3}(\.[0-9]{1,15})?"

# Each example stands for itself, and all of them together choose one event of the demo dossier.
FILTERS: Final = (
    Parameter(
        name="from",
        schema=EDTF,
        example="2025-02",
        description="Events whose date reaches into or beyond the span of this EDTF date or date-time.",
    ),
    Parameter(
        name="to",
        schema=EDTF,
        example="2025-02-20",
        description="Events whose date begins before the whole span of this EDTF date ends: 2008 takes in all of 2008.",
    ),
    Parameter(
        name="match",
        schema=_words("possible", "certain", default="possible"),
        description="Whether bounds need only overlap the window (possible) or must lie inside it (certain).",
    ),
    Parameter(
        name="undated",
        schema=_words("include", "only", "exclude"),
        description="Events without a known date; included by default, but not with a window.",
    ),
    Parameter(
        name="actor",
        schema=SLUG,
        repeatable=True,
        example="united-states",
        description="Events in which this actor takes part.",
    ),
    Parameter(
        name="actor_match",
        schema=_words("any", "all", default="any"),
        description="Whether any of the actors will do or all must take part.",
    ),
    Parameter(
        name="role",
        schema=WORD,
        repeatable=True,
        example="subject",
        description="Events in which somebody takes part in this role; with actor, that actor.",
    ),
    Parameter(
        name="source",
        schema=SLUG,
        repeatable=True,
        example="bild-2025-02-19",
        description="Events of which this source states something; all parameters of claims must hold of one.",
    ),
    Parameter(
        name="publisher",
        schema=SLUG,
        repeatable=True,
        example="bild",
        description="Events of which a source of this publisher states something.",
    ),
    Parameter(
        name="speaker",
        schema=SLUG,
        repeatable=True,
        example="eastern-european-security-official",
        description="Events of which this actor says something.",
    ),
    Parameter(
        name="stance",
        schema={"title": "Stance", **_words(*values.STANCES)},
        repeatable=True,
        example="asserts",
        description="Events of which a claim takes this stance.",
    ),
    Parameter(
        name="published_from",
        schema=EDTF,
        example="2025-02-19",
        description="Events of which a claim was, or may have been, published in or after this EDTF date.",
    ),
    Parameter(
        name="published_to",
        schema=EDTF,
        example="2025-02-20",
        description="Events of which a claim was, or may have been, published in or before this EDTF date.",
    ),
    Parameter(
        name="recorded_from",
        schema=INSTANT,
        example="2000-01-01T00:00:00Z",
        description="Events whose version read was recorded at this instant or later.",
    ),
    Parameter(
        name="recorded_to",
        schema=INSTANT,
        example="2100-01-01T00:00:00Z",
        description="Events whose version read was recorded at this instant or earlier.",
    ),
    Parameter(
        name="standing",
        schema={"title": "StandingState", **_words(*values.STANDINGS)},
        repeatable=True,
        example="reported",
        description="Events of this standing, as the claims seen have it.",
    ),
    Parameter(
        name="min_origins",
        schema={"type": "integer", "format": "int32", "minimum": 0, "maximum": 10_000},
        example=1,
        description="Events that at least so many independent origins assert.",
    ),
    Parameter(name="tag", schema=WORD, repeatable=True, example="kfor", description="Events with this tag."),
    Parameter(
        name="tag_match",
        schema=_words("any", "all", default="any"),
        description="Whether any of the tags will do or all must be there.",
    ),
    Parameter(
        name="kind",
        schema=WORD,
        repeatable=True,
        example="troop-withdrawal",
        description="Events of this kind.",
    ),
    Parameter(
        name="collection",
        schema=SLUG,
        repeatable=True,
        example="main",
        description="Events of this collection.",
    ),
    Parameter(
        name="phase",
        schema={"title": "Phase", **_words(*values.PHASES)},
        repeatable=True,
        example="hypothetical",
        description="Events in this phase.",
    ),
    Parameter(
        name="language",
        schema=msgspec.json.schema(values.Language),
        repeatable=True,
        example="en",
        description="Events told in this language; en takes in en-GB (RFC 4647, basic filtering).",
    ),
    Parameter(
        name="country",
        schema=msgspec.json.schema(values.Country),
        repeatable=True,
        example="XK",
        description="Events with a place in this country.",
    ),
    Parameter(
        name="bbox",
        schema=_text(rf"^{DEGREES}(,{DEGREES}){{3}}\Z", 100, "BoundingBox"),
        example="18,41,24,47",
        description="Events with coordinates in minLon,minLat,maxLon,maxLat; a west beyond the east crosses 180°.",
    ),
    Parameter(
        name="related_to",
        schema=ID,
        description="Events tied to the event with this id by their relations or its own.",
    ),
    Parameter(
        name="relation",
        schema={"title": "RelationType", **_words(*values.RELATION_TYPES)},
        repeatable=True,
        description="With related_to: only relations of this type count.",
    ),
    Parameter(
        name="direction",
        schema=_words("in", "out", "both", default="in"),
        description="With related_to: events that point at it (in), that it points at (out), or both.",
    ),
    Parameter(
        name="key",
        schema=msgspec.json.schema(values.Key),
        repeatable=True,
        example="us-troop-withdrawal",
        description="The event with this key.",
    ),
    Parameter(
        name="id",
        schema=msgspec.json.schema(values.Id),
        repeatable=True,
        description="The event with this id.",
    ),
)
TIMELINE: Final = Parameter(
    name="timeline",
    schema=SLUG,
    example="kosovo",
    description="The events of this timeline; the request's parameters narrow them, its lenses replace the timeline's.",
)
LENSES: Final = (
    Parameter(
        name="as_of",
        schema=INSTANT,
        description="Lens: events as they were recorded at this instant.",
    ),
    Parameter(
        name="revision",
        schema=REVISION,
        example=5,
        description="Lens: events as they were recorded at this revision; not together with as_of.",
    ),
    Parameter(
        name="known_at",
        schema=EDTF,
        example="2025-02-20",
        description="Lens: only claims published by the end of this date are seen, and events publicly known by then.",
    ),
    Parameter(
        name="according_to",
        schema=SLUG,
        repeatable=True,
        example="bild",
        description="Lens: only claims of this actor, as voice or publisher, are seen, and what dates they give.",
    ),
    Parameter(
        name="according_to_source",
        schema=SLUG,
        repeatable=True,
        example="bild-2025-02-19",
        description="Lens: only claims of this source are seen, and what dates they give.",
    ),
)
ORDER: Final = Parameter(
    name="order",
    schema=_words("asc", "desc", default="asc"),
    description="By date, earliest first (asc) or the exact reverse; events without a date come last in both.",
)
LIMIT: Final = Parameter(
    name="limit",
    schema={
        "type": "integer",
        "format": "int32",
        "minimum": 1,
        "maximum": LIMIT_MAX,
        "default": LIMIT_DEFAULT,
    },
    description="The most items on a page.",
)
CURSOR: Final = Parameter(
    name="cursor",
    schema=_text(r"^[A-Za-z0-9_-]+\Z", 200),
    description="Where to go on, as `next` of the page before gave it; bound to the other parameters and the revision.",
)
FIELDS: Final = Parameter(
    name="fields",
    schema=_text(rf"^({'|'.join(MEMBERS)})(,({'|'.join(MEMBERS)}))*\Z", 400, "FieldList"),
    example="key,title,occurred",
    description="The members of events to be shown, separated by commas; all where not given.",
)
INCLUDE: Final = Parameter(
    name="include",
    schema=_words("actors,sources", "actors", "sources", "none", default="actors,sources"),
    description="Whether the actors and sources named come along in `included`.",
)

SELECTION: Final = (*FILTERS, TIMELINE, *LENSES)
LISTING: Final = (*SELECTION, ORDER, LIMIT, CURSOR, FIELDS, INCLUDE)
STORABLE: Final = (*FILTERS, *LENSES, ORDER)
"""What a timeline may hold."""


class Lenses(Struct, frozen=True):
    """Through what events are seen; None where the request does not say."""

    as_of: datetime | None = None
    revision: int | None = None
    known: int | None = None
    accounts: frozenset[str] | None = None
    account_sources: frozenset[str] | None = None

    def over(self, defaults: "Lenses") -> "Lenses":
        """These lenses, and the defaults for those that are not given."""
        recorded = self if (self.as_of, self.revision) != (None, None) else defaults
        return Lenses(
            as_of=recorded.as_of,
            revision=recorded.revision,
            known=defaults.known if self.known is None else self.known,
            accounts=defaults.accounts if self.accounts is None else self.accounts,
            account_sources=defaults.account_sources if self.account_sources is None else self.account_sources,
        )


class RelatedTo(Struct, frozen=True):
    """Which events are asked for by their ties to one: that point at it (into), that it points at (out), or either."""

    event: str
    types: frozenset[str]
    into: bool
    out: bool


class Asked(Struct, frozen=True):
    """What one set of selection parameters asks for, read but not yet resolved against a store."""

    filters: Filters = Filters()
    related: RelatedTo | None = None
    recorded: tuple[datetime | None, datetime | None] = (None, None)
    """First and last instant at which the version read was recorded."""
    lenses: Lenses = Lenses()
    timeline: str | None = None
    order: str | None = None


def check(query: Query, known: Iterable[Parameter]) -> None:
    """Raises InvalidParameter naming every parameter that is unknown, given too often, or not of its schema."""
    table = {parameter.name: parameter for parameter in known}
    faults = []
    for name, given in query.items():
        parameter = table.get(name)
        if parameter is None:
            faults.append(Fault(parameter=name[:200], detail=f"unknown parameter{nearest(name, table)}"))
            continue
        if len(given) > (REPEATS_MAX if parameter.repeatable else 1):
            most = f"at most {REPEATS_MAX} times" if parameter.repeatable else "only once"
            faults.append(Fault(parameter=name, detail=f"may be given {most}"))
        wrong = ((text, parameter.schema_fault(text)) for text in given[:REPEATS_MAX])
        faults += [Fault(parameter=name, detail=f"{_shown(text)} is {fault}") for text, fault in wrong if fault]
    if faults:
        raise InvalidParameter("The request has parameters that cannot be read.", faults)


def asked(query: Query) -> Asked:
    """What a checked query asks for. Raises RefusedParameter where values contradict each other or name no date."""
    faults: list[Fault] = []

    def one(name: str, read: Callable[[str], Any]) -> Any:
        try:
            return read(query[name][0]) if name in query else None
        except ValueError as error:
            faults.append(Fault(parameter=name, detail=str(error)))
            return None

    first, last, known = one("from", _date), one("to", _date), one("known_at", _date)
    published = one("published_from", _date), one("published_to", _date)
    recorded = one("recorded_from", instant_of), one("recorded_to", instant_of)
    as_of, box = one("as_of", instant_of), one("bbox", _box)
    for name, low, high in (
        ("from", first and first.start, last and last.end),
        ("published_from", published[0] and published[0].start, published[1] and published[1].end),
        ("recorded_from", *recorded),
    ):
        if low is not None and high is not None and low > high:
            other = name.replace("from", "to")
            faults.append(Fault(parameter=name, detail=f"{query[name][0]} begins after {query[other][0]} ends"))
    if "as_of" in query and "revision" in query:
        faults.append(Fault(parameter="revision", detail="not together with as_of: both say what had been recorded"))
    if "related_to" not in query:
        faults += [
            Fault(parameter=name, detail="only together with related_to")
            for name in ("relation", "direction")
            if name in query
        ]
    if faults:
        raise RefusedParameter("The request has parameters that cannot hold.", faults)

    certain = query.get("match") == ["certain"]
    window = Bounds(
        lo_min=first.start if first is not None and certain else EARLIEST,
        lo_max=LATEST if last is None else last.end,
        hi_min=EARLIEST if first is None else first.start,
        hi_max=last.end if last is not None and certain else LATEST,
    )
    undated = query.get("undated", ["include" if window == Bounds() else "exclude"])[0]
    return Asked(
        filters=Filters(
            bounds=window,
            dated=undated != "only",
            undated=undated != "exclude",
            collections=_all(query, "collection"),
            kinds=_all(query, "kind"),
            phases=_all(query, "phase"),
            tags=_all(query, "tag"),
            all_tags=query.get("tag_match") == ["all"],
            actors=_all(query, "actor"),
            all_actors=query.get("actor_match") == ["all"],
            roles=_all(query, "role"),
            claim=ClaimFilter(
                sources=_all(query, "source"),
                publishers=_all(query, "publisher"),
                speakers=_all(query, "speaker"),
                stances=_all(query, "stance"),
                published=None
                if published == (None, None)
                else (
                    EARLIEST if published[0] is None else published[0].start,
                    LATEST if published[1] is None else published[1].end,
                ),
            ),
            standings=_all(query, "standing"),
            origins_min=int(query.get("min_origins", ["0"])[0]),
            languages=tuple(values.sorted_unique(text.lower() for text in query.get("language", ()))),
            countries=_all(query, "country"),
            box=box,
            ids=frozenset(query["id"]) if "id" in query else None,
            keys=frozenset(query["key"]) if "key" in query else None,
        ),
        related=_related(query),
        recorded=recorded,
        lenses=Lenses(
            as_of=as_of,
            revision=int(query["revision"][0]) if "revision" in query else None,
            known=None if known is None else known.end,
            accounts=frozenset(query["according_to"]) if "according_to" in query else None,
            account_sources=frozenset(query["according_to_source"]) if "according_to_source" in query else None,
        ),
        timeline=query.get("timeline", [None])[0],
        order=query.get("order", [None])[0],
    )


def fields_of(query: Query) -> frozenset[str] | None:
    """The members of events that are asked for; None for all."""
    return frozenset(query["fields"][0].split(",")) if "fields" in query else None


def included_of(query: Query) -> frozenset[str]:
    """What is to come along of what events name: actors, sources, both or neither."""
    return frozenset(query.get("include", ["actors,sources"])[0].split(",")) - {"none"}


def _all(query: Query, name: str) -> tuple[str, ...]:
    return tuple(values.sorted_unique(query.get(name, ())))


def _related(query: Query) -> RelatedTo | None:
    if "related_to" not in query:
        return None
    direction = query.get("direction", ["in"])[0]
    return RelatedTo(
        event=query["related_to"][0],
        types=frozenset(query.get("relation", ())),
        into=direction != "out",
        out=direction != "in",
    )


def _box(text: str) -> Box:
    west, south, east, north = (float(part) for part in text.split(","))
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise ValueError("longitudes are -180 to 180 and latitudes -90 to 90: minLon,minLat,maxLon,maxLat")
    if south > north:
        raise ValueError(f"its south, {south:g}, lies north of its north, {north:g}: minLon,minLat,maxLon,maxLat")
    return Box(west=west, south=south, east=east, north=north)


def _date(text: str) -> dates.Date:
    try:
        date = dates.parse(text)
    except dates.DateError as error:
        raise ValueError(explained(error)) from error
    if not date.is_point:
        raise ValueError(f"{text} is an interval or a set; one date or date-time is wanted, with its whole span")
    return date


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:79] + "…")


class Cursor(Struct, frozen=True, array_like=True):
    """Where a paged reading stands: bound to the query it began with, and to the head as it then was."""

    bound: str
    head: int
    place: list[Any]


def cursor_text(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).rstrip(b"=").decode()


def cursor_of(query: Query, path: str, place: Any) -> Cursor | None:
    """The cursor in a query, if any, its place being of the type given.

    Raises RefusedParameter where it belongs to another query or was never given out.
    """
    if "cursor" not in query:
        return None
    text = query["cursor"][0]
    try:
        cursor = msgspec.msgpack.decode(
            base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True), type=Cursor
        )
        msgspec.convert(cursor.place, place)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise RefusedParameter(
            "This cursor was not given out by this service.",
            [Fault(parameter="cursor", detail="not a cursor")],
        ) from error
    if cursor.bound != bound_of(query, path):
        fault = Fault(
            parameter="cursor",
            detail="belongs to a reading with other parameters; follow `next` as it stands",
        )
        raise RefusedParameter("This cursor belongs to another selection.", [fault])
    return cursor


def bound_of(query: Query, path: str) -> str:
    """The name of everything a cursor is bound to: the path and all parameters but `limit` and the cursor itself."""
    rest = {name: sorted(given) for name, given in query.items() if name not in ("limit", "cursor")}
    return digest_of(path, rest)


__all__ = ["Asked", "Cursor", "Lenses", "Parameter", "Position", "asked", "check", "cursor_of", "cursor_text"]
