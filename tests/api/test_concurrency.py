"""Many writers at once: eight processes of the operating system, over HTTP, at a service of one worker and of two."""

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any

import httpx
import pytest

from tests.api import writers
from tests.api.writers import Answer, Request
from tests.conftest import Live, new_folder, served

PROCESSES = 8
ROUNDS = 5
Document = dict[str, Any]


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([writers.__name__])
    meeting = context.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, context, writers.prepare, (meeting,)) as pool:
        yield pool


@pytest.fixture(scope="module", params=[1, 2], ids=["one worker", "two workers"])
def store(request: pytest.FixtureRequest, processes: ProcessPoolExecutor) -> Iterator["Store"]:
    with new_folder() as folder, served(folder, "--no-demo", DATELINE_WORKERS=str(request.param)) as service:
        authorization = {"Authorization": f"Bearer {service.key}"}
        with httpx.Client(base_url=service.base_url, headers=authorization, timeout=30) as client:
            yield Store(service, processes, client)


class Store:
    def __init__(self, service: Live, processes: ProcessPoolExecutor, client: httpx.Client) -> None:
        self.service = service
        self.processes = processes
        self.client = client

    def begin(self, rounds: list[list[list[Request]]]) -> "Writing":
        """Has each process send its rounds of requests, each round together with the others'."""
        assert len(rounds) == PROCESSES
        service = self.service
        return Writing(
            [self.processes.submit(writers.send_together, service.base_url, service.key, each) for each in rounds]
        )

    def send(self, *requests: Request) -> list[Answer]:
        """Sends requests one after the other."""
        return writers.send(self.service.base_url, self.service.key, list(requests))

    def race(self, requests: list[Request]) -> list[list[Answer]]:
        """Has all processes send the same request at once, for each of the requests: the answers to each."""
        by_process = self.begin([[[request] for request in requests]] * PROCESSES).answers()
        return [[answers[number][0] for answers in by_process] for number in range(len(requests))]

    def read(self, path: str, **query: Any) -> Document:
        response = self.client.get(path, params=query or None)
        assert response.status_code == 200, response.text
        document: Document = response.json()
        return document

    def read_whole(self, path: str, **query: Any) -> tuple[list[Document], int]:
        """All items of a listing, page by page, and the revision that was read."""
        page = self.read(path, **query)
        items, revision = page["items"], page["revision"]
        while page["next"] is not None:
            page = self.read(page["next"])
            assert page["revision"] == revision
            items = items + page["items"]
        return items, revision

    def write(self, path: str, body: Document) -> httpx.Response:
        response = self.client.post(path, json=body)
        assert response.status_code == 201, response.text
        return response

    @property
    def head(self) -> int:
        return int(self.read("/v1")["revision"])

    @contextmanager
    def growing_by(self, number: int) -> Iterator[None]:
        """The block makes exactly so many revisions."""
        before = self.head
        yield
        assert self.head == before + number


class Writing:
    """Requests under way."""

    def __init__(self, futures: list["Future[list[list[Answer]]]"]) -> None:
        self.futures = futures

    @property
    def done(self) -> bool:
        return all(future.done() for future in self.futures)

    def answers(self) -> list[list[list[Answer]]]:
        """By process, by round, in the order sent."""
        return [future.result() for future in self.futures]

    def all_answers(self) -> list[Answer]:
        return [answer for rounds in self.answers() for answers in rounds for answer in answers]


def new_collection(store: Store, slug: str) -> str:
    store.write("/v1/collections", {"slug": slug, "title": slug})
    return slug


def test_revisions_follow_commits_and_a_live_reader_misses_none(store: Store) -> None:
    collection = new_collection(store, "gapless")
    first = store.head + 1

    def requests(process: int, number: int) -> Iterator[Request]:
        event = {"collection": collection, "title": f"{process}", "key": f"{process} {number}", "occurred": "1999"}
        yield Request("POST", "/v1/events", event)
        if number % 5 == 0:
            # Refused after the head has been taken: it must leave no gap.
            yield Request("POST", "/v1/events", event)

    sent = [[[each for number in range(20) for each in requests(process, number)]] for process in range(PROCESSES)]
    writing = store.begin(sent)
    seen: list[Document] = []
    polls = 0
    last_look = False
    while not last_look:
        last_look = writing.done
        log, newest = store.read_whole("/v1/revisions", order="asc", limit=100)
        assert [entry["revision"] for entry in log] == list(range(1, newest + 1))
        assert log[: len(seen)] == seen, "what was read of the log has changed"
        assert [entry["recorded"] for entry in log] == sorted({entry["recorded"] for entry in log})
        events, revision = store.read_whole("/v1/events", collection=collection, limit=60)
        assert revision >= newest, "a later read saw less"
        # Every revision since the first made one event.
        assert sorted(event["revision"] for event in events) == list(range(first, revision + 1))
        seen = log
        polls += 1
    answers = writing.all_answers()
    print(f"{polls} looks while {PROCESSES} processes wrote {len(answers)} times")
    assert Counter(answer.status for answer in answers) == {201: PROCESSES * 20, 409: PROCESSES * 4}
    made = {int(answer.headers["revision"]): answer.body for answer in answers if answer.status == 201}
    assert made.keys() == set(range(first, store.head + 1))
    for revision, event in made.items():
        assert (event["revision"], event["created"]["revision"]) == (revision, revision)
        assert event["recorded"] == seen[revision - 1]["recorded"]
    # Ids follow the order of commits too.
    assert [made[revision]["id"] for revision in sorted(made)] == sorted(event["id"] for event in made.values())
    assert polls >= 2


def test_patches_with_one_etag_let_one_through(store: Store) -> None:
    collection = new_collection(store, "patched")
    made = [store.write("/v1/events", {"collection": collection, "title": "A"}) for _ in range(ROUNDS)]
    patches = [
        Request("PATCH", f"/v1/events/{each.json()['id']}", {"title": "B"}, {"If-Match": each.headers["etag"]})
        for each in made
    ]
    with store.growing_by(ROUNDS):
        for answers in store.race(patches):
            assert Counter(answer.status for answer in answers) == {200: 1, 412: PROCESSES - 1}
    for each in made:
        assert len(store.read(f"/v1/events/{each.json()['id']}/history")["items"]) == 2


def test_deletions_with_one_etag_let_one_through(store: Store) -> None:
    collection = new_collection(store, "retracted")
    made = [store.write("/v1/events", {"collection": collection, "title": "A"}) for _ in range(ROUNDS)]
    deletions = [
        Request("DELETE", f"/v1/events/{each.json()['id']}", headers={"If-Match": each.headers["etag"]})
        for each in made
    ]
    with store.growing_by(ROUNDS):
        for answers in store.race(deletions):
            assert Counter(answer.status for answer in answers) == {204: 1, 410: PROCESSES - 1}


def test_posts_with_one_key_make_one_event(store: Store) -> None:
    collection = new_collection(store, "keyed")
    posts = [
        Request("POST", "/v1/events", {"collection": collection, "title": "A", "key": f"key {number}"})
        for number in range(ROUNDS)
    ]
    with store.growing_by(ROUNDS):
        for answers in store.race(posts):
            assert Counter(answer.status for answer in answers) == {201: 1, 409: PROCESSES - 1}
            (made,) = (answer.body["id"] for answer in answers if answer.status == 201)
            (address,) = {answer.headers["location"] for answer in answers if answer.status == 409}
            assert store.read(address)["id"] == made
    assert len(store.read("/v1/events", collection=collection)["items"]) == ROUNDS


def test_posts_with_one_slug_make_one_actor(store: Store) -> None:
    posts = [Request("POST", "/v1/actors", {"slug": f"raced-{number}", "name": "A"}) for number in range(ROUNDS)]
    with store.growing_by(ROUNDS):
        for answers in store.race(posts):
            assert Counter(answer.status for answer in answers) == {201: 1, 409: PROCESSES - 1}


def test_posts_with_one_idempotency_key_do_the_work_once(store: Store) -> None:
    collection = new_collection(store, "idempotent")
    posts = [
        Request(
            "POST",
            "/v1/events",
            {"collection": collection, "title": f"A {number}"},
            {"Idempotency-Key": f"{collection}-{number}"},
        )
        for number in range(ROUNDS)
    ]
    with store.growing_by(ROUNDS):
        for request, answers in zip(posts, store.race(posts), strict=True):
            statuses = Counter(answer.status for answer in answers)
            assert statuses.keys() <= {201, 409}
            assert statuses[201] >= 1
            for answer in answers:
                if answer.status == 409:
                    assert answer.body["type"] == "/problems/idempotency-key-in-use"
            # The same request to the byte: it is by these that a request is known again.
            (again,) = store.send(request)
            assert again.status == 201
            for answer in answers:
                if answer.status == 201:
                    assert answer.body == again.body
                    names = ("revision", "etag", "location")
                    assert [answer.headers[name] for name in names] == [again.headers[name] for name in names]
    assert len(store.read("/v1/events", collection=collection)["items"]) == ROUNDS


def test_a_pinned_reading_stands_still_while_writers_move_events(store: Store) -> None:
    """A page read live is the page of its revision, though what it was found by may be closed while it is read."""
    collection = new_collection(store, "moving")
    random = Random(3)
    dates = ["1999", "1999-06-10", "2008-02-17", "2008/2012", "1999/..", "200X", "-0043", None]
    made: list[list[str]] = [[] for _ in range(PROCESSES)]
    for number in range(5 * PROCESSES):
        event = {"collection": collection, "title": f"A {number}", "occurred": random.choice(dates), "tags": ["a"]}
        made[number % PROCESSES].append(store.write("/v1/events", event).json()["id"])
    fixed = store.head

    def move(event: str) -> Request:
        change = {"occurred": random.choice(dates), "tags": random.choice([["a"], ["a", "b"], ["b"]])}
        return Request("PATCH", f"/v1/events/{event}", change, {"If-Match": "*"})

    queries: list[Document] = [
        {"collection": collection, "limit": 500},
        {"collection": collection, "limit": 7, "order": "desc"},
        {"collection": collection, "tag": "a", "limit": 10},
        {"collection": collection, "tag": ["a", "b"], "from": "1990", "to": "2010", "limit": 5},
    ]
    before = [store.read_whole("/v1/events", **query, revision=fixed) for query in queries]
    writing = store.begin([[[move(random.choice(events)) for _ in range(30)]] for events in made])
    looks = 0
    revisions = set()
    while not writing.done:
        for query, pinned in zip(queries, before, strict=True):
            items, revision = store.read_whole("/v1/events", **query)
            assert store.read_whole("/v1/events", **query, revision=revision) == (items, revision)
            assert store.read_whole("/v1/events", **query, revision=fixed) == pinned
            revisions.add(revision)
            looks += 1
    answers = writing.all_answers()
    assert {answer.status for answer in answers} == {200}
    print(f"{looks} readings at {len(revisions)} revisions while {len(answers)} events moved")
    assert len(revisions) >= 2
    assert len(store.read_whole("/v1/events", **queries[0])[0]) == 5 * PROCESSES
