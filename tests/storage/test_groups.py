"""What the index has of a selection's terms is remembered as a whole, for as long as nothing is written."""

import time
from collections.abc import AsyncIterator, Callable

import pytest
from msgspec.structs import replace

from service.domain.filters import Bounds, Filters
from service.domain.lenses import Lens
from service.domain.selection import Selection, Sight
from service.domain.text import Text
from service.storage.groups import groups_of
from service.storage.memory import remembering
from service.storage.pool import Connection, open_pool
from service.storage.watching import Watch

SIGHT = Sight(frozenset({"near"}), frozenset({"near", "far"}), frozenset({"hidden"}))
SELECTION = Selection(revision=0, head=0, sight=SIGHT, filters=Filters(kinds=("war",)))


@pytest.fixture
def watch() -> Watch:
    watch = Watch()
    watch._looked = time.monotonic()
    return watch


@pytest.fixture
async def connection(database_url: str, watch: Watch) -> AsyncIterator[Connection]:
    pool = await open_pool(database_url, 1, 10, remembering(watch))
    async with pool.acquire() as lent:
        yield lent
    await pool.close()


def window(selection: Selection) -> Selection:
    return replace(selection, filters=replace(selection.filters, bounds=Bounds(hi_min=5, lo_max=9)))


async def test_all_windows_and_pages_of_a_selection_share_them(connection: Connection) -> None:
    groups = await groups_of(connection, SELECTION)
    assert await groups_of(connection, window(SELECTION)) is groups
    assert await groups_of(connection, replace(SELECTION, descending=True, exclude=frozenset({"x"}))) is groups
    timeline = replace(SELECTION, timeline=Filters(tags=("nato",)))
    assert await groups_of(connection, window(timeline)) is await groups_of(connection, timeline)


@pytest.mark.parametrize(
    "other",
    [
        lambda one: replace(one, filters=Filters(kinds=("treaty",))),
        lambda one: replace(one, filters=replace(one.filters, origins_min=2)),
        lambda one: replace(one, timeline=Filters(kinds=("war",))),
        lambda one: replace(one, timeline=one.filters, filters=Filters()),
        lambda one: replace(one, sight=replace(one.sight, hidden=frozenset())),
        lambda one: replace(one, sight=replace(one.sight, listed=one.sight.named)),
        lambda one: replace(one, lens=Lens(known=5)),
        lambda one: replace(one, lens=Lens(accounts=frozenset({"kfor"}))),
        lambda one: replace(one, lens=Lens(account_sources=frozenset({"kfor"}))),
        lambda one: replace(one, lens=Lens(aliases={"kfor": "nato"})),
        lambda one: replace(one, lens=Lens(hidden=frozenset({"hidden"}))),
        lambda one: replace(one, filters=replace(one.filters, text=Text((), ()))),
        lambda one: replace(one, sampled=4),
        lambda one: replace(one, head=1),
    ],
)
async def test_what_they_rest_on_tells_them_apart(
    connection: Connection, other: Callable[[Selection], Selection]
) -> None:
    groups = await groups_of(connection, SELECTION)
    assert await groups_of(connection, other(SELECTION)) is not groups
    assert await groups_of(connection, SELECTION) is groups


async def test_aliases_are_told_apart_as_they_are_kept(connection: Connection) -> None:
    aliased = replace(SELECTION, lens=Lens(aliases={"kfor": "nato"}))
    groups = await groups_of(connection, aliased)
    assert await groups_of(connection, window(aliased)) is groups
    assert await groups_of(connection, replace(SELECTION, lens=Lens(aliases={"kfor": "un"}))) is not groups


async def test_a_write_makes_them_new(connection: Connection, watch: Watch) -> None:
    groups = await groups_of(connection, SELECTION)
    watch.add(1)
    assert await groups_of(connection, SELECTION) is not groups
