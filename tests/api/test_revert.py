"""Putting an earlier revision of an event back."""

import httpx
import pytest

from tests.api.calls import (
    Document,
    address,
    get,
    head_of,
    make,
    patch,
    refused,
    remove,
    revise,
    without,
)
from tests.api.test_keys import holder
from tests.conftest import Live

MOMENT = ("revision", "recorded")


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


def revert(writer: httpx.Client, event: Document, revision: int, **headers: str) -> httpx.Response:
    return writer.post(f"{address('events', event)}/revert", json={"revision": revision}, headers=headers)


def test_an_earlier_revision_is_put_back_in_a_new_one(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "sources", slug=home, published="2001")
    claims = [{"source": home}, {"source": home, "stance": "denies", "published": "2002"}]
    first = make(writer, "events", collection=home, key="a", title="First", claims=claims, attributes={"a": None})
    second = revise(writer, "events", first, title="Second", claims=[], attributes={"b": 1})
    third = revise(writer, "events", first, occurred="1999")
    answer = revert(writer, first, first["revision"])
    assert answer.status_code == 200
    assert answer.headers["Revision"] == str(head_of(client)) == str(third["revision"] + 1)
    back = answer.json()
    assert set(back.pop("included")["sources"]) == {home}
    assert without(back, *MOMENT) == without(first, *MOMENT)
    assert (back["revision"], get(client, address("events", first), include="none")) == (third["revision"] + 1, back)
    again = revert(writer, first, second["revision"]).json()
    assert without(again, *MOMENT, "included") == without(second, *MOMENT)
    history = get(client, f"{address('events', first)}/history")["items"]
    assert [item["event"]["title"] for item in history] == ["First", "Second", "Second", "First", "Second"]


def test_what_is_so_already_stays(writer: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home)
    answer = revert(writer, event, event["revision"])
    assert (answer.status_code, without(answer.json(), "included")) == (200, event)
    assert answer.headers["Revision-Unchanged"] == "true"
    assert answer.headers["ETag"] == writer.get(address("events", event)).headers["ETag"]


def test_a_retracted_event_comes_back(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    first = make(writer, "events", collection=home, key="a", title="First")
    second = revise(writer, "events", first, title="Second")
    gone = remove(writer, "events", first)
    refused(revert(writer, first, gone), 422, "refused", "/revision")
    for then in (second, first):
        back = revert(writer, first, then["revision"]).json()
        assert without(back, *MOMENT, "included") == without(then, *MOMENT)
        assert get(client, "/v1/events", collection=home, include="none")["items"] == [without(back, "included")]
        remove(writer, "events", first)
    diff = get(client, "/v1/diff", collection=home, base_revision=first["revision"], head_revision=back["revision"])
    assert diff["items"] == []


def test_it_is_put_back_with_the_sources_of_today(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "actors", slug=home)
    source = make(writer, "sources", slug=home, published="2001")
    event = make(writer, "events", collection=home, claims=[{"source": home}], actors=[{"actor": home}])
    revise(writer, "events", event, claims=[], actors=[])
    revise(writer, "sources", source, published="2005", publisher=home)
    back = revert(writer, event, event["revision"]).json()
    assert [claim["published"] for claim in back["claims"]] == ["2005"]
    assert back["standing"]["first_published"] == "2005"
    revise(writer, "events", event, claims=[], actors=[])
    revise(writer, "sources", source, publisher=None)
    remove(writer, "actors", {"slug": home})
    problem = refused(revert(writer, event, event["revision"]), 422, "refused", "/revision")
    assert f"there is no actor {home}" in problem["errors"][0]["detail"]


def test_revisions_that_cannot_be_put_back(writer: httpx.Client, home: str) -> None:
    before = head_of(writer)
    event = make(writer, "events", collection=home)
    for revision in (0, before, head_of(writer) + 1, 2**63 - 1):
        refused(revert(writer, event, revision), 422, "refused", "/revision")
    refused(revert(writer, event, -1), 422, "invalid-body", "/revision")
    path = f"{address('events', event)}/revert"
    refused(writer.post(path, json={}), 422, "invalid-body", "/revision")
    refused(writer.post(path, json={"revision": 1, "to": 2}), 422, "invalid-body", "/to")
    refused(revert(writer, {"id": "00000000-0000-0000-0000-000000000000"}, 1), 404, "not-found")


def test_if_match_is_looked_at_where_it_is_given(writer: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home)
    read = writer.get(address("events", event)).headers["ETag"]
    patch(writer, address("events", event), {"title": "Meanwhile"})
    refused(revert(writer, event, event["revision"], **{"If-Match": read}), 412, "stale")
    now = writer.get(address("events", event)).headers["ETag"]
    assert revert(writer, event, event["revision"], **{"If-Match": now}).status_code == 200


def test_a_repeated_idempotency_key_puts_back_once(writer: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home)
    revise(writer, "events", event, title="Second")
    first = revert(writer, event, event["revision"], **{"Idempotency-Key": home})
    revise(writer, "events", event, title="Third")
    again = revert(writer, event, event["revision"], **{"Idempotency-Key": home})
    assert (again.content, again.headers["Revision"]) == (first.content, first.headers["Revision"])
    assert get(writer, address("events", event))["title"] == "Third"


def test_who_may_put_back(live: Live, writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home)
    hidden = make(writer, "collections", slug=f"{home}-private", visibility="private")
    unseen = make(writer, "events", collection=hidden["slug"])
    refused(revert(client, event, event["revision"]), 401, "unauthenticated")
    with holder(live, "write", f"{home}-elsewhere") as limited, holder(live, "read") as reading:
        refused(revert(reading, event, event["revision"]), 403, "forbidden")
        refused(revert(limited, event, event["revision"]), 403, "forbidden")
        refused(revert(limited, unseen, unseen["revision"]), 404, "not-found")
