"""The read path: what the statement finds is what a plain look at everything finds, and the record only grows."""

from collections import Counter
from collections.abc import AsyncIterator
from random import Random

import asyncpg
import msgspec
import pytest

from service.domain.dates import LATEST, seconds_of
from service.domain.errors import SelectionTooBroad
from service.domain.event import ClaimInput, EventInput
from service.domain.selection import Bounds, Filters, Group, Position, Selection, Version, holds, see
from service.operations.editing import editing
from service.storage import events, postings
from service.storage.events import Found
from service.storage.pool import prepare
from tests.storage import pasts
from tests.storage.pasts import EDITOR, INSIDER, NOTE, Past, new_past, read_all

SELECTIONS = 600


async def pages(past: Past, selection: Selection, limit: int) -> list[Found]:
    """The whole listing, read as clients do: page by page, each beginning after the last event of the one before."""
    found: list[Found] = []
    after: Position | None = None
    while True:
        page = []
        async for each in events.walk_selection(past.connection, selection, after, limit):
            page.append(each)
            if len(page) == limit:
                break
        found += page
        if len(page) < limit:
            return found
        after = page[-1].position


@pytest.fixture(scope="module")
async def long_past(database_url: str) -> AsyncIterator[Past]:
    opened = await asyncpg.connect(database_url)
    await prepare(opened)
    transaction = opened.transaction()
    await transaction.start()
    try:
        yield await new_past(opened, seed=1, length=220)
    finally:
        await transaction.rollback()
        await opened.close()


@pytest.fixture
async def past(long_past: Past) -> AsyncIterator[Past]:
    """The long past, for each test to go on from as it likes."""
    transaction = long_past.connection.transaction()
    await transaction.start()
    yield long_past.copied(seed=2)
    await transaction.rollback()


async def test_listings_are_what_a_look_at_every_version_finds(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = await read_all(past.connection)
    versions = [version for _, _, version in recorded if version is not None]
    reached: Counter[str] = Counter()
    for number in range(SELECTIONS):
        selection = past.selection(versions)
        there = pasts.at(recorded, selection.revision)
        expected = pasts.listing(selection, there)
        # Small budgets make a page take several looks, each beginning where the one before ended.
        budget = past.random.choice([1, 1, 2, 3, 7, 40])
        monkeypatch.setattr(postings, "budget_of", lambda groups, limit, budget=budget: budget)
        limit = past.random.choice([1, 2, 5, 30, 500])
        found = await pages(past, selection, limit)
        told = f"selection {number}, budget {budget}, limit {limit}: {selection}"
        assert [each.position for each in found] == [version.position for version in expected], told
        for each, version in zip(found, expected, strict=True):
            assert (each.version.revision, each.version.document) == (version.revision, version.raw), told
            assert each.version.known == version.known, told
        if expected:
            reached.update(features_of(selection))
    print(reached.most_common())
    assert min(reached[name] for name in FEATURES) >= 10, reached


FEATURES = (
    "head", "past", "ascending", "descending", "groups 0", "groups 1", "groups 2", "groups 3", "groups 4", "groups 5",
    "groups 6", "window", "known", "ids", "keys", "include", "exclude", "timeline", "undated",
)  # fmt: skip


def features_of(selection: Selection) -> list[str]:
    filters, timeline = selection.filters, selection.timeline
    plain = Filters()
    return [
        "head" if selection.revision == selection.head else "past",
        "descending" if selection.descending else "ascending",
        f"groups {len(filters.groups)}",
        *(["window"] if filters.bounds != plain.bounds else []),
        *(["known"] if selection.trims else []),
        *(["ids"] if filters.ids is not None else []),
        *(["keys"] if filters.keys is not None else []),
        *(["include"] if selection.include else []),
        *(["exclude"] if selection.exclude else []),
        *(["timeline"] if timeline != plain else []),
        *(["undated"] if not filters.dated else []),
    ]


async def test_holds_says_of_each_event_what_the_statement_does(past: Past) -> None:
    recorded = await read_all(past.connection)
    versions = [version for _, _, version in recorded if version is not None]
    numbers = sorted(past.identities)
    for number in range(SELECTIONS // 2):
        selection = past.selection(versions)
        chosen = {each.version.event for each in await pages(past, selection, 500)}
        there = await events.read_versions(past.connection, numbers, selection.revision)
        held = {event for event, version in there.items() if is_held(selection, version)}
        assert held == chosen, f"selection {number}: {selection}"


def is_held(selection: Selection, version: Version) -> bool:
    seen = see(version, selection.known)
    return seen is not None and holds(selection, seen)


async def test_a_listing_does_not_move_under_its_reader(past: Past) -> None:
    """A write between reading the head and the listing, or in the middle of it, closes postings that were open."""
    recorded = await read_all(past.connection)
    versions = [version for _, _, version in recorded if version is not None]
    moved = 0
    for _ in range(30):
        selection = msgspec.structs.replace(past.selection(versions), revision=past.head, head=past.head)
        recorded = await read_all(past.connection)
        expected = [version.position for version in pasts.listing(selection, pasts.at(recorded, past.head))]
        await past.write(2)
        found: list[Position] = []
        async for each in events.walk_selection(past.connection, selection, None, 3):
            found.append(each.position)
            if len(found) == 3:
                await past.write(1)
        assert found == expected, selection
        recorded = await read_all(past.connection)
        moved += expected != [v.position for v in pasts.listing(selection, pasts.at(recorded, past.head))]
    assert moved >= 5


async def test_what_rarely_meets_is_refused_and_what_often_meets_is_not(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Candidates that go by are counted between events given, so that a long listing can be walked to its end."""

    def said(day: int) -> list[ClaimInput]:
        """A claim known early, and one by the speaker, early of every other event."""
        speech = ClaimInput(source="s1", published=["1999", "2025"][day % 2], speakers=["a4"])
        return [ClaimInput(source="s0", published="1999"), speech]

    made = [
        EventInput(
            title=f"Day {day}",
            occurred=f"1812-03-{day + 1:02}",
            kind=["even", "odd"][day % 2],
            tags=["third"] if day % 3 == 0 else [],
            claims=said(day),
        )
        for day in range(30)
    ]
    async with editing(past.connection, NOTE) as edit:
        await edit.create_events(made, EDITOR)

    async def days(limit: int, *groups: tuple[str, str], known: int = LATEST) -> list[int]:
        selection = Selection(
            revision=edit.revision,
            head=edit.revision,
            sight=INSIDER,
            filters=Filters(
                bounds=Bounds(lo_min=seconds_of(1812), hi_max=seconds_of(1813)),
                undated=False,
                groups=tuple(Group(dimension, (value,)) for dimension, value in groups),
            ),
            known=known,
        )
        walk = events.walk_selection(past.connection, selection, None, limit)
        return [(each.version.lo - seconds_of(1812, 3, 1)) // 86_400 async for each in walk]

    monkeypatch.setattr(postings, "CANDIDATES_MAX", 6)
    monkeypatch.setattr(postings, "BUDGET_MAX", 8)
    for budget in (4, 8):
        monkeypatch.setattr(postings, "budget_of", lambda groups, limit, budget=budget: budget)
        assert await days(3, ("tag", "third"), ("phase", "happened")) == list(range(0, 30, 3))
        assert await days(3, ("kind", "even"), ("tag", "third")) == list(range(0, 30, 6))
        with pytest.raises(SelectionTooBroad):
            await days(3, ("kind", "even"), ("kind", "odd"))
        # A lens takes candidates away too.
        known = seconds_of(2000)
        assert await days(2, ("speaker", "a4"), known=known) == list(range(0, 30, 2))
        with pytest.raises(SelectionTooBroad):
            await days(2, ("speaker", "a4"), ("kind", "odd"), known=known)


async def test_versions_and_changes_by_revision(past: Past) -> None:
    recorded = await read_all(past.connection)
    numbers = sorted(past.identities)
    random = Random(7)
    for _ in range(60):
        since, until = sorted((random.randint(0, past.head), random.randint(0, past.head)))
        newest = {event: revision for event, revision, _ in recorded if revision <= until}
        versions = await events.read_versions(past.connection, numbers, until)
        assert {event: version.revision for event, version in versions.items()} == newest

        changed = sorted(((-r, event) for event, r in newest.items() if r > since))
        expected = [(event, -r) for r, event in changed]
        given: list[tuple[int, int]] = []
        after, limit = (until + 1, 0), random.randint(1, 9)
        while page := await events.read_changed(past.connection, since, until, after, limit):
            given += page
            after = (page[-1][1], page[-1][0])
        assert given == expected
    for event in random.sample(numbers, 10):
        history = [(e, r) for e, r, _ in recorded if e == event]
        read = await events.read_history(past.connection, event, 0, past.head, 500)
        assert [(version.event, version.revision) for version in read] == history
        middle = history[len(history) // 2][1]
        rest = await events.read_history(past.connection, event, middle, past.head - 1, 2)
        assert [v.revision for v in rest] == [r for _, r in history if middle < r < past.head][:2]


# The place of a row on disk tells an update from none, even one that writes the same.
RECORD = {
    table: f"SELECT ctid::text || xmin::text || t::text FROM {table} t"
    for table in ("event", "version", "resource", "resource_version", "resource_use", "revision")
}


async def test_nothing_recorded_is_ever_touched(past: Past) -> None:
    before = {table: set(await rows(past.connection, statement)) for table, statement in RECORD.items()}
    for _ in range(40):
        await past.write(1)
        after = {table: set(await rows(past.connection, statement)) for table, statement in RECORD.items()}
        assert all(before[table] <= after[table] for table in RECORD)
        before = after
    assert {len(before["revision"]), *(await rows(past.connection, "SELECT revision FROM head"))} == {past.head}


async def rows(connection: asyncpg.Connection, statement: str) -> list[object]:
    return [row[0] for row in await connection.fetch(statement)]


async def test_ids_order_as_numbers_do(past: Past) -> None:
    found = await past.connection.fetch("SELECT event, id FROM event ORDER BY id")
    assert [row["event"] for row in found] == sorted(past.identities)
    assert {row["id"].version for row in found} == {7}
