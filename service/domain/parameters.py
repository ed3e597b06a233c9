"""Selection parameters: one table from which reading, refusing, describing and binding cursors all follow.

A query is a mapping from name to the values given, in order. Nothing here knows HTTP: a timeline's stored selection is
read by the same rules as an address.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from service.domain import dates, values
from service.domain.errors import Fault, InvalidParameter, nearest
from service.domain.event import Event
from service.domain.instants import RFC3339_PATTERN
from service.domain.text import TEXT_MAX

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 500
CURSOR_MAX: Final = 16_384
REPEATS_MAX: Final = 100

MEMBERS: Final = Event.__struct_fields__

Query = Mapping[str, list[str]]


class Parameter(Struct, frozen=True, kw_only=True):
    """One parameter: its meaning in a sentence, its JSON schema, and whether it may be repeated."""

    name: str
    description: str
    schema: dict[str, Any]
    repeatable: bool = False
    required: bool = False
    example: Any = None
    form: str = ""
    """What a text of it is, where its pattern is its own."""

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
        if schema["type"] == "boolean":
            return None if text in ("true", "false") else "neither true nor false"
        if "enum" in schema:
            choice = schema["enum"]
            return None if text in choice else f"not one of {', '.join(choice)}{nearest(text, choice)}"
        least, most = schema.get("minLength", 0), schema["maxLength"]
        if not least <= len(text) <= most:
            return f"not {values.lengths(least, most)}"
        if schema.get("format") == "edtf":
            return None  # The parser says better than a pattern what is wrong with a date.
        if schema.get("format") == "date-time" and " " in text:
            return "not an RFC 3339 date-time: in an address its + is written %2B"
        if schema.get("title") == "FieldList":
            unknown = next((name for name in text.split(",") if name not in MEMBERS), None)
            return None if unknown is None else f"wrong: an event has no member {unknown!r}{nearest(unknown, MEMBERS)}"
        if "pattern" in schema and re.search(schema["pattern"], text) is None:
            return f"not {self.form or values.form_of(schema['pattern'])}"
        return None


def _text(pattern: str, length: int, title: str | None = None) -> dict[str, Any]:
    titled = {} if title is None else {"title": title}
    return {**titled, "type": "string", "pattern": pattern, "minLength": 1, "maxLength": length}


def words(title: str, *choice: str, default: str | None = None) -> dict[str, Any]:
    """The schema of one word of a few, which the document says once under its title."""
    told = {} if default is None else {"default": default}
    return {"title": title, "type": "string", "enum": list(choice)} | told


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
INSTANT_FORM: Final = "an instant such as 2025-02-20T12:00:00Z"
SLUG: Final = msgspec.json.schema(values.Slug)
WORD: Final = msgspec.json.schema(values.Word)
REVISION: Final = msgspec.json.schema(values.Revision)
ID: Final = msgspec.json.schema(values.Id)
FULL_TEXT: Final = _text(values.LINE_PATTERN, TEXT_MAX, "FullText")
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
        schema=words("Match", "possible", "certain", default="possible"),
        description="Whether bounds need only overlap the window (possible) or must lie inside it (certain).",
    ),
    Parameter(
        name="undated",
        schema=words("Undated", "include", "only", "exclude"),
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
        schema=words("AnyOrAll", "any", "all", default="any"),
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
        schema=words("Stance", *values.STANCES),
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
        form=INSTANT_FORM,
        example="2000-01-01T00:00:00Z",
        description="Events whose version read was recorded at this instant or later.",
    ),
    Parameter(
        name="recorded_to",
        schema=INSTANT,
        form=INSTANT_FORM,
        example="2100-01-01T00:00:00Z",
        description="Events whose version read was recorded at this instant or earlier.",
    ),
    Parameter(
        name="standing",
        schema=words("StandingState", *values.STANDINGS),
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
        schema=words("AnyOrAll", "any", "all", default="any"),
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
        schema=words("Phase", *values.PHASES),
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
        form="a box in degrees: minLon,minLat,maxLon,maxLat",
        example="18,41,24,47",
        description="Events with coordinates in minLon,minLat,maxLon,maxLat; a west beyond the east crosses 180°.",
    ),
    Parameter(
        name="q",
        schema=FULL_TEXT,
        example='"american troops" withdraw* -putin',
        description="Events that hold these words in title, summary, quotes of the claims seen, names of places or "
        "names of their actors; accents and case are ignored. Quoted words stand side by side, - before a word or "
        "phrase excludes it, or between two takes either, and * after a word takes all that begin so.",
    ),
    Parameter(
        name="related_to",
        schema=ID,
        description="Events tied to the event with this id by their relations or its own.",
    ),
    Parameter(
        name="relation",
        schema=words("RelationType", *values.RELATION_TYPES),
        repeatable=True,
        description="With related_to: only relations of this type count.",
    ),
    Parameter(
        name="direction",
        schema=words("Direction", "in", "out", "both"),
        description="With related_to: events that point at it (in, or not given), that it points at (out), or both.",
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
        form=INSTANT_FORM,
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
    schema=words("Order", "asc", "desc", default="asc"),
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
    schema=_text(r"^([A-Za-z0-9_-]{1,200}|https?://[!-~]+)\Z", CURSOR_MAX, "Cursor"),
    form="a cursor that this service gave out",
    description="Where to go on: `next` of the page before, as it stands, or only the cursor within. It is bound to "
    "the other parameters, which need not be said again beside a whole `next`, and to the revision.",
)
FIELDS: Final = Parameter(
    name="fields",
    schema=_text(rf"^({'|'.join(MEMBERS)})(,({'|'.join(MEMBERS)}))*\Z", 400, "FieldList"),
    example="key,title,occurred",
    description="The members of events to be shown, separated by commas; all where not given.",
)
INCLUDE: Final = Parameter(
    name="include",
    schema=words("Inclusion", "actors,sources", "actors", "sources", "none", default="actors,sources"),
    description="Whether the actors and sources named come along in `included`.",
)

SELECTION: Final = (*FILTERS, TIMELINE, *LENSES)
LISTING: Final = (*SELECTION, ORDER, LIMIT, CURSOR, FIELDS, INCLUDE)
STORABLE: Final = (*FILTERS, *LENSES, ORDER)
"""What a timeline may hold."""


def named(known: Iterable[Parameter]) -> Mapping[str, Parameter]:
    """The parameters by their names."""
    return {parameter.name: parameter for parameter in known}


def check(query: Query, known: Iterable[Parameter]) -> None:
    """Raises InvalidParameter naming every parameter that is unknown, given too often, or not of its schema."""
    check_named(query, named(known))


def check_named(query: Query, known: Mapping[str, Parameter]) -> None:
    """The same, where the parameters are at hand by their names."""
    faults = []
    for name, given in query.items():
        parameter = known.get(name)
        if parameter is None:
            faults.append(Fault(parameter=name[:200], detail=f"unknown parameter{nearest(name, known)}"))
            continue
        if len(given) > (REPEATS_MAX if parameter.repeatable else 1):
            most = f"at most {REPEATS_MAX} times" if parameter.repeatable else "only once"
            faults.append(Fault(parameter=name, detail=f"may be given {most}"))
        wrong = ((text, parameter.schema_fault(text)) for text in given[:REPEATS_MAX])
        faults += [Fault(parameter=name, detail=f"{_shown(text)} is {fault}") for text, fault in wrong if fault]
    faults += [
        Fault(parameter=name, detail="is missing")
        for name, parameter in known.items()
        if parameter.required and name not in query
    ]
    if faults:
        raise InvalidParameter("The request has parameters that cannot be read.", faults)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:79] + "…")
