"""Recording: changes in any number are rendered and appended, a part at a time; every version is written by it.

What is wrong is gathered from all of them. Of each part little is kept once it is appended, so that what a write takes
of memory does not grow with it.
"""

import asyncio
from collections.abc import Callable, Collection, Container, Sequence
from typing import Final

from service.domain.errors import Fault
from service.domain.event import Event, Moment
from service.domain.terms import Term
from service.operations.changes import Change, Naming, RefusedChanges, unknown
from service.operations.uses import Use, note_uses, uses_of
from service.storage import events
from service.storage.events import Identity, Written
from service.storage.pool import Connection
from service.storage.turnover import Turnover

PART: Final = 200
"""So many versions are appended at once, which keeps the statements short and lets the worker answer others."""
BREATH: Final = 5
"""After how many events a long piece of work lets the worker answer others."""
TERMS_MAX: Final = 50_000
"""So many terms are remembered by their numbers: some 12 MB."""


class Recording:
    """Changes on their way into one revision, at most one of each event. The caller holds the head.

    identities: events that are in none of the parts before those that point at them. collections: those that new events
    may name; None where no event is new. count: is told the collection of each event that is appended, and whether it
    is there anew.
    """

    def __init__(
        self,
        connection: Connection,
        moment: Moment,
        count: Callable[[str, bool], None],
        identities: Collection[Identity],
        collections: Container[str] | None,
    ) -> None:
        self._connection, self._moment, self._count, self._collections = connection, moment, count, collections
        self._naming = Naming(connection, moment.revision, identities)
        self._turnover = Turnover()
        self._terms: dict[Term, int] = {}
        self._uses: set[Use] = set()
        self._refused: dict[int, list[Fault]] = {}
        self._made: list[Identity] = []
        self._written: list[Written] = []
        self._added = 0
        self.doomed = False
        """Whether it is known to be refused, so that only further faults are looked for."""

    async def add(self, changes: Sequence[Change]) -> list[Event]:
        """Renders changes, which are to be no more than PART, and has what is new to those events appended by the end.

        Gives the events as they are to be, unless something has been refused.
        """
        await self._naming.look_up(changes)
        # The database takes those before while these are rendered.
        appending = asyncio.create_task(self._append())
        try:
            done, made, written = await self._rendered(changes)
        finally:
            await appending
        if self._refused or self.doomed:
            done, made, written = [], [], []
        self._made, self._written = made, written
        return done

    async def _append(self) -> None:
        """Appends what is rendered."""
        made, written = self._made, self._written
        if made:
            await events.append_events(self._connection, made)
        if written:
            if len(self._terms) > TERMS_MAX:
                self._terms.clear()
            await events.append_versions(self._connection, self._moment.revision, written, self._terms, self._turnover)

    async def _rendered(self, changes: Sequence[Change]) -> tuple[list[Event], list[Identity], list[Written]]:
        """The events as they are to be, those that are new, and what is to be appended."""
        done: list[Event] = []
        made: list[Identity] = []
        written: list[Written] = []
        for change in changes:
            self._added += 1
            if self._added % BREATH == 0:
                await asyncio.sleep(0)
            faults = self._naming.faults_of(change)
            if self._collections is not None and change.given.collection not in self._collections:
                faults.insert(0, unknown("collection", change.given.collection, "/collection"))
            if faults:
                self._refused[self._added - 1] = faults
            if self._refused or self.doomed:
                continue
            event, new = self._naming.rendered(change, self._moment)
            done.append(event)
            if new is None:
                continue
            if change.version is None:
                made.append(change.identity)
            written.append(new)
            self._count(event.collection, change.version is None or change.version.document is None)
            self._uses.update((event.collection, "actor", slug) for slug in new.actors)
            beneath = [self._naming.sources[slug] for dimension, slug in new.terms if dimension == "basis"]
            self._uses.update(uses_of(event.collection, beneath))
        return done, made, written

    async def finish(self) -> None:
        """Brings the index along. Raises RefusedChanges, after which what has been appended is to be rolled back."""
        if self._refused or self.doomed:
            raise RefusedChanges(self._refused)
        await self._append()
        await self._turnover.write(self._connection, self._moment.revision)
        if self._uses:
            await note_uses(self._connection, self._uses, self._naming.aliases, self._moment.revision)
