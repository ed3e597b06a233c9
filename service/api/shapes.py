"""Shapes that exist only in answers and requests: pages, wrappings, patches."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from service.domain.diff import Change
from service.domain.event import Event, Output
from service.domain.resources import Actor, Collection, Source, Timeline
from service.domain.values import Cause, Count, Recorded, Revision

Address = Annotated[
    str, Meta(max_length=20_000, description="An absolute address.", extra_json_schema={"format": "uri"})
]
Next = Annotated[Address | None, Meta(description="Address of the next page; null on the last.")]
Patch = Annotated[list[dict[str, Any]], Meta(description="JSON Patch (RFC 6902).")]
Author = Annotated[
    str, Meta(max_length=500, description="Name of the key that wrote it; empty for the service itself.")
]


class Included(Output, frozen=True, kw_only=True):
    """The actors and sources that an answer names, by slug, as they were at the revision read."""

    actors: dict[str, Actor]
    sources: dict[str, Source]


class EventPage(Output, frozen=True, kw_only=True):
    """One page of a listing."""

    items: list[Event]
    included: Annotated[Included | None, Meta(description="What the events name; null with include=none.")]
    next: Next
    revision: Annotated[Revision, Meta(description="The revision that was read.")]


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


class HistoryItem(Output, frozen=True, kw_only=True):
    """One revision of an event."""

    revision: Revision
    recorded: Recorded
    author: Author
    cause: Cause | None
    message: Annotated[str, Meta(max_length=500)] | None
    event: Annotated[Event | None, Meta(description="The event as recorded then; null when retracted.")]
    patch: Annotated[Patch | None, Meta(description="From the item before; null where there is none to compare.")]


class HistoryPage(Output, frozen=True, kw_only=True):
    items: list[HistoryItem]
    next: Next
    revision: Revision


class ActorPage(Output, frozen=True, kw_only=True):
    items: list[Actor]
    next: Next
    revision: Revision


class SourcePage(Output, frozen=True, kw_only=True):
    items: list[Source]
    next: Next
    revision: Revision


class CollectionPage(Output, frozen=True, kw_only=True):
    items: list[Collection]
    next: Next
    revision: Revision


class TimelinePage(Output, frozen=True, kw_only=True):
    items: list[Timeline]
    next: Next
    revision: Revision


class LogItem(Output, frozen=True, kw_only=True):
    """One committed write. Author, message and counts are null where nothing changed that the caller may see."""

    revision: Revision
    recorded: Recorded
    author: Author | None
    cause: Cause | None
    message: Annotated[str, Meta(max_length=500)] | None
    counts: Annotated[
        dict[str, Count] | None,
        Meta(description="What it wrote: events created, revised, retracted; actors, sources, collections, timelines."),
    ]


class LogPage(Output, frozen=True, kw_only=True):
    items: list[LogItem]
    next: Next
    revision: Revision


class DiffSide(Output, frozen=True, kw_only=True):
    """One side of a diff: the revision read, and the parameters that select from it."""

    revision: Revision
    selection: dict[str, Any]


class DiffSummary(Output, frozen=True, kw_only=True):
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
    items: list[Change]
    included: Annotated[DiffIncluded | None, Meta(description="Null with include=none.")]
    next: Next


class LandingLink(Output, frozen=True, kw_only=True):
    rel: Annotated[str, Meta(max_length=80)]
    href: Address
    type: Annotated[str, Meta(max_length=80)]
    title: Annotated[str, Meta(max_length=200)]


class Landing(Output, frozen=True, kw_only=True):
    """What this service is, and where to go on."""

    title: Annotated[str, Meta(max_length=200)]
    version: Annotated[str, Meta(max_length=80)]
    commit: Annotated[
        Annotated[str, Meta(max_length=80)] | None,
        Meta(description="The commit it was built from, where known."),
    ]
    revision: Revision
    conforms_to: list[Address]
    links: list[LandingLink]


class Health(Output, frozen=True, kw_only=True):
    status: Literal["ok"]


class JsonPatchOperation(Struct, frozen=True, kw_only=True):
    """One operation of a JSON Patch."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    path: Annotated[str, Meta(max_length=2_000, pattern=r"^(/[^\u0000-\u001f]*)?\Z")]
    value: Any = None
    from_: Annotated[str, Meta(max_length=2_000, pattern=r"^(/[^\u0000-\u001f]*)?\Z")] | UnsetType = msgspec.field(
        default=UNSET, name="from"
    )


JsonPatch = Annotated[list[JsonPatchOperation], Meta(max_length=200)]


def patch_shape(name: str, given: type[Struct]) -> type[Struct]:
    """The merge patch of an input: every member may be left out, and null takes one away."""
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(given):
        kind = field.type | UnsetType if field.required else field.type | None | UnsetType
        fields.append((field.name, kind, UNSET))
    shape = msgspec.defstruct(name, fields, frozen=True, kw_only=True, forbid_unknown_fields=True)
    shape.__doc__ = f"Merge patch (RFC 7396) of {given.__name__}: what is left out stays, null takes a member away."
    return shape
