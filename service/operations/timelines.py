"""Timelines as those see them who may not see all: what a definition names out of their sight is left out.

What they cannot see and what never was are the same to them, so that neither tells of the other.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from service.domain.errors import Fault, Refused
from service.domain.resources import Timeline, TimelineInput
from service.operations.selecting import Store
from service.storage import events
from service.storage.pool import Connection

EVENTS_NAMED: Final = ("id", "related_to")
"""Parameters whose stored values are ids of events."""


async def shown_timelines(connection: Connection, store: Store, timelines: Sequence[Timeline]) -> list[Timeline]:
    """The timelines with those collections and events that are in the caller's sight.

    A parameter that names nothing else is left with an empty list: it chooses nothing.
    """
    if store.caller.sees_everything:
        return list(timelines)
    there = await _in_sight(connection, store, {id for timeline in timelines for id in _ids_of(timeline)})
    return [
        msgspec.structs.replace(
            timeline,
            selection=_selection_of(timeline, store.sight.named, there),
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
        include=[*given.include, *(id for id in whole.include if id not in shown.include)],
        exclude=[*given.exclude, *(id for id in whole.exclude if id not in shown.exclude)],
    )


def _ids_of(timeline: Timeline) -> Iterable[str]:
    yield from (*timeline.include, *timeline.exclude)
    for name in EVENTS_NAMED:
        yield from _listed(timeline.selection.get(name, []))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


async def _in_sight(connection: Connection, store: Store, ids: set[str]) -> set[str]:
    found = await events.find_by_id(connection, ids) if ids else {}
    return {id for id, identity in found.items() if identity.collection in store.sight.named}


def _selection_of(timeline: Timeline, collections: frozenset[str], ids: set[str]) -> dict[str, Any]:
    in_sight: Mapping[str, Any] = {"collection": collections, **dict.fromkeys(EVENTS_NAMED, ids)}
    selection = {}
    for name, value in timeline.selection.items():
        left = [each for each in _listed(value) if name not in in_sight or each in in_sight[name]]
        selection[name] = value if len(left) == len(_listed(value)) else left
    return selection
