"""What the tests of the interface say again and again: requests, refusals, and documents with every member."""

import re
from collections.abc import Iterable
from typing import Any

import httpx

Form = dict[str, Any]
Document = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

LIVE = "public, max-age=1, stale-while-revalidate=9"
PINNED = "public, max-age=86400"
KEYED = "private, no-cache"

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CLAIM_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
RECORDED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ETAG = re.compile(r'"[0-9a-z-]+"')

UNSOURCED = {
    "state": "unsourced",
    "asserting": 0,
    "denying": 0,
    "sources": 0,
    "origins": 0,
    "first_published": None,
    "first_denied": None,
}
EVENT: Document = {
    "key": None,
    "collection": "main",
    "summary": None,
    "language": None,
    "occurred": None,
    "kind": None,
    "phase": "happened",
    "actors": [],
    "claims": [],
    "standing": UNSOURCED,
    "relations": [],
    "places": [],
    "tags": [],
    "media": [],
    "attributes": {},
    "external_ids": {},
}
CLAIM: Document = {
    "via": None,
    "stance": "asserts",
    "speakers": [],
    "occurred": None,
    "quote": None,
    "locator": None,
    "published": None,
    "confidence": None,
}
ACTOR: Document = {
    "type": "other",
    "names": {},
    "aliases": [],
    "description": None,
    "external_ids": {},
    "merged_into": None,
}
SOURCE: Document = {
    "publisher": None,
    "url": None,
    "type": "other",
    "published": None,
    "language": None,
    "derived_from": [],
    "archive_url": None,
    "archive_sha256": None,
    "external_ids": {},
}
COLLECTION: Document = {"description": None, "licence": None, "attribution": None, "visibility": "public"}
TIMELINE: Document = {
    "description": None,
    "language": None,
    "selection": {},
    "include": [],
    "exclude": [],
    "visibility": "public",
}


def make(writer: httpx.Client, kind: str, /, **fields: Any) -> Document:
    """Posts to /v1/{kind}; a slug is its own name and title, and an event its own key's."""
    named: Form = {}
    if "slug" in fields:
        named["name" if kind == "actors" else "title"] = fields["slug"]
    elif "title" not in fields:
        named["title"] = fields.get("key", "An event")
    answer = writer.post(f"/v1/{kind}", json={**named, **fields})
    assert answer.status_code == 201, answer.text
    made: Document = answer.json()
    made.pop("included", None)
    return made


def address(kind: str, thing: Document) -> str:
    return f"/v1/{kind}/{thing['slug' if 'slug' in thing else 'id']}"


def patch(
    writer: httpx.Client,
    path: str,
    body: Any,
    if_match: str | None = "*",
    kind: str = MERGE_PATCH,
    **headers: str,
) -> httpx.Response:
    condition = {} if if_match is None else {"If-Match": if_match}
    return writer.patch(path, json=body, headers={"Content-Type": kind, **condition, **headers})


def revise(writer: httpx.Client, kind: str, thing: Document, /, **changes: Any) -> Document:
    """Merges the changes into an event or resource, and gives it as it then is."""
    answer = patch(writer, address(kind, thing), changes)
    assert answer.status_code == 200, answer.text
    revised: Document = answer.json()
    revised.pop("included", None)
    return revised


def remove(writer: httpx.Client, kind: str, thing: Document) -> int:
    """Retracts or deletes, and gives the revision that did."""
    answer = writer.delete(address(kind, thing), headers={"If-Match": "*"})
    assert answer.status_code == 204, answer.text
    return int(answer.headers["Revision"])


def get(client: httpx.Client, path: str, /, **parameters: Any) -> Any:
    """The JSON of a read that succeeds; `from_` stands for the parameter from."""
    query = {name.removesuffix("_"): value for name, value in parameters.items()}
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def head_of(client: httpx.Client) -> int:
    revision: int = get(client, "/v1")["revision"]
    return revision


def listed(client: httpx.Client, /, **selection: Any) -> list[str]:
    """Titles of the events that a selection lists, in order."""
    return [event["title"] for event in get(client, "/v1/events", **selection)["items"]]


def pages(client: httpx.Client, path: str, /, **parameters: Any) -> list[Document]:
    """Every page of a reading, each found by following `next`, which Link repeats."""
    query = {name.removesuffix("_"): value for name, value in parameters.items()}
    answer = client.get(path, params=query)
    found = []
    while True:
        assert answer.status_code == 200, answer.text
        page: Document = answer.json()
        found.append(page)
        if page["next"] is None:
            assert "Link" not in answer.headers
            return found
        assert answer.headers["Link"] == f'<{page["next"]}>; rel="next"'
        answer = client.get(page["next"])


def refused(answer: httpx.Response, status: int, kind: str, *where: str) -> Document:
    """Asserts a problem of this kind, with faults at exactly these pointers (/…) or parameters, in order."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: Document = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "errors"}
    assert (problem["type"], problem["status"]) == (f"/problems/{kind}", status), answer.text
    assert problem["title"], answer.text
    assert problem["detail"], answer.text
    assert all(fault["detail"] for fault in problem["errors"]), answer.text
    found = [fault.get("pointer", fault.get("parameter")) for fault in problem["errors"]]
    assert found == list(where), answer.text
    return problem


def without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def by_title(events: Iterable[Document]) -> dict[str, Document]:
    return {event["title"]: event for event in events}
