"""Listing: the events that a selection chooses, in order. Every read of many events goes through `Listing`."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from itertools import chain
from time import monotonic
from typing import Final, TypeAlias, TypeVar

from msgspec import Struct

from service.domain.dates import LATEST
from service.domain.errors import SelectionTooBroad
from service.domain.filters import Filters
from service.domain.lenses import Position, Seen, Version, in_sight, see
from service.domain.selection import Selection, holds
from service.domain.terms import Term, pointing
from service.storage import walking
from service.storage.events import Identity, find_by_id, find_by_key
from service.storage.groups import BUDGET_MAX, Groups, budget_of, groups_of, rows_of
from service.storage.memory import recall
from service.storage.pool import Connection
from service.storage.walking import Bounded, Look, Named

CANDIDATES_MAX: Final = 50_000
SECONDS_IN_VAIN: Final = 4.0
"""After so long no further look is taken where thousands went by in vain: each look has a time limit of its own."""
MERGED_AFTER: Final = 4_000
"""After so many candidates in vain two lists are merged, once for a page: it reads both to where they meet."""

L = TypeVar("L", bound=Look)
Joining: TypeAlias = Awaitable[walking.Joined]


class Found(Struct, frozen=True):
    """An event that a selection chooses. seen: None where it shows just as it is stored, unless it was asked for."""

    version: Version
    position: Position
    seen: Seen | None


class Joined(Struct, frozen=True):
    """Documents of a selection's events, all but relations out of sight as they are stored, and where they end.

    documents: some to a part, joined by commas. actors, sources: numbers of those that they name.
    """

    documents: list[bytes]
    rows: int
    actors: set[str]
    sources: set[str]
    end: Position | None
    more: bool


class Listing:
    """A selection ready to be read, and the one read path.

    limit: how many events the caller is likely to take, by which the work is sized. in_vain: after so many candidates
    without that many chosen the selection is too broad.
    """

    def __init__(
        self, connection: Connection, selection: Selection, groups: Groups, named: Named, limit: int, in_vain: int
    ) -> None:
        self._connection, self._selection, self._groups, self._named = connection, selection, groups, named
        self._limit, self._in_vain = limit, in_vain
        self._begin()

    def _begin(self) -> None:
        self._chosen = self._gone_by = 0
        self._waited = 0.0
        self._merged = False

    @property
    def decided(self) -> bool:
        """Whether the index decides, and no lens takes claims away, so that nobody has to look at a document."""
        return self._groups.decide and not self._selection.lens.trims

    async def found(self, after: Position | None, *, looks: bool = False) -> AsyncGenerator[Found, None]:
        """The selection's events beyond `after`, to the end of the listing. `looks` gives each as it is seen.

        Documents are decoded only where a lens may trim them or the index cannot decide. Raises SelectionTooBroad.
        """
        recheck = looks or not self.decided
        look = partial(walking.walk, self._connection, self._selection, self._groups, self._named, facts=recheck)
        async with aclosing(self._looks(after, look)) as walks:
            async for each in walks:
                for candidate in each.candidates:
                    # Facts come along where somebody has to look.
                    seen = None if candidate.version.facts is None else see(candidate.version, self._selection.lens)
                    if recheck and (
                        seen is None or seen.position != candidate.position or not holds(self._selection, seen)
                    ):
                        continue
                    shown = seen if looks or (seen is not None and not seen.whole) else None
                    yield Found(candidate.version, candidate.position, shown)
                    self._choose(1)

    async def joined(self, after: Position | None, limit: int) -> Joined | None:
        """The first `limit` documents beyond `after`, one fewer at least than the work is sized by.

        None where somebody has to look at them. Raises SelectionTooBroad.
        """
        documents: list[bytes] = []
        actors: set[str] = set()
        sources: set[str] = set()
        left, end, more = limit, None, False

        def look(bounded: Bounded) -> Joining:
            return walking.join(self._connection, self._selection, self._groups, self._named, bounded, shown=left)

        if not self.decided:
            return None
        async with aclosing(self._looks(after, look)) as walks:
            async for each in walks:
                if each.documents:
                    documents.append(self._in_sight(each) if each.apart else each.documents)
                    actors.update(each.actors.split(","))
                    sources.update(each.sources.split(","))
                end, more = each.end or end, each.rows > left
                if more:
                    break
                left -= each.rows
                self._choose(each.rows)
        # What names nobody is split into one empty part.
        actors.discard("")
        sources.discard("")
        return Joined(documents, limit if more else limit - left, actors, sources, end, more)

    def _in_sight(self, joined: walking.Joined) -> bytes:
        """The documents, with those in their places that came apart since a relation of theirs may be out of sight."""
        shown = [in_sight(document, facts, self._selection.lens) for document, facts in joined.apart]
        between = joined.documents.split(walking.APART)
        return b"".join(chain.from_iterable(zip(between, [*shown, b""], strict=True)))

    def _choose(self, number: int) -> None:
        """Notes that of the last look so many are chosen."""
        before = self._chosen
        self._chosen, self._gone_by = before + number, self._gone_by - number
        if before // self._limit != self._chosen // self._limit:
            self._gone_by, self._waited, self._merged = 0, 0.0, False

    async def _looks(self, after: Position | None, look: Callable[[Bounded], Awaitable[L]]) -> AsyncGenerator[L, None]:
        """The looks that it takes to see everything beyond `after`, by what has come of those before.

        Who has seen enough closes it: one that is merely left costs a task of its own to end, a tenth of a page.
        """
        selection, groups, named, limit = self._selection, self._groups, self._named, self._limit
        self._begin()
        closed = selection.revision != selection.head
        budget = max(budget_of(groups, limit), len(named.events))
        rows = limit
        met: list[int] | None = None
        for undated in (False, True):
            takes = selection.filters.undated if undated else selection.filters.dated
            if not takes or (after is not None and after[0] and not undated):
                continue
            place = after if after is not None and after[0] == undated else None
            while True:
                began = monotonic()
                seen = await look(Bounded(undated, rows, budget, closed, place, met))
                self._waited += monotonic() - began
                if not closed and seen.head != selection.revision:
                    # A write has closed postings since the head was read: look where they are now.
                    closed = True
                    continue
                full = seen.rows == rows
                self._gone_by += rows if full else seen.looked_at
                before, met = self._chosen, None
                yield seen
                if seen.exhausted and not full:
                    break
                # `holds` may throw away most of what the terms let through.
                rows = rows_of(seen.rows, limit, self._chosen - before, limit - self._chosen % limit)
                budget = max(budget, rows)
                if full:
                    place = seen.end
                else:
                    place = seen.last
                    if 2 * seen.rows < seen.looked_at:
                        # The groups meet less often than their sizes promise.
                        budget = max(budget, min(2 * budget, BUDGET_MAX))
                    if self._gone_by > MERGED_AFTER and not self._merged and not named.beside:
                        met, self._merged = groups.met, True
                late = self._gone_by > MERGED_AFTER and self._waited > SECONDS_IN_VAIN and met is None
                if self._gone_by > self._in_vain or late:
                    raise SelectionTooBroad(
                        "Too many events would have to be looked at to find the ones asked for. "
                        "Narrow the window of dates, or drop one of the filters that rarely meet."
                    )


async def listing_of(connection: Connection, selection: Selection, limit: int, in_vain: int | None = None) -> Listing:
    """A selection made ready to be read: 50,000 candidates may go by in vain, where nothing else is said."""
    groups = await groups_of(connection, selection)
    named = await named_of(connection, selection, groups)
    return Listing(connection, selection, groups, named, limit, CANDIDATES_MAX if in_vain is None else in_vain)


async def walk_selection(
    connection: Connection,
    selection: Selection,
    after: Position | None,
    limit: int,
    *,
    looks: bool = False,
    in_vain: int | None = None,
) -> AsyncGenerator[Found, None]:
    """The selection's events beyond `after`, for whoever goes through them one by one."""
    listing = await listing_of(connection, selection, limit, in_vain)
    async with aclosing(listing.found(after, looks=looks)) as chosen:
        async for found in chosen:
            yield found


OUTRIGHT_MAX: Final = 5_000
"""The versions of a span of revisions, or of what was known early, are looked at one by one if they are no more."""
WALK_LONG: Final = 4 * OUTRIGHT_MAX
"""Lists so long are not walked through an early revision, or for what was known early, before that is tried."""


async def named_of(connection: Connection, selection: Selection, groups: Groups) -> Named:
    """The events that a selection asks for outright, beside a walk or in place of it.

    Those of the request's ids or keys, or the timeline's; those that one event points at; the few recorded in a span of
    revisions, by an early revision or publicly known early; and a timeline's pins.
    """
    sides = (selection.filters, selection.timeline)
    ids = selection.include | selection.exclude | (selection.ids or frozenset())
    for side in sides:
        ids |= (side.related and side.related.out) or frozenset()
    found = await find_by_id(connection, ids) if ids else {}
    beside: tuple[Term, ...] = ()
    outright: set[str] | None = None if selection.ids is None else set(selection.ids)
    numbers: list[int] | None = None
    for side in sides:
        if outright is not None:
            break
        if side.keys is not None:
            by_key = {each.id: each for each in await find_by_key(connection, selection.collections, side.keys)}
            found |= by_key
            outright = set(by_key)
        elif side.related is not None and side.related.out is not None and side.related.event is None:
            outright = set(side.related.out)
    if outright is None:
        for side in sides:
            if side.related is not None and side.related.out is not None and side.related.event is not None:
                beside = tuple(pointing(side.related.event, side.related.types))
                outright = set(side.related.out)
                break
            if side.revisions is not None:
                numbers = await _few(connection, RECORDED_BETWEEN, *side.revisions, selection.revision)
                if numbers is not None:
                    break
        else:
            if not beside and groups.shortest > WALK_LONG:
                if selection.revision < selection.head:
                    numbers = await _few(connection, RECORDED_BETWEEN, 0, selection.revision, selection.revision)
                if numbers is None and selection.lens.known != LATEST:
                    numbers = await _known_by(connection, selection.lens.known)

    def is_named(filters: Filters, event: Identity) -> bool:
        return (filters.ids is None or event.id in filters.ids) and (filters.keys is None or event.key in filters.keys)

    named = [
        event
        for event in (found[id] for id in ((outright or set()) | selection.include) & found.keys())
        if event.collection in selection.sight.named
        and is_named(selection.filters, event)
        and (event.id in selection.include or is_named(selection.timeline, event))
    ]
    return Named(
        walks=bool(beside) or (outright is None and numbers is None),
        events=[event.event for event in named] + (numbers or []),
        pinned=[event.id in selection.include for event in named] + [False] * len(numbers or []),
        excluded=[found[id].event for id in selection.exclude & found.keys()],
        beside=beside,
    )


# The log knows how many there are, and where they are too many none is looked at: then there is one row, of null.
RECORDED_BETWEEN = """
WITH counted AS MATERIALIZED (
    SELECT coalesce((
        SELECT r.versions FROM revision r WHERE r.revision <= least($3::int8, $4::int8) ORDER BY r.revision DESC LIMIT 1
    ), 0) - coalesce((
        SELECT r.versions FROM revision r WHERE r.revision < $2 ORDER BY r.revision DESC LIMIT 1
    ), 0) >= $1 AS many
)
SELECT v.event FROM version v
WHERE NOT (SELECT many FROM counted) AND v.revision BETWEEN $2 AND least($3::int8, $4::int8)
UNION ALL SELECT NULL FROM counted WHERE many
"""

MANY: Final = -1
"""In the place of events that are too many; none has such a number."""


async def _few(connection: Connection, statement: str, *arguments: int) -> list[int] | None:
    """The events of the versions that a statement finds; None where those are too many to be looked at one by one."""

    async def read() -> list[int]:
        rows = await connection.fetch(statement, OUTRIGHT_MAX + 1, *arguments)
        many = len(rows) > OUTRIGHT_MAX or (len(rows) == 1 and rows[0][0] is None)
        return [MANY] if many else sorted({row[0] for row in rows})

    found = await recall(connection, (statement, arguments), read, lambda numbers: 40 * len(numbers))
    return None if found == [MANY] else list(found)


# So many versions are known the earliest. To count them for each instant would take longer than to read a page.
KNOWN_LAST = "SELECT v.known FROM version v ORDER BY v.known OFFSET $1 LIMIT 1"
KNOWN_BY = "SELECT v.event FROM version v WHERE v.known <= $2 LIMIT $1"


async def _known_by(connection: Connection, known: int) -> list[int] | None:
    """The events of the versions known by then; None where those are too many to be looked at one by one."""

    async def read() -> int:
        last = await connection.fetchval(KNOWN_LAST, OUTRIGHT_MAX)
        return LATEST if last is None else int(last)

    too_late = await recall(connection, (KNOWN_LAST, OUTRIGHT_MAX), read)
    return None if known >= too_late else await _few(connection, KNOWN_BY, known)
