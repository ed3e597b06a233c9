"""What was answered before is given again: the same bytes, in the coding asked for, never once a write was answered."""

import asyncio
import gzip
import http.client
import itertools
import os
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import brotli
import httpx
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.answers import OVERHEAD, Answers, Kept
from service.api.packing import PACKED_MIN, coding_of
from service.storage.embedded import joined
from service.storage.watching import Watch
from tests.api.calls import make
from tests.conftest import Live, new_folder, served

EXAMPLES = int(os.environ.get("DATELINE_EXAMPLES", "60"))
HOST = "timelines.example"
MERGE_PATCH = "application/merge-patch+json"
UNPACK = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstandard.decompress}


# --- The same bytes


@pytest.fixture(scope="module")
def forgetful(dossier: Live) -> Iterator[Live]:
    """A service on the dossier's database that keeps no answer."""
    with joined(dossier.data_dir, print) as url, new_folder() as folder:
        folder.mkdir()
        with served(folder, DATELINE_DATABASE_URL=url, DATELINE_ANSWERS_BYTES_MAX="0") as running:
            yield running


LISTINGS = ["/v1/events", "/v1/timelines/kosovo/events", "/v1/actors", "/v1/sources", "/v1/diff", "/v1/revisions"]
OTHERS = ["/v1", "/v1/actors/kfor", "/v1/actors/nobody", "/docs", "/openapi.json", "/nowhere"]
PATHS = st.sampled_from([*LISTINGS, *OTHERS])
QUERY = (
    "actor=nato actor=kfor from=1999 to=2025-02 limit=2 limit=50 revision=3 known_at=2025-02-19 order=desc "
    "base_known_at=2025-02-19 standing=contested fields=title,occurred include=none nonsense=1 match_on=key"
)
PARAMETERS = st.lists(st.sampled_from([tuple(pair.split("=")) for pair in QUERY.split()]), max_size=4)
CODINGS = ["gzip", "br", "zstd, gzip;q=0.5", "identity", "*", "gzip;q=0", "", "deflate"]
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept-Encoding": st.sampled_from(
            ["gzip", "br", "zstd, gzip;q=0.5", "identity", "*", "gzip;q=0", "", "deflate"]
        ),
        "Accept": st.sampled_from(["application/json", "text/markdown", "*/*", "image/png"]),
        "Min-Revision": st.sampled_from(["1", "x"]),
        "Content-Type": st.just("text/plain"),
        "X-Forwarded-Proto": st.just("https"),
    },
)


def sent(service: Live, method: str, address: str, headers: dict[str, str]) -> tuple[int, list[tuple[str, str]], bytes]:
    """Everything that a service answers but for the time of day."""
    connection = http.client.HTTPConnection(service.base_url.removeprefix("http://"), timeout=60)
    connection.putrequest(method, address, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": HOST, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, [header for header in answer.getheaders() if header[0].lower() != "date"], body


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, parameters=PARAMETERS, headers=HEADERS, method=st.sampled_from(["GET", "HEAD"]))
def test_a_kept_answer_is_the_same_as_one_made_anew(
    dossier: Live,
    forgetful: Live,
    path: str,
    parameters: list[tuple[str, str]],
    headers: dict[str, str],
    method: str,
) -> None:
    address = f"{path}?{urlencode(parameters)}" if parameters else path
    anew = sent(forgetful, method, address, headers)
    first = sent(dossier, method, address, headers)
    assert first == anew
    assert sent(dossier, method, address, headers) == anew
    # In another order it is the same selection.
    turned = f"{path}?{urlencode(parameters[::-1])}" if parameters else path
    assert sent(dossier, method, turned, headers) == sent(forgetful, method, turned, headers)
    tag = dict(anew[1]).get("etag")
    for condition in filter(None, (tag, f'"x", {tag}' if tag else None, '"x"', "*", "x")):
        asked = {**headers, "If-None-Match": condition}
        told = sent(dossier, method, address, asked)
        assert told == sent(forgetful, method, address, asked)
        assert sent(dossier, method, address, asked) == told
        if condition == tag:
            assert told[0] == 304
            assert told[2] == b""
            assert dict(told[1])["etag"] == tag


def test_one_selection_has_one_answer_however_it_is_written(reader: httpx.Client) -> None:
    addresses = ["actor=nato&actor=kfor&from=1999&limit=1", "limit=1&from=1999&actor=kfor&actor=nato"]
    first, second = (reader.get(f"/v1/events?{query}") for query in addresses)
    assert first.content == second.content
    assert first.headers["ETag"] == second.headers["ETag"]
    assert first.json()["next"]


# --- Codings


@pytest.mark.parametrize("coding", ["", "gzip", "br", "zstd"])
def test_what_is_packed_is_what_was_there_and_has_a_tag_of_its_own(dossier: Live, coding: str) -> None:
    headers = {"Accept-Encoding": coding} if coding else {}
    _, plain_headers, plain = sent(dossier, "GET", "/v1/events", {})
    status, told, body = sent(dossier, "GET", "/v1/events", headers)
    assert status == 200
    assert dict(told).get("content-encoding", "") == coding
    assert UNPACK[coding](body) == plain
    assert int(dict(told)["content-length"]) == len(body)
    assert "Accept-Encoding" in dict(told)["vary"]
    if coding:
        assert len(body) < len(plain) / 3
        assert dict(told)["etag"] != dict(plain_headers)["etag"]


def test_short_answers_and_problems_are_not_packed(dossier: Live) -> None:
    for address in ("/v1/events?limit=1&fields=title&include=none", "/v1/events?nonsense=1"):
        _, told, body = sent(dossier, "GET", address, {"Accept-Encoding": "gzip"})
        assert "content-encoding" not in dict(told)
        assert len(body) < PACKED_MIN


def test_the_tag_of_a_packed_answer_is_good_to_revise_with(writer: httpx.Client) -> None:
    event = make(writer, "events", summary="word " * 500)
    read = writer.get(f"/v1/events/{event['id']}", headers={"Accept-Encoding": "gzip"})
    assert read.headers["Content-Encoding"] == "gzip"
    assert "-gzip" in read.headers["ETag"]
    answer = writer.patch(
        f"/v1/events/{event['id']}",
        json={"title": "Revised"},
        headers={"If-Match": read.headers["ETag"], "Content-Type": MERGE_PATCH, "Accept-Encoding": "gzip"},
    )
    assert answer.status_code == 200
    # What a write answers is packed as what is read after it, and so has its tag.
    assert answer.headers["Content-Encoding"] == "gzip"
    again = writer.get(f"/v1/events/{event['id']}", headers={"Accept-Encoding": "gzip"})
    assert (again.content, again.headers["ETag"]) == (answer.content, answer.headers["ETag"])


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, br", "br"),
        ("gzip, br, zstd", "zstd"),
        ("gzip;q=0.9, br;q=0.1", "gzip"),
        ("*", "zstd"),
        ("*;q=0.5, zstd;q=0", "br"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.4, identity;q=0.8", "identity"),
        ("identity;q=0", "identity"),
        ("gzip;q=x", "identity"),
        ("deflate, compress", "identity"),
        (" gzip ; q=1.0 ,", "gzip"),
    ],
)
def test_the_coding_is_the_one_that_the_reader_likes_best(accept: str, coding: str) -> None:
    assert coding_of(accept) == coding


@given(st.text(max_size=100))
def test_whatever_a_reader_accepts_there_is_a_coding(accept: str) -> None:
    assert coding_of(accept) in ("identity", "gzip", "br", "zstd")


# --- Never after a write was answered


@pytest.fixture(scope="module")
def workers() -> Iterator[Live]:
    """A service of three workers."""
    with new_folder() as folder, served(folder, "--no-demo", DATELINE_WORKERS="3") as running:
        yield running


def test_a_read_that_starts_after_a_write_was_answered_sees_it_on_every_worker(workers: Live) -> None:
    """Readers keep the answer warm on every worker while it is revised, each on connections of its own."""
    with httpx.Client(base_url=workers.base_url, headers={"Authorization": f"Bearer {workers.key}"}) as writer:
        make(writer, "collections", slug="main")
        event = make(writer, "events", title="0")
        answered, done = [0], threading.Event()
        faults: list[str] = []
        reads: list[str] = []

        def read(address: str) -> None:
            while not done.is_set():
                with httpx.Client(base_url=workers.base_url, timeout=30) as reader:
                    for _ in range(5):
                        known = answered[0]
                        body = reader.get(address).json()
                        title = body["items"][0]["title"] if "items" in body else body["title"]
                        reads.append(title)
                        if int(title) < known:
                            faults.append(f"{address} told {title} after {known} was answered")

        addresses = ["/v1/events", "/v1/events", f"/v1/events/{event['id']}"]
        threads = [threading.Thread(target=read, args=(address,)) for address in addresses]
        for thread in threads:
            thread.start()
        tag = writer.get(f"/v1/events/{event['id']}").headers["ETag"]
        # Until there has been enough of both.
        for number in itertools.count(1):
            if number > 60 and len(reads) > 100:
                break
            told = writer.patch(
                f"/v1/events/{event['id']}",
                json={"title": str(number)},
                headers={"If-Match": tag, "Content-Type": MERGE_PATCH},
            )
            assert told.status_code == 200
            tag = told.headers["ETag"]
            answered[0] = number
        done.set()
        for thread in threads:
            thread.join()
        assert not faults


def test_what_is_written_elsewhere_is_found_within_moments(workers: Live) -> None:
    """A second service on the same database shares no memory with the first."""
    with (
        joined(workers.data_dir, print) as url,
        new_folder() as folder,
    ):
        folder.mkdir()
        with (
            served(folder, "--no-demo", DATELINE_DATABASE_URL=url) as elsewhere,
            httpx.Client(base_url=elsewhere.base_url, headers={"Authorization": f"Bearer {workers.key}"}) as writer,
            httpx.Client(base_url=workers.base_url) as reader,
        ):
            assert reader.get("/v1/actors").json()["items"] == []
            make(writer, "sources", slug="s", publisher=None)
            make(writer, "events", claims=[{"source": "s", "stance": "asserts"}])
            deadline = time.monotonic() + 20
            while reader.get("/v1/sources").json()["items"] == []:
                assert time.monotonic() < deadline
                time.sleep(0.05)


def test_a_collection_made_private_is_at_once_nowhere(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    make(writer, "collections", slug=unique)
    event = make(writer, "events", collection=unique)
    pages = [f"/v1/events?collection={unique}", f"/v1/events/{event['id']}?revision={event['revision']}"]
    assert [client.get(page).status_code for page in pages] == [200, 200]
    tag = writer.get(f"/v1/collections/{unique}").headers["ETag"]
    hidden = writer.patch(
        f"/v1/collections/{unique}",
        json={"visibility": "private"},
        headers={"If-Match": tag, "Content-Type": MERGE_PATCH},
    )
    assert hidden.status_code == 200
    assert client.get(pages[0]).json()["items"] == []
    assert client.get(pages[1]).status_code == 404


# --- Kept within bounds


class Still(Watch):
    """Nothing is written."""

    number: int | None = 1

    @property
    def count(self) -> int | None:
        return self.number


def answers(bytes_max: int = 10**6) -> tuple[Answers, Still]:
    watch = Still()
    return Answers(watch, bytes_max), watch


def kept(size: int = 10) -> Kept:
    return Kept({}, "text/plain", b"x" * size, '"x"')


async def ask(store: Answers, name: str, size: int = 10) -> tuple[Kept, bool]:
    """The answer for a name, and whether it was made for it."""
    made = []

    async def make_it() -> Kept:
        made.append(name)
        return kept(size)

    found = await store.of((name,), make_it)
    await store.packed((name,), found, "identity", (name,))
    return found, bool(made)


async def test_what_is_asked_for_again_stays_and_the_rest_goes_first() -> None:
    store, _ = answers(3 * (OVERHEAD + 2_000))
    for name in ("often", "a", "b", "c", "d"):
        await ask(store, name, 1_000)
        await ask(store, "often", 1_000)
    assert (await ask(store, "often", 1_000))[1] is False
    assert (await ask(store, "a", 1_000))[1] is True


async def test_bytes_are_bounded_whatever_is_asked_for() -> None:
    store, _ = answers(50_000)
    for number in range(500):
        await ask(store, str(number % 70), 1_000 * (number % 20))
        assert store.bytes <= 50_000
        assert store.bytes == sum(each.size for each in store.all())


async def test_nothing_is_kept_while_nobody_can_tell_what_is_written() -> None:
    store, watch = answers()
    watch.number = None
    assert (await ask(store, "a"))[1] is True
    assert (await ask(store, "a"))[1] is True


async def test_what_was_made_while_something_was_written_is_not_kept() -> None:
    store, watch = answers()

    async def make_it() -> Kept:
        watch.number = 2
        return kept()

    await store.of(("a",), make_it)
    assert (await ask(store, "a"))[1] is True


async def test_who_asks_for_the_same_at_the_same_time_has_one_answer_made() -> None:
    store, _ = answers()
    made: list[int] = []

    async def make_it() -> Kept:
        made.append(1)
        await asyncio.sleep(0.01)
        return kept()

    found = await asyncio.gather(*(store.of(("a",), make_it) for _ in range(20)))
    assert len(made) == 1
    assert len({id(each) for each in found}) == 1


async def test_what_fails_for_one_is_tried_by_the_next() -> None:
    store, _ = answers()
    tries: list[int] = []

    async def make_it() -> Kept:
        tries.append(1)
        first = len(tries) == 1
        await asyncio.sleep(0.01)
        if first:
            raise ValueError
        return kept()

    async def attempt() -> Any:
        return await store.of(("a",), make_it)

    found = await asyncio.gather(*(attempt() for _ in range(4)), return_exceptions=True)
    assert [type(each) for each in found] == [ValueError, Kept, Kept, Kept]


async def test_who_asks_after_a_write_does_not_wait_for_what_was_begun_before() -> None:
    store, watch = answers()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def make_old() -> Kept:
        begun.set()
        await go_on.wait()
        return kept(1)

    async def make_new() -> Kept:
        return kept(2)

    old = asyncio.create_task(store.of(("a",), make_old))
    await begun.wait()
    watch.number = 2
    assert (await store.of(("a",), make_new)).body == b"xx"
    go_on.set()
    assert (await old).body == b"x"
    assert (await store.of(("a",), make_old)).body == b"xx"
