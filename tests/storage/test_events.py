"""The read path: what the statement finds is what a plain look at everything finds, and the record only grows."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import asyncpg
import msgspec
import pytest

from service.domain import terms
from service.domain.dates import LATEST, seconds_of
from service.domain.errors import SelectionTooBroad
from service.domain.event import ClaimInput, EventInput, PlaceInput
from service.domain.filters import Bounds, Box, ClaimFilter, Filters
from service.domain.lenses import Lens, Position, Version, see
from service.domain.resources import SourceInput
from service.domain.selection import Selection, holds
from service.operations import merging
from service.operations.editing import editing
from service.storage import events, groups, listing, lookup, resources, walking
from service.storage.events import Within
from service.storage.listing import Found
from service.storage.pool import prepare
from tests.storage import plain
from tests.storage.pasts import ANYONE, EDITOR, INSIDER, NOTE, Past, new_past
from tests.storage.plain import Shown, read_all

SELECTIONS = 1_500
TERMS = SimpleNamespace(**vars(terms))
"""The bounds of `terms` as they are."""


async def pages(past: Past, selection: Selection, limit: int) -> list[Found]:
    """The whole listing, read as clients do: page by page, each beginning after the last event of the one before."""
    found: list[Found] = []
    after: Position | None = None
    while True:
        page = []
        async for each in listing.walk_selection(past.connection, selection, after, limit):
            page.append(each)
            if len(page) == limit:
                break
        found += page
        if len(page) < limit:
            return found
        after = page[-1].position


async def joined(past: Past, selection: Selection, limit: int) -> tuple[list[bytes], set[int]] | None:
    """The documents of the whole listing, joined by the database, and what they name; None where it may not join."""
    documents: list[bytes] = []
    numbers: set[int] = set()
    after: Position | None = None
    while True:
        reading = await listing.listing_of(past.connection, selection, limit + 1)
        page = await reading.joined(after, limit)
        if page is None:
            return None
        assert page.rows <= limit
        documents += page.documents
        numbers |= set(map(int, page.actors | page.sources))
        if not page.more:
            return documents, numbers
        assert page.rows == limit
        after = page.end


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
    record = await read_all(past.connection)
    reached: Counter[str] = Counter()
    sizes = Random(3)
    for number in range(SELECTIONS):
        selection = past.selection(record)
        expected = plain.listing(selection, record)
        # Small budgets make a page take several looks, each beginning where the one before ended.
        budget = past.random.choice([1, 1, 2, 3, 7, 40])
        monkeypatch.setattr(listing, "budget_of", lambda groups, limit, budget=budget: budget)
        # Versions of a span of revisions are looked at outright where they are few, and walked past where they are not.
        monkeypatch.setattr(listing, "OUTRIGHT_MAX", past.random.choice([0, 20, 5_000]))
        monkeypatch.setattr(listing, "WALK_LONG", past.random.choice([0, 30, 20_000]))
        # Lists are merged where they rarely meet and are not too long.
        monkeypatch.setattr(listing, "MERGED_AFTER", sizes.choice([0, 0, 5, 4_000]))
        monkeypatch.setattr(groups, "MET_MAX", sizes.choice([30, 220_000]))
        monkeypatch.setattr(groups, "ROWS_MAX", sizes.choice([1, 3, 1_000]))
        # So many terms of one group, and they are no longer walked, or looked for one by one.
        monkeypatch.setattr(lookup, "TERMS_MAX", past.random.choice([0, 1, 2, 1_000]))
        for name in ("PAIRS_MAX", "CELLS_MAX", "MONTHS_MAX"):
            monkeypatch.setattr(terms, name, past.random.choice([1, 2, getattr(TERMS, name)]))
        limit = past.random.choice([1, 2, 5, 30, 500])
        found = await pages(past, selection, limit)
        told = f"selection {number}, budget {budget}, limit {limit}: {selection}"
        assert [each.position for each in found] == [shown.position for shown in expected], told
        for each, shown in zip(found, expected, strict=True):
            assert (each.version.revision, each.version.document) == (shown.stored.revision, shown.stored.raw), told
            assert each.version.known == plain.known(shown.stored.document), told
            assert document_of(each) == shown.document, told
        whole = await joined(past, selection, limit)
        if whole is not None:
            assert b",".join(whole[0]) == b",".join(map(bytes_of, found)), told
            assert whole[1] == {number for each in found for number in (*each.version.actors, *each.version.sources)}
            reached["joined"] += len(found) > limit
            reached["joined, hidden relation"] += any(each.seen is not None for each in found)
        if expected:
            reached.update(features_of(selection, expected))
    print(reached.most_common())
    assert min(reached[name] for name in FEATURES) >= 5, reached


def bytes_of(found: Found) -> bytes:
    """What stands on a page."""
    return found.version.document or b"" if found.seen is None else msgspec.json.encode(found.seen.event)


def document_of(found: Found) -> Any:
    """What a reader is given."""
    return (
        msgspec.json.decode(found.version.document or b"")
        if found.seen is None
        else msgspec.to_builtins(found.seen.event)
    )


# All that must have been met by selections that choose something.
FEATURES = (
    "joined", "joined, hidden relation", "head", "past", "ascending", "descending",
    "parts 0", "parts 1", "parts 2", "parts 3", "parts 4", "parts 5",
    "more groups than the statement checks", "window", "collections", "kinds", "phases", "tags", "all_tags", "actors",
    "all_actors", "roles", "sources", "publishers", "speakers", "stances", "published", "several of one claim",
    "standings", "origins_min", "languages", "countries", "box", "across 180", "in", "out", "both", "revisions", "ids",
    "keys", "include", "exclude", "timeline", "undated", "known", "accounts", "account_sources", "known account",
    "merged actor", "hidden relation", "moved by an account",
)  # fmt: skip


def features_of(selection: Selection, chosen: list[Shown]) -> set[str]:
    """What a selection asks for, and what of that had a part in its answer."""
    filters, lens = selection.filters, selection.lens
    names = {name for name in Filters.__struct_fields__ if getattr(filters, name) != getattr(Filters(), name)}
    parts = names - {"all_tags", "all_actors", "dated", "undated"}
    found = names - {"claim", "dated", "undated", "bounds", "related"} | {f"parts {min(len(parts), 5)}"}
    if filters.claim.published is not None:
        found.add("published")
    of_claim = {name for name in ("sources", "publishers", "speakers", "stances") if getattr(filters.claim, name)}
    found |= of_claim
    several = [group for group in terms.asked(filters, lens) if len(group.terms) > 1]
    slugs = {*filters.actors, *filters.claim.publishers, *filters.claim.speakers, *(lens.accounts or ())}
    related = filters.related
    for name, holds_of in {
        "head": selection.revision == selection.head,
        "past": selection.revision != selection.head,
        "ascending": not selection.descending,
        "descending": selection.descending,
        "window": filters.bounds != Bounds(),
        "undated": not filters.dated,
        "more groups than the statement checks": len(several) > groups.GROUPS_MAX,
        "several of one claim": len(of_claim) > 1,
        "across 180": filters.box is not None and filters.box.west > filters.box.east,
        "in": related is not None and related.out is None,
        "out": related is not None and related.event is None,
        "both": related is not None and related.out is not None and related.event is not None,
        "include": selection.include,
        "exclude": selection.exclude,
        "timeline": selection.timeline != Filters(),
        "known": lens.known != LATEST,
        "accounts": lens.accounts is not None,
        "account_sources": lens.account_sources is not None,
        "known account": lens.known != LATEST and lens.of_account,
        "merged actor": slugs & {*lens.aliases, *lens.aliases.values()},
        "hidden relation": any(
            len(shown.document["relations"]) < len(shown.stored.document["relations"]) for shown in chosen
        ),
        "moved by an account": any(shown.document["occurred"] != shown.stored.document["occurred"] for shown in chosen),
    }.items():
        if holds_of:
            found.add(name)
    return found


async def test_holds_says_of_each_event_what_the_statement_does(past: Past) -> None:
    record = await read_all(past.connection)
    numbers = sorted(past.identities)
    for number in range(SELECTIONS // 3):
        selection = past.selection(record)
        chosen = {each.version.event for each in await pages(past, selection, 500)}
        there = await events.read_versions(past.connection, numbers, selection.revision)
        held = {event for event, version in there.items() if is_held(selection, version)}
        assert held == chosen, f"selection {number}: {selection}"


async def test_merged_actors_are_resolved_at_every_revision(past: Past) -> None:
    record = await read_all(past.connection)
    found = [await resources.read_aliases(past.connection, revision) for revision in range(past.head + 1)]
    assert found == [record.aliases(revision) for revision in range(past.head + 1)]
    assert max(map(len, found)) > 1
    # Some are merged into one that is merged itself, some stand for themselves again.
    assert any(into in found[revision] for revision, _, into in record.merges if into is not None)
    assert any(into is None for _, _, into in record.merges)


async def test_standing_stored_is_standing_computed_at_any_later_revision(past: Past) -> None:
    """Whatever standing follows from revises: what was recorded last is true until the next."""
    record = await read_all(past.connection)
    for revision in range(past.head + 1):
        lens = Lens(known=LATEST - 1, aliases=record.aliases(revision))
        for version in record.at(revision):
            shown = plain.as_seen(lens, revision, record, version)
            if shown is not None and len(shown.document["claims"]) == len(version.document["claims"]):
                assert shown.document["standing"] == version.document["standing"]


def is_held(selection: Selection, version: Version) -> bool:
    seen = see(version, selection.lens)
    return seen is not None and holds(selection, seen)


async def test_what_had_more_origins_once_is_found_as_it_was_known(past: Past) -> None:
    """Voices turn: what three had asserted is asserted by one in the end, and was by one or two in between."""

    def said(stance: Any, source: int, year: int) -> ClaimInput:
        return ClaimInput(source=f"s{source}", speakers=[f"a{source}"], stance=stance, published=str(year))

    for slug in ("s0", "s1", "s2"):
        async with editing(past.connection, NOTE) as edit:
            given = SourceInput(slug=slug, title="Resting on nothing")
            await edit.revise_resource("source", await edit.find("source", slug), given)
    for actor in sorted(past.merged):
        async with editing(past.connection, NOTE) as edit:
            await merging.unmerge(edit, await edit.find("actor", actor))
    async with editing(past.connection, NOTE) as edit:
        claims = [said("asserts", number, 2000 + number) for number in range(3)]
        claims += [said("retracts", number, 2010 + number) for number in range(2)]
        event = await edit.create_event(EventInput(title="What was said", occurred="1812", claims=claims), EDITOR)

    async def found(known: int, origins: int, *standings: str) -> bool:
        selection = Selection(
            revision=edit.revision,
            head=edit.revision,
            sight=INSIDER,
            lens=Lens(known=known),
            filters=Filters(origins_min=origins, standings=standings),
        )
        return event.id in [document_of(each)["id"] for each in await pages(past, selection, 500)]

    for year, origins, standing in [
        (2000, 1, "reported"), (2001, 2, "corroborated"), (2002, 3, "corroborated"), (2010, 2, "corroborated"),
        (2011, 1, "reported"),
    ]:  # fmt: skip
        known = seconds_of(year + 1) - 1
        told = [await found(known, least, standing) for least in range(5)]
        assert told == [least <= origins for least in range(5)], year
        assert not await found(known, 0, "contested", "retracted", *({"reported", "corroborated"} - {standing}))
    assert not await found(LATEST, 2)
    assert await found(LATEST, 1, "reported")


async def test_a_listing_does_not_move_under_its_reader(past: Past) -> None:
    """A write between reading the head and the listing, or in the middle of it, closes postings that were open."""
    record = await read_all(past.connection)
    moved = 0
    for _ in range(60):
        aliases = record.aliases(past.head)
        asked = past.selection(record)
        lens = msgspec.structs.replace(asked.lens, aliases=aliases)
        selection = msgspec.structs.replace(asked, revision=past.head, head=past.head, lens=lens)
        expected = [shown.position for shown in plain.listing(selection, record)]
        await past.write(4)
        found: list[Position] = []
        async for each in listing.walk_selection(past.connection, selection, None, 3):
            found.append(each.position)
            if len(found) == 3:
                await past.write(1)
        assert found == expected, selection
        record = await read_all(past.connection)
        later = msgspec.structs.replace(selection, revision=past.head, head=past.head)
        moved += expected != [shown.position for shown in plain.listing(later, record)]
    assert moved >= 5


MARCH = Bounds(lo_min=seconds_of(1812, 3, 1), hi_max=seconds_of(1814))


async def write_days(past: Past, number: int) -> int:
    """Events of as many days, alternately even and odd in kind and tag, but for one of the third kind."""
    made = [
        EventInput(
            title=f"Day {day}",
            occurred=str(date(1812, 3, 1) + timedelta(day)),
            kind="one" if day == 30 else ["even", "odd"][day % 2],
            tags=[["even", "odd"][day % 2]],
            places=[PlaceInput(latitude=42.015, longitude=20.015 if day == 290 else 20.05)],
        )
        for day in range(number)
    ]
    async with editing(past.connection, NOTE) as edit:
        await edit.create_events(made, EDITOR)
    past.head = edit.revision
    return edit.revision


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
            tags=[["even", "odd"][day % 2], *(["third"] if day % 3 == 0 else [])],
            claims=said(day),
        )
        for day in range(30)
    ]
    async with editing(past.connection, NOTE) as edit:
        await edit.create_events(made, EDITOR)

    async def days(limit: int, filters: Filters, known: int = LATEST) -> list[int]:
        window = Bounds(lo_min=seconds_of(1812), hi_max=seconds_of(1813))
        selection = Selection(
            revision=edit.revision,
            head=edit.revision,
            sight=INSIDER,
            filters=msgspec.structs.replace(filters, bounds=window, undated=False),
            lens=Lens(known=known),
        )
        walk = listing.walk_selection(past.connection, selection, None, limit)
        return [(each.version.lo - seconds_of(1812, 3, 1)) // 86_400 async for each in walk]

    monkeypatch.setattr(listing, "CANDIDATES_MAX", 6)
    for module in (listing, groups):
        monkeypatch.setattr(module, "BUDGET_MAX", 8)
    for budget in (4, 8):
        monkeypatch.setattr(listing, "budget_of", lambda groups, limit, budget=budget: budget)
        assert await days(3, Filters(tags=("third",), phases=("happened",))) == list(range(0, 30, 3))
        assert await days(3, Filters(tags=("third",), kinds=("even",))) == list(range(0, 30, 6))
        with pytest.raises(SelectionTooBroad):
            await days(3, Filters(tags=("odd",), kinds=("even",)))
        # A lens takes candidates away too.
        known = seconds_of(2000)
        spoken = ClaimFilter(speakers=("a4",))
        assert await days(2, Filters(claim=spoken), known=known) == list(range(0, 30, 2))
        with pytest.raises(SelectionTooBroad):
            await days(2, Filters(claim=spoken, kinds=("odd",)), known=known)


async def test_what_never_meets_is_merged_and_answered(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two long lists without an event in both: merged they are read out, and what would be refused is answered."""
    head = await write_days(past, 40)
    looked: list[int] = []
    walk = walking.walk

    async def counted(*arguments: Any, **named: Any) -> walking.Walk:
        looked.append(len(arguments[4].met or []))
        return await walk(*arguments, **named)

    async def days(filters: Filters, revision: int, *, descending: bool = False) -> list[int]:
        looked.clear()
        window = msgspec.structs.replace(filters, bounds=MARCH, undated=False)
        selection = Selection(revision, past.head, INSIDER, filters=window, descending=descending)
        walk = listing.walk_selection(past.connection, selection, None, 3)
        return [(each.version.lo - MARCH.lo_min) // 86_400 async for each in walk]

    monkeypatch.setattr(walking, "walk", counted)
    monkeypatch.setattr(listing, "budget_of", lambda groups, limit: 3)
    for module in (listing, groups):
        monkeypatch.setattr(module, "BUDGET_MAX", 4)
    monkeypatch.setattr(listing, "CANDIDATES_MAX", 12)
    never, once = Filters(tags=("odd",), kinds=("even",)), Filters(tags=("even",), kinds=("one",))
    with pytest.raises(SelectionTooBroad):
        await days(never, head)
    monkeypatch.setattr(listing, "MERGED_AFTER", 5)
    assert await days(never, head) == []
    assert looked == [0, 0, 1]
    assert await days(once, head) == [30]
    assert await days(never, head, descending=True) == []
    # Where one of the two is too long to be read in one go, it is refused as before.
    monkeypatch.setattr(groups, "MET_MAX", 10)
    with pytest.raises(SelectionTooBroad):
        await days(never, head)


async def test_who_waits_in_vain_is_told_so(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    head = await write_days(past, 40)

    async def days(*kinds: str) -> list[int]:
        filters = Filters(tags=("odd",), kinds=kinds, bounds=MARCH, undated=False)
        selection = Selection(head, past.head, INSIDER, filters=filters)
        walk = listing.walk_selection(past.connection, selection, None, 3)
        return [(each.version.lo - MARCH.lo_min) // 86_400 async for each in walk]

    monkeypatch.setattr(listing, "budget_of", lambda groups, limit: 3)
    monkeypatch.setattr(listing, "MERGED_AFTER", 5)
    monkeypatch.setattr(groups, "MET_MAX", 10)
    for module in (listing, groups):
        monkeypatch.setattr(module, "BUDGET_MAX", 4)
    assert await days("even") == []
    monkeypatch.setattr(listing, "SECONDS_IN_VAIN", 0)
    with pytest.raises(SelectionTooBroad):
        await days("even")
    # What was found begins the waiting anew, and lists that can be merged are, before anybody is sent away.
    assert await days("odd") == list(range(1, 40, 2))
    monkeypatch.setattr(groups, "MET_MAX", 100)
    assert await days("even") == []


async def test_rows_asked_for_grow_where_few_are_chosen(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    head = await write_days(past, 300)
    asked: list[int] = []
    walk = walking.walk

    async def counted(*arguments: Any, **named: Any) -> walking.Walk:
        asked.append(arguments[4].rows)
        return await walk(*arguments, **named)

    monkeypatch.setattr(walking, "walk", counted)
    # All lie in the same small cell, and one of them within the box.
    filters = Filters(box=Box(20.01, 42.01, 20.02, 42.02), bounds=MARCH, undated=False)
    selection = Selection(head, head, INSIDER, filters=filters)
    found = [each async for each in listing.walk_selection(past.connection, selection, None, 5)]
    assert [each.version.lo for each in found] == [MARCH.lo_min + 290 * 86_400]
    assert asked == [5, 20, 80, 320]


async def test_a_page_takes_one_look_where_few_are_out_of_sight(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where it takes another, only as many rows are asked for as are still wanted."""
    asked: list[tuple[int, int]] = []
    join = walking.join

    async def counted(*arguments: Any, **named: Any) -> walking.Joined:
        asked.append((arguments[4].rows, arguments[4].budget))
        return await join(*arguments, **named)

    async def page(tag: str) -> int:
        asked.clear()
        selection = Selection(past.head, past.head, ANYONE, filters=Filters(tags=(tag,), bounds=MARCH, undated=False))
        joined = await (await listing.listing_of(past.connection, selection, 51)).joined(None, 50)
        assert joined is not None
        assert joined.more
        return joined.rows

    monkeypatch.setattr(walking, "join", counted)
    for tag, each in (("few", 20), ("more", 4)):
        made = [
            EventInput(
                title=f"{tag} {day}",
                occurred=str(date(1812, 3, 1) + timedelta(day)),
                kind="any",
                tags=[tag],
                collection="closed" if day % each == 1 else "main",
            )
            for day in range(200)
        ]
        async with editing(past.connection, NOTE) as edit:
            await edit.create_events(made, EDITOR)
        past.head = edit.revision
    assert await page("few") == 50
    assert asked == [(51, 57)]
    assert await page("more") == 50
    assert asked == [(51, 57), (12, 57)]


async def test_versions_and_changes_by_revision(past: Past) -> None:
    recorded = (await read_all(past.connection)).versions
    numbers = sorted(past.identities)
    within = Within({}, frozenset(numbers))
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
        while page := await events.read_changed(past.connection, within, since, until, after, limit):
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
    for table in ("event", "version", "resource", "resource_version", "resource_use", "merge", "revision")
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


async def test_keys_are_looked_for_within_their_collections_however_few_there_once_were(
    connection: asyncpg.Connection, unique: str
) -> None:
    """A plan that is made while a store is small is kept while it grows to thousands of collections."""
    # Numbers and slugs that no other open transaction has: one that had them would be waited for.
    await connection.execute(f"""
        INSERT INTO resource
        SELECT 1000000000 + number, 'collection', '{unique}' || number, 1 FROM generate_series(1, 3) number;
        INSERT INTO event
        SELECT 1000000000 + number, gen_random_uuid(), 1000000001 + number % 3, 'k' || number
        FROM generate_series(1, 600) number;
        ANALYZE resource, event;
        SET LOCAL plan_cache_mode = force_generic_plan;
    """)
    await connection.execute(f"PREPARE each (text[], text[]) AS {events.EACH_BY_KEY}")
    plan = "\n".join(row[0] for row in await connection.fetch("EXPLAIN EXECUTE each('{c1}', '{k3}')"))
    await connection.execute("DEALLOCATE each")
    assert "Index Cond: ((collection = c.resource) AND (key = q.key))" in plan, plan
