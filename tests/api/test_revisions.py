"""The log of writes: what each revision says of itself, and to whom."""

from typing import Any

import httpx
import pytest

from tests.api.calls import (
    RECORDED,
    Document,
    address,
    get,
    head_of,
    make,
    pages,
    patch,
    refused,
    remove,
    revise,
)


def entry(client: httpx.Client, revision: int) -> Document:
    found: Document = get(client, f"/v1/revisions/{revision}")
    return found


def test_a_write_says_who_why_and_what(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    make(writer, "collections", slug=unique)
    headers = {"Revision-Message": "Jahreszahl berichtigt – „1999“".encode(), "Revision-Cause": b"editor_fix"}
    form = {"title": "x", "collection": unique}
    answer = writer.post("/v1/events", json=form, headers=headers)
    revision = int(answer.headers["Revision"])
    item = entry(client, revision)
    assert item == {
        "revision": revision,
        "recorded": answer.json()["recorded"],
        "author": "tests",
        "cause": "editor_fix",
        "message": "Jahreszahl berichtigt – „1999“",
        "counts": {"created": 1},
    }
    assert RECORDED.fullmatch(item["recorded"])
    assert get(client, "/v1/revisions", limit=1)["items"] == [item]
    plain = make(writer, "events", collection=unique)
    assert entry(client, plain["revision"]) == {
        "revision": plain["revision"],
        "recorded": plain["recorded"],
        "author": "tests",
        "cause": None,
        "message": None,
        "counts": {"created": 1},
    }


def test_counts_tell_what_was_written(writer: httpx.Client, unique: str) -> None:
    make(writer, "collections", slug=unique)
    actor = make(writer, "actors", slug=unique)
    source = make(writer, "sources", slug=unique, published="2020")
    timeline = make(writer, "timelines", slug=unique)
    claims = [{"source": unique}]
    events = [make(writer, "events", collection=unique, claims=claims) for _ in range(3)]
    retracted = remove(writer, "events", events[2])
    counts = [entry(writer, thing["revision"])["counts"] for thing in (actor, source, timeline, events[0])]
    assert counts == [{"actors": 1}, {"sources": 1}, {"timelines": 1}, {"created": 1}]
    assert entry(writer, retracted)["counts"] == {"retracted": 1}
    # A source carries along the events that rest on it.
    moved = revise(writer, "sources", source, published="2021")
    assert entry(writer, moved["revision"])["counts"] == {"revised": 2, "sources": 1}
    assert entry(writer, revise(writer, "events", events[0], title="y")["revision"])["counts"] == {"revised": 1}
    assert entry(writer, remove(writer, "timelines", timeline))["counts"] == {"timelines": 1}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Revision-Cause", "because"),
        ("Revision-Cause", "New_Fact"),
        ("Revision-Message", "x" * 501),
        ("Revision-Message", "a\tb"),
    ],
)
def test_a_note_that_does_not_fit_is_refused(writer: httpx.Client, unique: str, header: str, value: str) -> None:
    before = head_of(writer)
    answer = writer.post("/v1/collections", json={"slug": unique, "title": "x"}, headers={header: value})
    refused(answer, 400, "invalid-parameter", header)
    assert head_of(writer) == before


def test_a_refused_write_leaves_no_gap(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    first = make(writer, "collections", slug=unique)["revision"]
    refused(writer.post("/v1/collections", json={"slug": unique, "title": "x"}), 409, "already-exists")
    form = {"title": "x", "collection": unique, "actors": [{"actor": f"{unique}-nobody"}]}
    refused(writer.post("/v1/events", json=form), 422, "refused", "/actors/0/actor")
    unchanged = patch(writer, f"/v1/collections/{unique}", {})
    assert unchanged.headers["Revision"] == str(first)
    assert make(writer, "events", collection=unique)["revision"] == first + 1


def test_the_log_reads_both_ways(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    make(writer, "collections", slug=unique)
    for _ in range(4):
        make(writer, "events", collection=unique)
    head = head_of(client)
    newest = get(client, "/v1/revisions", limit=3)
    assert [item["revision"] for item in newest["items"]] == [head, head - 1, head - 2]
    assert newest["revision"] == head
    # It goes on where it began, whatever is written meanwhile.
    make(writer, "events", collection=unique)
    following = client.get(newest["next"]).json()
    assert [item["revision"] for item in following["items"]] == [head - 3, head - 4, head - 5]
    assert following["revision"] == head
    read = pages(client, "/v1/revisions", order="asc", limit=500)
    numbers = [item["revision"] for page in read for item in page["items"]]
    assert numbers == list(range(1, head_of(client) + 1))
    whole = pages(client, "/v1/revisions", order="desc", limit=500)
    assert [item for page in whole for item in page["items"]] == [item for page in read for item in page["items"]][::-1]


def test_what_is_no_revision(client: httpx.Client) -> None:
    head = head_of(client)
    refused(client.get(f"/v1/revisions/{head + 1}"), 404, "not-found")
    for number in ("0", "-1", "x", "1.0", "9223372036854775808"):
        refused(client.get(f"/v1/revisions/{number}"), 404, "not-found", "number")
    refused(client.get("/v1/revisions?order=newest"), 400, "invalid-parameter", "order")
    refused(client.get("/v1/revisions/1?order=asc"), 400, "invalid-parameter", "order")


# --- Who is told what


def told(client: httpx.Client, revision: int) -> tuple[Any, ...]:
    """What the log and its single entry both say to the caller."""
    single = entry(client, revision)
    assert single in get(client, "/v1/revisions", limit=20)["items"]
    return single["author"], single["message"], single["counts"]


NOTHING = (None, None, None)


def test_numbers_and_times_are_public_the_rest_where_something_visible_changed(
    writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    secret = {"Revision-Message": "Codename"}

    def post(kind: str, **form: Any) -> int:
        answer = writer.post(f"/v1/{kind}", json=form, headers=secret)
        assert answer.status_code == 201, answer.text
        return int(answer.headers["Revision"])

    private = post("collections", slug=unique, title="x", visibility="private")
    hidden = post("events", collection=unique, title="x")
    timeline = post("timelines", slug=unique, title="x", visibility="private")
    actor = post("actors", slug=unique, name="x")
    source = post("sources", slug=unique, title="x")
    for revision, counts in (
        (private, {"collections": 1}),
        (hidden, {"created": 1}),
        (timeline, {"timelines": 1}),
        (actor, {"actors": 1}),
        (source, {"sources": 1}),
    ):
        assert told(client, revision) == NOTHING
        assert told(writer, revision) == ("tests", "Codename", counts)
    # What comes to be seen is told of, by today's visibility.
    answer = patch(writer, f"/v1/collections/{unique}", {"visibility": "public"})
    assert answer.status_code == 200
    assert told(client, private) == ("tests", "Codename", {"collections": 1})
    assert told(client, hidden) == ("tests", "Codename", {"created": 1})
    assert told(client, actor) == told(client, source) == NOTHING
    make(writer, "events", collection=unique, actors=[{"actor": unique}], claims=[{"source": unique}])
    assert told(client, actor) == ("tests", "Codename", {"actors": 1})
    assert told(client, source) == ("tests", "Codename", {"sources": 1})
    patch(writer, f"/v1/timelines/{unique}", {"visibility": "unlisted"})
    assert told(client, timeline) == NOTHING
    patch(writer, f"/v1/timelines/{unique}", {"visibility": "public"})
    assert told(client, timeline) == ("tests", "Codename", {"timelines": 1})


def test_of_a_revision_that_touched_both_only_the_visible_is_counted(
    writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    make(writer, "collections", slug=unique)
    make(writer, "collections", slug=f"{unique}-p", visibility="private")
    source = make(writer, "sources", slug=unique, published="2020")
    for collection in (unique, unique, f"{unique}-p"):
        make(writer, "events", collection=collection, claims=[{"source": unique}])
    revision = revise(writer, "sources", source, published="2021")["revision"]
    assert entry(client, revision)["counts"] == {"revised": 2, "sources": 1}
    assert entry(writer, revision)["counts"] == {"revised": 3, "sources": 1}
    assert get(client, address("sources", source))["revision"] == revision
