"""Migrations: the page that shows the schema is the schema, and a database is only ever taken where it can go."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from service.operations import indexing
from service.operations.demo import load_demo
from service.storage import migrating, pool
from service.storage.migrating import MIGRATIONS, migrate, newest
from service.storage.pool import UnfitDatabase, open_pool
from service.storage.schema import dumped_schema
from tests.conftest import ROOT, environment

PAGE = MIGRATIONS / "schema.sql"
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


@pytest.fixture
async def scratch(database_url: str) -> AsyncIterator[str]:
    """The address of an empty database, dropped with the test."""
    name = f"scratch_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield database_url.replace("/dateline?", f"/{name}?")
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def ask(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_the_page_is_the_schema(scratch: str) -> None:
    assert await migrate(scratch) == newest()
    assert dumped_schema(scratch) == PAGE.read_text(), "migrations/schema.sql is out of date: run `make schema`"


async def test_a_loaded_store_goes_down_to_nothing_and_up_again(scratch: str) -> None:
    await migrate(scratch)
    opened = await open_pool(scratch, 1, 10)
    try:
        assert await load_demo(opened, lambda _: None)
    finally:
        await opened.close()
    assert await ask(scratch, "SELECT count(*) FROM version WHERE document IS NOT NULL") > 10
    assert await migrate(scratch, "base") is None
    assert await ask(scratch, TABLES) == 0
    assert await migrate(scratch) == newest()
    assert dumped_schema(scratch) == PAGE.read_text()
    assert await ask(scratch, "SELECT revision FROM head") == 0


# What of a version follows from its document, terms by name: their numbers are the store's own.
DERIVED = """
SELECT v.event, v.revision, v.told, v.known, v.facts::text,
       ARRAY(SELECT t.dimension || ' ' || t.value FROM term t WHERE t.term = ANY (v.terms) ORDER BY 1),
       ARRAY(SELECT t.dimension || ' ' || t.value FROM term t WHERE t.term = ANY (v.words) ORDER BY 1),
       ARRAY(SELECT t.dimension || ' ' || t.value FROM term t WHERE t.term = ANY (v.facets) ORDER BY 1)
FROM version v ORDER BY v.event, v.revision
"""
POSTINGS = """
SELECT t.dimension, t.value, p.span, p.t_lo, p.t_hi, p.event, p.since, p.until, p.known
FROM posting p JOIN term t USING (term) ORDER BY 1, 2, 3, 4, 5, 6, 7
"""
COUNTS = """
SELECT t.dimension, t.value, s.span, s.postings FROM term_span s JOIN term t USING (term)
WHERE s.postings <> 0 ORDER BY 1, 2, 3
"""
WORDS = """
SELECT w.word, r.slug, w.revision FROM actor_word w JOIN resource r USING (resource) ORDER BY 1, 2, 3
"""
SEARCHED = "SELECT r.kind, r.slug, v.revision, v.search FROM resource_version v JOIN resource r USING (resource)"


async def index_of(url: str) -> dict[str, list[Any]]:
    connection = await asyncpg.connect(url)
    try:
        statements = (DERIVED, POSTINGS, COUNTS, WORDS, f"{SEARCHED} ORDER BY 1, 2, 3")
        return {statement: await connection.fetch(statement) for statement in statements}
    finally:
        await connection.close()


async def test_a_store_of_the_first_schema_is_indexed_anew(scratch: str) -> None:
    """What an older version of the service left behind is found like what this one would have written."""
    assert await indexing.upgrade(scratch) == newest()
    opened = await open_pool(scratch, 1, 10)
    try:
        assert await load_demo(opened, lambda _: None)
    finally:
        await opened.close()
    before = await index_of(scratch)
    assert any(row["told"] for row in before[DERIVED])
    assert len(before[WORDS]) > 50
    assert await migrate(scratch, "0001") == "0001"
    assert await ask(scratch, "SELECT count(*) FROM posting WHERE span & 32 <> 0") == 0
    voices = (
        "SELECT array_agg(DISTINCT split_part(f ->> 0, ':', 1)) FROM version, json_array_elements(facts -> 'claims') f"
    )
    assert await ask(scratch, voices) == ["actor", "source"]
    # As the first schema had it: fewer dimensions, and nothing of those that are new.
    new = "t.dimension NOT IN ('actor', 'collection', 'kind', 'phase', 'source', 'speaker', 'tag', 'basis')"
    await ask(
        scratch, f"UPDATE version SET terms = ARRAY(SELECT t.term FROM term t WHERE t.term = ANY (terms) AND NOT {new})"
    )
    await ask(scratch, f"DELETE FROM posting WHERE term IN (SELECT t.term FROM term t WHERE {new})")
    await ask(scratch, f"DELETE FROM term_span WHERE term IN (SELECT t.term FROM term t WHERE {new})")
    await ask(scratch, f"DELETE FROM term t WHERE {new}")
    await ask(scratch, "UPDATE resource_version SET search = 'folded otherwise'")
    assert await indexing.upgrade(scratch) == newest()
    assert await ask(scratch, "SELECT index_generation FROM head") == indexing.GENERATION
    after = await index_of(scratch)
    assert after == before
    for older in ("0003", "0002"):
        assert await migrate(scratch, older) == older
        assert await indexing.upgrade(scratch) == newest()
        assert await index_of(scratch) == before
    # Once it is done, it is not done again.
    await ask(scratch, "TRUNCATE posting")
    await indexing.upgrade(scratch)
    assert await ask(scratch, "SELECT count(*) FROM posting") == 0


async def test_migrating_again_leaves_everything(scratch: str) -> None:
    await migrate(scratch)
    await ask(scratch, "UPDATE head SET revision = 7")
    assert await migrate(scratch) == newest()
    assert await ask(scratch, "SELECT revision FROM head") == 7


async def test_services_that_migrate_at_once_take_turns(scratch: str) -> None:
    """Each in a process of its own, as services are."""
    settings = environment(Path("/nowhere"), DATELINE_DATABASE_URL=scratch)
    migrators = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service", "migrate", cwd=ROOT, env=settings, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    said = [(await migrator.communicate())[1].decode() for migrator in migrators]
    assert [migrator.returncode for migrator in migrators] == [0, 0, 0], said
    assert all(f"schema {newest()}" in each for each in said)
    assert dumped_schema(scratch) == PAGE.read_text()


async def test_a_migration_that_fails_leaves_nothing(scratch: str) -> None:
    """One transaction: what was made before the fault goes with it."""
    await ask(scratch, "CREATE TABLE term_span (in_the_way int)")
    with pytest.raises(Exception, match="term_span"):
        await migrate(scratch)
    assert await ask(scratch, TABLES) == 1
    await ask(scratch, "DROP TABLE term_span")
    assert await migrate(scratch) == newest()


async def test_a_schema_from_the_future_is_refused(scratch: str) -> None:
    await migrate(scratch)
    await ask(scratch, "UPDATE alembic_version SET version_num = '9999'")
    for to in ("head", "base"):
        with pytest.raises(UnfitDatabase, match=r"schema 9999, which is newer than this version of dateline knows"):
            await migrate(scratch, to)
    assert await ask(scratch, TABLES) > 10


async def test_an_older_server_is_refused(scratch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is what it is, so it is the demand that grows."""
    monkeypatch.setattr(migrating, "VERSION_MIN", 99)
    with pytest.raises(UnfitDatabase, match=r"PostgreSQL 18; dateline needs 99 or newer"):
        await migrate(scratch)
    assert await ask(scratch, TABLES) == 0
    monkeypatch.setattr(pool, "VERSION_MIN", 99)
    with pytest.raises(UnfitDatabase, match=r"PostgreSQL 18; dateline needs 99 or newer"):
        await open_pool(scratch, 1, 10)
    name = scratch.partition("?")[0].rpartition("/")[2]
    assert await ask(scratch, f"SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = '{name}'") == 0


def test_the_history_is_one_line() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())
    assert [script.revision for script in scripts] == [f"{number:04d}" for number in range(len(scripts), 0, -1)]
    for script in scripts:
        number = int(script.revision)
        assert script.down_revision == (f"{number - 1:04d}" if number > 1 else None)
        assert not script.dependencies
        assert not script.branch_labels
        assert Path(script.path).name.startswith(f"{script.revision}_")
        assert script.doc
    assert len(scripts) == len(list((MIGRATIONS / "versions").glob("*.py")))
