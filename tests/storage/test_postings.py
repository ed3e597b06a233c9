"""The posting index: kept with every write, it is what making it anew from the versions gives."""

import asyncpg
import msgspec
import pytest

from service.domain.dates import EARLIEST, LATEST, parse
from service.domain.event import EventInput
from service.operations import editing
from service.storage import postings, revisions, turnover
from service.storage.postings import CLOSED, LENGTHS, LONGER, OPEN, TOLD, UNDATED, span_of
from tests.storage.pasts import DATES, EDITOR, NOTE, Past, new_past
from tests.storage.plain import or_else

POSTINGS = "SELECT p::text FROM posting p ORDER BY 1"
COUNTS = "SELECT term, span, postings FROM term_span WHERE postings <> 0 ORDER BY 1, 2"


async def index_of(connection: asyncpg.Connection) -> tuple[list[asyncpg.Record], list[asyncpg.Record]]:
    return await connection.fetch(POSTINGS), await connection.fetch(COUNTS)


@pytest.fixture(params=range(3))
async def past(request: pytest.FixtureRequest, connection: asyncpg.Connection) -> Past:
    return await new_past(connection, seed=request.param, length=80)


@pytest.mark.parametrize(
    "bounds",
    [{}, {"COPIED_MIN": 10, "COPIED_MAX": 7}, {"GATHERED_MAX": 1}],
    ids=["by statement", "by copy, in pieces", "as soon as anything waits"],
)
async def test_the_index_kept_is_the_index_made_anew(
    past: Past, bounds: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, bound in bounds.items():
        monkeypatch.setattr(turnover, name, bound)
    for _ in range(4):
        await past.write(15)
        kept = await index_of(past.connection)
        await postings.rebuild(past.connection)
        assert await index_of(past.connection) == kept
        assert len(kept[0]) > 200
    ways = await past.connection.fetch(
        "SELECT until = 9223372036854775807 AS live, span & 16 <> 0 AS closed, span & 32 <> 0 AS told, count(*) "
        "FROM posting GROUP BY 1, 2, 3"
    )
    assert {(row["live"], row["closed"], row["told"]) for row in ways} == {
        (live, not live, told) for live in (True, False) for told in (True, False)
    }
    assert min(row["count"] for row in ways) >= 20


async def test_no_more_waits_than_is_bearable(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many versions in one revision are brought to the index in parts, and none of them is forgotten."""
    monkeypatch.setattr(turnover, "GATHERED_MAX", 100)
    monkeypatch.setattr(editing, "PART", 2)
    waited: list[int] = []
    in_order = turnover.Gathered.in_order

    async def noted(gathered: turnover.Gathered) -> turnover.Ordered:
        waited.append(gathered.postings)
        return await in_order(gathered)

    monkeypatch.setattr(turnover.Gathered, "in_order", noted)
    forms = [EventInput(title=f"Number {n}", collection="main", occurred=str(1900 + n)) for n in range(60)]
    async with editing.editing(past.connection, NOTE) as edit:
        made = await edit.create_events(forms, EDITOR)
    assert sum(waited) >= 300
    assert max(waited) < 200
    async with editing.editing(past.connection, NOTE) as edit:
        numbers = await past.connection.fetch("SELECT event FROM event WHERE id = ANY ($1)", [each.id for each in made])
        waited.clear()
        await edit.retract_events("main", [row[0] for row in numbers])
    assert sum(waited) >= 300
    assert max(waited) < 200
    kept = await index_of(past.connection)
    await postings.rebuild(past.connection)
    assert await index_of(past.connection) == kept


async def test_postings_say_of_every_revision_what_the_versions_do(past: Past) -> None:
    """Each term of each event at each revision: by the index, and by the newest version up to it.

    At the event's own date, and once more at every other that a claim of it gives.
    """
    by_index = await past.connection.fetch(
        "SELECT r.revision, p.event, p.term, p.span & ~16 AS span, p.t_lo, p.t_hi, p.known "
        "FROM revision r JOIN posting p ON r.revision >= p.since AND r.revision < p.until"
    )
    newest = await past.connection.fetch(
        "SELECT r.revision, v.event, v.terms || v.words AS terms, v.t_lo, v.t_hi, v.span, v.known, v.document "
        "FROM revision r JOIN version v ON v.revision <= r.revision AND NOT EXISTS ("
        "    SELECT FROM version w WHERE w.event = v.event AND w.revision > v.revision AND w.revision <= r.revision)"
    )
    by_version = []
    for revision, event, terms, lo, hi, span, known, document in newest:
        places = {(span, lo, hi), *((span_of(*told, False) | TOLD, *told) for told in told_of(document, (lo, hi)))}
        by_version += [(revision, event, term, *place, known) for term in terms for place in places]
    assert sorted(map(tuple, by_index)) == sorted(by_version)
    assert len(by_index) > 5_000
    assert sum(row["span"] & TOLD != 0 for row in by_index) > 500


def told_of(document: bytes | None, own: tuple[int, int]) -> set[tuple[int, int]]:
    """Bounds of the dates that claims give an event, other than its own."""
    claims = [] if document is None else msgspec.json.decode(document)["claims"]
    given = [parse(claim["occurred"]["edtf"]) for claim in claims if claim["occurred"] is not None]
    return {(or_else(date.start, EARLIEST), or_else(date.end, LATEST)) for date in given} - {own}


async def test_terms_tell_how_many_postings_a_walk_may_meet(past: Past) -> None:
    terms = [("tag", "hot"), ("actor", "a0"), ("collection", "main"), ("phase", "happened")]
    for closed in (False, True):
        for number, count in (await postings.find_terms(past.connection, terms, closed=closed)).values():
            there = await past.connection.fetchval(
                "SELECT count(*) FROM posting WHERE term = $1 AND (until = 9223372036854775807 OR $2)", number, closed
            )
            assert count == there > 0


async def test_a_retracted_event_has_no_terms_and_comes_back_with_them(past: Past) -> None:
    gone = await past.connection.fetch(
        "SELECT event, revision FROM version "
        "WHERE (document IS NULL) <> (terms = '{}') OR (document IS NULL) <> (facts IS NULL) "
        "OR (document IS NULL AND told <> '{}')"
    )
    assert gone == []
    back = await past.connection.fetchval(
        "SELECT count(*) FROM version v JOIN version w ON w.event = v.event AND w.revision > v.revision "
        "WHERE v.document IS NULL AND w.document IS NOT NULL"
    )
    assert back > 0


async def test_a_change_of_text_touches_only_the_postings_of_words_that_come_or_go(past: Past) -> None:
    event = min(past.forms.keys() - past.retracted)
    await past.retitle(event, "Other words for the same")
    before = await past.connection.fetch("SELECT ctid, xmin, p FROM posting p ORDER BY p")
    revision = past.head
    await past.retitle(event, "FOR the same: other words")
    assert past.head == revision + 1
    assert await past.connection.fetch("SELECT ctid, xmin, p FROM posting p ORDER BY p") == before
    await past.retitle(event, "The same for everybody")
    touched = await past.connection.fetch(
        """SELECT DISTINCT t.dimension, t.value, p.since = $1, p.until = $1 FROM posting p JOIN term t USING (term)
           WHERE p.since = $1 OR p.until = $1 ORDER BY 2""",
        past.head,
    )
    assert [*map(tuple, touched)] == [
        ("word", "everybody", True, False),
        ("word", "other", False, True),
        ("word", "words", False, True),
    ]


async def test_terms_are_numbered_once(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await revisions.lock_head(connection)
        first = await postings.ensure_terms(connection, [("actor", "a"), ("tag", "a"), ("tag", "b")], {})
        again = await postings.ensure_terms(connection, [("tag", "c"), ("tag", "a"), ("actor", "a")], {})
    assert len(set(first.values())) == 3
    assert {term: first[term] for term in (("actor", "a"), ("tag", "a"))}.items() <= again.items()
    assert again["tag", "c"] not in first.values()
    found = await postings.find_terms(connection, [("tag", "b"), ("tag", "none such")], closed=True)
    assert found == {("tag", "b"): (first["tag", "b"], 0)}
    assert await postings.ensure_terms(connection, [], {}) == {}


def test_a_class_holds_what_is_no_longer_than_its_length() -> None:
    for span, length in enumerate(LENGTHS):
        assert span_of(0, length - 1, False) == span
        assert span_of(5, 5 + length, False) == span + 1
        assert span_of(-length, -1, False) == span
    assert span_of(EARLIEST, LATEST - 1, False) == LONGER
    assert span_of(EARLIEST, LATEST, False) == span_of(7, LATEST, False) == OPEN
    assert span_of(LATEST, LATEST, True) == UNDATED
    assert max(LONGER, OPEN, UNDATED, len(LENGTHS)) < CLOSED < TOLD
    given = [parse(date) for date in DATES if date is not None]
    classes = {span_of(or_else(date.start, EARLIEST), or_else(date.end, LATEST), False) for date in given}
    assert classes | {UNDATED} == set(range(11)), "the pasts that tests draw have dates of every class"
