"""Indexing anew: what writing once found of every version is found again."""

import asyncpg
import pytest

from service.operations import indexing
from tests.storage.pasts import Past, new_past

# Names of terms, since those that are missing are numbered anew. What a version once rested on through sources that
# have been revised since is only known of today.
DERIVED = """
SELECT v.event, v.revision, v.told, v.facts::text, ARRAY(
    SELECT t.dimension || ' ' || t.value FROM term t
    WHERE t.term = ANY (v.terms) AND (t.dimension <> 'basis' OR NOT EXISTS (
        SELECT FROM version w WHERE w.event = v.event AND w.revision > v.revision)) ORDER BY 1),
    ARRAY(SELECT t.dimension || ' ' || t.value FROM term t WHERE t.term = ANY (v.words) ORDER BY 1),
    ARRAY(SELECT t.dimension || ' ' || t.value FROM term t WHERE t.term = ANY (v.facets) ORDER BY 1)
FROM version v ORDER BY v.event, v.revision
"""
POSTINGS = """
SELECT t.dimension, t.value, p.span, p.t_lo, p.t_hi, p.event, p.since, p.until, p.known
FROM posting p JOIN term t USING (term) WHERE t.dimension <> 'basis' ORDER BY 1, 2, 3, 4, 5, 6, 7
"""


@pytest.fixture(params=range(3))
async def past(request: pytest.FixtureRequest, connection: asyncpg.Connection) -> Past:
    return await new_past(connection, seed=20 + request.param, length=120)


async def test_indexing_anew_finds_what_writing_found(past: Past) -> None:
    async def index() -> list[list[asyncpg.Record]]:
        return [await past.connection.fetch(statement) for statement in (DERIVED, POSTINGS)]

    kept = await index()
    await past.connection.execute("TRUNCATE posting, term_span, term")
    await past.connection.execute("UPDATE version SET terms = '{}', words = '{}', facets = '{}', told = '{}'")
    await past.connection.execute(
        """UPDATE version SET facts = json_build_object('claims', facts -> 'claims') WHERE facts IS NOT NULL"""
    )
    await indexing.reindex(past.connection)
    assert await index() == kept
    assert min(map(len, kept)) > 200
