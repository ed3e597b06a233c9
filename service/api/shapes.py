"""Shapes that exist only in answers and requests: pages, wrappings, patches."""

from types import GenericAlias
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from service.api.exports import LEFT_OUT_MAX, LOSSES, Loss
from service.api.problems import ROWS_MAX, RowOutcome
from service.domain.diff import PATCH_MAX, Change, Patch
from service.domain.event import Event, Input, Output
from service.domain.facets import FACET_LIMIT_MAX
from service.domain.histogram import BUCKETS_MAX, Bucket, Clock, Interval
from service.domain.parameters import LIMIT_MAX, REPEATS_MAX
from service.domain.resources import Actor, Collection, Source, Timeline
from service.domain.values import (
    LINE_PATTERN,
    TEXT_PATTERN,
    Cause,
    Count,
    Id,
    Key,
    Line,
    Name,
    Recorded,
    Revision,
    Word,
)

Address = Annotated[
    str,
    Meta(
        title="Address",
        min_length=1,
        max_length=40_000,
        description="An absolute address.",
        extra_json_schema={"format": "uri"},
    ),
]
Next = Annotated[Address | None, Meta(description="Address of the next page; null on the last.")]
Read = Annotated[Revision, Meta(description="The revision that was read.")]
Given = Annotated[
    str, Meta(title="Given", pattern=TEXT_PATTERN, max_length=16_384, description="A parameter as it was given.")
]
Author = Annotated[
    str,
    Meta(
        title="Author",
        pattern=LINE_PATTERN,
        max_length=500,
        description="Name of the key that wrote it; empty for the service itself.",
    ),
]


class Included(Output, frozen=True, kw_only=True):
    """The actors and sources that an answer names, by slug, as they were at the revision read."""

    actors: dict[str, Actor]
    sources: dict[str, Source]


class EventPage(Output, frozen=True, kw_only=True):
    """One page of a listing."""

    items: Annotated[list[Event], Meta(max_length=LIMIT_MAX)]
    included: Annotated[Included | None, Meta(description="What the events name; null with include=none.")]
    next: Next
    revision: Read


EventWithIncluded = msgspec.defstruct(
    "EventWithIncluded",
    [
        *((field.name, field.type) for field in msgspec.structs.fields(Event)),
        (
            "included",
            Annotated[Included | UnsetType, Meta(description="What it names; absent with include=none.")],
            UNSET,
        ),
    ],
    bases=(Output,),
    frozen=True,
    kw_only=True,
)
EventWithIncluded.__doc__ = "An event, and beside its own members what it names."


class RevertInput(Input, frozen=True, kw_only=True):
    """Which revision of an event is put back."""

    revision: Annotated[Revision, Meta(description="One at which the event was recorded and not retracted.")]


EventThinned = msgspec.defstruct(
    "EventThinned",
    [(field.name, field.type | UnsetType, UNSET) for field in msgspec.structs.fields(Event)],
    bases=(Output,),
    frozen=True,
    kw_only=True,
)
EventThinned.__doc__ = "Those members of an event that `fields` asks for."
THINNABLE = ("EventPage", "Added", "Removed", "Changed")
"""What holds events with only some of their members where `fields` is given."""


class HistoryItem(Output, frozen=True, kw_only=True):
    """One revision of an event."""

    revision: Revision
    recorded: Recorded
    author: Author
    cause: Cause | None
    message: Line | None
    event: Annotated[Event | None, Meta(description="The event as recorded then; null when retracted.")]
    patch: Annotated[Patch | None, Meta(description="From the item before; null where there is none to compare.")]


class HistoryPage(Output, frozen=True, kw_only=True):
    """One page of an event's history."""

    items: Annotated[list[HistoryItem], Meta(max_length=LIMIT_MAX)]
    next: Next
    revision: Read


class BatchAnswer(Output, frozen=True, kw_only=True):
    """What became of a batch."""

    revision: Annotated[Revision, Meta(description="The one it made, or would have made; the head where none.")]
    created: Count
    updated: Count
    unchanged: Count
    retracted: Annotated[Count, Meta(description="Events of the collection that the batch does not hold.")]
    rows: Annotated[list[RowOutcome], Meta(max_length=ROWS_MAX, description="One for each row, in their order.")]


Pixels = Annotated[
    int,
    Meta(title="Pixels", ge=1, le=100_000, description="A length on a screen.", extra_json_schema={"format": "int32"}),
]


class ExportLoss(Output, frozen=True, kw_only=True):
    """Something that a format cannot hold, and of how many events."""

    loss: Loss
    events: Count


class LeftOut(Output, frozen=True, kw_only=True):
    """An event that a format has no place for."""

    id: Id
    key: Key | None
    title: Name
    losses: Annotated[list[Loss], Meta(max_length=len(LOSSES), description="Why.")]


Exported = Annotated[dict[str, Any], Meta(title="ExportedObject")]


class TimelineJsFile(Output, frozen=True, kw_only=True):
    """A timeline as TimelineJS 3 reads it."""

    title: Annotated[Exported, Meta(description="The slide before all others.")]
    dateline: Annotated[Exported, Meta(description="Where the events are from, and at which revision.")] = (
        msgspec.field(name="_dateline")
    )
    events: Annotated[list[Exported], Meta(max_length=1_000_000_000, description="A slide for each event.")]
    scale: Literal["cosmological"] | UnsetType = UNSET


class ExportReport(Output, frozen=True, kw_only=True):
    """What an export cannot hold of its events."""

    format: Word
    events: Annotated[Count, Meta(description="Events of the selection.")]
    written: Annotated[Count, Meta(description="Events that are in the export.")]
    losses: Annotated[list[ExportLoss], Meta(max_length=len(LOSSES))]
    left_out: Annotated[
        list[LeftOut], Meta(max_length=LEFT_OUT_MAX, description="The first of the events that are not in the export.")
    ]
    revision: Read


class Embedded(Output, frozen=True, kw_only=True):
    """A rich embed, as oEmbed 1.0 has it."""

    type: Literal["rich"]
    version: Literal["1.0"]
    title: Name
    provider_name: Literal["dateline"]
    provider_url: Address
    width: Pixels
    height: Pixels
    html: Annotated[str, Meta(pattern=TEXT_PATTERN, max_length=20_000, description="A frame that holds the timeline.")]
    cache_age: Annotated[Count, Meta(description="Seconds for which this may be kept.")]


ExportedJson = Annotated[dict[str, Any], Meta(title="ExportedJson")]
"""What an export answers as JSON: schemas.py says what it is."""


class ActorPage(Output, frozen=True, kw_only=True):
    """One page of the actors."""

    items: Annotated[list[Actor], Meta(max_length=LIMIT_MAX)]
    next: Next
    revision: Read


class SourcePage(Output, frozen=True, kw_only=True):
    """One page of the sources."""

    items: Annotated[list[Source], Meta(max_length=LIMIT_MAX)]
    next: Next
    revision: Read


class CollectionPage(Output, frozen=True, kw_only=True):
    """One page of the collections."""

    items: Annotated[list[Collection], Meta(max_length=LIMIT_MAX)]
    next: Next
    revision: Read


class TimelinePage(Output, frozen=True, kw_only=True):
    """One page of the timelines."""

    items: Annotated[list[Timeline], Meta(max_length=LIMIT_MAX)]
    next: Next
    revision: Read


class LogItem(Output, frozen=True, kw_only=True):
    """One committed write. Author, message and counts are null where nothing changed that the caller may see."""

    revision: Revision
    recorded: Recorded
    author: Author | None
    cause: Cause | None
    message: Line | None
    counts: Annotated[
        dict[str, Count] | None,
        Meta(description="What it wrote: events created, revised, retracted; actors, sources, collections, timelines."),
    ]


class LogPage(Output, frozen=True, kw_only=True):
    """One page of the log."""

    items: Annotated[list[LogItem], Meta(max_length=LIMIT_MAX)]
    next: Next
    revision: Read


class DiffSide(Output, frozen=True, kw_only=True):
    """One side of a diff: the revision read, and the parameters that select from it."""

    revision: Read
    selection: Annotated[dict[Word, Given | Annotated[list[Given], Meta(max_length=REPEATS_MAX)]], Meta(max_length=50)]


class DiffSummary(Output, frozen=True, kw_only=True):
    """How many changes there are in all."""

    added: Count
    removed: Count
    changed: Count


class DiffIncluded(Output, frozen=True, kw_only=True):
    """What each side's events name, as they were at its revision."""

    base: Included
    head: Included


class Diff(Output, frozen=True, kw_only=True):
    """One page of a comparison."""

    base: DiffSide
    head: DiffSide
    summary: Annotated[DiffSummary | None, Meta(description="On the first page; null above 10,000 changes, and later.")]
    items: Annotated[list[Change], Meta(max_length=LIMIT_MAX)]
    included: Annotated[DiffIncluded | None, Meta(description="Null with include=none.")]
    next: Next


Approximate = Annotated[
    bool,
    Meta(
        description="Whether a sample was counted, since too many events would have had to be looked at. Then every "
        "number is that of the sample, times the events for which each of it stands."
    ),
]
Margin = Annotated[
    Count,
    Meta(
        description="By how many events `matching` may be wrong to either side, in 95 of 100 cases; 0 where it is "
        "exact. Another number n may be wrong by the margin times the square root of n / matching."
    ),
]
Matching = Annotated[Count, Meta(description="Events of the selection.")]


class Histogram(Output, frozen=True, kw_only=True):
    """How many events of a selection fall into each of the buckets that a stretch of time is cut into."""

    interval: Annotated[Interval, Meta(description="The length of the buckets.")]
    step: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000_000,
            description="How many such intervals a bucket has: more than one only of millennia.",
            extra_json_schema={"format": "int32"},
        ),
    ]
    on: Clock
    buckets: Annotated[
        list[Bucket],
        Meta(max_length=BUCKETS_MAX, description="One after the other, without a gap, from the first event on."),
    ]
    undated: Annotated[Count, Meta(description="Events in no bucket, since they have no date on this clock.")]
    matching: Matching
    approximate: Approximate
    margin: Margin
    revision: Read


class FacetValue(Output, frozen=True, kw_only=True):
    """A value, and how many events of the selection have it."""

    value: Word
    count: Count


FacetValues = Annotated[
    Annotated[list[FacetValue], Meta(max_length=FACET_LIMIT_MAX)] | None,
    Meta(description="Those that most events have first; null where it was not asked for."),
]


class Facets(Output, frozen=True, kw_only=True):
    """How many events of a selection have each of the values by which it could be narrowed."""

    actor: FacetValues
    source: FacetValues
    publisher: FacetValues
    tag: FacetValues
    kind: FacetValues
    country: FacetValues
    standing: FacetValues
    matching: Matching
    approximate: Approximate
    margin: Margin
    revision: Read


class LandingLink(Output, frozen=True, kw_only=True):
    """Somewhere to go on."""

    rel: Word
    href: Address
    type: Annotated[Line, Meta(description="Media type of what is there.")]
    title: Line


class Landing(Output, frozen=True, kw_only=True):
    """What this service is, and where to go on."""

    title: Line
    version: Line
    commit: Annotated[Line | None, Meta(description="The commit it was built from, where known.")]
    revision: Revision
    conforms_to: Annotated[list[Address], Meta(max_length=100)]
    links: Annotated[list[LandingLink], Meta(max_length=100)]


class Health(Output, frozen=True, kw_only=True):
    """That all is well."""

    status: Literal["ok"]


Pointer = Annotated[
    str,
    Meta(
        title="Pointer",
        max_length=2_000,
        pattern=r"^(/([^\u0000-\u001f\u007f-\u009f~/]|~[01])*)*\Z",
        description="JSON Pointer (RFC 6901).",
    ),
]


class Step(Struct, frozen=True, kw_only=True, tag_field="op"):
    """One operation of a JSON Patch; members that it does not know are ignored, as RFC 6902 has it."""

    path: Pointer


class AddStep(Step, frozen=True, kw_only=True, tag="add"):
    """Puts a value there: into a list before what stands there, into an object in place of it."""

    value: Any


class RemoveStep(Step, frozen=True, kw_only=True, tag="remove"):
    """Takes away what is there."""


class ReplaceStep(Step, frozen=True, kw_only=True, tag="replace"):
    """Puts a value in place of what is there."""

    value: Any


class MoveStep(Step, frozen=True, kw_only=True, tag="move"):
    """Takes away what is at `from` and puts it there."""

    from_: Pointer = msgspec.field(name="from")


class CopyStep(Step, frozen=True, kw_only=True, tag="copy"):
    """Puts there what is at `from`."""

    from_: Pointer = msgspec.field(name="from")


class TestStep(Step, frozen=True, kw_only=True, tag="test"):
    """Refuses the patch unless the value is what is there."""

    value: Any


JsonPatch = Annotated[
    list[AddStep | RemoveStep | ReplaceStep | MoveStep | CopyStep | TestStep],
    Meta(title="JsonPatch", max_length=200, description="JSON Patch (RFC 6902)."),
]


class Addition(Output, frozen=True, kw_only=True, tag_field="op", tag="add"):
    """A value is put there: into a list before what stands there, or as a new member."""

    path: Pointer
    value: Any


class Removal(Output, frozen=True, kw_only=True, tag_field="op", tag="remove"):
    """What is there is taken away."""

    path: Pointer


class Replacement(Output, frozen=True, kw_only=True, tag_field="op", tag="replace"):
    """A value is put in place of what is there."""

    path: Pointer
    value: Any


# What the service's own patches are made of.
PatchOperations = Annotated[
    list[Addition | Removal | Replacement], Meta(max_length=PATCH_MAX, description="JSON Patch (RFC 6902).")
]


def patch_shape(name: str, given: type[Struct]) -> type[Struct]:
    """The merge patch of an input: every member may be left out, and null takes one away."""
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(given):
        kind = _patched_map(field.type)
        kind = kind | UnsetType if field.required else kind | None | UnsetType
        fields.append((field.name, kind, UNSET))
    shape = msgspec.defstruct(name, fields, frozen=True, kw_only=True, forbid_unknown_fields=True)
    shape.__doc__ = f"Merge patch (RFC 7396) of {given.__name__}: what is left out stays, null takes a member away."
    return shape


def _patched_map(kind: Any) -> Any:
    """Of a map, null takes an entry away; anything else is replaced whole."""
    of, *metas = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    if get_origin(of) is not dict:
        return kind
    key, value = get_args(of)
    meta = metas[0]
    title = f"{meta.title}Patch"
    told = Meta(title=title, max_length=meta.max_length, description=f"{meta.description} Null takes an entry away.")
    return Annotated[GenericAlias(dict, (key, value if value is Any else value | None)), told]
