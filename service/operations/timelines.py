"""Timelines as those see them who may not see all: what a definition names out of their sight is left out.

What they cannot see and what never was are the same to them, so that neither tells of the other.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from service.domain.errors import Fault, Refused
from service.domain.resources import PINS_KEPT_MAX, Timeline, TimelineInput
from service.operations.selecting import Store
from service.storage import events, resources
from service.storage.pool import Connection

Named = Literal["id", "key", "actor", "source", "collection"]
NAMED: Final[Mapping[str, Named]] = {
    "id": "id",
    "related_to": "id",
    "key": "key",
    "actor": "actor",
    "publisher": "actor",
    "speaker": "actor",
    "according_to": "actor",
    "source": "source",
    "according_to_source": "source",
    "collection": "collection",
}
"""What the stored values of a parameter name; those of the others are words that anyone may use."""


async def shown_timelines(
    connection: Connection, store: Store, timelines: Sequence[Timeline], revision: int
) -> list[Timeline]:
    """The timelines with what their definitions name and the caller sees at the revision.

    That goes for collections, events and their keys, and without a key that may write also for the actors and sources
    that no visible event uses. A parameter that names nothing else is left with an empty list: it chooses nothing.
    """
    if store.caller.sees_everything:
        return list(timelines)
    there = await _in_sight(connection, store, {id for timeline in timelines for id in _ids_of(timeline)})
    in_sight: dict[Named, Container[str]] = {"id": there, "collection": store.sight.named}
    if keys := _values_of(timelines, "key"):
        found = await events.find_by_key(connection, store.sight.named, keys)
        in_sight["key"] = {identity.key for identity in found if identity.key is not None}
    if not store.caller.writes:
        kinds: tuple[Literal["actor", "source"], ...] = ("actor", "source")
        for kind in kinds:
            slugs = _values_of(timelines, kind)
            in_sight[kind] = await resources.used_among(connection, kind, slugs, revision, store.sight.named)
    return [
        msgspec.structs.replace(
            timeline,
            selection=_selection_of(timeline, in_sight),
            include=[id for id in timeline.include if id in there],
            exclude=[id for id in timeline.exclude if id in there],
        )
        for timeline in timelines
    ]


async def check_pins(connection: Connection, store: Store, given: TimelineInput) -> None:
    """Raises Refused for a pin of an event that the caller may not see."""
    there = await _in_sight(connection, store, {*given.include, *given.exclude})
    faults = [
        Fault(pointer=f"/{name}/{place}", detail=f"there is no event {id}")
        for name, pins in (("include", given.include), ("exclude", given.exclude))
        for place, id in enumerate(pins)
        if id not in there
    ]
    if faults:
        raise Refused("The timeline cannot be recorded as it is.", faults)


def restored(given: TimelineInput, shown: Timeline, whole: Timeline) -> TimelineInput:
    """What a patch made of the timeline as shown, with what was not shown: pins, and values that the patch let be."""
    return msgspec.structs.replace(
        given,
        selection={
            name: whole.selection[name] if name in shown.selection and value == shown.selection[name] else value
            for name, value in given.selection.items()
        },
        include=_with_hidden(given.include, shown.include, whole.include),
        exclude=_with_hidden(given.exclude, shown.exclude, whole.exclude),
    )


def _with_hidden(given: Sequence[str], shown: Container[str], whole: Sequence[str]) -> list[str]:
    """The pins given, and after them those not shown; beyond the bound the last ones stay in earlier revisions only."""
    return [*given, *(id for id in whole if id not in shown)][:PINS_KEPT_MAX]


def _ids_of(timeline: Timeline) -> Iterable[str]:
    yield from (*timeline.include, *timeline.exclude, *_values_of([timeline], "id"))


def _values_of(timelines: Iterable[Timeline], named: Named) -> set[str]:
    return {
        each
        for timeline in timelines
        for name, value in timeline.selection.items()
        if NAMED.get(name) == named
        for each in _listed(value)
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


async def _in_sight(connection: Connection, store: Store, ids: set[str]) -> set[str]:
    found = await events.find_by_id(connection, ids) if ids else {}
    return {id for id, identity in found.items() if identity.collection in store.sight.named}


def _selection_of(timeline: Timeline, in_sight: Mapping[Named, Container[str]]) -> dict[str, Any]:
    selection = {}
    for name, value in timeline.selection.items():
        seen = in_sight.get(NAMED[name]) if name in NAMED else None
        left = _listed(value) if seen is None else [each for each in _listed(value) if each in seen]
        selection[name] = value if len(left) == len(_listed(value)) else left
    return selection
