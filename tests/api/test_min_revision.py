"""Min-Revision: a read that must not be older than a write its caller knows of."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import httpx
import pytest

from service.app import OPERATIONS
from tests.api.calls import get, head_of, make, refused
from tests.conftest import Live, new_folder, served

READS = [operation.path for operation in OPERATIONS if operation.method == "GET" and operation.path.startswith("/v1")]


def ahead(revision: int) -> dict[str, str]:
    return {"Min-Revision": str(revision)}


def test_every_read_takes_it(writer: httpx.Client, unique: str) -> None:
    make(writer, "timelines", slug=unique)
    event = make(writer, "events")
    make(writer, "actors", slug=unique)
    make(writer, "sources", slug=unique)
    head = head_of(writer)

    def addressed(path: str) -> str:
        collection = "main" if "/collections/" in path else unique
        return path.format(id=event["id"], slug=collection, number=1, format="ndjson")

    def in_vain(asked: tuple[str, str]) -> httpx.Response:
        method, path = asked
        return writer.request(method, addressed(path), headers=ahead(head + 1_000_000))

    for path in READS:
        assert writer.get(addressed(path), headers=ahead(head)).status_code == 200, path
    # Each waits a second for what does not come, and all of them wait at once.
    asked = [(method, path) for method in ("GET", "HEAD") for path in READS]
    with ThreadPoolExecutor(len(asked)) as readers:
        answers = dict(zip(asked, readers.map(in_vain, asked), strict=True))
    for (method, path), answer in answers.items():
        assert answer.status_code == 503, path
        if method == "GET":
            problem = refused(answer, 503, "unavailable")
            assert int(answer.headers["Retry-After"]) >= 1, path
            assert str(head) in problem["detail"], path


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "0x1", "9223372036854775808", "1, 2"])
def test_what_is_no_revision_is_refused(client: httpx.Client, text: str) -> None:
    refused(client.get("/v1/events", headers={"Min-Revision": text}), 400, "invalid-parameter", "Min-Revision")


def test_space_around_it_is_no_part_of_it(writer: httpx.Client) -> None:
    head = writer.get("/v1/events").json()["revision"]
    asking = HTTPConnection(writer.base_url.host, writer.base_url.port)  # httpx would not send it.
    asking.request("GET", "/v1/events", headers={"Min-Revision": f"  {head} \t"})
    assert asking.getresponse().status == 200
    asking.close()


def test_it_is_nothing_to_a_write(writer: httpx.Client) -> None:
    assert writer.post("/v1/events", json={"title": "x"}, headers=ahead(10**12)).status_code == 201


@pytest.fixture
def own() -> Iterator[Live]:
    """A service with as few connections as it can do with, that nobody else writes to."""
    with new_folder() as folder, served(folder, "--no-demo", DATELINE_POOL_SIZE="3") as running:
        yield running


def test_it_waits_for_a_write_and_holds_no_connection(own: Live) -> None:
    """Twenty readers wait on three connections, and the write that they wait for goes through all the same."""
    with httpx.Client(base_url=own.base_url, headers={"Authorization": f"Bearer {own.key}"}, timeout=30) as writer:
        make(writer, "collections", slug="main")
        head = head_of(writer)
        seen: list[tuple[int, int]] = []

        def read() -> None:
            answer = httpx.get(f"{own.base_url}/v1/events", headers=ahead(head + 1), timeout=30)
            seen.append((answer.status_code, len(answer.json().get("items", []))))

        readers = [threading.Thread(target=read) for _ in range(20)]
        for reader in readers:
            reader.start()
        made = make(writer, "events", title="Awaited")
        for reader in readers:
            reader.join()
        assert seen == [(200, 1)] * 20
        assert get(writer, "/v1/events")["items"][0]["id"] == made["id"]
