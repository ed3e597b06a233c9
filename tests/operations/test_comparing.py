"""Comparing below HTTP: what a page that ends early says of where to go on."""

from itertools import count

import asyncpg
import pytest

from service.api.diff import compare_sides
from service.domain.callers import ANYONE
from service.domain.cursors import Cursor, bound_of, cursor_text
from service.domain.diff import Change
from service.domain.parameters import Query
from service.operations import comparing
from service.operations.comparing import Place
from tests.storage.pasts import PUBLIC, Past, new_past

PATH = "/v1/diff"


@pytest.fixture(params=range(2))
async def past(request: pytest.FixtureRequest, connection: asyncpg.Connection) -> Past:
    return await new_past(connection, seed=40 + request.param, length=120)


async def read_pages(past: Past, query: Query, limit: int) -> tuple[list[Change], list[Place]]:
    """All items as anyone sees them, and the places that the cursors carried."""
    items: list[Change] = []
    places: list[Place] = []
    for number in count():
        assert number < 1_000
        given = query
        if places:
            cursor = Cursor(bound=bound_of(query, PATH), head=past.head, place=places[-1])
            given = query | {"cursor": [cursor_text(cursor)]}
        page = (await compare_sides(past.connection, ANYONE, given, PATH, limit)).page
        items += page.items
        if page.next is None:
            break
        places.append(page.next)
    return items, places


@pytest.mark.parametrize("match_on", ["id", "key"])
async def test_a_page_that_ends_early_goes_on_at_what_the_caller_sees(
    monkeypatch: pytest.MonkeyPatch, past: Past, match_on: str
) -> None:
    """However little of it is looked at for a page, the whole comes out, and no cursor carries what is hidden."""
    revisions: Query = {"base_revision": [str(past.head // 3)], "head_revision": [str(past.head)]}
    for more in ({}, {"known_at": ["2026"]}, {"head_actor": ["a0"]}, {"actor": ["a0"]}):
        query = revisions | more | {"match_on": [match_on]}
        monkeypatch.setattr(comparing, "EXAMINED_MAX", 100_000)
        whole, _ = await read_pages(past, query, 500)
        assert len(whole) > 10
        for bound in (1, 7):
            monkeypatch.setattr(comparing, "EXAMINED_MAX", bound)
            items, places = await read_pages(past, query, 5)
            assert items == whole
            assert len(places) >= (len(whole) - 1) // 5
            # Between revisions the event's number is the last part of a place, and else the one before.
            numbers = [place[1] if len(place) == 2 else place[3] for place in places]
            assert {past.identities[number].collection for number in numbers} <= PUBLIC
