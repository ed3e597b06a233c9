"""Prefer: return=minimal: a write that is answered with its headers alone."""

import httpx
import pytest

from service.api.operation import prefers_minimal
from tests.api.calls import address, get, head_of, make, patch, refused, revise

MINIMAL = {"Prefer": "return=minimal"}


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


def brief(answer: httpx.Response) -> httpx.Response:
    assert (answer.status_code, answer.content) == (204, b""), answer.text
    assert answer.headers["Preference-Applied"] == "return=minimal"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Type" not in answer.headers
    return answer


@pytest.mark.parametrize("kind", ["events", "actors", "sources", "collections", "timelines"])
def test_what_is_made_and_revised_is_told_by_headers(writer: httpx.Client, home: str, kind: str) -> None:
    named = "name" if kind == "actors" else "title"
    form = {named: "One"} | ({"collection": home} if kind == "events" else {"slug": f"{home}-x"})
    made = brief(writer.post(f"/v1/{kind}", json=form, headers=MINIMAL))
    path = made.headers["Location"]
    read = writer.get(path)
    assert read.json()[named] == "One"
    assert read.headers["ETag"] == made.headers["ETag"]
    assert int(made.headers["Revision"]) == read.json()["revision"]
    revised = brief(patch(writer, path, {named: "Two"}, made.headers["ETag"], **MINIMAL))
    assert "Location" not in revised.headers
    assert writer.get(path).headers["ETag"] == revised.headers["ETag"]
    assert get(writer, path)[named] == "Two"
    same = brief(patch(writer, path, {named: "Two"}, revised.headers["ETag"], **MINIMAL))
    assert same.headers["Revision-Unchanged"] == "true"
    # What removes has never had a body, and a read has one always.
    assert writer.get(path, headers=MINIMAL).json()[named] == "Two"
    gone = writer.delete(path, headers={**MINIMAL, "If-Match": "*"})
    assert gone.status_code == 204
    assert "Preference-Applied" not in gone.headers


def test_every_other_write_can_be_told_by_headers(writer: httpx.Client, home: str) -> None:
    first = make(writer, "events", collection=home)
    revise(writer, "events", first, title="Two")
    path = address("events", first)
    brief(writer.post(f"{path}/revert", json={"revision": first["revision"]}, headers=MINIMAL))
    assert get(writer, path)["title"] == first["title"]
    batch = brief(writer.post(f"/v1/events/batch?collection={home}", json=[{"title": "Row"}], headers=MINIMAL))
    assert int(batch.headers["Revision"]) == head_of(writer)
    for slug in ("a", "b"):
        make(writer, "actors", slug=f"{home}-{slug}")
    one = f"/v1/actors/{home}-a"
    brief(writer.post(f"{one}/merge", json={"into": f"{home}-b"}, headers=MINIMAL))
    assert writer.get(one).status_code == 308
    brief(writer.post(f"{one}/unmerge", headers=MINIMAL))
    assert writer.get(one).status_code == 200


def test_a_refusal_is_told_in_full(writer: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, key="k")
    form = {"title": "x", "collection": home, "key": "k"}
    refused(writer.post("/v1/events", json=form, headers=MINIMAL), 409, "already-exists")
    refused(patch(writer, address("events", event), {"title": 1}, **MINIMAL), 422, "invalid-body", "/title")
    answer = writer.post("/v1/events", json={"title": "x"}, headers={"Prefer": "x" * 1_001})
    refused(answer, 400, "invalid-parameter", "Prefer")


def test_a_kept_answer_is_given_again_as_each_request_prefers(writer: httpx.Client, home: str) -> None:
    """What is kept is the whole answer, whatever was preferred when it was first given."""

    def post(**headers: str) -> httpx.Response:
        form = {"title": "x", "collection": home}
        return writer.post("/v1/events", json=form, headers={"Idempotency-Key": home, **headers})

    first = brief(post(**MINIMAL))
    second = post()
    assert second.status_code == 201
    third = brief(post(**MINIMAL))
    for name in ("ETag", "Location", "Revision"):
        assert first.headers[name] == second.headers[name] == third.headers[name]
    assert get(writer, first.headers["Location"])["title"] == second.json()["title"] == "x"


TOLD = [
    "return=minimal",
    "Return=minimal",
    'return="minimal"',
    " return = minimal ; whatever=1",
    "respond-async, return=minimal, wait=10",
    "return=minimal, return=representation",
    'say="a, b; c", return=minimal',
]
NOT_TOLD = [
    "",
    "return",
    "return=",
    "return=representation",
    "return=minimal-ish",
    "return=representation, return=minimal",
    "minimal",
    "x=return=minimal",
    "handling=strict; return=minimal",
    'say="a, return=minimal"',
    'say="a\\", return=minimal"',
]


@pytest.mark.parametrize(("text", "minimal"), [*((text, True) for text in TOLD), *((text, False) for text in NOT_TOLD)])
def test_how_it_is_told(text: str, minimal: bool) -> None:
    assert prefers_minimal(text) == minimal


def test_it_may_be_told_in_several_lines(writer: httpx.Client, home: str) -> None:
    lines = [("Prefer", "respond-async"), ("Prefer", "return=minimal")]
    answer = writer.post("/v1/events", json={"title": "x", "collection": home}, headers=lines)
    brief(answer)
    other = writer.post("/v1/events", json={"title": "x", "collection": home}, headers=lines[:1])
    assert other.status_code == 201
    assert "Preference-Applied" not in other.headers
