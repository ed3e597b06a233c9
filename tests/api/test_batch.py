"""Batches: many rows, one revision, all or none."""

import json
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.operations.recording import PART
from tests.api.calls import (
    CLAIM,
    EVENT,
    Document,
    Form,
    get,
    head_of,
    listed,
    make,
    refused,
    remove,
    revise,
    without,
)
from tests.api.test_keys import holder
from tests.conftest import Live

BATCH = "/v1/events/batch"
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


def batch(writer: httpx.Client, home: str, *rows: Form, **query: str) -> Document:
    """Sends rows for the collection, asserts that they are taken, and that the answer's parts agree."""
    answer = writer.post(BATCH, json=list(rows), params={"collection": home, **query})
    assert answer.status_code == 200, answer.text
    body: Document = answer.json()
    assert set(body) == {"revision", "created", "updated", "unchanged", "retracted", "rows"}
    assert [row["index"] for row in body["rows"]] == list(range(len(rows)))
    assert [row["key"] for row in body["rows"]] == [row.get("key") for row in rows]
    assert all(row["errors"] == [] for row in body["rows"])
    for result in ("created", "updated", "unchanged"):
        assert body[result] == results(body).count(result)
    if query.get("dry_run") != "true":
        assert answer.headers["Revision"] == str(body["revision"])
        unchanged = body["created"] + body["updated"] + body["retracted"] == 0
        assert ("Revision-Unchanged" in answer.headers) == unchanged
    return body


def results(body: Document) -> list[str]:
    return [row["result"] for row in body["rows"]]


def rows_refused(answer: httpx.Response, *where: str) -> Document:
    """Asserts that a batch is refused with faults at exactly these pointers, told once in all and once by row."""
    assert answer.status_code == 422, answer.text
    problem: Document = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "errors", "rows"}
    assert problem["type"] == "/problems/refused"
    assert [fault["pointer"] for fault in problem["errors"]] == list(where), answer.text
    assert [fault for row in problem["rows"] for fault in row["errors"]] == problem["errors"]
    for row in problem["rows"]:
        assert row["result"] == "refused"
        assert all(fault["pointer"].startswith(f"/{row['index']}") for fault in row["errors"])
    return problem


def event_of(client: httpx.Client, home: str, key: str) -> Document:
    (event,) = get(client, "/v1/events", collection=home, key=key, include="none")["items"]
    found: Document = event
    return found


def diff_of(client: httpx.Client, home: str, base: int, head: int) -> list[Document]:
    items: list[Document] = get(
        client, "/v1/diff", collection=home, base_revision=base, head_revision=head, include="none"
    )["items"]
    return items


# --- Rows


def test_rows_are_one_revision_with_all_that_they_bring(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    before = head_of(client)
    kfor = {"slug": f"{home}-kfor", "name": "KFOR", "type": "organisation"}
    report = {
        "slug": f"{home}-report",
        "title": "A report",
        "publisher": {"slug": f"{home}-paper", "name": "The paper"},
        "published": "2025-02-19",
        "derived_from": [{"slug": f"{home}-wire", "title": "A wire", "published": "2025-02-18"}],
    }
    body = batch(
        writer,
        home,
        {"key": "a", "title": "A", "relations": [{"type": "follows", "key": "b"}], "actors": [{"actor": kfor}]},
        {
            "key": "b",
            "title": "B",
            "occurred": "2025-02",
            "claims": [{"source": report, "speakers": [f"{home}-kfor"]}, {"source": f"{home}-wire", "via": report}],
        },
        {"title": "C"},
    )
    assert (body["revision"], results(body)) == (before + 1, ["created"] * 3)
    (log,) = get(writer, "/v1/revisions", limit=1)["items"]
    assert log["counts"] == {"actors": 2, "sources": 2, "created": 3}
    a, b, c = (get(client, f"/v1/events/{row['id']}") for row in body["rows"])
    assert a["relations"] == [{"type": "follows", "key": "b", "event": b["id"]}]
    assert b["actors"] == []
    assert [without(claim, "id") for claim in b["claims"]] == [
        {**CLAIM, "source": f"{home}-wire", "via": f"{home}-report", "published": "2025-02-18"},
        {**CLAIM, "source": f"{home}-report", "speakers": [f"{home}-kfor"], "published": "2025-02-19"},
    ]
    assert (b["standing"]["state"], b["standing"]["asserting"], b["standing"]["origins"]) == ("reported", 2, 1)
    assert b["included"]["sources"][f"{home}-report"]["derived_from"] == [f"{home}-wire"]
    assert b["included"]["actors"][f"{home}-paper"]["name"] == "The paper"
    moment = {"revision": c["revision"], "recorded": c["recorded"]}
    assert without(c, "included") == {
        **EVENT, "id": body["rows"][2]["id"], "collection": home, "title": "C", **moment, "created": moment
    }  # fmt: skip


def test_the_same_again_says_nothing_new(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    source = {"slug": f"{home}-s", "title": "S", "published": "2001"}
    rows = [
        {
            "key": f"k{number}",
            "title": f"Event {number}",
            "attributes": {"checked": None, "deep": {"a": [None, 1.0], "b": None}},
            "tags": ["b", "a"],
            "claims": [{"source": source, "stance": stance, "locator": "p. 1"} for stance in ("denies", "asserts")],
            "relations": [{"type": "refers_to", "key": f"k{1 - number}"}],
        }
        for number in (0, 1)
    ]
    first = batch(writer, home, *rows)
    for mode in ("merge", "replace", "skip"):
        again = batch(writer, home, *rows, on_existing=mode)
        assert again["revision"] == first["revision"] == head_of(client)
        assert results(again) == ["unchanged"] * 2
        assert [row["id"] for row in again["rows"]] == [row["id"] for row in first["rows"]]
    assert event_of(client, home, "k0")["attributes"] == {"deep": {"a": [None, 1]}}


def test_a_known_row_merges(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "sources", slug=home, published="2001")
    event = make(
        writer,
        "events",
        collection=home,
        key="a",
        summary="Old",
        tags=["x"],
        attributes={"kept": 1, "gone": 2},
        claims=[{"source": home}],
    )
    body = batch(writer, home, {"key": "a", "summary": None, "tags": ["y"], "attributes": {"gone": None, "new": 3}})
    assert (results(body), body["rows"][0]["id"]) == (["updated"], event["id"])
    assert event_of(client, home, "a") == {
        **event,
        "summary": None,
        "tags": ["y"],
        "attributes": {"kept": 1, "new": 3},
        "revision": body["revision"],
        "recorded": event_of(client, home, "a")["recorded"],
    }


def test_a_known_row_replaces(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, key="a", summary="Old", tags=["x"])
    body = batch(writer, home, {"key": "a", "title": "New"}, on_existing="replace")
    now = event_of(client, home, "a")
    assert now == {
        **without(event, "tags", "summary"),
        "title": "New",
        "summary": None,
        "tags": [],
        "revision": body["revision"],
        "recorded": now["recorded"],
    }
    answer = writer.post(BATCH, json=[{"key": "a"}], params={"collection": home, "on_existing": "replace"})
    rows_refused(answer, "/0/title")


def test_a_known_row_is_skipped_with_all_that_it_brings(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, key="a", tags=["x"])
    whole = {"slug": f"{home}-never", "name": "Never made"}
    body = batch(
        writer, home, {"key": "a", "title": "New", "actors": [{"actor": whole}]}, {"key": "b", "title": "B"},
        on_existing="skip",
    )  # fmt: skip
    assert (results(body), body["rows"][0]["id"]) == (["unchanged", "created"], event["id"])
    assert event_of(client, home, "a") == event
    assert writer.get(f"/v1/actors/{home}-never").status_code == 404
    needing = [{"key": "a", "actors": [{"actor": whole}]}, {"title": "C", "actors": [{"actor": f"{home}-never"}]}]
    answer = writer.post(BATCH, json=needing, params={"collection": home, "on_existing": "skip"})
    rows_refused(answer, "/1/actors/0/actor")


def test_a_known_row_fails(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, key="b")
    rows = [{"key": "a", "title": "A"}, {"key": "b", "title": "B"}]
    head = head_of(client)
    problem = rows_refused(writer.post(BATCH, json=rows, params={"collection": home, "on_existing": "fail"}), "/1/key")
    assert without(problem["rows"][0], "errors") == {"index": 1, "key": "b", "id": event["id"], "result": "refused"}
    assert head_of(client) == head
    assert listed(client, collection=home) == ["b"]


def test_a_row_without_a_key_makes_an_event_each_time(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    for _ in range(2):
        assert results(batch(writer, home, {"title": "x"}, {"title": "x"})) == ["created"] * 2
    assert listed(client, collection=home) == ["x"] * 4


def test_each_row_may_name_its_collection(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "collections", slug=f"{home}-2")
    batch(writer, home, {"key": "k", "title": "1"}, {"key": "k", "title": "2", "collection": f"{home}-2"})
    assert listed(client, collection=home) == ["1"]
    assert listed(client, collection=f"{home}-2") == ["2"]
    answer = writer.post(BATCH, json=[{"key": home, "title": "In main"}])
    assert event_of(client, "main", home)["id"] == answer.json()["rows"][0]["id"]


@pytest.mark.parametrize(("mode", "tags"), [("merge", ["x"]), ("replace", []), ("skip", []), ("fail", [])])
def test_a_retracted_event_comes_back_under_its_id(
    writer: httpx.Client, client: httpx.Client, home: str, mode: str, tags: list[str]
) -> None:
    event = make(writer, "events", collection=home, key="a", tags=["x"])
    other = make(writer, "events", collection=home, key="b")
    remove(writer, "events", event)
    body = batch(
        writer, home,
        {"key": "c", "title": "C", "relations": [{"type": "follows", "key": "a"}]}, {"key": "a", "title": "a"},
        on_existing=mode,
    )  # fmt: skip
    assert results(body) == ["created", "updated"]
    now = event_of(client, home, "a")
    assert (now["id"], now["tags"], now["created"]) == (event["id"], tags, event["created"])
    assert (now["revision"], event_of(client, home, "b")) == (body["revision"], other)
    history = get(client, f"/v1/events/{event['id']}/history")["items"]
    assert [item["event"] is None for item in history] == [False, True, False]


def test_what_is_missing_is_retracted_and_back_again_is_no_difference(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    make(writer, "sources", slug=home, published="2001")
    rows = [{"key": key, "title": key, "claims": [{"source": home}], "attributes": {"n": 1}} for key in "abc"]
    first = batch(writer, home, *rows)
    keyless = make(writer, "events", collection=home, title="Keyless")
    elsewhere = make(writer, "events", key=home)
    gone = batch(writer, home, rows[0], retract_missing="true")
    assert (results(gone), gone["retracted"]) == (["unchanged"], 3)
    assert listed(client, collection=home) == ["a"]
    assert client.get(f"/v1/events/{keyless['id']}").status_code == 410
    assert get(client, f"/v1/events/{elsewhere['id']}", include="none") == elsewhere
    back = batch(writer, home, *rows, retract_missing="true")
    assert (results(back), back["retracted"]) == (["unchanged", "updated", "updated"], 0)
    assert [row["id"] for row in back["rows"]] == [row["id"] for row in first["rows"]]
    assert diff_of(client, home, first["revision"], back["revision"]) == []
    again = batch(writer, home, *rows, retract_missing="true")
    assert (results(again), again["retracted"]) == (["unchanged"] * 3, 0)
    assert batch(writer, home, {"key": "b"}, on_existing="skip", retract_missing="true")["retracted"] == 2
    assert batch(writer, home, retract_missing="true")["retracted"] == 1
    assert listed(client, collection=home) == []


def test_a_dry_run_answers_the_same_and_writes_nothing(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, key="a", title="A")
    lost = make(writer, "events", collection=home, key="lost")
    rows = [
        {"key": "a", "tags": ["new"]},
        {"key": "b", "title": "B", "actors": [{"actor": {"slug": f"{home}-x", "name": "X"}}]},
    ]
    head = head_of(client)
    query = {"collection": home, "retract_missing": "true", "dry_run": "true"}
    answer = writer.post(BATCH, json=rows, params=query, headers={"Idempotency-Key": home})
    assert (answer.status_code, answer.headers["Revision"]) == (200, str(head))
    tried = answer.json()
    assert [row["id"] for row in tried["rows"]] == [event["id"], None]
    assert head_of(client) == head
    assert writer.get(f"/v1/actors/{home}-x").status_code == 404
    assert get(client, f"/v1/events/{lost['id']}", include="none") == lost
    # The dry run has not used the key up.
    del query["dry_run"]
    done = writer.post(BATCH, json=rows, params=query, headers={"Idempotency-Key": home}).json()
    assert done["rows"][1]["id"] is not None
    done["rows"][1]["id"] = None
    assert done == tried
    unchanged = writer.post(BATCH, json=rows, params=query | {"dry_run": "true"})
    assert unchanged.headers["Revision-Unchanged"] == "true"


# --- What is refused


def test_every_fault_of_every_row_is_told(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "events", collection=home, key="known", attributes={f"n{n}": n for n in range(60)})
    rows: list[Any] = [
        {"key": "good", "title": "Good", "relations": [{"type": "follows", "key": "late"}]},
        {"key": "late", "titel": "Typo", "kind": 7, "actors": [{"actor": {"slug": f"{home}-brought", "name": ""}}]},
        {"key": "good", "title": "Twice"},
        {"title": "N", "actors": [{"actor": f"{home}-nobody"}, {"actor": f"{home}-brought"}], "occurred": "2025-13"},
        {"title": "Far", "relations": [{"type": "follows", "key": "nothing"}]},
        {"key": "new"},
        7,
        {"title": "Elsewhere", "collection": f"{home}-none"},
        {"key": "known", "attributes": {f"m{n}": n for n in range(60)}},
        {"title": "W", "claims": [{"source": {"slug": home, "title": "S", "published": "soon", "publisher": "none"}}]},
        {"title": "Whole", "claims": [{"source": {"slug": f"{home}-9", "publisher": {"slug": "x"}}}]},
        {"key": " spaced ", "title": "x"},
    ]  # fmt: skip
    head = head_of(client)
    answer = writer.post(BATCH, json=rows, params={"collection": home})
    problem = rows_refused(
        answer,
        *("/1/titel", "/1/kind", "/1/actors/0/actor/name", "/2/key", "/3/occurred", "/3/actors/0/actor"),
        *("/4/relations/0/key", "/5/title", "/6", "/7/collection", "/8/attributes"),
        *("/9/claims/0/source/published", "/9/claims/0/source/publisher"),
        *("/10/claims/0/source/publisher/name", "/10/claims/0/source/title", "/11/key"),
    )
    assert [(row["index"], row["key"]) for row in problem["rows"]] == [
        (1, "late"), (2, "good"), (3, None), (4, None), (5, "new"), (6, None), (7, None), (8, "known"), (9, None),
        (10, None), (11, None),
    ]  # fmt: skip
    assert "11 rows of 12" in problem["detail"]
    assert head_of(client) == head
    assert listed(client, collection=home) == ["known"]


def test_one_bad_row_in_ten_thousand_writes_nothing_and_is_named(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    rows: list[Form] = [{"key": f"k{number}", "title": f"Event {number}"} for number in range(10_000)]
    rows[7_777]["occurred"] = "2025-02-30"
    head = head_of(client)
    problem = rows_refused(writer.post(BATCH, json=rows, params={"collection": home}), "/7777/occurred")
    assert [(row["index"], row["key"]) for row in problem["rows"]] == [(7_777, "k7777")]
    assert (head_of(client), listed(client, collection=home)) == (head, [])
    rows[7_777]["occurred"] = "2025-02-28"
    body = batch(writer, home, *rows)
    assert (body["created"], body["revision"], head_of(client)) == (10_000, head + 1, head + 1)
    again = batch(writer, home, *rows)
    assert (again["unchanged"], again["revision"]) == (10_000, head + 1)
    gone = batch(writer, home, *rows[:5_000], retract_missing="true")
    assert (gone["unchanged"], gone["retracted"]) == (5_000, 5_000)
    back = batch(writer, home, *rows)
    assert (back["unchanged"], back["updated"]) == (5_000, 5_000)
    assert diff_of(client, home, head + 1, back["revision"]) == []
    assert listed(client, collection=home, from_="2025-02") == ["Event 7777"]


def test_readers_see_all_of_a_batch_or_none(live: Live, writer: httpx.Client, client: httpx.Client, home: str) -> None:
    """Reads go on while a batch is being recorded, other writes come before or after it, and none sees a part."""
    rows = [{"key": f"k{number}", "title": "In the batch", "tags": [home]} for number in range(3_000)]
    done = threading.Event()

    def send() -> Document:
        with httpx.Client(base_url=live.base_url, headers=writer.headers, timeout=60) as other:
            try:
                return batch(other, home, *rows)
            finally:
                done.set()

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        seen, beside = set(), []
        while not done.is_set():
            page = get(client, "/v1/events", collection=home, tag=home, limit=500)
            seen.add((page["revision"], len(page["items"])))
            beside.append(make(writer, "events", collection=home, title="Beside")["revision"])
        made = sending.result()["revision"]
    assert {number for _, number in seen} <= {0, 500}
    assert all((number == 500) == (revision >= made) for revision, number in seen)
    assert sorted([*beside, made]) == list(range(min(beside[0], made), max(beside[-1], made) + 1))


def test_more_rows_or_bytes_than_fit_are_refused(writer: httpx.Client, home: str) -> None:
    rows = [{"title": "x"}] * 10_001
    refused(writer.post(BATCH, json=rows), 422, "invalid-body", "")
    lines = "\n".join(json.dumps(row) for row in rows)
    refused(writer.post(BATCH, content=lines, headers=NDJSON), 422, "invalid-body", "")
    fits = "\n" * (32 * 2**20 - 100) + json.dumps({"key": "a", "title": "Last", "collection": home})
    assert writer.post(BATCH, content=fits, headers=NDJSON).json()["created"] == 1
    long = [{"title": "x", "collection": home, "attributes": {"a": ["y" * 20_000] * 60}}]
    rows_refused(writer.post(BATCH, json=long), "/0")
    many = json.dumps([{"title": "x", "attributes": {"a": ["y" * 20_000] * 40}}] * 42)
    refused(writer.post(BATCH, content=many, headers={"Content-Type": "application/json"}), 413, "too-large")
    refused(writer.post(BATCH, content=b"\n" * (32 * 2**20 + 1), headers=NDJSON), 413, "too-large")
    refused(writer.post("/v1/events", content=many, headers={"Content-Type": "application/json"}), 413, "too-large")


def test_only_so_many_faults_are_told(writer: httpx.Client, home: str) -> None:
    rows = [{"title": 1, **{f"unknown{number}": 1 for number in range(15)}}] * 1_500
    problem = writer.post(BATCH, json=rows, params={"collection": home}).json()
    assert "1500 rows of 1500" in problem["detail"]
    assert (len(problem["errors"]), len(problem["rows"])) == (100, 1_000)
    assert {len(row["errors"]) for row in problem["rows"]} == {10}


def test_parameters_that_cannot_hold_are_refused(writer: httpx.Client, home: str) -> None:
    row = [{"key": "a", "title": "a"}]
    answer = writer.post(BATCH, json=row, params={"retract_missing": "true"})
    refused(answer, 400, "refused-parameter", "retract_missing")
    refused(writer.post(BATCH, json=row, params={"dry_run": "yes"}), 400, "invalid-parameter", "dry_run")
    refused(writer.post(BATCH, json=row, params={"on_existing": "keep"}), 400, "invalid-parameter", "on_existing")
    nowhere = {"collection": f"{home}-none", "retract_missing": "true"}
    refused(writer.post(BATCH, json=[], params=nowhere), 422, "refused", "collection")
    other = [{"key": "a", "title": "a", "collection": "main"}, {"key": "b", "title": "b"}]
    answer = writer.post(BATCH, json=other, params={"collection": home, "retract_missing": "true"})
    rows_refused(answer, "/0/collection")


def test_a_batch_needs_a_key_that_reaches_every_row(
    live: Live, writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    row = {"key": "a", "title": "a"}
    refused(client.post(BATCH, json=[row]), 401, "unauthenticated")
    make(writer, "collections", slug=f"{home}-private", visibility="private")
    with holder(live, "write", home) as limited, holder(live, "read") as reading:
        refused(reading.post(BATCH, json=[row]), 403, "forbidden")
        batch(limited, home, row)
        both = [row, {"title": "x", "collection": "main"}]
        refused(limited.post(BATCH, json=both, params={"collection": home}), 403, "forbidden")
        hidden = [row, {"title": "x", "collection": f"{home}-private"}]
        rows_refused(limited.post(BATCH, json=hidden, params={"collection": home}), "/1/collection")
        refused(
            limited.post(BATCH, json=[], params={"collection": "main", "retract_missing": "true"}), 403, "forbidden"
        )


# --- Bodies


def test_lines_are_rows(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    content = '\r\n \t\n{"key": "a", "title": "A"}\r\n\n  {"key": "b", "title": "B"}  \n\n{"key": "c", "title": "Č"}'
    answer = writer.post(BATCH, content=content.encode(), headers=NDJSON, params={"collection": home})
    assert answer.status_code == 200, answer.text
    assert [(row["index"], row["key"]) for row in answer.json()["rows"]] == [(0, "a"), (1, "b"), (2, "c")]
    assert listed(client, collection=home) == ["A", "B", "Č"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'\xef\xbb\xbf{"title": "x"}', "line 1"),
        (b'{"title": "x"}\n\n{"title": \n', "line 3"),
        (b'{"title": "x"}\n{"title": "\xff"}\n', "line 2"),
        (b'{"title": "x"}{"title": "y"}\n', "line 1"),
        (b'{"title": "x", "title": "y"}\n', "line 1"),
        (b'{"title": "\\u0000"}\n', "line 1"),
        (b"[" * 30 + b"]" * 30, "line 1"),
        (b"{'title': 1}", "line 1"),
    ],
)
def test_lines_that_are_no_json_are_named(writer: httpx.Client, content: bytes, told: str) -> None:
    problem = refused(writer.post(BATCH, content=content, headers=NDJSON), 400, "malformed-request")
    assert told in problem["detail"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "JSON"),
        (b"[", "JSON"),
        (b'[{"title": "x"}', "character 15"),
        (b'[{"title": "x"},]', "Row 1"),
        (b'[\n{"title": "x"},\n{"title": x}]', "Row 1, which begins in line 3"),
        (b'[{"title": "x"} {"title": "y"}]', "character 16"),
        (b'[{"title": "x"},\n{"title": "y"} {"title": "z"}]', "Row 1, which begins in line 2"),
        (b'[{"title": "x"},\n\n{"title": "\xff"}]', "Row 1, which begins in line 3: The body is not UTF-8"),
        (b'[{"title": "x"},\n{"attributes": ' + b"[" * 30 + b"]" * 30 + b"}]", "Row 1, which begins in line 2"),
        (b'[{"title": "x"}, \xc0{"title": "y"}]', "Row 1"),
        (b'[{"title": "x"}] 1', "after the array's end"),
        (b'[{"title": "x"]', "Row 0"),
        (b'[{"title": "x}]', "Row 0"),
        (b"[nul]", "Row 0"),
        (b"[,]", "Row 0"),
        (b'[{"title": "x", "title": "x"}]', "Row 0"),
        (b"[" * 100_000, "levels"),
        (b"\xef\xbb\xbf[]", "JSON"),
        (b'["\xff"]', "UTF-8"),
    ],
)
def test_an_array_that_is_no_json_is_refused(writer: httpx.Client, content: bytes, told: str) -> None:
    answer = writer.post(BATCH, content=content, headers={"Content-Type": "application/json"})
    assert told in refused(answer, 400, "malformed-request")["detail"]


def test_what_is_no_array_or_no_row_is_refused(writer: httpx.Client, home: str) -> None:
    refused(writer.post(BATCH, json={"title": "x"}), 422, "invalid-body", "")
    refused(writer.post(BATCH, json="x"), 422, "invalid-body", "")
    rows_refused(writer.post(BATCH, json=[None, [], "x", 1.5, {}]), "/0", "/1", "/2", "/3", "/4/title")
    refused(writer.post(BATCH, content=b"x", headers={"Content-Type": "text/csv"}), 415, "unsupported-media-type")
    for content, headers in ((b" [ ] ", {"Content-Type": "application/json"}), (b"\n \r\n", NDJSON)):
        answer = writer.post(BATCH, content=content, headers=headers)
        assert (answer.status_code, answer.json()["rows"]) == (200, [])
        assert answer.headers["Revision-Unchanged"] == "true"


def test_an_idempotency_key_is_of_body_and_parameters(writer: httpx.Client, home: str) -> None:
    rows, key = [{"title": "x"}], {"Idempotency-Key": home}
    first = writer.post(BATCH, json=rows, params={"collection": home}, headers=key)
    again = writer.post(BATCH, json=rows, params={"collection": home}, headers=key)
    assert (again.content, again.headers["Revision"]) == (first.content, first.headers["Revision"])
    assert listed(writer, collection=home) == ["x"]
    other = writer.post(BATCH, json=rows, params={"collection": home, "on_existing": "skip"}, headers=key)
    refused(other, 422, "idempotency-key-reused")


# --- Whole actors and sources


def test_what_is_known_is_left_alone(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    actor = make(writer, "actors", slug=f"{home}-a", name="As it is")
    deleted = make(writer, "actors", slug=f"{home}-d", name="Deleted")
    remove(writer, "actors", deleted)
    body = batch(
        writer,
        home,
        {"title": "x", "actors": [{"actor": {"slug": f"{home}-a", "name": "Other", "type": "state"}}]},
        {"title": "y", "actors": [{"actor": {"slug": f"{home}-d", "name": "Made again"}}]},
        {"title": "z", "actors": [{"actor": {"slug": f"{home}-d", "name": "Given twice"}}]},
    )
    assert get(writer, f"/v1/actors/{home}-a") == actor
    again = get(writer, f"/v1/actors/{home}-d")
    assert (again["name"], again["revision"]) == ("Made again", body["revision"])
    assert get(writer, f"/v1/actors/{home}-d", revision=deleted["revision"]) == deleted


def test_whole_sources_may_rest_on_each_other(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    far = {"slug": f"{home}-far", "title": "Far", "derived_from": [f"{home}-near"]}
    near = {"slug": f"{home}-near", "title": "Near", "derived_from": [far]}
    batch(writer, home, {"key": "a", "title": "a", "claims": [{"source": near}]})
    assert event_of(client, home, "a")["standing"]["origins"] == 1
    itself = {"slug": f"{home}-self", "title": "Self", "derived_from": [f"{home}-self", f"{home}-far", f"{home}-far"]}
    rows_refused(
        writer.post(BATCH, json=[{"title": "b", "collection": home, "claims": [{"source": itself}]}]),
        "/0/claims/0/source/derived_from/0",
        "/0/claims/0/source/derived_from/2",
    )


# --- A batch and the same rows one by one

TEXTS = st.sampled_from(["a", "b", "Č"])
FORMS = st.fixed_dictionaries(
    {"title": TEXTS},
    optional={
        "summary": st.one_of(st.none(), TEXTS),
        "occurred": st.sampled_from([None, "1999", "2001-02~", "1999/2001"]),
        "tags": st.lists(TEXTS, max_size=2),
        "attributes": st.dictionaries(TEXTS, st.one_of(st.integers(0, 2), st.lists(st.integers(0, 1)), TEXTS)),
        "claims": st.lists(
            st.fixed_dictionaries(
                {"source": st.integers(0, 1), "stance": st.sampled_from(["asserts", "denies", "mentions"])}
            ),
            max_size=3,
            unique_by=lambda claim: (claim["source"], claim["stance"]),
        ),
    },
)
KEYED = st.dictionaries(st.sampled_from("pqrs"), FORMS, min_size=1, max_size=4)
MEMBERS = ("summary", "occurred", "tags", "attributes", "claims")


@pytest.fixture(scope="module")
def sources(writer: httpx.Client) -> list[str]:
    names = [f"s{secrets.token_hex(6)}-{number}" for number in range(2)]
    for number, name in enumerate(names):
        make(writer, "sources", slug=name, published=f"200{number}")
    return names


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=KEYED, second=KEYED, mode=st.sampled_from(["merge", "replace", "skip"]))
def test_a_batch_comes_to_what_its_rows_come_to_one_by_one(
    writer: httpx.Client, sources: list[str], first: dict[str, Form], second: dict[str, Form], mode: str
) -> None:
    together, apart = (make(writer, "collections", slug=f"c{secrets.token_hex(6)}")["slug"] for _ in range(2))
    singles: dict[str, Document] = {}
    for forms in (first, second):
        rows = {
            key: {**form, "claims": [{**claim, "source": sources[claim["source"]]} for claim in form["claims"]]}
            if "claims" in form
            else form
            for key, form in forms.items()
        }
        body = batch(writer, together, *({"key": key, **row} for key, row in rows.items()), on_existing=mode)
        expected = []
        for key, row in rows.items():
            before = singles.get(key)
            if before is None:
                singles[key] = make(writer, "events", collection=apart, key=key, **row)
            elif mode != "skip":
                left_out = dict.fromkeys(MEMBERS) if mode == "replace" else {}
                # A merge patch goes into attributes, so that a replacement takes out what is in them by name.
                if mode == "replace" and "attributes" in row:
                    row = {**row, "attributes": {**dict.fromkeys(before["attributes"]), **row["attributes"]}}
                singles[key] = revise(writer, "events", before, **{**left_out, **row})
            expected.append("created" if before is None else "updated" if singles[key] != before else "unchanged")
        assert results(body) == expected

    def told(collection: str) -> list[Document]:
        items = get(writer, "/v1/events", collection=collection, include="none")["items"]
        return sorted((_comparable(event) for event in items), key=lambda event: str(event["key"]))

    assert told(together) == told(apart)


def _comparable(event: Document) -> Document:
    claims = [without(claim, "id") for claim in event["claims"]]
    return {**without(event, "id", "collection", "revision", "recorded", "created"), "claims": claims}


def test_rows_point_and_fail_across_the_parts_in_which_they_are_recorded(writer: httpx.Client, home: str) -> None:
    """The first points at the last, which is recorded later; what is wrong is told of rows far apart, each its own."""
    most = 2 * PART + 50
    rows: list[Form] = [{"key": f"{home}-{number}", "title": f"Event {number}"} for number in range(most)]
    rows[0]["relations"] = [{"type": "follows", "key": rows[-1]["key"]}]
    rows[-1]["relations"] = [{"type": "causes", "key": rows[0]["key"]}]
    at_fault = list(rows)
    at_fault[PART - 1] = without(rows[PART - 1], "title")
    at_fault[PART + 7] = rows[PART + 7] | {"occurred": "yesterday"}
    at_fault[most - 2] = rows[most - 2] | {"actors": [{"actor": f"{home}-nobody"}]}
    told = writer.post(BATCH, json=at_fault, params={"collection": home})
    rows_refused(told, f"/{PART - 1}/title", f"/{PART + 7}/occurred", f"/{most - 2}/actors/0/actor")
    at_fault[PART - 1] = rows[PART - 1]  # Then a part has been appended before anything is found to be wrong.
    told = writer.post(BATCH, json=at_fault, params={"collection": home})
    rows_refused(told, f"/{PART + 7}/occurred", f"/{most - 2}/actors/0/actor")
    assert listed(writer, collection=home) == []
    assert batch(writer, home, *rows)["created"] == most
    first, last = (event_of(writer, home, rows[place]["key"]) for place in (0, -1))
    assert [relation["event"] for relation in first["relations"]] == [last["id"]]
    assert [relation["event"] for relation in last["relations"]] == [first["id"]]
    again = [{"key": row["key"], "tags": [home]} for row in rows]
    assert batch(writer, home, *again)["updated"] == most
    assert batch(writer, home, *again)["unchanged"] == most
