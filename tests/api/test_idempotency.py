"""Idempotency-Key: a POST that is sent again does its work once."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from service.storage.embedded import joined
from service.storage.keys import make_key
from tests.api.calls import get, head_of, listed, make, refused, remove, revise
from tests.conftest import Live, new_folder, served

KINDS = ("events", "actors", "sources", "collections", "timelines")


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


def post(writer: httpx.Client, idempotency_key: str, kind: str = "events", /, **form: Any) -> httpx.Response:
    return writer.post(f"/v1/{kind}", json=form, headers={"Idempotency-Key": idempotency_key})


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """All that an answer says of a write."""
    names = ("ETag", "Location", "Revision", "Content-Type", "Cache-Control")
    return answer.status_code, answer.content, [answer.headers[name] for name in names]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_request_gets_the_same_answer(writer: httpx.Client, home: str, kind: str) -> None:
    form = {"title": "x", "collection": home} if kind == "events" else {"slug": f"{home}-x"}
    if kind != "events":
        form["name" if kind == "actors" else "title"] = "x"
    first = post(writer, f"{home}-once", kind, **form)
    assert first.status_code == 201
    head = head_of(writer)
    again = post(writer, f"{home}-once", kind, **form)
    assert told(again) == told(first)
    assert head_of(writer) == head
    # It is the answer of then, whatever has become of what it made.
    revise(writer, kind, first.json(), **{"name" if kind == "actors" else "title": "y"})
    assert told(post(writer, f"{home}-once", kind, **form)) == told(first)
    remove(writer, kind, first.json())
    assert told(post(writer, f"{home}-once", kind, **form)) == told(first)


def test_without_the_header_each_is_its_own(writer: httpx.Client, home: str) -> None:
    for _ in range(2):
        make(writer, "events", collection=home, title="x")
    post(writer, f"{home}-1", title="x", collection=home)
    post(writer, f"{home}-2", title="x", collection=home)
    assert listed(writer, collection=home) == ["x"] * 4


def test_another_request_under_the_same_key_is_refused(writer: httpx.Client, home: str) -> None:
    first = post(writer, home, title="x", collection=home)
    head = head_of(writer)
    refused(post(writer, home, title="y", collection=home), 422, "idempotency-key-reused")
    refused(post(writer, home, "actors", slug=home, name="x"), 422, "idempotency-key-reused")
    # The body counts as it was sent, to the byte.
    spaced = writer.post(
        "/v1/events",
        content=first.request.content.replace(b":", b": "),
        headers={"Idempotency-Key": home, "Content-Type": "application/json"},
    )
    refused(spaced, 422, "idempotency-key-reused")
    assert head_of(writer) == head
    assert told(post(writer, home, title="x", collection=home)) == told(first)


def test_refusals_are_not_kept(writer: httpx.Client, home: str) -> None:
    form = {"title": "x", "collection": home, "actors": [{"actor": f"{home}-a"}]}
    refused(post(writer, home, **form), 422, "refused", "/actors/0/actor")
    make(writer, "actors", slug=f"{home}-a")
    made = post(writer, home, **form)
    assert made.status_code == 201
    assert told(post(writer, home, **form)) == told(made)
    taken = {"title": "x", "collection": home, "key": "k"}
    event = make(writer, "events", collection=home, key="k")
    refused(post(writer, f"{home}-2", **taken), 409, "already-exists")
    # Refused again and again, not once and for all.
    refused(post(writer, f"{home}-2", **taken), 409, "already-exists")
    assert event["key"] == "k"


@pytest.mark.parametrize("key", ["", "two words", "x" * 256])
def test_a_key_has_its_form(writer: httpx.Client, home: str, key: str) -> None:
    refused(post(writer, key, title="x", collection=home), 400, "invalid-parameter", "Idempotency-Key")
    assert listed(writer, collection=home) == []


def test_a_key_is_its_callers(live: Live, writer: httpx.Client, home: str) -> None:
    async def another() -> str:
        with joined(live.data_dir) as dsn:
            connection = await asyncpg.connect(dsn)
            try:
                return await make_key(connection, "another", "write", None)
            finally:
                await connection.close()

    other = {"Authorization": f"Bearer {asyncio.run(another())}", "Idempotency-Key": home}
    first = post(writer, home, title="x", collection=home)
    second = writer.post("/v1/events", json={"title": "y", "collection": home}, headers=other)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
    # Nor does it open anything to whom has no key.
    refused(httpx.post(f"{live.base_url}/v1/events", headers={"Idempotency-Key": home}), 401, "unauthenticated")


async def test_while_the_first_is_running_the_second_is_told_so(live: Live, unique: str) -> None:
    """The write is held up where every write waits its turn: at the head."""
    headers = {"Authorization": f"Bearer {live.key}", "Idempotency-Key": unique}
    form = {"slug": unique, "title": "x"}
    with joined(live.data_dir) as dsn:
        holder, watcher = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
        try:
            async with httpx.AsyncClient(base_url=live.base_url, headers=headers, timeout=30) as writer:
                held = holder.transaction()
                await held.start()
                await holder.execute("SELECT FROM head FOR UPDATE")
                running = asyncio.create_task(writer.post("/v1/collections", json=form))
                while not await watcher.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                    assert not running.done()
                refused(await writer.post("/v1/collections", json=form), 409, "idempotency-key-in-use")
                other = await writer.post("/v1/collections", json={**form, "title": "y"})
                refused(other, 409, "idempotency-key-in-use")
                await held.rollback()
                first = await running
                assert first.status_code == 201
                assert told(await writer.post("/v1/collections", json=form)) == told(first)
        finally:
            await holder.close()
            await watcher.close()


async def test_after_a_day_it_is_forgotten(live: Live, unique: str) -> None:
    headers = {"Authorization": f"Bearer {live.key}", "Idempotency-Key": unique}
    form = {"slug": unique, "title": "x"}
    with joined(live.data_dir) as dsn:
        connection = await asyncpg.connect(dsn)
        try:
            async with httpx.AsyncClient(base_url=live.base_url, headers=headers, timeout=30) as writer:
                first = await writer.post("/v1/collections", json=form)
                left = await connection.fetchval(
                    "SELECT extract(epoch FROM kept_until - now()) FROM idempotency WHERE key = $1", unique
                )
                assert 86_000 < left <= 86_400
                age = "UPDATE idempotency SET kept_until = kept_until - interval '86000 seconds' WHERE key = $1"
                await connection.execute(age, unique)
                assert told(await writer.post("/v1/collections", json=form)) == told(first)
                await connection.execute(age.replace("86000", "400"), unique)
                refused(await writer.post("/v1/collections", json=form), 409, "already-exists")
                # The next answer that is kept sweeps what is past its day.
                await writer.post("/v1/actors", json={"slug": unique, "name": "x"}, headers={"Idempotency-Key": "next"})
                rows = await connection.fetchval("SELECT count(*) FROM idempotency WHERE key = $1", unique)
                assert rows == 0
        finally:
            await connection.close()


def test_an_answer_outlives_the_service() -> None:
    with new_folder() as folder:
        first = _posted_to_a_service_on(folder, None)
        again = _posted_to_a_service_on(folder, first[0])
        assert again[1:] == first[1:]


def _posted_to_a_service_on(folder: Path, key: str | None) -> tuple[Any, ...]:
    """The key used, the answer, and the head; the service has ended by then."""
    with served(folder, "--no-demo") as running:
        key = key or running.key
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=running.base_url, headers=headers, timeout=30) as writer:
            answer = post(writer, "once", "collections", slug="main", title="x")
            assert answer.status_code == 201
            return key, told(answer), get(writer, "/v1")["revision"]
