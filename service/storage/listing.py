"""Listing: the events that a selection chooses, in order. Every read of many events goes through `walk_selection`."""

from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct

from service.domain.dates import LATEST
from service.domain.errors import SelectionTooBroad
from service.domain.filters import Filters
from service.domain.lenses import Position, Seen, Version, see
from service.domain.selection import Selection, holds
from service.domain.terms import Term, pointing
from service.storage import walking
from service.storage.events import Identity, find_by_id, find_by_key
from service.storage.memory import recall
from service.storage.pool import Connection
from service.storage.walking import Groups, Named

CANDIDATES_MAX: Final = 50_000
MERGED_AFTER: Final = 4_000
"""After so many candidates in vain two lists are merged, once for a page: it reads both to where they meet."""


class Found(Struct, frozen=True):
    """An event that a selection chooses. seen: None where it shows just as it is stored, unless it was asked for."""

    version: Version
    position: Position
    seen: Seen | None


async def walk_selection(
    connection: Connection,
    selection: Selection,
    after: Position | None,
    limit: int,
    *,
    looks: bool = False,
    in_vain: int | None = None,
) -> AsyncIterator[Found]:
    """The selection's events beyond `after`, in order: the one read path.

    Documents are decoded only where a lens may trim them or the index cannot decide. It ends with the listing; `limit`
    is how many the caller is likely to take, by which the work is sized; `looks` gives each along as it is seen. Raises
    SelectionTooBroad where too many candidates go by before that many are chosen: 50,000, or `in_vain`.
    """
    groups = await walking.groups_of(connection, selection)
    named = await named_of(connection, selection, groups)
    recheck = looks or selection.lens.trims or not groups.decide
    closed = selection.revision != selection.head
    budget = max(walking.budget_of(groups, limit), len(named.events))
    rows = limit
    chosen = gone_by = 0
    met: list[int] | None = None
    merged = False
    for undated in (False, True):
        takes = selection.filters.undated if undated else selection.filters.dated
        if not takes or (after is not None and after[0] and not undated):
            continue
        place = after if after is not None and after[0] == undated else None
        while True:
            walk = await walking.walk(
                connection,
                selection,
                groups,
                named,
                undated=undated,
                after=place,
                rows=rows,
                budget=budget,
                closed=closed,
                facts=recheck,
                met=met,
            )
            if not closed and walk.head != selection.revision:
                # A write has closed postings since the head was read: look where they are now.
                closed = True
                continue
            full = len(walk.candidates) == rows
            gone_by += rows if full else walk.looked_at
            before, met = chosen, None
            for candidate in walk.candidates:
                # Facts come along where somebody has to look.
                seen = None if candidate.version.facts is None else see(candidate.version, selection.lens)
                if recheck and (seen is None or seen.position != candidate.position or not holds(selection, seen)):
                    continue
                shown = seen if looks or (seen is not None and not seen.whole) else None
                yield Found(candidate.version, candidate.position, shown)
                chosen, gone_by = chosen + 1, gone_by - 1
                if chosen % limit == 0:
                    gone_by, merged = 0, False
            if full:
                place = walk.candidates[-1].position
                # `holds` may throw away most of what the terms let through.
                rows = walking.rows_of(rows, limit, chosen - before, limit - chosen % limit)
                budget = max(budget, rows)
            elif walk.exhausted:
                break
            else:
                place = walk.last
                # The groups meet less often than their sizes promise.
                budget = max(budget, min(2 * budget, walking.BUDGET_MAX))
                if gone_by > MERGED_AFTER and not merged and not named.beside:
                    met, merged = groups.met, True
            if gone_by > (CANDIDATES_MAX if in_vain is None else in_vain):
                raise SelectionTooBroad(
                    "Too many events would have to be looked at to find the ones asked for. "
                    "Narrow the window of dates, or drop one of the filters that rarely meet."
                )


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
    ids = selection.include | selection.exclude
    for side in sides:
        ids |= (side.ids or frozenset()) | (side.related.out or frozenset() if side.related else frozenset())
    found = await find_by_id(connection, ids) if ids else {}
    beside: tuple[Term, ...] = ()
    outright: set[str] | None = None
    numbers: list[int] | None = None
    for side in sides:
        if side.ids is not None:
            outright = set(side.ids)
        elif side.keys is not None:
            by_key = {each.id: each for each in await find_by_key(connection, selection.collections, side.keys)}
            found |= by_key
            outright = set(by_key)
        elif side.related is not None and side.related.out is not None and side.related.event is None:
            outright = set(side.related.out)
        if outright is not None:
            break
    else:
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
                    numbers = await _few(connection, KNOWN_BY, selection.lens.known)

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
KNOWN_BY = "SELECT v.event FROM version v WHERE v.known <= $2 LIMIT $1"


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
