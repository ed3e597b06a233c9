"""Two selections compared, one event at a time: what a change is, and what makes one."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from service.domain.event import Event, Output
from service.domain.lenses import Seen
from service.domain.patch import patch_between, same
from service.domain.values import Id, Word

# Identity and record-keeping: in the patch, but never by themselves a change.
# Each operation stands for a member of one event or the other, of which a body holds far fewer.
PATCH_MAX = 1_000_000
KEPT_APART = frozenset({"id", "collection", "revision", "recorded", "created"})

Fields = Annotated[list[Word], Meta(description="Names of the event's members that differ.", max_length=30)]
Patch = Annotated[list[dict[str, Any]], Meta(title="Patch", max_length=PATCH_MAX, description="JSON Patch (RFC 6902).")]


class Added(Output, frozen=True, kw_only=True, tag_field="op", tag="added"):
    """In the head's listing and not in the base's."""

    event: Event
    other: Annotated[
        Event | None,
        Meta(description="The same event on the base's side, where it exists outside the selection."),
    ]
    fields: Fields


class Removed(Output, frozen=True, kw_only=True, tag_field="op", tag="removed"):
    """In the base's listing and not in the head's."""

    event: Event
    other: Annotated[
        Event | None,
        Meta(description="The same event on the head's side, where it exists outside the selection."),
    ]
    fields: Fields


class Changed(Output, frozen=True, kw_only=True, tag_field="op", tag="changed"):
    """In both listings, and not the same."""

    id: Id
    fields: Fields
    before: Event
    after: Event
    patch: Annotated[Patch, Meta(description="RFC 6902: turns `before` into `after`.")]


Change = Added | Removed | Changed


class Side(msgspec.Struct, frozen=True):
    """One event on one side: as its lenses show it, where it exists there, and whether the selection chooses it."""

    seen: Seen | None
    chosen: bool


def change_between(base: Side, head: Side) -> Change | None:
    """The change of one event from base to head; None where both listings have it alike, or neither has it."""
    before = None if base.seen is None else base.seen.event
    after = None if head.seen is None else head.seen.event
    if base.chosen and head.chosen and before is not None and after is not None:
        fields = fields_between(before, after)
        return (
            Changed(id=after.id, fields=fields, before=before, after=after, patch=patch_of(before, after))
            if fields
            else None
        )
    if head.chosen and after is not None:
        return Added(event=after, other=before, fields=[] if before is None else fields_between(before, after))
    if base.chosen and before is not None:
        return Removed(event=before, other=after, fields=[] if after is None else fields_between(before, after))
    return None


def fields_between(before: Event, after: Event) -> list[str]:
    """Names of the members that differ, in the order of the shape."""
    return [
        name
        for name in Event.__struct_fields__
        if name not in KEPT_APART and not same(_meant(name, before), _meant(name, after))
    ]


def _meant(name: str, event: Event) -> Any:
    """A member as JSON, without what the service gives out."""
    value = msgspec.to_builtins(getattr(event, name))
    if name == "claims":
        return [{**claim, "id": None} for claim in value]
    if name == "relations":
        return [relation if relation["key"] is None else {**relation, "event": None} for relation in value]
    return value


def patch_of(before: Event, after: Event) -> list[dict[str, Any]]:
    """RFC 6902 operations from one document to the other."""
    return patch_of_members(before, after)


def patch_of_members(before: Any, after: Any) -> list[dict[str, Any]]:
    """RFC 6902 operations from one document, or some members of it, to the other."""
    return patch_between(msgspec.to_builtins(before), msgspec.to_builtins(after))
