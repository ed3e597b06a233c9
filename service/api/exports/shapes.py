"""Shapes of exports: those that are JSON, and what is told of what a format cannot hold."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from service.api.exports.forms import LEFT_OUT_MAX, LOSSES, Loss
from service.api.shapes import Read
from service.domain.event import Output
from service.domain.values import Count, Id, Key, Name, Word


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


ExportedJson = Annotated[dict[str, Any], Meta(title="ExportedJson")]
"""What an export answers as JSON: schemas.py says what it is."""
