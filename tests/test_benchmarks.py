"""The store that benchmarks read is the one that the service would have made, and what they replay is what it runs.

A store of a thousand events is loaded once, past the write path and into tables without indexes.
"""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import httpx
import pytest

from benchmarks import compared, generated, growth, load, usual
from benchmarks.loading import connect
from benchmarks.recorded import Run, record, script_of
from benchmarks.stores import Store, kept
from benchmarks.writing import BASE, rewind
from service.storage import postings
from service.storage.schema import dumped_schema
from tests.conftest import new_folder

SIZE = 1_000
SCHEMA = Path(__file__).resolve().parent.parent / "migrations" / "schema.sql"


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with kept(SIZE, None) as made:
        yield made


@pytest.fixture
async def connection(store: Store) -> AsyncIterator[asyncpg.Connection]:
    opened = await connect(store.url)
    yield opened
    await opened.close()


SUMS = """
SELECT (SELECT sum(hashtextextended(p::text, 0)) FROM posting p), (SELECT count(*) FROM posting),
       (SELECT sum(hashtextextended(s::text, 0)) FROM term_span s WHERE s.postings > 0)
"""


async def test_postings_are_those_that_rebuild_makes(connection: asyncpg.Connection) -> None:
    loaded = await connection.fetchrow(SUMS)
    assert loaded[1] > 30 * SIZE
    transaction = connection.transaction()
    await transaction.start()
    await postings.rebuild(connection)
    assert await connection.fetchrow(SUMS) == loaded
    await transaction.rollback()


def test_the_schema_is_whole_again(store: Store) -> None:
    assert dumped_schema(store.url) == SCHEMA.read_text()


@pytest.fixture(scope="module")
def multiplied() -> Iterator[Store]:
    """Twice a thousand, made as five millions are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generated, "MADE_MAX", SIZE)
        with kept(2 * SIZE, None) as made:
            yield made


async def test_copies_are_events_of_their_own(multiplied: Store) -> None:
    made = multiplied.generated
    assert (made.size, made.copies) == (SIZE, 2)
    connection = await connect(multiplied.url)
    rows = await connection.fetch(
        "SELECT e.event, e.id, e.key, v.document FROM event e JOIN version v USING (event) WHERE v.document IS NOT NULL"
    )
    there = {row[2]: (row[0], str(row[1])) for row in rows}
    places = [made.place(number) for number in range(made.total)]
    assert there == {place.key: (place.event, str(place.id)) for place in places}
    for _, id, key, document in rows:
        assert document.startswith(b'{"id":"%s"' % str(id).encode())
        assert b'"key":"%s"' % key.encode() in document
    assert made.place(made.total).event not in {place.event for place in places}
    loaded = await connection.fetchrow(SUMS)
    transaction = connection.transaction()
    await transaction.start()
    await postings.rebuild(connection)
    assert await connection.fetchrow(SUMS) == loaded
    await transaction.rollback()
    assert dumped_schema(multiplied.url) == SCHEMA.read_text()
    await connection.close()


async def test_all_events_are_there_with_what_was_recorded_of_them(
    store: Store, connection: asyncpg.Connection
) -> None:
    made = [(place.id, len(versions)) for place, versions in store.generated.versions(0, SIZE)]
    rows = await connection.fetch(
        "SELECT e.id, count(*) FROM event e JOIN version v ON v.event = e.event WHERE v.revision < $1 GROUP BY 1", BASE
    )
    assert sorted(made) == sorted((row[0], row[1]) for row in rows)
    assert await connection.fetchval("SELECT revision FROM head") == BASE


def test_a_store_has_as_many_of_each_event_as_it_was_made_with() -> None:
    with new_folder() as folder:
        with kept(2 * SIZE, folder, copies=2) as made:
            assert (made.generated.size, made.generated.copies) == (SIZE, 2)
        with kept(2 * SIZE, folder) as again:
            assert again.generated.copies == 2
            assert again.loaded == made.loaded
        with pytest.raises(SystemExit, match="has 2 of each event, not 1"), kept(2 * SIZE, folder, copies=1):
            pass


async def test_a_store_is_found_as_it_was_kept(store: Store, connection: asyncpg.Connection) -> None:
    before = await connection.fetchrow(SUMS)
    await connection.execute(
        "INSERT INTO revision (revision, recorded, author, counts, versions) VALUES ($1, $2, 'x', '{}', 0)",
        BASE + 1,
        datetime.now(UTC),
    )
    await connection.execute("UPDATE head SET revision = $1", BASE + 1)
    await connection.execute("INSERT INTO posting SELECT 1, 0, 1, 1, 1, $1, 9223372036854775807, 1", BASE + 1)
    assert await rewind(store.url) == BASE
    assert await connection.fetchrow(SUMS) == before
    assert await connection.fetchval("SELECT revision FROM head") == BASE


async def test_what_is_replayed_is_what_the_service_asks_for(store: Store, connection: asyncpg.Connection) -> None:
    addresses = load.pages("test", 3)
    recorded = await record(store.url, addresses)
    assert len(recorded.pages) == len(addresses)
    assert recorded.settings["plan_cache_mode"] == "force_generic_plan"
    for page in recorded.pages:
        assert any("posting" in run.statement for run in page)
        for place, run in enumerate(page):
            script, variables = script_of([run], "p")
            # As pgbench has it: what the variables hold, in the places of the arguments that are not null.
            names = list(dict.fromkeys(re.findall(r":(p_\w+)", script)))
            statement = re.sub(r":(p_\w+)", lambda match, names=names: f"${names.index(match[1]) + 1}", script)
            assert set(names) == set(variables), place
            described = await connection.prepare(statement.rstrip(";\n"))
            assert len(described.get_parameters()) == len(names)


async def test_what_is_measured_beside_answers_with_the_same_events(
    store: Store, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(usual.URL, compared.url_of(store))
    await compared.fill(store)
    begins = [row[0] for row in await connection.fetch("SELECT begins FROM usual.event ORDER BY begins, id")]
    assert len(begins) > 0.8 * SIZE
    query = {"begin": begins[300], "end": begins[500]}
    app = usual.create_app()
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://usual") as client,
    ):
        pages = [(await client.get(f"/{way}/events", params=query)).json() for way in ("usual", "tuned")]
    await compared.empty(store)
    assert [event["id"] for event in pages[0]["items"]] == [event["id"] for event in pages[1]["items"]]
    assert all(page["more"] for page in pages)
    assert len(pages[0]["items"]) == usual.LIMIT
    for one, other in zip(pages[0]["items"], pages[1]["items"], strict=True):
        assert [each["actor"]["slug"] for each in one["participations"]] == [each["actor"] for each in other["actors"]]
        assert [each["source"]["slug"] for each in one["claims"]] == [each["source"] for each in other["claims"]]
        assert {each["source"] for each in other["claims"]} <= pages[1]["included"]["sources"].keys()


def test_values_are_written_as_postgresql_reads_them() -> None:
    values: list[Any] = [1, True, 'a "b" \\c', [1, 2], ["a", 'b"c'], [], [True, False], None]
    script, variables = script_of([Run("SELECT $1, $2, $3, $4, $5, $6, $7, $8", values, 0.0)], "p")
    assert script == "SELECT :p_0_1, :p_0_2, :p_0_3, :p_0_4, :p_0_5, :p_0_6, :p_0_7, NULL;\n"
    assert list(variables.values()) == ["1", "t", 'a "b" \\c', "{1,2}", '{"a","b\\"c"}', "{}", "{t,f}"]


def test_every_case_of_growth_is_a_query_of_the_interface() -> None:
    for case in growth.cases():
        growth.parsed(case.draw(Random(1)))
