"""Shapes that exist only in answers and requests: pages and wrappings."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from service.api.problems import ROWS_MAX, RowOutcome
from service.domain.diff import Change, Patch
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
