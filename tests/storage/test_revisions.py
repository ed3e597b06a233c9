"""The log: numbers without a gap, times that rise whatever the clock does, and what had been recorded by when."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service.domain.errors import RefusedParameter
from service.operations.editing import editing
from service.storage import revisions
from service.storage.revisions import Head
from tests.storage.pasts import NOTE, Past, new_past


@pytest.fixture
async def past(connection: asyncpg.Connection) -> Past:
    return await new_past(connection, seed=5, length=30)


async def log_of(past: Past) -> list[revisions.LogRow]:
    return await revisions.read_log(past.connection, 0, past.head, 500, descending=False)


async def test_numbers_have_no_gap_and_times_rise(past: Past) -> None:
    log = await log_of(past)
    assert [row.revision for row in log] == list(range(1, past.head + 1))
    times = [row.recorded for row in log]
    assert times == sorted(set(times))
    assert all(time.microsecond % 1000 == 0 for time in times)
    merged = await past.connection.fetchval("SELECT max(revision) FROM merge")
    assert await revisions.read_head(past.connection) == Head(past.head, times[-1], merged)


async def test_times_rise_even_if_the_clock_goes_back(past: Past) -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    await past.connection.execute("UPDATE head SET recorded = $1", ahead)
    before = past.head
    await past.write(6)
    after = [row.recorded for row in await log_of(past)][before:]
    assert len(after) >= 2
    assert after == [ahead + timedelta(milliseconds=step) for step in range(1, len(after) + 1)]


async def test_a_write_that_fails_leaves_no_gap(past: Past) -> None:
    event = min(past.forms.keys() - past.retracted)
    versions = await past.connection.fetchval("SELECT count(*) FROM version")

    async def fail() -> None:
        async with editing(past.connection, NOTE) as edit:
            await past.change_title(edit, event, "Never recorded")
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert (await revisions.read_head(past.connection)).revision == past.head
    assert await past.connection.fetchval("SELECT count(*) FROM version") == versions
    revision = past.head
    await past.retitle(event, "Recorded")
    assert past.head == revision + 1


async def test_as_of_is_the_last_revision_recorded_by_then(past: Past) -> None:
    head = await revisions.read_head(past.connection)
    log = await log_of(past)
    instant = timedelta(microseconds=1)
    for row in log:
        assert await revisions.revision_at(past.connection, head, row.recorded) == row.revision
        assert await revisions.revision_at(past.connection, head, row.recorded + instant) == row.revision
        assert await revisions.revision_at(past.connection, head, row.recorded - instant) == row.revision - 1
    with pytest.raises(RefusedParameter):
        await revisions.revision_at(past.connection, head, datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 500])
async def test_the_log_is_read_page_by_page(past: Past, descending: bool, limit: int) -> None:
    newest = past.head - 2
    after, numbers = (newest + 1 if descending else 0), []
    while page := await revisions.read_log(past.connection, after, newest, limit, descending):
        assert len(page) <= limit
        numbers += [row.revision for row in page]
        after = numbers[-1]
    assert numbers == sorted(range(1, newest + 1), reverse=descending)


async def test_each_revision_counts_the_versions_up_to_it(past: Past) -> None:
    counted = await past.connection.fetch(
        "SELECT r.versions, count(v) AS there "
        "FROM revision r LEFT JOIN version v ON v.revision <= r.revision GROUP BY r.revision"
    )
    assert all(row["versions"] == row["there"] for row in counted)
