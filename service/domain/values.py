"""The bounded scalar types of which every shape is made; their limits reach decoding and the document alike."""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from service.domain.dates import EDTF_PATTERN

INT8_MAX: Final = 2**63 - 1

# Python's `$` also matches before a last line break, so patterns end in \Z; the document says `$`, as ECMA-262 does.
# PostgreSQL holds no NUL, and no text of ours needs one; control characters other than line breaks and tabs neither.
TEXT_PATTERN: Final = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*\Z"
LINE_PATTERN: Final = r"^[^\u0000-\u001f\u007f]*\Z"
# The same, and no space at either end.
NAME_PATTERN: Final = r"^[^\u0000-\u0020\u007f\u00a0]([^\u0000-\u001f\u007f]*[^\u0000-\u0020\u007f\u00a0])?\Z"
SLUG_PATTERN: Final = r"^[a-z0-9](-?[a-z0-9])*\Z"
LANGUAGE_PATTERN: Final = r"^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*\Z"
COUNTRY_PATTERN: Final = r"^[A-Z]{2}\Z"
URL_PATTERN: Final = r"^https?://[^\s\u0000-\u0020\u007f]+\Z"
SHA256_PATTERN: Final = r"^[0-9a-f]{64}\Z"
UUID_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"
RECORDED_PATTERN: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z\Z"

Slug = Annotated[
    str, Meta(pattern=SLUG_PATTERN, max_length=80, description="Identifier in an address; it never changes.")
]
Key = Annotated[
    str,
    Meta(
        pattern=NAME_PATTERN,
        max_length=200,
        description="The caller's own identifier of an event, unique in its collection.",
    ),
]
Id = Annotated[
    str,
    Meta(
        pattern=UUID_PATTERN,
        max_length=36,
        description="UUID given by the service.",
        extra_json_schema={"format": "uuid"},
    ),
]
Line = Annotated[str, Meta(pattern=LINE_PATTERN, max_length=500)]
Name = Annotated[str, Meta(pattern=NAME_PATTERN, max_length=500)]
Text = Annotated[str, Meta(pattern=TEXT_PATTERN, max_length=20_000)]
Word = Annotated[str, Meta(pattern=NAME_PATTERN, max_length=80, description="A word of an open vocabulary.")]
Language = Annotated[str, Meta(pattern=LANGUAGE_PATTERN, max_length=35, description="BCP 47 language tag.")]
Country = Annotated[
    str, Meta(pattern=COUNTRY_PATTERN, max_length=2, description="ISO 3166-1 alpha-2 code; XK is Kosovo.")
]
Url = Annotated[str, Meta(pattern=URL_PATTERN, max_length=2_000)]
Sha256 = Annotated[
    str, Meta(pattern=SHA256_PATTERN, max_length=64, description="SHA-256 in lower-case hexadecimal digits.")
]
# The parser says better than a pattern what is wrong with a date, so the pattern is for the document alone.
Edtf = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        description="EDTF (ISO 8601-2), levels 0 to 2: a date or date-time as imprecise as its source.",
        extra_json_schema={"format": "edtf", "pattern": EDTF_PATTERN},
    ),
]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="Degrees north, WGS 84.")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="Degrees east, WGS 84.")]
Percent = Annotated[int, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=0, le=INT8_MAX)]
Revision = Annotated[int, Meta(ge=0, le=INT8_MAX, description="Number of a committed write; 0 is the empty store.")]
Recorded = Annotated[
    str,
    Meta(
        pattern=RECORDED_PATTERN,
        max_length=24,
        description="When the service came to hold it, UTC to the millisecond.",
        extra_json_schema={"format": "date-time"},
    ),
]
Bound = Annotated[
    str,
    Meta(
        max_length=40,
        description="Outer bound: a date, or a UTC date-time; years of more than four digits carry a sign.",
    ),
]

Phase = Literal["happened", "expected", "hypothetical", "cancelled", "not_happened"]
Stance = Literal["asserts", "confirms", "denies", "disputes", "corrects", "retracts", "expects", "mentions"]
RelationType = Literal[
    "responds_to", "causes", "depends_on", "follows", "part_of", "coincides_with", "refers_to", "same_as"
]
ActorType = Literal["person", "organisation", "group", "state", "office", "other"]
SourceType = Literal["article", "broadcast", "statement", "post", "document", "dataset", "other"]
Visibility = Literal["public", "unlisted", "private"]
Cause = Literal["new_fact", "source_correction", "editor_fix", "dedupe", "import", "migration"]

Attributes = Annotated[
    dict[Word, Any],
    Meta(
        max_length=100,
        description="Free JSON by name.",
        extra_json_schema={"additionalProperties": {"$ref": "#/components/schemas/JsonValue"}},
    ),
]
ExternalIds = Annotated[dict[Word, Line], Meta(max_length=50, description="Identifiers elsewhere, by scheme.")]
Names = Annotated[dict[Language, Name], Meta(max_length=100, description="Names by language.")]


def sorted_unique(words: Iterable[str]) -> list[str]:
    """The set as the interface returns it: each once, in code point order."""
    return sorted(set(words))
