"""A batch: many rows recorded in one revision, all or none.

Each row is brought to the input form of an event, new or known by its key; the actors and sources that came along whole
are made first, then all events are recorded together, so that they may point at each other. What is wrong is gathered
from every row before anything is refused.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from service.domain.batch import Whole
from service.domain.callers import Caller
from service.domain.errors import Fault, InvalidBody, Refused, RefusedRow, RefusedRows
from service.domain.event import Event, EventInput, Facts
from service.domain.lenses import Version
from service.domain.patch import merged
from service.domain.rendering import input_of
from service.domain.resources import ActorInput, SourceInput
from service.operations.changes import Change, RefusedChanges, source_faults
from service.operations.editing import BREATH, MADE_MAX, Edit
from service.storage import events
from service.storage.events import Identity

OnExisting = Literal["merge", "replace", "skip", "fail"]
Result = Literal["created", "updated", "unchanged"]

RETRACTED_MAX: Final = MADE_MAX
"""How many events one batch may retract for not holding them: as many as one revision could make."""

_event = msgspec.json.Decoder(Event).decode
_facts = msgspec.json.Decoder(Facts).decode


class Row(Struct, frozen=True):
    """One row as it was read. Of one with `faults` the rest is what could be made out of it."""

    index: int
    collection: str
    key: str | None
    members: Callable[[], dict[str, Any]]
    """What it says of the event, as JSON values, with slugs alone; null is as if left out, or takes a member away."""
    wholes: list[Whole]
    faults: list[Fault]
    given: EventInput | None = None
    """The event that it is where no other is to be merged with it, if it was read so far."""


class Batch(Struct, frozen=True):
    """Rows, and what is to be done with them."""

    rows: Sequence[Row]
    on_existing: OnExisting = "merge"
    retract_missing: str | None = None
    """A collection of which all that the rows do not name is retracted."""


class Outcome(Struct, frozen=True):
    row: Row
    id: str
    result: Result


class Recorded(Struct, frozen=True):
    """What became of a batch: of its rows, in their order, and how many events were retracted for not being held."""

    outcomes: list[Outcome]
    retracted: int


class _Known(Struct, frozen=True):
    """An event that a row names by its key: as it is, or as it was before it was retracted."""

    identity: Identity
    version: Version
    retracted: bool


async def record_batch(edit: Edit, batch: Batch, caller: Caller, read: Callable[[Any], EventInput]) -> Recorded:
    """Records a batch. `read` takes JSON values for an event as strictly as a POST does, and raises InvalidBody.

    Raises RefusedRows with the faults of every row, Forbidden for a collection that the caller may see and not write
    to, Refused where too much would be retracted.
    """
    faults: dict[int, list[Fault]] = {row.index: list(row.faults) for row in batch.rows}
    named = {row.collection for row in batch.rows}
    if batch.retract_missing is not None:
        named.add(batch.retract_missing)
    await edit.ensure_default({row.collection for row in batch.rows}, caller)
    open_to = await edit.collections_open_to(caller, named)
    for row in batch.rows:
        if row.collection not in open_to and not row.faults:
            faults[row.index].append(_fault("/collection", f"there is no collection {row.collection}"))
        elif batch.retract_missing not in (None, row.collection):
            detail = f"is not {batch.retract_missing}, of which all that is missing is to be retracted"
            faults[row.index].append(_fault("/collection", detail))
    if batch.retract_missing is not None and batch.retract_missing not in open_to:
        fault = Fault(parameter="collection", detail=f"there is no collection {batch.retract_missing}")
        raise Refused("What is missing cannot be retracted.", [fault])
    _refuse_twice(batch.rows, faults)
    # Of keys elsewhere nothing is told, be there such an event or not.
    known = await _known(edit, [row for row in batch.rows if row.collection in open_to])
    changes: dict[int, Change] = {}
    for row in batch.rows:
        if row.index % BREATH == BREATH - 1:
            await asyncio.sleep(0)
        there = known.get((row.collection, row.key))
        if there is not None and not there.retracted:
            if batch.on_existing == "skip":
                continue
            if batch.on_existing == "fail":
                faults[row.index].append(_fault("/key", f"belongs to another event of {row.collection}"))
                continue
        if not faults[row.index]:
            try:
                merges = there is not None and batch.on_existing == "merge"
                given = row.given
                if given is None or merges:
                    given = read(_form(row, there if merges else None))
            except InvalidBody as error:
                faults[row.index] += error.faults
                continue
            if there is None:
                changes[row.index] = Change(given, edit.new_identity(row.collection, row.key), None)
            else:
                changes[row.index] = Change(given, there.identity, there.version, returns=there.retracted)
    await _make_wholes(edit, [row for row in batch.rows if row.index in changes], faults)
    recorded = await _record(edit, batch.rows, changes, faults, known)
    outcomes = [_outcome(edit, row, changes.get(row.index), recorded.get(row.index), known) for row in batch.rows]
    retracted = 0
    if batch.retract_missing is not None:
        retracted = await _retract_missing(edit, batch.retract_missing, {outcome.id for outcome in outcomes})
    return Recorded(outcomes, retracted)


def _fault(pointer: str, detail: str) -> Fault:
    return Fault(pointer=pointer, detail=detail)


def _refuse_twice(rows: Sequence[Row], faults: dict[int, list[Fault]]) -> None:
    first: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.key is not None:
            before = first.setdefault((row.collection, row.key), row.index)
            if before != row.index:
                faults[row.index].append(_fault("/key", f"is the same key as of row {before}"))


async def _known(edit: Edit, rows: Sequence[Row]) -> dict[tuple[str, str | None], _Known]:
    """The events that the rows name, by collection and key."""
    keys = {(row.collection, row.key) for row in rows if row.key is not None}
    found = (await events.find_each_by_key(edit.connection, keys)).values()
    numbers = [identity.event for identity in found]
    versions = await events.read_last_live(edit.connection, numbers)
    live = await events.read_live(edit.connection, numbers)
    return {
        (identity.collection, identity.key): _Known(identity, versions[identity.event], identity.event not in live)
        for identity in found
    }


def _form(row: Row, known: _Known | None) -> Any:
    """The input form that a row comes to as a merge patch of a known event, or of nothing."""
    form = {}
    if known is not None:
        form = input_of(_event(known.version.document or b""), _facts(known.version.facts or b""))
    return merged(form, row.members() | {"collection": row.collection})


async def _make_wholes(edit: Edit, rows: Sequence[Row], faults: dict[int, list[Fault]]) -> None:
    """Makes the actors and sources that were given whole and are unknown; of those given twice, the first."""
    first: dict[tuple[str, str], tuple[Row, Whole]] = {}
    for row in rows:
        for whole in row.wholes:
            first.setdefault((whole.kind, whole.slug), (row, whole))
    actors, sources = {}, {}
    there = await edit.existing("actor", (slug for kind, slug in first if kind == "actor"))
    for (kind, slug), (_, whole) in first.items():
        if kind == "actor" and slug not in there:
            actors[slug] = msgspec.convert(whole.form, ActorInput)
    await edit.create_resources("actor", list(actors.values()))
    there = await edit.existing("source", (slug for kind, slug in first if kind == "source"))
    for (kind, slug), (_, whole) in first.items():
        if kind == "source" and slug not in there:
            sources[slug] = msgspec.convert(whole.form, SourceInput)
    publishers = await edit.existing("actor", {s.publisher for s in sources.values() if s.publisher is not None})
    parents = await edit.existing("source", {slug for source in sources.values() for slug in source.derived_from})
    for slug, source in sources.items():
        row, whole = first["source", slug]
        known = parents.keys() | (sources.keys() - {slug})
        faults[row.index] += _moved(source_faults(source, publishers, known), whole.pointer)
    await edit.create_resources("source", list(sources.values()))


async def _record(
    edit: Edit,
    rows: Sequence[Row],
    changes: dict[int, Change],
    faults: dict[int, list[Fault]],
    known: dict[tuple[str, str | None], _Known],
) -> dict[int, int]:
    """Records the changes, and tells the revision of each event, by row. Raises RefusedRows if any row has a fault."""
    places = list(changes)
    doomed = any(faults.values())
    excused = _excused(row for row in rows if faults[row.index])
    try:
        done = await edit.record_events(list(changes.values()), doomed=doomed)
    except RefusedChanges as error:
        for place, found in error.by_place.items():
            faults[places[place]] += [fault for fault in found if fault.detail not in excused]
        refused = [_refused(row, faults[row.index], known) for row in rows if faults[row.index]]
        told = "1 row" if len(refused) == 1 else f"{len(refused)} rows"
        raise RefusedRows(f"Nothing is recorded: {told} of {len(rows)} cannot be.", refused) from None
    return dict(zip(places, done, strict=True))


def _excused(rows: Iterable[Row]) -> set[str]:
    """What other rows are told to be missing, though it is only that the row which brings it is refused itself."""
    told = set()
    for row in rows:
        told |= {f"there is no {whole.kind} {whole.slug}" for whole in row.wholes}
        if row.key is not None:
            told.add(f"there is no event {row.key} in this collection or a public one")
    return told


def _refused(row: Row, faults: list[Fault], known: dict[tuple[str, str | None], _Known]) -> RefusedRow:
    there = known.get((row.collection, row.key))
    id = None if there is None else there.identity.id
    return RefusedRow(row.index, row.key, id, _moved(faults, f"/{row.index}"))


def _moved(faults: Iterable[Fault], pointer: str) -> list[Fault]:
    return [Fault(pointer=f"{pointer}{fault.pointer}", detail=fault.detail) for fault in faults]


def _outcome(
    edit: Edit,
    row: Row,
    change: Change | None,
    revision: int | None,
    known: dict[tuple[str, str | None], _Known],
) -> Outcome:
    if change is None or revision is None:
        return Outcome(row, known[row.collection, row.key].identity.id, "unchanged")
    if change.version is None:
        return Outcome(row, change.identity.id, "created")
    return Outcome(row, change.identity.id, "updated" if revision == edit.after.revision else "unchanged")


async def _retract_missing(edit: Edit, collection: str, held: set[str]) -> int:
    """Retracts every live event of the collection but those held, and tells how many they were."""
    most = RETRACTED_MAX + len(held)
    numbers = await events.live_with(edit.connection, [("collection", collection)], most + 1)
    kept = {each.event for each in (await events.find_by_id(edit.connection, held)).values()}
    missing = [number for number in numbers if number not in kept]
    if len(missing) > RETRACTED_MAX:
        fault = Fault(parameter="retract_missing", detail=f"would retract more than {RETRACTED_MAX} events")
        raise Refused("So much is not retracted at once.", [fault])
    await edit.retract_events(collection, missing)
    return len(missing)
