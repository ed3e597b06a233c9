"""Writing below HTTP: what one revision makes along."""

import asyncpg
import pytest

from service.domain.callers import Caller
from service.domain.errors import Refused
from service.domain.event import EventInput
from service.operations.editing import Edit, Note, editing

WRITER = Caller(key="k", name="writer", scope="write")


async def create(connection: asyncpg.Connection, given: EventInput, caller: Caller = WRITER) -> Edit:
    async with editing(connection, Note("writer")) as edit:
        await edit.create_event(given, caller)
    return edit


async def test_the_first_event_makes_the_default_collection(connection: asyncpg.Connection) -> None:
    first = await create(connection, EventInput(title="First"))
    assert first.counts == {"": {"collections": 1}, "main": {"created": 1}}
    second = await create(connection, EventInput(title="Second"))
    assert second.counts == {"main": {"created": 1}}
    assert second.revision == first.revision + 1


async def test_no_other_collection_is_made_along(connection: asyncpg.Connection) -> None:
    with pytest.raises(Refused) as refused:
        await create(connection, EventInput(title="x", collection="elsewhere"))
    assert [fault.pointer for fault in refused.value.faults] == ["/collection"]


async def test_a_key_for_another_collection_makes_none(connection: asyncpg.Connection) -> None:
    limited = Caller(key="k", name="writer", scope="write", collections=frozenset({"elsewhere"}))
    with pytest.raises(Refused):
        await create(connection, EventInput(title="x"), limited)
