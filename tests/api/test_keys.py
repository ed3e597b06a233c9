"""Keys: who may write, to what, and that nobody but their holder ever has them."""

import asyncio
import hashlib
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
import pytest

from service.domain.callers import Scope
from service.storage.embedded import joined
from service.storage.keys import make_key
from tests.api.calls import address, get, head_of, listed, make, patch, refused
from tests.conftest import ROOT, Live, environment

KEY = re.compile(r"dl_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")

T = TypeVar("T")


def in_store(live: Live, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """What the work finds in the live service's own database."""

    async def run() -> T:
        with joined(live.data_dir) as dsn:
            connection = await asyncpg.connect(dsn)
            try:
                return await work(connection)
            finally:
                await connection.close()

    return asyncio.run(run())


def holder(live: Live, scope: Scope, *collections: str) -> httpx.Client:
    """The holder of a new key."""
    key = in_store(live, lambda connection: make_key(connection, f"a {scope} key", scope, list(collections) or None))
    return httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


@pytest.fixture
def reading(live: Live) -> Iterator[httpx.Client]:
    with holder(live, "read") as client:
        yield client


def writes_of(event: dict[str, Any], home: str) -> list[tuple[str, str, Any]]:
    return [
        ("POST", "/v1/events", {"title": "x", "collection": home}),
        ("PATCH", address("events", event), {"title": "y"}),
        ("DELETE", address("events", event), None),
        *(
            ("POST", f"/v1/{kind}", {"slug": f"{home}-x", "name" if kind == "actors" else "title": "x"})
            for kind in ("actors", "sources", "collections", "timelines")
        ),
        ("PATCH", f"/v1/collections/{home}", {"title": "y"}),
        ("DELETE", f"/v1/collections/{home}", None),
    ]


def attempt(client: httpx.Client, method: str, path: str, body: Any) -> httpx.Response:
    media_type = {"POST": "application/json", "PATCH": "application/merge-patch+json"}.get(method)
    headers = {"If-Match": "*"} | ({"Content-Type": media_type} if media_type else {})
    return client.request(method, path, json=body, headers=headers)


def test_writing_needs_a_key_that_may(
    writer: httpx.Client, client: httpx.Client, reading: httpx.Client, home: str
) -> None:
    event = make(writer, "events", collection=home)
    head = head_of(client)
    for method, path, body in writes_of(event, home):
        answer = attempt(client, method, path, body)
        refused(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        refused(attempt(reading, method, path, body), 403, "forbidden")
    assert head_of(client) == head
    with_key = [attempt(writer, *write).status_code for write in writes_of(event, home)]
    assert with_key == [201, 200, 204, 201, 201, 201, 201, 200, 409]


def test_public_reads_need_no_key(writer: httpx.Client, client: httpx.Client, reading: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home)
    for path in (address("events", event), "/v1/events", "/v1/diff?base_revision=0", "/v1/revisions", "/v1"):
        assert client.get(path).status_code == reading.get(path).status_code == 200


def test_a_key_that_is_none_is_refused_even_where_none_is_needed(live: Live, client: httpx.Client) -> None:
    match = KEY.fullmatch(live.key)
    assert match is not None
    key, secret = match.groups()
    other = "0" * 16 if key != "0" * 16 else "1" * 16
    for credentials in (
        f"Bearer dl_{key}_{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
        f"Bearer dl_{other}_{secret}",
        f"Bearer dl_{key}_",
        f"Bearer {secret}",
        f"Bearer {live.key}x",
        f"Bearer {live.key} {live.key}",
        "Bearer",
        f"Basic {live.key}",
        live.key,
        "",
    ):
        answer = client.get("/v1/events", headers={"Authorization": credentials})
        refused(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert secret not in answer.text
    # The scheme's name is written as one likes.
    assert client.get("/v1/events", headers={"Authorization": f"bEARER {live.key}"}).status_code == 200


def test_a_key_for_some_collections(live: Live, writer: httpx.Client, client: httpx.Client, home: str) -> None:
    for name in ("own", "hidden"):
        make(writer, "collections", slug=f"{home}-{name}", visibility="private")
    elsewhere = make(writer, "events", collection=home, title="elsewhere")
    hidden = make(writer, "events", collection=f"{home}-hidden", title="hidden")
    with holder(live, "write", f"{home}-own", f"{home}-new") as limited:
        event = make(limited, "events", collection=f"{home}-own", title="own")
        # It sees what is private to it, and what is public.
        assert listed(limited, collection=[home, f"{home}-own", f"{home}-hidden"]) == ["elsewhere", "own"]
        assert limited.get(address("events", event)).status_code == 200
        assert client.get(address("events", event)).status_code == 404
        # What it sees and may not write is forbidden; what it does not see is not there.
        for change in ("PATCH", "DELETE"):
            refused(attempt(limited, change, address("events", elsewhere), {"title": "y"}), 403, "forbidden")
            refused(attempt(limited, change, address("events", hidden), {"title": "y"}), 404, "not-found")
            refused(attempt(limited, change, f"/v1/collections/{home}", {"title": "y"}), 403, "forbidden")
            refused(attempt(limited, change, f"/v1/collections/{home}-hidden", {"title": "y"}), 404, "not-found")
        refused(limited.post("/v1/events", json={"title": "x", "collection": home}), 403, "forbidden")
        for nowhere in (f"{home}-hidden", f"{home}-nowhere"):
            answer = limited.post("/v1/events", json={"title": "x", "collection": nowhere})
            refused(answer, 422, "refused", "/collection")
        # Of collections it makes and changes its own.
        refused(limited.post("/v1/collections", json={"slug": f"{home}-other", "title": "x"}), 403, "forbidden")
        refused(limited.post("/v1/collections", json={"slug": f"{home}-hidden", "title": "x"}), 403, "forbidden")
        make(limited, "collections", slug=f"{home}-new")
        assert patch(limited, f"/v1/collections/{home}-own", {"title": "Own"}).status_code == 200
        assert attempt(limited, "DELETE", address("events", event), None).status_code == 204


def test_a_reading_key_sees_what_it_is_for(live: Live, writer: httpx.Client, client: httpx.Client, home: str) -> None:
    for name in ("a", "b"):
        make(writer, "collections", slug=f"{home}-{name}", visibility="private")
        make(writer, "actors", slug=f"{home}-{name}")
        make(
            writer, "events", collection=f"{home}-{name}", title=name, actors=[{"actor": f"{home}-{name}"}], tags=[home]
        )
    make(writer, "timelines", slug=home, selection={"tag": home}, visibility="private")
    with holder(live, "read", f"{home}-a") as limited, holder(live, "read") as unlimited:
        assert (listed(client, tag=home), listed(limited, tag=home), listed(unlimited, tag=home)) == (
            [], ["a"], ["a", "b"],
        )  # fmt: skip
        assert listed(limited, timeline=home) == ["a"]
        actors = [actor["slug"] for actor in get(limited, "/v1/actors", q=home)["items"]]
        assert actors == [f"{home}-a"]
        collections = [each["slug"] for each in get(limited, "/v1/collections", q=home)["items"]]
        assert collections == [home, f"{home}-a"]
        refused(client.get(f"/v1/timelines/{home}/events"), 404, "not-found", "timeline")


# --- Keeping the secret


def test_a_key_is_made_beside_the_running_service(live: Live, client: httpx.Client, unique: str) -> None:
    """Printed alone on standard output, good at once, and stored as a hash."""
    command = [sys.executable, "-m", "service", "key", "create", "--scope", "write", "--name", unique]
    made = subprocess.run(
        [*command, "--collection", unique],
        cwd=ROOT,
        env=environment(live.data_dir),
        check=True,
        capture_output=True,
        text=True,
    )
    match = KEY.fullmatch(made.stdout.rstrip("\n"))
    assert match is not None, made.stdout
    assert match.group(2) not in made.stderr
    answer = client.post(
        "/v1/collections",
        json={"slug": unique, "title": "x"},
        headers={"Authorization": f"Bearer {made.stdout.strip()}"},
    )
    assert answer.status_code == 201
    assert get(client, f"/v1/revisions/{answer.headers['Revision']}")["author"] == unique

    async def stored(connection: asyncpg.Connection) -> list[asyncpg.Record]:
        return list(await connection.fetch("SELECT * FROM key WHERE name = $1", unique))

    (row,) = in_store(live, stored)
    assert row["secret_sha256"] == hashlib.sha256(match.group(2).encode()).digest()
    assert (row["key"], row["scope"], row["collections"]) == (match.group(1), "write", [unique])
    assert match.group(2) not in str(dict(row))


def test_a_revoked_key_is_no_longer_good(live: Live) -> None:
    with holder(live, "write") as client:
        assert client.get("/v1").status_code == 200
        key = client.headers["Authorization"].split("_")[1]

        async def revoke(connection: asyncpg.Connection) -> str:
            return str(await connection.execute("UPDATE key SET revoked = now() WHERE key = $1", key))

        assert in_store(live, revoke) == "UPDATE 1"
        refused(client.get("/v1"), 401, "unauthenticated")
        refused(client.post("/v1/actors", json={"slug": "x", "name": "x"}), 401, "unauthenticated")


def test_no_secret_is_ever_logged(live: Live, writer: httpx.Client, unique: str) -> None:
    match = KEY.fullmatch(live.key)
    assert match is not None
    secret = match.group(2)
    wrong = secret[::-1]
    writer.get("/v1/events")
    writer.get("/v1/events", params={"key": live.key})
    writer.post("/v1/actors", json={"slug": unique, "name": "x"}, headers={"Idempotency-Key": unique})
    writer.post("/v1/actors", content=b"{", headers={"Content-Type": "application/json"})
    writer.get("/v1/events", headers={"Authorization": f"Bearer dl_{match.group(1)}_{wrong}"})
    writer.get("/v1/nothing", headers={"Authorization": f"Basic {live.key}"})
    logs = [live.data_dir.parent / "service.log", *Path(live.data_dir).rglob("*.log")]
    assert any(log.stat().st_size for log in logs)
    for log in logs:
        text = log.read_text(errors="replace")
        assert secret not in text
        assert wrong not in text

    async def everything(connection: asyncpg.Connection) -> str:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [await connection.fetch(f"SELECT t::text FROM {table[0]} t") for table in tables]
        return str(rows)

    assert secret not in in_store(live, everything)
