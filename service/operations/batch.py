"""A batch: many rows recorded in one revision, all or none.

Each row is brought to the input form of an event, new or known by its key; the actors and sources that came along whole
are made first, then all events are recorded together, so that they may point at each other. What is wrong is gathered
from every row before anything is refused.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from service.operations.editing import MADE_MAX, Edit
from service.operations.recording import PART
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
    given: Callable[[], EventInput] | None = None
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
    """An event that a row names by its key."""

    identity: Identity
    retracted: bool


async def record_batch(edit: Edit, batch: Batch, caller: Caller, read: Callable[[Any], EventInput]) -> Recorded:
    """Records a batch. `read` takes JSON values for an event as strictly as a POST does, and raises InvalidBody.

    Raises RefusedRows with the faults of every row, Forbidden for a collection that the caller may see and not write
    to, Refused where too much would be retracted.
    """
    return await _Recorder(edit, batch, read).record(caller)


class _Recorder:
    """A batch on its way into a revision: what is wrong with each row, and which events they name."""

    def __init__(self, edit: Edit, batch: Batch, read: Callable[[Any], EventInput]) -> None:
        self._edit, self._batch, self._read = edit, batch, read
        self._faults: dict[int, list[Fault]] = {row.index: list(row.faults) for row in batch.rows}
        self._known: dict[tuple[str, str | None], _Known] = {}

    async def record(self, caller: Caller) -> Recorded:
        edit, batch = self._edit, self._batch
        open_to = await self._collections_open_to(caller)
        self._refuse_twice()
        # Of keys elsewhere nothing is told, be there such an event or not.
        await self._find_known(row for row in batch.rows if row.collection in open_to)
        wanted = self._wanted()
        await self._make_wholes(wanted)
        done = await self._record(wanted)
        skipped = (row for row in batch.rows if row.index not in done)
        done |= {
            row.index: Outcome(row, self._known[row.collection, row.key].identity.id, "unchanged") for row in skipped
        }
        outcomes = [done[row.index] for row in batch.rows]
        retracted = 0
        if batch.retract_missing is not None:
            held = {outcome.id for outcome in outcomes}
            retracted = await _retract_missing(edit, batch.retract_missing, held)
        return Recorded(outcomes, retracted)

    async def _collections_open_to(self, caller: Caller) -> frozenset[str]:
        """Those of the collections to which the caller writes; rows of others are at fault."""
        edit, rows, of_all = self._edit, self._batch.rows, self._batch.retract_missing
        named = {row.collection for row in rows}
        await edit.ensure_default(named, caller)
        open_to = await edit.collections_open_to(caller, named if of_all is None else named | {of_all})
        for row in rows:
            if row.collection not in open_to and not row.faults:
                self._fault(row, "/collection", f"there is no collection {row.collection}")
            elif of_all not in (None, row.collection):
                detail = f"is not {of_all}, of which all that is missing is to be retracted"
                self._fault(row, "/collection", detail)
        if of_all is not None and of_all not in open_to:
            fault = Fault(parameter="collection", detail=f"there is no collection {of_all}")
            raise Refused("What is missing cannot be retracted.", [fault])
        return open_to

    def _fault(self, row: Row, pointer: str, detail: str) -> None:
        self._faults[row.index].append(Fault(pointer=pointer, detail=detail))

    def _refuse_twice(self) -> None:
        first: dict[tuple[str, str], int] = {}
        for row in self._batch.rows:
            if row.key is not None:
                before = first.setdefault((row.collection, row.key), row.index)
                if before != row.index:
                    self._fault(row, "/key", f"is the same key as of row {before}")

    async def _find_known(self, rows: Iterable[Row]) -> None:
        keys = {(row.collection, row.key) for row in rows if row.key is not None}
        found = (await events.find_each_by_key(self._edit.connection, keys)).values()
        live = await events.read_live(self._edit.connection, [identity.event for identity in found])
        for identity in found:
            self._known[identity.collection, identity.key] = _Known(identity, identity.event not in live)

    def _named(self, row: Row) -> _Known | None:
        return self._known.get((row.collection, row.key))

    def _wanted(self) -> list[Row]:
        """The rows that are to be recorded, so far as is known before any event is read."""
        wanted = []
        for row in self._batch.rows:
            there = self._named(row)
            if there is not None and not there.retracted:
                if self._batch.on_existing == "skip":
                    continue
                if self._batch.on_existing == "fail":
                    self._fault(row, "/key", f"belongs to another event of {row.collection}")
            if not self._faults[row.index]:
                wanted.append(row)
        return wanted

    async def _make_wholes(self, rows: Sequence[Row]) -> None:
        """Makes the actors and sources that were given whole and are unknown; of those given twice, the first."""
        edit = self._edit
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
            self._faults[row.index] += _moved(source_faults(source, publishers, known), whole.pointer)
        await edit.create_resources("source", list(sources.values()))

    async def _record(self, rows: Sequence[Row]) -> dict[int, Outcome]:
        """Records rows, and tells what became of each. Raises RefusedRows if any of the batch has a fault."""
        edit, batch, faults = self._edit, self._batch, self._faults
        identities = {}
        for row in rows:
            there = self._named(row)
            identities[row.index] = edit.new_identity(row.collection, row.key) if there is None else there.identity
        recording = edit.recording(identities.values(), {row.collection for row in rows})
        places: list[int] = []
        done: dict[int, Outcome] = {}
        for start in range(0, len(rows), PART):
            part = rows[start : start + PART]
            changes = await self._changes(part, identities)
            recording.doomed = any(faults.values())
            places += changes
            recorded = dict(zip(changes, await recording.add(list(changes.values())), strict=False))
            for row in part:
                if row.index in recorded:
                    change, event = changes[row.index], recorded[row.index]
                    new = event.revision == edit.after.revision
                    result: Result = "created" if change.version is None else "updated" if new else "unchanged"
                    done[row.index] = Outcome(row, event.id, result)
        recording.doomed = any(faults.values())
        excused = _excused(row for row in batch.rows if faults[row.index])
        try:
            await recording.finish()
        except RefusedChanges as error:
            for place, found in error.by_place.items():
                faults[places[place]] += [fault for fault in found if fault.detail not in excused]
            refused = [self._refused(row) for row in batch.rows if faults[row.index]]
            told = "1 row" if len(refused) == 1 else f"{len(refused)} rows"
            raise RefusedRows(f"Nothing is recorded: {told} of {len(batch.rows)} cannot be.", refused) from None
        return done

    async def _changes(self, rows: Sequence[Row], identities: Mapping[int, Identity]) -> dict[int, Change]:
        """What each of the rows comes to; what is wrong with others is added to their faults."""
        merges = self._batch.on_existing == "merge"
        numbers = [identities[row.index].event for row in rows if self._named(row) is not None]
        versions = await events.read_last_live(self._edit.connection, numbers)
        changes = {}
        for row in rows:
            identity, there = identities[row.index], self._named(row)
            version = versions.get(identity.event)
            try:
                if row.given is None or (merges and version is not None):
                    given = self._read(_form(row, version if merges else None))
                else:
                    given = row.given()
            except InvalidBody as error:
                self._faults[row.index] += error.faults
                continue
            returns = there is not None and there.retracted
            changes[row.index] = Change(given, identity, version, returns=returns)
        return changes

    def _refused(self, row: Row) -> RefusedRow:
        there = self._named(row)
        faults = _moved(self._faults[row.index], f"/{row.index}")
        return RefusedRow(row.index, row.key, None if there is None else there.identity.id, faults)


def _form(row: Row, version: Version | None) -> Any:
    """The input form that a row comes to as a merge patch of a known event, or of nothing."""
    form = {}
    if version is not None:
        form = input_of(_event(version.document or b""), _facts(version.facts or b""))
    return merged(form, row.members() | {"collection": row.collection})


def _excused(rows: Iterable[Row]) -> set[str]:
    """What other rows are told to be missing, though it is only that the row which brings it is refused itself."""
    told = set()
    for row in rows:
        told |= {f"there is no {whole.kind} {whole.slug}" for whole in row.wholes}
        if row.key is not None:
            told.add(f"there is no event {row.key} in this collection or a public one")
    return told


def _moved(faults: Iterable[Fault], pointer: str) -> list[Fault]:
    return [Fault(pointer=f"{pointer}{fault.pointer}", detail=fault.detail) for fault in faults]


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
