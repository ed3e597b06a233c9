"""Events: their shape, what identifies and orders its parts, what is refused, and their whole life."""

import json
from itertools import permutations
from typing import Any

import httpx
import pytest

from tests.api.calls import (
    ACTOR,
    CLAIM,
    CLAIM_ID,
    EVENT,
    ID,
    JSON_PATCH,
    RECORDED,
    SOURCE,
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
from tests.domain.test_patch import cases_of


@pytest.fixture
def home(writer: httpx.Client, unique: str) -> str:
    """A collection of the test's own; its slug begins every other."""
    make(writer, "collections", slug=unique)
    return unique


def as_recorded(answer: Document) -> Document:
    """What only the service can know of a document, taken from it once it is seen to be well-formed."""
    assert ID.fullmatch(answer["id"])
    assert RECORDED.fullmatch(answer["recorded"])
    return {name: answer[name] for name in ("id", "revision", "recorded", "created")}


# --- Shape


def test_the_smallest_event_has_every_member(writer: httpx.Client, home: str) -> None:
    before = head_of(writer)
    answer = writer.post("/v1/events", json={"title": "Visit", "collection": home})
    assert answer.status_code == 201
    event = answer.json()
    assert event == {
        **EVENT,
        **as_recorded(event),
        "collection": home,
        "title": "Visit",
        "included": {"actors": {}, "sources": {}},
    }
    assert event["revision"] == before + 1
    assert event["created"] == {"revision": event["revision"], "recorded": event["recorded"]}
    assert answer.headers["Location"] == f"{str(writer.base_url).rstrip('/')}/v1/events/{event['id']}"
    assert answer.headers["Revision"] == str(event["revision"])
    assert list(event) == ["id", *_ORDER, "included"]


_ORDER = [
    "key", "collection", "title", "summary", "language", "occurred", "kind", "phase", "actors", "claims", "standing",
    "relations", "places", "tags", "media", "attributes", "external_ids", "revision", "recorded", "created",
]  # fmt: skip


def test_an_event_with_everything(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    troops = make(writer, "actors", slug=f"{home}-troops", type="group")
    official = make(writer, "actors", slug=f"{home}-official", type="person", names={"de": "Beamter"})
    paper = make(writer, "actors", slug=f"{home}-paper", type="organisation")
    report = make(writer, "sources", slug=f"{home}-report", published="2025-02-19", publisher=paper["slug"])
    retold = make(writer, "sources", slug=f"{home}-retold", derived_from=[report["slug"]], published="2025-02-20")
    agreement = make(writer, "events", collection=home, key="agreement", phase="expected")
    form = {
        "key": "withdrawal",
        "collection": home,
        "title": "Withdrawal of troops",
        "summary": "Over two\nlines.",
        "language": "en",
        "occurred": "2025-02/..",
        "kind": "troop-withdrawal",
        "phase": "hypothetical",
        "actors": [
            {"actor": troops["slug"], "role": "subject", "attributes": {"troops": {"value": 600, "bound": "over"}}},
            {"actor": official["slug"]},
        ],
        "claims": [
            {
                "source": retold["slug"],
                "via": report["slug"],
                "stance": "confirms",
                "speakers": [official["slug"], troops["slug"]],
                "occurred": "2025-03?",
                "quote": "We go.",
                "locator": "p. 3",
                "published": "2025-02-21",
                "confidence": 70,
            },
            {"source": report["slug"]},
        ],
        "relations": [{"type": "depends_on", "key": "agreement"}],
        "places": [{"name": "Kosovo", "country": "XK", "latitude": 42.6, "longitude": 20.9}, {"country": "RS"}],
        "tags": ["kfor", "NATO"],
        "media": [{"url": "https://example.org/a.jpg", "caption": "Troops", "licence": "CC0-1.0"}],
        "attributes": {"note": None, "list": [1, 2.5, True, {"deep": []}]},
        "external_ids": {"wikidata": "Q1"},
    }
    answer = writer.post("/v1/events", json=form)
    assert answer.status_code == 201, answer.text
    event = answer.json()
    first, second = event["claims"]
    assert CLAIM_ID.fullmatch(first["id"])
    assert CLAIM_ID.fullmatch(second["id"])
    assert event == {
        **form,
        **as_recorded(event),
        "occurred": {
            "edtf": "2025-02/..",
            "earliest": "2025-02-01",
            "latest": None,
            "precision": "month",
            "approximate": False,
            "uncertain": False,
            "display": "from February 2025",
        },
        "actors": [
            {"actor": official["slug"], "role": None, "attributes": {}},
            form["actors"][0],
        ],
        "claims": [
            {**CLAIM, "id": first["id"], "source": report["slug"], "published": "2025-02-19"},
            {
                **form["claims"][0],
                "id": second["id"],
                "occurred": {
                    "edtf": "2025-03?",
                    "earliest": "2025-03-01",
                    "latest": "2025-03-31",
                    "precision": "month",
                    "approximate": False,
                    "uncertain": True,
                    "display": second["occurred"]["display"],
                },
            },
        ],
        "standing": {
            "state": "reported",
            "asserting": 2,
            "denying": 0,
            "sources": 2,
            "origins": 1,
            "first_published": "2025-02-19",
            "first_denied": None,
        },
        "relations": [{"type": "depends_on", "key": "agreement", "event": agreement["id"]}],
        "places": [
            {"name": "Kosovo", "country": "XK", "latitude": 42.6, "longitude": 20.9},
            {"name": None, "country": "RS", "latitude": None, "longitude": None},
        ],
        "tags": ["NATO", "kfor"],
        "media": [{**form["media"][0], "credit": None, "alt": None}],
        "included": {
            "actors": {each["slug"]: each for each in (official, paper, troops)},
            "sources": {each["slug"]: each for each in (report, retold)},
        },
    }
    assert official == {
        **ACTOR,
        "slug": f"{home}-official",
        "name": f"{home}-official",
        "type": "person",
        "names": {"de": "Beamter"},
        "revision": official["revision"],
        "recorded": official["recorded"],
    }
    assert retold == {
        **SOURCE,
        "slug": f"{home}-retold",
        "title": f"{home}-retold",
        "derived_from": [report["slug"]],
        "published": "2025-02-20",
        "revision": retold["revision"],
        "recorded": retold["recorded"],
    }

    read = client.get(f"/v1/events/{event['id']}")
    assert read.content == answer.content
    assert read.headers["ETag"] == answer.headers["ETag"]
    alone = get(client, f"/v1/events/{event['id']}", include="none")
    assert alone == without(event, "included")
    assert get(client, "/v1/events", id=event["id"]) == {
        "items": [alone],
        "included": event["included"],
        "next": None,
        "revision": event["revision"],
    }
    assert get(client, "/v1/events", id=event["id"], include="none")["included"] is None


@pytest.mark.parametrize(
    ("edtf", "earliest", "latest", "precision"),
    [
        ("1970-01-01", "1970-01-01", "1970-01-01", "day"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "second"),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "second"),
        ("0000", "0000-01-01", "0000-12-31", "year"),
        ("-0043-03-15", "-0043-03-15", "-0043-03-15", "day"),
        ("9999-12-31", "9999-12-31", "9999-12-31", "day"),
        ("Y170000002", "+170000002-01-01", "+170000002-12-31", "year"),
        ("Y-13800000000", "-13800000000-01-01", "-13800000000-12-31", "year"),
        ("Y200000000000", "+200000000000-01-01", "+200000000000-12-31", "year"),
        ("Y-200000000000", "-200000000000-01-01", "-200000000000-12-31", "year"),
        ("../1999", None, "1999-12-31", "year"),
        ("199X", "1990-01-01", "1999-12-31", "decade"),
        ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z", "2024-03-01T00:30:00Z", "second"),
    ],
)
def test_dates_of_any_year_are_kept_as_sent_and_found(
    writer: httpx.Client, client: httpx.Client, home: str, edtf: str, earliest: str, latest: str, precision: str
) -> None:
    event = make(writer, "events", collection=home, occurred=edtf)
    occurred = event["occurred"]
    assert without(occurred, "display") == {
        "edtf": edtf,
        "earliest": earliest,
        "latest": latest,
        "precision": precision,
        "approximate": False,
        "uncertain": False,
    }
    assert occurred["display"]
    shown = get(client, "/v1/events", collection=home, to=edtf.removeprefix("../"), match="certain")
    assert [each["id"] for each in shown["items"]] == [event["id"]]


@pytest.mark.parametrize(
    "edtf", ["Y200000000001", "Y-200000000001", "2025-02-30", "1985/1984", "25-2-19", "", "x" * 257]
)
def test_what_is_no_date_is_refused_where_it_stands(writer: httpx.Client, home: str, edtf: str) -> None:
    source = make(writer, "sources", slug=f"{home}-s")
    claim = {"source": source["slug"], "occurred": edtf, "published": edtf}
    form = {"title": "x", "collection": home, "occurred": edtf, "claims": [claim]}
    answer = writer.post("/v1/events", json=form)
    refused(
        answer,
        422,
        "refused" if 0 < len(edtf) <= 256 else "invalid-body",
        "/occurred",
        "/claims/0/occurred",
        "/claims/0/published",
    )


def test_an_event_may_have_no_date(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, title="once", occurred="1999")
    undated = revise(writer, "events", event, occurred=None)
    assert undated == {**event, "occurred": None, "revision": undated["revision"], "recorded": undated["recorded"]}
    assert get(client, "/v1/events", collection=home, undated="only")["items"] == [undated]
    assert get(client, "/v1/events", collection=home, undated="only", revision=event["revision"])["items"] == []


@pytest.mark.parametrize(
    "value",
    [
        0.1, 1e-9, 1.0, -0.0, 1 / 3, 2**53 + 1, 2**63 - 1, -(2**63), 9.2e18, "", "\t\n ", "Priština",
        True, "\U0001f600", [], {}, [[[]]], {"a": {"b": {"c": [None, False, 0]}}}, {"~/": 1, "a b": 2},
    ],
)  # fmt: skip
def test_attributes_come_back_as_they_were_sent(
    writer: httpx.Client, client: httpx.Client, home: str, value: Any
) -> None:
    actor = make(writer, "actors", slug=f"{home}-a")
    attributes = {"it": value}
    participation = {"actor": actor["slug"], "role": None, "attributes": attributes}
    event = make(writer, "events", collection=home, attributes=attributes, actors=[participation])
    text = client.get(f"/v1/events/{event['id']}").text
    read = json.loads(text)
    # Equal as JSON has it: true is not 1, and 1 is 1.0.
    assert read["attributes"] == read["actors"][0]["attributes"] == attributes
    assert isinstance(read["attributes"]["it"], bool) == isinstance(value, bool)
    # The same again says nothing new, whatever form it is written in.
    again = patch(writer, f"/v1/events/{event['id']}", {"attributes": attributes})
    assert again.headers.get("Revision-Unchanged") == "true"


# --- Sets and what identifies their members


def test_sets_come_back_in_one_order_however_they_are_sent(writer: httpx.Client, home: str) -> None:
    names = [make(writer, "actors", slug=f"{home}-{letter}")["slug"] for letter in "ab"]
    early = make(writer, "sources", slug=f"{home}-z", published="2020")["slug"]
    late = make(writer, "sources", slug=f"{home}-a", published="2021")["slug"]
    none = make(writer, "sources", slug=f"{home}-none")["slug"]
    targets = [make(writer, "events", collection=home, key=key)["id"] for key in ("k2", "k1")]
    keyless = make(writer, "events", collection=home)["id"]
    actors = [
        {"actor": names[0], "role": None},
        {"actor": names[0], "role": "speaker"},
        {"actor": names[1], "role": "host"},
    ]
    claims = [
        {"source": none},
        {"source": none, "published": "../2030"},
        {"source": early, "stance": "asserts"},
        {"source": early, "stance": "denies"},
        {"source": early, "stance": "denies", "speakers": [names[0]]},
        {"source": early, "stance": "denies", "speakers": [names[0]], "locator": ""},
        {"source": early, "stance": "denies", "speakers": [names[0]], "locator": "p. 1"},
        {"source": late, "published": "2020-06"},
        {"source": late},
    ]
    relations = [
        {"type": "causes", "event": keyless},
        {"type": "causes", "key": "k1"},
        {"type": "causes", "key": "k2"},
        {"type": "follows", "key": "k1"},
    ]
    tags = ["B", "a", "b"]
    shown = []
    for number, order in enumerate(permutations(range(3))):
        mixed = order if number % 2 else order[::-1]
        event = make(
            writer,
            "events",
            collection=home,
            actors=[actors[place] for place in mixed],
            claims=[claims[3 * place + inner] for place in mixed for inner in order],
            relations=[relations[place] for place in (*mixed, 3)],
            tags=[tags[place] for place in mixed] * 2,
        )
        shown.append(event)
        assert [(each["actor"], each["role"]) for each in event["actors"]] == [
            (each["actor"], each["role"]) for each in actors
        ]
        assert [
            {**CLAIM, **each, "id": "", "published": each.get("published") or _dates(home)[each["source"]]}
            for each in claims
        ] == [{**claim, "id": ""} for claim in event["claims"]]
        assert event["relations"] == [
            {"type": "causes", "key": None, "event": keyless},
            {"type": "causes", "key": "k1", "event": targets[1]},
            {"type": "causes", "key": "k2", "event": targets[0]},
            {"type": "follows", "key": "k1", "event": targets[1]},
        ]
        assert event["tags"] == tags


def _dates(home: str) -> dict[str, str | None]:
    return {f"{home}-z": "2020", f"{home}-a": "2021", f"{home}-none": None}


def test_a_claim_sent_again_is_the_same_claim(writer: httpx.Client, home: str) -> None:
    source = make(writer, "sources", slug=f"{home}-s", published="2020")["slug"]
    actor = make(writer, "actors", slug=f"{home}-a")["slug"]
    event = make(writer, "events", collection=home, claims=[{"source": source}])
    path = address("events", event)
    (claim,) = event["claims"]

    def ids_with(**members: Any) -> list[str]:
        answer = patch(writer, path, {"claims": [{"source": source, **members}]})
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["claims"]]

    # What is said of a claim beside its identity leaves it the same claim; so does its own id, whatever it says.
    for members in (
        {"id": claim["id"]},
        {"id": event["id"]},
        {"quote": "yes"},
        {"confidence": 50},
        {"occurred": "1999"},
        {"via": source},
        {"published": None},
    ):
        assert ids_with(**members) == [claim["id"]], members
    others = [
        ids_with(**members)[0]
        for members in (
            {"stance": "denies"},
            {"speakers": [actor]},
            {"locator": "p. 1"},
            {"locator": ""},
            {"published": "2020"},
            {"published": "2021"},
        )
    ]
    assert len({claim["id"], *others}) == 7
    # The id follows from the claim and its event, so it is found again, and is another in another event.
    assert ids_with() == [claim["id"]]
    twin = make(writer, "events", collection=home, claims=[{"source": source}])
    assert twin["claims"][0]["id"] != claim["id"]


def test_a_defaulted_date_of_publication_is_none_in_a_claims_identity(writer: httpx.Client, home: str) -> None:
    source = make(writer, "sources", slug=f"{home}-s", published="2020")
    claims = [{"source": source["slug"]}, {"source": source["slug"], "published": "2020"}]
    event = make(writer, "events", collection=home, claims=claims)
    assert [claim["published"] for claim in event["claims"]] == ["2020", "2020"]
    first, second = (claim["id"] for claim in event["claims"])
    revise(writer, "sources", source, published="2021")
    moved = get(writer, address("events", event))
    assert {claim["id"]: claim["published"] for claim in moved["claims"]} == {first: "2021", second: "2020"}


@pytest.mark.parametrize(
    "twice",
    [
        {"source": "S"},
        {"source": "S", "published": "2020", "locator": "p. 1", "stance": "denies", "speakers": ["A"]},
        {"source": "S", "published": None, "speakers": []},
    ],
)
def test_a_claim_given_twice_is_a_fault(writer: httpx.Client, home: str, twice: Document) -> None:
    source = make(writer, "sources", slug=f"{home}-s")["slug"]
    actor = make(writer, "actors", slug=f"{home}-a")["slug"]
    claim = {**twice, "source": source} | ({"speakers": [actor]} if twice.get("speakers") else {})
    other = {"source": source, "stance": "mentions"}
    form = {
        "title": "x",
        "collection": home,
        "claims": [claim, other, {**claim, "quote": "said otherwise", "confidence": 1}, other],
    }
    problem = refused(writer.post("/v1/events", json=form), 422, "refused", "/claims/2", "/claims/3")
    assert problem["errors"][0]["detail"] == "is the same claim as /claims/0"


def test_a_participation_or_relation_given_twice_is_a_fault(writer: httpx.Client, home: str) -> None:
    actor = make(writer, "actors", slug=f"{home}-a")["slug"]
    target = make(writer, "events", collection=home, key="target")
    form = {
        "title": "x",
        "collection": home,
        "actors": [{"actor": actor}, {"actor": actor, "role": "host"}, {"actor": actor, "attributes": {"a": 1}}],
        "relations": [
            {"type": "follows", "key": "target"},
            {"type": "causes", "key": "target"},
            {"type": "follows", "event": target["id"]},
            {"type": "causes", "key": "target", "event": target["id"]},
        ],
    }
    refused(writer.post("/v1/events", json=form), 422, "refused", "/actors/2", "/relations/2", "/relations/3")


# --- What is refused


def test_every_unknown_slug_is_named_where_it_stands(writer: httpx.Client, home: str) -> None:
    form = {
        "title": "x",
        "collection": f"{home}-nowhere",
        "actors": [{"actor": f"{home}-1"}, {"actor": f"{home}-2"}],
        "claims": [{"source": f"{home}-3", "via": f"{home}-4", "speakers": [f"{home}-5", f"{home}-6"]}],
        "relations": [{"type": "follows", "key": "nothing"}, {"type": "follows"}],
    }
    where = [
        "/actors/0/actor",
        "/actors/1/actor",
        "/claims/0/source",
        "/claims/0/via",
        "/claims/0/speakers/0",
        "/claims/0/speakers/1",
        "/relations/0/key",
    ]
    before = head_of(writer)
    refused(writer.post("/v1/events", json=form), 422, "refused", "/collection", "/relations/1", *where)
    event = make(writer, "events", collection=home)
    form["collection"] = home
    refused(patch(writer, address("events", event), form), 422, "refused", "/relations/1", *where)
    assert head_of(writer) == before + 1


def test_a_deleted_actor_or_source_is_unknown_to_a_new_event(writer: httpx.Client, home: str) -> None:
    actor = make(writer, "actors", slug=f"{home}-a")
    source = make(writer, "sources", slug=f"{home}-s")
    remove(writer, "actors", actor)
    remove(writer, "sources", source)
    form = {
        "title": "x",
        "collection": home,
        "actors": [{"actor": actor["slug"]}],
        "claims": [{"source": source["slug"]}],
    }
    refused(writer.post("/v1/events", json=form), 422, "refused", "/actors/0/actor", "/claims/0/source")


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({"id": "0199cdef-0000-7000-8000-000000000000"}, ["/id"]),
        ({"standing": {}, "revision": 1, "recorded": "2025-01-01T00:00:00.000Z", "created": None, "included": {}},
         ["/standing", "/revision", "/recorded", "/created", "/included"]),
        ({"occurred": {"edtf": "1999"}}, ["/occurred"]),
        ({"title": " x"}, ["/title"]),
        ({"title": ""}, ["/title"]),
        ({"title": None}, ["/title"]),
        ({"title": 5, "phase": "happend", "tags": ["a", "", 3]}, ["/title", "/phase", "/tags/1", "/tags/2"]),
        ({"key": "x" * 201}, ["/key"]),
        ({"key": " x"}, ["/key"]),
        ({"key": "a\nb"}, ["/key"]),
        ({"collection": "Main"}, ["/collection"]),
        ({"language": "english!"}, ["/language"]),
        ({"actors": [{}], "claims": [{"stance": "says"}]}, ["/actors/0/actor", "/claims/0/stance", "/claims/0/source"]),
        ({"claims": [{"source": "s", "confidence": 101}, {"source": "s", "confidence": 0.5}]},
         ["/claims/0/confidence", "/claims/1/confidence"]),
        ({"relations": [{"type": "likes", "key": "k"}]}, ["/relations/0/type"]),
        ({"places": [{"latitude": 90.1, "longitude": -180.1, "country": "xk"}]},
         ["/places/0/latitude", "/places/0/longitude", "/places/0/country"]),
        ({"media": [{"url": "ftp://example.org"}, {}]}, ["/media/0/url", "/media/1/url"]),
        ({"external_ids": {"wikidata": 5}}, ["/external_ids/wikidata"]),
        ({"tags": [str(number) for number in range(101)]}, ["/tags"]),
        ({"attributes": {str(number): number for number in range(101)}}, ["/attributes"]),
        ({"attributes": []}, ["/attributes"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_every_fault(
    writer: httpx.Client, home: str, members: Document, where: list[str]
) -> None:
    before = head_of(writer)
    answer = writer.post("/v1/events", json={"title": "x", "collection": home, **members})
    problem = refused(answer, 422, "invalid-body", *_found(answer, where))
    assert {fault["pointer"] for fault in problem["errors"]} >= set(where)
    assert head_of(writer) == before


def _found(answer: httpx.Response, where: list[str]) -> list[str]:
    """The faults in the order given, a fault within a member counting as the member's."""
    found = [fault["pointer"] for fault in answer.json()["errors"]]
    assert len(found) == len(where), answer.text
    return found


@pytest.mark.parametrize(
    ("place", "where"),
    [({"latitude": 1}, "/places/0"), ({"longitude": 1}, "/places/0"), ({}, "/places/0")],
)
def test_a_place_needs_both_coordinates_or_words(writer: httpx.Client, home: str, place: Document, where: str) -> None:
    answer = writer.post("/v1/events", json={"title": "x", "collection": home, "places": [place]})
    refused(answer, 422, "refused", where)


def test_identifiers_never_change(writer: httpx.Client, home: str) -> None:
    keyed = make(writer, "events", collection=home, key="k")
    keyless = make(writer, "events", collection=home)
    before = head_of(writer)
    refused(patch(writer, address("events", keyed), {"key": "other"}), 422, "refused", "/key")
    refused(patch(writer, address("events", keyed), {"key": None}), 422, "refused", "/key")
    refused(patch(writer, address("events", keyless), {"key": "k2"}), 422, "refused", "/key")
    refused(patch(writer, address("events", keyed), {"collection": "main"}), 422, "refused", "/collection")
    refused(patch(writer, address("events", keyed), {"id": keyless["id"]}), 422, "invalid-body", "/id")
    # Said again, they change nothing.
    same = patch(writer, address("events", keyed), {"key": "k", "collection": home})
    assert (same.status_code, same.headers["Revision-Unchanged"]) == (200, "true")
    assert head_of(writer) == before


# --- Keys


def test_a_key_is_unique_in_its_collection(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, key="Key with spaces")
    form = {"title": "x", "collection": home, "key": "Key with spaces"}
    taken = writer.post("/v1/events", json=form)
    refused(taken, 409, "already-exists")
    assert taken.headers["Location"] == f"{str(writer.base_url).rstrip('/')}/v1/events/{event['id']}"
    assert client.get(taken.headers["Location"]).json()["key"] == "Key with spaces"
    # Keys are compared as they are, and each collection has its own.
    make(writer, "events", collection=home, key="key with spaces")
    make(writer, "collections", slug=f"{home}-2")
    make(writer, "events", collection=f"{home}-2", key="Key with spaces")


def test_a_retracted_key_leads_to_its_history(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, key="k")
    revision = remove(writer, "events", event)
    taken = writer.post("/v1/events", json={"title": "x", "collection": home, "key": "k"})
    problem = refused(taken, 409, "already-exists")
    assert f"retracted at revision {revision}" in problem["detail"]
    history = f"/v1/events/{event['id']}/history"
    whole = str(writer.base_url).rstrip("/") + history
    assert taken.headers["Location"] == whole
    assert taken.headers["Link"] == f'<{whole}>; rel="version-history"'
    assert [item["event"] and item["event"]["key"] for item in get(client, history)["items"]] == ["k", None]


# --- Relations across collections


def test_relations_point_into_the_same_collection_or_a_public_one(writer: httpx.Client, home: str) -> None:
    for visibility in ("public", "unlisted", "private"):
        make(writer, "collections", slug=f"{home}-{visibility}", visibility=visibility)
    targets = {
        visibility: make(writer, "events", collection=f"{home}-{visibility}", key="k")
        for visibility in ("public", "unlisted", "private")
    }

    def related(collection: str, **target: str) -> httpx.Response:
        form = {"title": "x", "collection": collection, "relations": [{"type": "refers_to", **target}]}
        return writer.post("/v1/events", json=form)

    made = related(home, event=targets["public"]["id"])
    assert made.json()["relations"] == [{"type": "refers_to", "key": "k", "event": targets["public"]["id"]}]
    # A key is looked for in the event's own collection alone.
    refused(related(home, key="k"), 422, "refused", "/relations/0/key")
    refused(related(home, key="other", event=targets["public"]["id"]), 422, "refused", "/relations/0/event")
    for visibility in ("unlisted", "private"):
        refused(related(home, event=targets[visibility]["id"]), 422, "refused", "/relations/0/event")
        within = related(f"{home}-{visibility}", event=targets[visibility]["id"])
        assert within.json()["relations"] == [{"type": "refers_to", "key": "k", "event": targets[visibility]["id"]}]


def test_what_an_event_pointed_at_may_go_out_of_sight(writer: httpx.Client, home: str) -> None:
    """The relation stays as it was written, and the event can be revised, by hand and by its sources."""
    other = make(writer, "collections", slug=f"{home}-2")
    target = make(writer, "events", collection=other["slug"], key="k")
    source = make(writer, "sources", slug=f"{home}-s", published="2020")
    relations = [{"type": "refers_to", "key": "k", "event": target["id"]}]
    claims = [{"source": source["slug"]}]
    event = make(writer, "events", collection=home, relations=relations, claims=claims)
    revise(writer, "collections", other, visibility="private")
    revise(writer, "sources", source, published="2021")
    revised = revise(writer, "events", event, title="Revised")
    assert revised["relations"] == relations
    assert [claim["published"] for claim in revised["claims"]] == ["2021"]
    # To another event there it cannot be turned any more.
    second = make(writer, "events", collection=other["slug"])
    answer = patch(writer, address("events", event), {"relations": [{"type": "refers_to", "event": second["id"]}]})
    refused(answer, 422, "refused", "/relations/0/event")


# --- A life


def test_patches_apply_to_the_input_form(writer: httpx.Client, home: str) -> None:
    source = make(writer, "sources", slug=f"{home}-s", published="2020")["slug"]
    claims = [{"source": source, "occurred": "1999"}, {"source": source, "stance": "mentions", "published": "2019"}]
    event = make(
        writer,
        "events",
        collection=home,
        occurred="1999/2001",
        summary="s",
        claims=claims,
        attributes={"a": {"b": 1, "c": 2}, "d": 4},
    )
    path = address("events", event)
    # In the input form a date is its text, the defaulted date of publication is null, and computed members are not.
    tested = [
        {"op": "test", "path": "/occurred", "value": "1999/2001"},
        {"op": "test", "path": "/claims/0/published", "value": "2019"},
        {"op": "test", "path": "/claims/1/published", "value": None},
        {"op": "test", "path": "/claims/1/occurred", "value": "1999"},
    ]
    answer = patch(writer, path, tested, kind=JSON_PATCH)
    assert (answer.status_code, answer.headers["Revision-Unchanged"]) == (200, "true")
    for name in ("standing", "revision", "recorded", "created", "id"):
        test = patch(writer, path, [{"op": "test", "path": f"/{name}", "value": event[name]}], kind=JSON_PATCH)
        refused(test, 422, "refused", "/0")
        added = patch(writer, path, [{"op": "add", "path": f"/{name}", "value": event[name]}], kind=JSON_PATCH)
        refused(added, 422, "refused", f"/{name}")

    # RFC 7396: objects merge, null takes away, lists are replaced; a claim's own id comes along and is ignored.
    merged = revise(
        writer,
        "events",
        event,
        attributes={"a": {"b": None, "e": 5}, "d": None},
        summary=None,
        claims=[{**event["claims"][1], "occurred": "1999", "published": None, "quote": "q"}],
    )
    assert merged == {
        **event,
        "attributes": {"a": {"c": 2, "e": 5}},
        "summary": None,
        "claims": [{**event["claims"][1], "quote": "q"}],
        "standing": {**event["standing"], "sources": 1},
        "revision": merged["revision"],
        "recorded": merged["recorded"],
    }
    # RFC 6902: all operations or none.
    operations = [
        {"op": "replace", "path": "/attributes/a/c", "value": 3},
        {"op": "move", "from": "/attributes/a", "path": "/attributes/z"},
        {"op": "copy", "from": "/title", "path": "/summary"},
        {"op": "add", "path": "/tags/-", "value": "t"},
        {"op": "remove", "path": "/claims/0/quote"},
    ]
    answer = patch(writer, path, operations, kind=JSON_PATCH)
    patched = without(answer.json(), "included")
    assert patched == {
        **merged,
        "attributes": {"z": {"c": 3, "e": 5}},
        "summary": event["title"],
        "tags": ["t"],
        "claims": event["claims"][1:],
        "revision": patched["revision"],
        "recorded": patched["recorded"],
    }
    broken = [{"op": "remove", "path": "/tags/0"}, {"op": "remove", "path": "/tags/0"}]
    refused(patch(writer, path, broken, kind=JSON_PATCH), 422, "refused", "/1")
    assert without(get(writer, path), "included") == patched


@pytest.mark.parametrize(
    ("operations", "where"),
    [
        ([{"op": "add", "path": "", "value": 3}], ""),
        ([{"op": "remove", "path": ""}], "/0"),
        ([{"op": "add", "path": "/nothing/below", "value": 1}], "/0"),
        ([{"op": "add", "path": "/tags/1", "value": "x"}], "/0"),
        ([{"op": "test", "path": "/title", "value": "x"}, {"op": "test", "path": "/title", "value": "y"}], "/1"),
        ([{"op": "test", "path": "/attributes/flag", "value": 1}], "/0"),
        ([{"op": "copy", "path": "/summary", "from": "/title/0"}], "/0"),
    ],
)
def test_a_json_patch_that_does_not_apply(
    writer: httpx.Client, home: str, operations: list[Document], where: str
) -> None:
    event = make(writer, "events", collection=home, title="x", attributes={"flag": True})
    refused(patch(writer, address("events", event), operations, kind=JSON_PATCH), 422, "refused", where)


@pytest.mark.parametrize("case", [*cases_of("tests.json"), *cases_of("spec_tests.json")])
def test_the_common_cases_of_json_patch(writer: httpx.Client, home: str, case: Document) -> None:
    """Each applied to a document within an event's attributes."""

    def within(operation: Document) -> Document:
        pointers = {name: operation[name] for name in ("path", "from") if isinstance(operation.get(name), str)}
        if any(pointer and not pointer.startswith("/") for pointer in pointers.values()):
            pytest.skip("a pointer that is none cannot be put within another")
        return operation | {name: f"/attributes/doc{pointer}" for name, pointer in pointers.items()}

    operations = [within(operation) for operation in case["patch"]]
    event = make(writer, "events", collection=home, attributes={"doc": case["doc"]})
    answer = patch(writer, address("events", event), operations, kind=JSON_PATCH)
    if "error" in case:
        assert answer.status_code == 422, case["error"]
        assert get(writer, address("events", event), include="none") == event
    else:
        assert answer.status_code == 200, answer.text
        expected = case.get("expected", case["doc"])
        assert answer.json()["attributes"] == {"doc": expected}


@pytest.mark.parametrize(
    ("operation", "where"),
    [
        ({"op": "add", "path": "/summary"}, "/0/value"),
        ({"op": "move", "path": "/summary"}, "/0/from"),
        ({"op": "add", "path": "summary", "value": 1}, "/0/path"),
        ({"op": "add", "path": "/attributes/~2", "value": 1}, "/0/path"),
        ({"op": "put", "path": "/summary", "value": 1}, "/0/op"),
        ({"path": "/summary", "value": 1}, "/0/op"),
    ],
)
def test_what_is_no_json_patch(writer: httpx.Client, home: str, operation: Document, where: str) -> None:
    event = make(writer, "events", collection=home)
    refused(patch(writer, address("events", event), [operation], kind=JSON_PATCH), 422, "invalid-body", where)
    refused(patch(writer, address("events", event), operation, kind=JSON_PATCH), 422, "invalid-body", "")


def test_a_patch_cannot_grow_a_document_beyond_bounds(writer: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, attributes={"a": {"text": "x" * 1000}})
    path = address("events", event)
    doubling = [{"op": "copy", "from": "/attributes", "path": f"/attributes/a/{number}"} for number in range(60)]
    refused(patch(writer, path, doubling, kind=JSON_PATCH), 422, "refused", "/10")
    nested: Document = {}
    for _ in range(18):
        nested = {"a": nested}
    deeper = [{"op": "add", "path": "/attributes/a" + "/a" * 18 * place, "value": nested} for place in range(30)]
    refused(patch(writer, path, deeper, kind=JSON_PATCH), 422, "refused", "")
    long = {"attributes": {str(number): "x" * 19_000 for number in range(50)}}
    assert patch(writer, path, long).status_code == 200
    again = {"attributes": {str(number): "x" * 19_000 for number in range(50, 99)}}
    refused(patch(writer, path, again), 422, "refused", "")


def test_retracted_is_gone_and_still_readable_before(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    event = make(writer, "events", collection=home, occurred="1999")
    other = make(writer, "events", collection=home)
    path = address("events", event)
    revision = remove(writer, "events", event)
    assert revision == other["revision"] + 1
    gone = client.get(path)
    problem = refused(gone, 410, "gone")
    assert f"revision {revision}" in problem["detail"]
    assert gone.headers["Link"] == f'<{str(writer.base_url).rstrip("/")}{path}/history>; rel="version-history"'
    assert without(get(client, path, revision=revision - 1), "included") == event
    refused(client.get(path, params={"revision": revision}), 410, "gone")
    refused(client.get(path, params={"revision": event["revision"] - 1}), 404, "not-found")
    refused(patch(writer, path, {"title": "y"}), 410, "gone")
    refused(writer.delete(path, headers={"If-Match": "*"}), 410, "gone")
    assert [each["id"] for each in get(client, "/v1/events", collection=home)["items"]] == [other["id"]]
    assert get(client, "/v1/events", id=event["id"])["items"] == []


def test_the_history_holds_every_revision_with_its_patch(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    source = make(writer, "sources", slug=f"{home}-s", published="2020")
    noted = {"Revision-Message": "Priština first", "Revision-Cause": "new_fact"}
    form = {"title": "One", "collection": home, "claims": [{"source": source["slug"]}]}
    created = writer.post("/v1/events", json=form, headers={name: text.encode() for name, text in noted.items()}).json()
    path = address("events", created)
    renamed = patch(writer, path, {"title": "Two"}, **{"Revision-Cause": "editor_fix"}).json()
    moved = revise(writer, "sources", source, published="2021")
    carried = get(client, path)
    revision = remove(writer, "events", created)
    log = {row["revision"]: row for row in get(client, "/v1/revisions", limit=10)["items"]}

    def item(event: Document | None, number: int, **rest: Any) -> Document:
        shown = None if event is None else without(event, "included")
        told = {name: log[number][name] for name in ("recorded", "author", "cause", "message")}
        return {"revision": number, **told, "event": shown, **rest}

    history = get(client, f"{path}/history")
    id = created["claims"][0]["id"]
    assert history == {
        "items": [
            item(created, created["revision"], patch=None),
            item(
                renamed,
                renamed["revision"],
                patch=[
                    {"op": "replace", "path": "/title", "value": "Two"},
                    {"op": "replace", "path": "/revision", "value": renamed["revision"]},
                    {"op": "replace", "path": "/recorded", "value": renamed["recorded"]},
                ],
            ),
            item(
                carried,
                moved["revision"],
                patch=[
                    {"op": "replace", "path": "/claims/0/published", "value": "2021"},
                    {"op": "replace", "path": "/standing/first_published", "value": "2021"},
                    {"op": "replace", "path": "/revision", "value": moved["revision"]},
                    {"op": "replace", "path": "/recorded", "value": moved["recorded"]},
                ],
            ),
            item(None, revision, patch=None),
        ],
        "next": None,
        "revision": revision,
    }
    assert history["items"][0]["message"] == "Priština first"
    assert [each["cause"] for each in history["items"]] == ["new_fact", "editor_fix", None, None]
    assert {each["author"] for each in history["items"]} == {"tests"}
    assert carried["claims"][0]["id"] == id
    # Page by page it is the same, the patches too.
    items: list[Document] = []
    page = get(client, f"{path}/history", limit=1)
    while True:
        items += page["items"]
        if page["next"] is None:
            break
        page = client.get(page["next"]).json()
    assert items == history["items"]


def test_a_revised_source_revises_the_events_that_rest_on_it(
    writer: httpx.Client, client: httpx.Client, home: str
) -> None:
    publisher = make(writer, "actors", slug=f"{home}-p")["slug"]
    root = make(writer, "sources", slug=f"{home}-root", published="2020")
    other = make(writer, "sources", slug=f"{home}-other", published="2019")
    retold = make(writer, "sources", slug=f"{home}-retold", derived_from=[root["slug"]])
    events = {
        "on root": [{"source": root["slug"]}],
        "on retold": [{"source": retold["slug"]}, {"source": other["slug"]}],
        "dated itself": [{"source": root["slug"], "published": "2018"}],
        "via retold": [{"source": other["slug"], "via": retold["slug"]}],
        "on other": [{"source": other["slug"]}],
    }
    for title, claims in events.items():
        make(writer, "events", collection=home, title=title, claims=claims)
    gone = make(writer, "events", collection=home, title="gone", claims=[{"source": root["slug"]}])
    remove(writer, "events", gone)

    def revised_by(source: Document, **changes: Any) -> tuple[set[str], dict[str, Document]]:
        before = head_of(client)
        head = revise(writer, "sources", source, **changes)["revision"]
        assert head == before + 1
        found = {each["title"]: each for each in get(client, "/v1/events", collection=home)["items"]}
        return {title for title, each in found.items() if each["revision"] == head}, found

    # Its date: where no claim has its own.
    revised, found = revised_by(root, published="2021")
    assert revised == {"on root"}
    assert found["on root"]["claims"][0]["published"] == found["on root"]["standing"]["first_published"] == "2021"
    # Its title and the like: nowhere.
    assert revised_by(root, title="Renamed", url="https://example.org", language="de")[0] == set()
    # What it rests on: wherever standing follows from it, however far down.
    assert found["on retold"]["standing"]["origins"] == 2
    revised, found = revised_by(root, derived_from=[other["slug"]])
    assert revised == {"on root", "on retold", "dated itself", "via retold"}
    assert found["on retold"]["standing"] == {
        "state": "reported",
        "asserting": 2,
        "denying": 0,
        "sources": 2,
        "origins": 1,
        "first_published": "2019",
        "first_denied": None,
    }
    # Its publisher: who speaks through it has become one voice.
    make(writer, "events", collection=home, title="two", claims=[{"source": root["slug"]}, {"source": other["slug"]}])
    revised_by(other, publisher=publisher)
    revised, found = revised_by(root, publisher=publisher)
    assert revised == {"on root", "dated itself", "two"}
    assert found["two"]["standing"]["asserting"] == 1
    assert get(client, "/v1/events", collection=home)["included"]["actors"][publisher]["slug"] == publisher
    assert get(client, f"/v1/events/{gone['id']}/history")["items"][-1]["event"] is None


def test_what_the_caller_may_not_see_is_not_found(writer: httpx.Client, client: httpx.Client, home: str) -> None:
    make(writer, "collections", slug=f"{home}-p", visibility="private")
    hidden = make(writer, "events", collection=f"{home}-p", key="k")
    for path in (address("events", hidden), f"{address('events', hidden)}/history"):
        answer = client.get(path)
        refused(answer, 404, "not-found")
        nowhere = client.get(path.replace(hidden["id"], "0199cdef-0000-7000-8000-000000000000"))
        assert answer.json()["detail"].replace(hidden["id"], "") == nowhere.json()["detail"].replace(
            "0199cdef-0000-7000-8000-000000000000", ""
        )
        assert writer.get(path).status_code == 200
    refused(client.get("/v1/events/not-an-id"), 404, "not-found", "id")
