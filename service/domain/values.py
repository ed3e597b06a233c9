"""The bounded scalar types of which every shape is made; their limits reach decoding and the document alike."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, get_args

from msgspec import Meta

from service.domain import dates
from service.domain.dates import EDTF_PATTERN

INT8_MIN: Final = -(2**63)
INT8_MAX: Final = 2**63 - 1

# Patterns are written in what Python and ECMA-262 both understand: no flags, no classes by name, characters as \u0000.
# Python's `$` also matches before a last line break, so they end in \Z; the document says `$`, as ECMA-262 does.
# PostgreSQL holds no NUL, and no text of ours needs one; control characters other than line breaks and tabs neither.
CONTROL: Final = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f"
TEXT_PATTERN: Final = rf"^[^{CONTROL}]*\Z"
LINE_PATTERN: Final = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*\Z"
# The same, and at either end no space, whatever its width.
_UNSEEN: Final = r"\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff"
NAME_PATTERN: Final = rf"^[^{_UNSEEN}]([^\u0000-\u001f\u007f-\u009f\u2028\u2029]*[^{_UNSEEN}])?\Z"
SLUG_PATTERN: Final = r"^[a-z0-9](-?[a-z0-9])*\Z"
LANGUAGE_PATTERN: Final = r"^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*\Z"
COUNTRY_PATTERN: Final = r"^[A-Z]{2}\Z"
URL_PATTERN: Final = rf"^https?://[^{_UNSEEN}]+\Z"
SHA256_PATTERN: Final = r"^[0-9a-f]{64}\Z"
UUID_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"
BOUND_PATTERN: Final = r"^([+-][0-9]{4,}|[0-9]{4})-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?\Z"
RECORDED_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\Z"

_FORMS: Final[Mapping[str, str]] = {
    TEXT_PATTERN: "text without control characters other than line breaks and tabs",
    LINE_PATTERN: "text on one line, without control characters",
    NAME_PATTERN: "text on one line, without control characters, and without spaces at its ends",
    SLUG_PATTERN: "a slug: lower-case letters and digits, with single hyphens between them",
    LANGUAGE_PATTERN: "a language tag, such as en-GB",
    COUNTRY_PATTERN: "a country's two capital letters (ISO 3166-1), such as XK",
    URL_PATTERN: "an address that begins with http:// or https:// and holds no spaces",
    SHA256_PATTERN: "64 hexadecimal digits in lower case",
    UUID_PATTERN: "an id: a UUID in lower case",
}


def lengths(least: int, most: int | None) -> str:
    """How many characters a text may have, in words."""
    return f"{most} characters long" if least == most else f"{least} to {most} characters long"


def form_of(pattern: str) -> str:
    """What a text of the pattern is, for whoever reads that theirs is none."""
    return _FORMS.get(pattern) or f"of the form {pattern.removesuffix(chr(92) + 'Z')}$"


TEXT_MAX: Final = 20_000

# What has a title is a component of the document, said there once and named wherever it is used.
Slug = Annotated[
    str,
    Meta(
        title="Slug",
        pattern=SLUG_PATTERN,
        min_length=1,
        max_length=80,
        description="Identifier in an address; it never changes.",
    ),
]
Key = Annotated[
    str,
    Meta(
        title="Key",
        pattern=NAME_PATTERN,
        min_length=1,
        max_length=200,
        description="The caller's own identifier of an event, unique in its collection.",
    ),
]
Id = Annotated[
    str,
    Meta(
        title="Id",
        pattern=UUID_PATTERN,
        min_length=36,
        max_length=36,
        description="UUID given by the service.",
        extra_json_schema={"format": "uuid"},
    ),
]
Line = Annotated[str, Meta(title="Line", pattern=LINE_PATTERN, max_length=500, description="Text on one line.")]
Name = Annotated[
    str,
    Meta(
        title="Name",
        pattern=NAME_PATTERN,
        min_length=1,
        max_length=500,
        description="Text on one line, without spaces at its ends.",
    ),
]
Text = Annotated[
    str,
    Meta(title="Text", pattern=TEXT_PATTERN, max_length=TEXT_MAX, description="Text, on as many lines as it needs."),
]
Word = Annotated[
    str,
    Meta(
        title="Word",
        pattern=NAME_PATTERN,
        min_length=1,
        max_length=80,
        description="A word of an open vocabulary.",
    ),
]
Language = Annotated[
    str,
    Meta(
        title="Language",
        pattern=LANGUAGE_PATTERN,
        min_length=2,
        max_length=35,
        description="BCP 47 language tag.",
    ),
]
Country = Annotated[
    str,
    Meta(
        title="Country",
        pattern=COUNTRY_PATTERN,
        min_length=2,
        max_length=2,
        description="ISO 3166-1 alpha-2 code; XK is Kosovo.",
    ),
]
Url = Annotated[
    str, Meta(title="Url", pattern=URL_PATTERN, min_length=8, max_length=2_000, description="An address on the web.")
]
Sha256 = Annotated[
    str,
    Meta(
        title="Sha256",
        pattern=SHA256_PATTERN,
        min_length=64,
        max_length=64,
        description="SHA-256 in lower-case hexadecimal digits.",
    ),
]
# The parser says better than a pattern what is wrong with a date, so the pattern is for the document alone.
Edtf = Annotated[
    str,
    Meta(
        title="Edtf",
        min_length=1,
        max_length=256,
        description="EDTF (ISO 8601-2), levels 0 to 2: a date or date-time as imprecise as its source.",
        extra_json_schema={"format": "edtf", "pattern": EDTF_PATTERN},
    ),
]
Latitude = Annotated[float, Meta(title="Latitude", ge=-90, le=90, description="Degrees north, WGS 84.")]
Longitude = Annotated[float, Meta(title="Longitude", ge=-180, le=180, description="Degrees east, WGS 84.")]
Percent = Annotated[int, Meta(ge=0, le=100, extra_json_schema={"format": "int32"})]
Count = Annotated[int, Meta(ge=0, le=INT8_MAX, extra_json_schema={"format": "int64"})]
Revision = Annotated[
    int,
    Meta(
        title="Revision",
        ge=0,
        le=INT8_MAX,
        description="Number of a committed write; 0 is the empty store.",
        extra_json_schema={"format": "int64"},
    ),
]
Recorded = Annotated[
    str,
    Meta(
        title="Recorded",
        pattern=RECORDED_PATTERN,
        min_length=24,
        max_length=24,
        description="When the service came to hold it, UTC to the millisecond.",
        extra_json_schema={"format": "date-time"},
    ),
]
Bound = Annotated[
    str,
    Meta(
        title="Bound",
        max_length=40,
        description="Outer bound: a date, or a UTC date-time; years of more than four digits carry a sign.",
        extra_json_schema={"pattern": BOUND_PATTERN},
    ),
]

Precision = Annotated[
    dates.Precision, Meta(title="Precision", description="The unit that a date names; of several dates, the coarsest.")
]
Phase = Annotated[
    Literal["happened", "expected", "hypothetical", "cancelled", "not_happened"],
    Meta(title="Phase", description="How far it has come."),
]
PHASES: Final[tuple[str, ...]] = get_args(get_args(Phase)[0])
Stance = Annotated[
    Literal["asserts", "confirms", "denies", "disputes", "corrects", "retracts", "expects", "mentions"],
    Meta(title="Stance", description="How the claim stands to the event."),
]
STANCES: Final[tuple[str, ...]] = get_args(get_args(Stance)[0])
StandingState = Annotated[
    Literal["unsourced", "mentioned", "retracted", "contested", "denied", "corrected", "corroborated", "reported"],
    Meta(title="StandingState", description="What the claims seen amount to, taken together."),
]
STANDINGS: Final[tuple[str, ...]] = get_args(get_args(StandingState)[0])
RelationType = Annotated[
    Literal["responds_to", "causes", "depends_on", "follows", "part_of", "coincides_with", "refers_to", "same_as"],
    Meta(title="RelationType", description="How the event is tied to the other."),
]
RELATION_TYPES: Final[tuple[str, ...]] = get_args(get_args(RelationType)[0])
ActorType = Annotated[
    Literal["person", "organisation", "group", "state", "office", "other"],
    Meta(title="ActorType", description="What the actor is."),
]
SourceType = Annotated[
    Literal["article", "broadcast", "statement", "post", "document", "dataset", "other"],
    Meta(title="SourceType", description="What the source is."),
]
Visibility = Annotated[
    Literal["public", "unlisted", "private"],
    Meta(
        title="Visibility",
        description="Who may read it: anyone; anyone who names it, in no list; who has a key for it.",
    ),
]
Cause = Annotated[
    Literal["new_fact", "source_correction", "editor_fix", "dedupe", "import", "migration"],
    Meta(title="Cause", description="Why it was written."),
]
CAUSES: Final[tuple[str, ...]] = get_args(get_args(Cause)[0])
Outcome = Annotated[
    Literal["created", "updated", "unchanged", "refused"],
    Meta(title="Outcome", description="What became of a row."),
]

Attributes = Annotated[dict[Word, Any], Meta(title="Attributes", max_length=100, description="Free JSON by name.")]
ExternalIds = Annotated[
    dict[Word, Line], Meta(title="ExternalIds", max_length=50, description="Identifiers elsewhere, by scheme.")
]
Names = Annotated[dict[Language, Name], Meta(title="Names", max_length=100, description="Names by language.")]
# The same as they are stored and returned: of the same schema, and not judged again at each decoding.
StoredLine = Annotated[str, Meta(title="Line")]
StoredAttributes = Annotated[dict[str, Any], Meta(title="Attributes")]
StoredExternalIds = Annotated[dict[str, str], Meta(title="ExternalIds")]
StoredNames = Annotated[dict[str, str], Meta(title="Names")]


def sorted_unique(words: Iterable[str]) -> list[str]:
    """The set as the interface returns it: each once, in code point order."""
    return sorted(set(words))
