"""What is stored is served as it is stored, and nothing is begun that is not ended with the answer.

No document of an event is decoded where no lens may trim it.
"""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from benchmarks.recorded import client
from service.domain import lenses
from service.operations import selecting
from service.storage.embedded import joined
from tests.conftest import Live


@pytest.fixture
async def inside(dossier: Live) -> AsyncIterator[httpx.AsyncClient]:
    """The service on the dossier's database, within this process."""
    with joined(dossier.data_dir) as url:
        async with client(url) as asking:
            yield asking


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The documents that have been decoded since."""
    documents: list[bytes] = []
    for module, name in ((lenses, "_decode_event"), (selecting, "_event")):
        decode = getattr(module, name)

        def noted(document: bytes, decode: Any = decode) -> Any:
            documents.append(document)
            return decode(document)

        monkeypatch.setattr(module, name, noted)
    return documents


WHOLE = ["", "limit=3", "order=desc", "from=1999&to=2008", "actor=kfor", "tag=kosovo", "undated=only", "include=none"]
LOOKED_AT = ["known_at=2025-02-19", "according_to=bild", "fields=title"]


@pytest.mark.parametrize("query", WHOLE)
async def test_a_page_that_the_index_decides_is_not(
    inside: httpx.AsyncClient, decoded: list[bytes], query: str
) -> None:
    answer = await inside.get(f"/v1/events?{query}")
    assert answer.status_code == 200
    assert decoded == []


@pytest.mark.parametrize("query", LOOKED_AT)
async def test_one_through_a_lens_is(inside: httpx.AsyncClient, decoded: list[bytes], query: str) -> None:
    answer = await inside.get(f"/v1/events?{query}")
    assert len(decoded) >= len(answer.json()["items"]) > 0


async def test_a_single_event_is_only_through_a_lens(inside: httpx.AsyncClient, decoded: list[bytes]) -> None:
    (event,) = (await inside.get("/v1/events?key=us-troop-withdrawal")).json()["items"]
    assert decoded == []
    whole = await inside.get(f"/v1/events/{event['id']}")
    assert whole.json()["title"] == event["title"]
    assert decoded == []
    then = await inside.get(f"/v1/events/{event['id']}?known_at=2025-02-19")
    assert then.json()["standing"]["state"] == "reported"
    assert len(decoded) == 1


@pytest.mark.parametrize("more", ["", "known_at=2025-02-19", "include=sources"])
async def test_a_single_event_comes_with_what_a_page_of_it_alone_has(inside: httpx.AsyncClient, more: str) -> None:
    page = (await inside.get(f"/v1/events?limit=200&{more}")).json()
    publishers = 0
    for event in page["items"]:
        alone = (await inside.get(f"/v1/events?id={event['id']}&{more}")).json()["included"]
        single = (await inside.get(f"/v1/events/{event['id']}?{more}")).json()["included"]
        assert single == alone
        assert list(single["actors"]) == list(alone["actors"])
        publishers += any(source.get("publisher") in single["actors"] for source in single["sources"].values())
    assert (publishers > 0) is (more in ("", "known_at=2025-02-19"))


@contextmanager
def noting_what_is_left() -> Iterator[list[str]]:
    """The generators that are begun meanwhile and left, for each of which the event loop would have to make a task."""
    before, names = sys.get_asyncgen_hooks(), list[str]()
    sys.set_asyncgen_hooks(finalizer=lambda generator: names.append(generator.__qualname__))
    yield names
    sys.set_asyncgen_hooks(*before)


CUT_SHORT = [
    "/v1/events?limit=2",
    "/v1/events?limit=2&fields=title",
    "/v1/events?limit=2&known_at=2025-02-19",
    "/v1/diff?base_revision=1&limit=1",
    "/v1/diff?base_actor=bild&head_actor=kfor&limit=1",
    "/v1/diff?base_actor=bild&head_actor=kfor&limit=1&match_on=key",
]


@pytest.mark.parametrize("address", CUT_SHORT)
async def test_what_is_cut_short_is_ended(inside: httpx.AsyncClient, address: str) -> None:
    with noting_what_is_left() as left:
        answer = await inside.get(address)
        # Of a diff the first page is read to the end, since it has the sums.
        another = await inside.get(answer.json()["next"])
    assert another.json()["next"] is not None
    assert left == []
