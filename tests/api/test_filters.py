"""What can be asked of an event's claims, participations, places, relations and recording, and which members come."""

import secrets
from typing import Any

import httpx
import pytest

from tests.api.calls import (
    Document,
    address,
    get,
    head_of,
    listed,
    make,
    pages,
    refused,
    remove,
    revise,
)
from tests.conftest import Live

SLUGS = ("actor", "source", "publisher", "speaker", "according_to", "according_to_source")
"""Parameters whose values are named without the scene's own slug."""


@pytest.fixture(scope="module")
def scene(live: Live) -> str:
    """The slug of a collection of seven events, A to G, recorded in this order."""
    home = f"t{secrets.token_hex(6)}"
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}) as writer:
        _make_scene(writer, home)
    return home


def _make_scene(writer: httpx.Client, home: str) -> None:
    make(writer, "collections", slug=home)
    for name in ("a", "b", "c", "p", "q"):
        make(writer, "actors", slug=f"{home}-{name}")
    for name, publisher, published in (("p1", "p", "2020"), ("p2", "p", "2021-06"), ("q1", "q", "2022")):
        make(writer, "sources", slug=f"{home}-{name}", publisher=f"{home}-{publisher}", published=published)
    make(writer, "sources", slug=f"{home}-bare")

    def event(title: str, parts: str, claims: list[Document], **rest: Any) -> None:
        actors = [dict(zip(("actor", "role"), part.split(":"), strict=True)) for part in parts.split()]
        make(
            writer,
            "events",
            collection=home,
            title=title,
            actors=[{**part, "actor": f"{home}-{part['actor']}"} for part in actors],
            claims=[
                {
                    **claim,
                    "source": f"{home}-{claim['source']}",
                    "speakers": [f"{home}-{name}" for name in claim.get("speakers", [])],
                }
                for claim in claims
            ],
            **rest,
        )

    kosovo = {"name": "Kosovo", "country": "XK", "latitude": 42.6, "longitude": 20.9}
    denial = {"source": "q1", "stance": "denies", "speakers": ["c"]}
    event("A", "a:host b:guest", [{"source": "p1"}, denial], occurred="2001", language="en", places=[kosovo])
    event("B", "a:guest b:host", [{"source": "p2"}], occurred="2002", language="en-GB",
          places=[{"name": "Belgrade", "country": "RS"}])  # fmt: skip
    event("C", "a:host a:guest", [{"source": "p1"}, {"source": "q1"}], occurred="2003", language="sr-Latn",
          places=[{"name": "the line of dates", "latitude": 0, "longitude": 180}])  # fmt: skip
    own_date = {"source": "bare", "stance": "denies", "published": "1999"}
    event("D", "b:host", [{"source": "p1", "stance": "mentions"}, own_date], occurred="2004", language="sr",
          places=[{"name": "the north pole", "latitude": 90, "longitude": 0}])  # fmt: skip
    event("E", "", [], occurred="2005", language="de",
          places=[{"name": "the south pole", "latitude": -90, "longitude": -180}])  # fmt: skip
    event("F", "c:host", [{"source": "q1", "stance": "retracts"}, {"source": "p2", "stance": "expects"}],
          places=[{"name": "Kosovo", "country": "XK"}, {"name": "far", "latitude": 10, "longitude": 10}])  # fmt: skip
    event("G", "", [{"source": "bare"}], occurred="2006")


def own(home: str, selection: Document) -> Document:
    """The selection with the scene's own slugs."""
    return {
        name: [f"{home}-{each}" for each in ([value] if isinstance(value, str) else value)] if name in SLUGS else value
        for name, value in selection.items()
    }


CLAIMS = [
    ({"source": "p1"}, "ACD"), ({"source": ["p2", "bare"]}, "BDGF"), ({"source": "none"}, ""),
    ({"publisher": "p"}, "ABCDF"), ({"publisher": "q"}, "ACF"), ({"publisher": ["p", "q"]}, "ABCDF"),
    ({"publisher": "a"}, ""), ({"speaker": "c"}, "A"), ({"speaker": ["a", "c"]}, "A"), ({"speaker": "p"}, ""),
    ({"stance": "denies"}, "AD"), ({"stance": ["retracts", "expects"]}, "F"), ({"stance": "disputes"}, ""),
    # All must hold of one claim.
    ({"stance": "denies", "source": "p1"}, ""), ({"stance": "denies", "source": ["p1", "q1"]}, "A"),
    ({"stance": "denies", "publisher": "q"}, "A"), ({"stance": "asserts", "publisher": "q"}, "C"),
    ({"stance": "asserts", "speaker": "c"}, ""), ({"speaker": "c", "publisher": "p"}, ""),
    ({"speaker": "c", "publisher": "q", "stance": "denies", "source": "q1"}, "A"),
    ({"source": "p2", "publisher": "q"}, ""), ({"source": "p2", "publisher": "p", "stance": "expects"}, "F"),
    # Dates of publication overlap with their whole spans; the claim's own is before its source's.
    ({"published_from": "2022"}, "ACF"), ({"published_from": "2021", "published_to": "2021"}, "BF"),
    ({"published_from": "2021-06-15"}, "ABCF"), ({"published_from": "2021-07"}, "ACF"),
    ({"published_to": "2021-05"}, "ACD"), ({"published_to": "1999"}, "D"), ({"published_to": "1998"}, ""),
    ({"published_from": "2000", "published_to": "2019"}, ""), ({"published_from": "2023"}, ""),
    ({"published_from": "2020-12-31T23:59:59Z", "published_to": "2021-06-01T00:00:00Z"}, "ABCDF"),
    ({"published_from": "2021-01-01T00:00:00Z", "published_to": "2021-05-31T23:59:59Z"}, ""),
    # One without a date never matches, however wide the window.
    ({"published_from": "-9999", "published_to": "9999"}, "ABCDF"),
    ({"published_from": "2022", "stance": "asserts"}, "C"), ({"published_to": "2020", "publisher": "q"}, ""),
    ({"published_to": "2020", "stance": "denies"}, "D"), ({"published_from": "2022", "source": "p1"}, ""),
]  # fmt: skip
PARTS = [
    ({"role": "host"}, "ABCDF"), ({"role": "guest"}, "ABC"), ({"role": ["guest", "host"]}, "ABCDF"),
    ({"role": "Host"}, ""), ({"role": "host", "actor": "a"}, "AC"), ({"role": "host", "actor": "b"}, "BD"),
    ({"role": "host", "actor": ["a", "b"]}, "ABCD"), ({"role": "guest", "actor": "c"}, ""),
    ({"role": ["host", "guest"], "actor": "a"}, "ABC"),
    # For each actor one participation.
    ({"role": "host", "actor": ["a", "b"], "actor_match": "all"}, ""),
    ({"role": ["host", "guest"], "actor": ["a", "b"], "actor_match": "all"}, "AB"),
    ({"role": "guest", "actor": ["a"], "actor_match": "all"}, "BC"), ({"role": "host", "actor_match": "all"}, "ABCDF"),
]  # fmt: skip
STANDINGS = [
    ({"standing": "contested"}, "A"), ({"standing": "reported"}, "BG"), ({"standing": "corroborated"}, "C"),
    ({"standing": "denied"}, "D"), ({"standing": "unsourced"}, "E"), ({"standing": "retracted"}, "F"),
    ({"standing": "mentioned"}, ""), ({"standing": ["contested", "denied"]}, "AD"),
    ({"min_origins": 0}, "ABCDEGF"), ({"min_origins": 1}, "ABCG"), ({"min_origins": 2}, "C"), ({"min_origins": 3}, ""),
    ({"min_origins": 10_000}, ""), ({"min_origins": 1, "standing": "contested"}, "A"),
]  # fmt: skip
PLACES = [
    ({"language": "en"}, "AB"), ({"language": "EN"}, "AB"), ({"language": "en-GB"}, "B"), ({"language": "en-gb"}, "B"),
    ({"language": "en-US"}, ""), ({"language": "sr"}, "CD"), ({"language": "sr-Latn"}, "C"),
    ({"language": ["de", "en"]}, "ABE"),
    ({"country": "XK"}, "AF"), ({"country": "RS"}, "B"), ({"country": ["RS", "XK"]}, "ABF"), ({"country": "DE"}, ""),
    ({"bbox": "20,42,21,43"}, "A"), ({"bbox": "20,42,21,42.5"}, ""), ({"bbox": "10,10,10,10"}, "F"),
    # Edges belong to the box.
    ({"bbox": "20.9,42.6,20.9,42.6"}, "A"), ({"bbox": "20.9,42,21,43"}, "A"), ({"bbox": "20,42.6,21,43"}, "A"),
    ({"bbox": "20.90001,42,21,43"}, ""), ({"bbox": "20,42.60001,21,43"}, ""), ({"bbox": "20,42,20.89999,42.6"}, ""),
    # The world, its poles, and the line of dates.
    ({"bbox": "-180,-90,180,90"}, "ACDEF"), ({"bbox": "-180,90,180,90"}, "D"), ({"bbox": "-180,-90,180,-90"}, "E"),
    ({"bbox": "-0.5,89.5,0,90"}, "D"), ({"bbox": "170,-1,180,1"}, "C"), ({"bbox": "-180,-1,-170,1"}, "C"),
    ({"bbox": "170,-90,180,0"}, "CE"), ({"bbox": "179,-1,-179,1"}, "C"),
    ({"bbox": "179.5,-90,-179.5,90"}, "CE"), ({"bbox": "180,-90,-180,90"}, "CE"), ({"bbox": "21,-90,10,90"}, "CDEF"),
    ({"bbox": "11,-90,9,90"}, "ACDE"), ({"bbox": "20,42,21,43", "country": "XK"}, "A"),
    # Country and coordinates may be of two places.
    ({"bbox": "9,9,11,11", "country": "XK"}, "F"),
]  # fmt: skip
TOGETHER = [
    ({"role": "host", "stance": "denies"}, "AD"), ({"role": "host", "stance": "denies", "country": "XK"}, "A"),
    ({"standing": ["contested", "corroborated"], "language": "sr"}, "C"),
    ({"publisher": "p", "from": "2002", "to": "2003"}, "BC"), ({"publisher": "p", "undated": "only"}, "F"),
    ({"published_from": "2022", "undated": "exclude"}, "AC"),
    ({"bbox": "-180,-90,180,90", "min_origins": 1, "actor": "a", "role": "guest"}, "C"),
    ({"language": ["en", "sr"], "publisher": "q", "stance": "denies", "speaker": "c", "published_from": "2022",
      "published_to": "2022", "standing": "contested", "min_origins": 1, "country": "XK", "bbox": "20,42,21,43",
      "actor": ["a", "b"], "actor_match": "all", "role": ["host", "guest"], "from": "2001", "to": "2001",
      "match": "certain", "phase": "happened"}, "A"),
]  # fmt: skip
CASES = [*CLAIMS, *PARTS, *STANDINGS, *PLACES, *TOGETHER]


def shown_as(expected: str, order: str) -> str:
    """The titles in an order: F is undated and last in both."""
    dated, undated = expected.replace("F", ""), "F" if "F" in expected else ""
    return (dated if order == "asc" else dated[::-1]) + undated


@pytest.mark.parametrize(("filters", "expected"), CASES)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_filter_chooses_whole_events(
    scene: str, client: httpx.Client, filters: Document, expected: str, order: str
) -> None:
    query = {"collection": scene, "order": order, **own(scene, filters)}
    right = shown_as(expected, order)
    assert "".join(listed(client, **query)) == right
    # At the revision that is the head, and page by page, it is the same.
    assert "".join(listed(client, **query, revision=head_of(client))) == right
    read = pages(client, "/v1/events", **query, limit=1)
    assert "".join(event["title"] for page in read for event in page["items"]) == right


@pytest.mark.parametrize(("filters", "expected"), CASES)
def test_a_timeline_stores_a_filter(
    scene: str, writer: httpx.Client, client: httpx.Client, unique: str, filters: Document, expected: str
) -> None:
    selection = own(scene, filters)
    timeline = make(writer, "timelines", slug=unique, selection={"collection": scene, **selection})
    assert timeline["selection"] == {"collection": scene, **selection}
    assert "".join(listed(client, timeline=unique)) == shown_as(expected, "asc")
    # The request's own parameters narrow it.
    assert "".join(listed(client, timeline=unique, to="2002")) == "".join(each for each in "AB" if each in expected)


@pytest.mark.parametrize(
    ("known_at", "filters", "expected"),
    [
        ("2020", {}, "ACDE"),
        ("2020", {"stance": "denies"}, "D"),
        ("2020", {"publisher": "q"}, ""),
        ("2020", {"speaker": "c"}, ""),
        ("2020", {"published_from": "2021"}, ""),
        ("2020", {"published_to": "2020"}, "ACD"),
        ("2020", {"standing": "reported"}, "AC"),
        ("2020", {"standing": ["contested", "corroborated"]}, ""),
        ("2020", {"min_origins": 1}, "AC"),
        ("2020", {"min_origins": 2}, ""),
        ("2020", {"role": "host", "actor": "b"}, "D"),
        ("2020", {"country": "XK"}, "A"),
        ("2020", {"bbox": "-180,-90,180,90"}, "ACDE"),
        ("2021", {"standing": "mentioned"}, "F"),
        ("2021", {"standing": "retracted"}, ""),
        ("2022", {"standing": "retracted"}, "F"),
        ("1999", {"standing": "denied"}, "D"),
        ("1999", {"source": "p1"}, ""),
    ],
)
def test_filters_choose_among_what_was_known(
    scene: str, client: httpx.Client, known_at: str, filters: Document, expected: str
) -> None:
    query = {"collection": scene, "known_at": known_at, **own(scene, filters)}
    assert "".join(listed(client, **query)) == expected
    read = pages(client, "/v1/events", **query, limit=1)
    assert "".join(event["title"] for page in read for event in page["items"]) == expected


def test_filters_choose_among_what_was_recorded(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    """A revised event is chosen, at each revision, by what it was then."""
    make(writer, "collections", slug=unique)
    for name in ("a", "b"):
        make(writer, "actors", slug=f"{unique}-{name}")
        make(writer, "sources", slug=f"{unique}-{name}", publisher=f"{unique}-{name}", published="2020")
    event = make(
        writer,
        "events",
        collection=unique,
        title="event",
        language="en",
        actors=[{"actor": f"{unique}-a", "role": "host"}],
        claims=[{"source": f"{unique}-a"}],
        places=[{"name": "there", "country": "XK", "latitude": 1, "longitude": 1}],
    )
    then = {
        "role": "host", "source": f"{unique}-a", "publisher": f"{unique}-a", "stance": "asserts",
        "standing": "reported", "language": "en", "country": "XK", "bbox": "0,0,2,2", "published_to": "2020",
    }  # fmt: skip
    now = {
        "role": "guest", "source": f"{unique}-b", "publisher": f"{unique}-b", "stance": "denies",
        "standing": "denied", "language": "de", "country": "RS", "bbox": "2,2,3,3", "published_from": "2021",
    }  # fmt: skip
    revise(
        writer,
        "events",
        event,
        language="de",
        actors=[{"actor": f"{unique}-a", "role": "guest"}],
        claims=[{"source": f"{unique}-b", "stance": "denies", "published": "2021"}],
        places=[{"name": "here", "country": "RS", "latitude": 3, "longitude": 3}],
    )
    head = head_of(client)
    for filters, right, wrong in ((then, event["revision"], head), (now, head, event["revision"])):
        for name, value in filters.items():
            assert listed(client, collection=unique, **{name: value}, revision=right) == ["event"], name
            assert listed(client, collection=unique, **{name: value}, revision=wrong) == [], name
        assert listed(client, collection=unique, **filters, revision=right) == ["event"]
        assert listed(client, collection=unique, **filters) == (["event"] if filters is now else [])


def test_a_claims_open_date_of_publication_reaches_as_far_as_it_may(
    writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    make(writer, "collections", slug=unique)
    for title, published in (("before", "../2000"), ("after", "2010/.."), ("either", "{1995,2015}")):
        make(writer, "sources", slug=f"{unique}-{title}", published=published)
        make(writer, "events", collection=unique, title=title, claims=[{"source": f"{unique}-{title}"}])
    assert listed(client, collection=unique, published_to="1990") == ["before"]
    assert listed(client, collection=unique, published_from="2020") == ["after"]
    # Between the dates of a set lies what its bounds span.
    assert listed(client, collection=unique, published_from="2005", published_to="2006") == ["either"]
    assert listed(client, collection=unique, published_from="-9999") == ["before", "after", "either"]


# --- When it was recorded


def test_recorded_is_the_time_of_the_version_read(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    make(writer, "collections", slug=unique)
    first, second, third = (make(writer, "events", collection=unique, title=title) for title in "123")
    times = [event["recorded"] for event in (first, second, third)]

    def shown(**query: Any) -> str:
        return "".join(listed(client, collection=unique, **query))

    # Both ends are inclusive, in any zone.
    assert shown(recorded_from=times[1]) == "23"
    assert shown(recorded_to=times[1]) == "12"
    assert shown(recorded_from=times[1], recorded_to=times[1]) == "2"
    assert shown(recorded_from=times[1].replace("Z", "+00:00"), recorded_to=times[1].replace("Z", "999Z")) == "2"
    assert shown(recorded_from=times[1].replace("Z", "001Z")) == "3"
    assert shown(recorded_to="1970-01-01T00:00:00Z") == ""
    assert shown(recorded_from="9999-01-01T00:00:00Z") == ""
    assert shown(recorded_from="1970-01-01T00:00:00Z", recorded_to="9999-01-01T00:00:00Z") == "123"
    revised = revise(writer, "events", first, summary="new")
    remove(writer, "events", second)
    # It is revised, and so recorded anew; what it was then is read at that revision.
    assert shown(recorded_to=times[2]) == "3"
    assert shown(recorded_from=revised["recorded"]) == "1"
    assert shown(recorded_to=times[0], revision=third["revision"]) == "1"
    assert shown(recorded_to=times[2], revision=third["revision"]) == "123"
    assert shown(recorded_from=revised["recorded"], revision=third["revision"]) == ""
    query = {"collection": unique, "recorded_from": times[2]}
    assert [len(page["items"]) for page in pages(client, "/v1/events", **query, limit=1)] == [1, 1]
    make(writer, "timelines", slug=unique, selection={"collection": unique, "recorded_from": revised["recorded"]})
    assert listed(client, timeline=unique) == ["1"]
    assert listed(client, timeline=unique, recorded_to=times[2]) == []


# --- Relations


@pytest.fixture(scope="module")
def web(live: Live) -> dict[str, Document]:
    """X follows and Y causes the hub, which depends on Z and refers to X; N has nothing to do with any."""
    home = f"t{secrets.token_hex(6)}"
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}) as writer:
        make(writer, "collections", slug=home)
        source = make(writer, "sources", slug=home, published="2020")["slug"]

        def event(title: str, year: int, *relations: tuple[str, str], **rest: Any) -> Document:
            pointing = [{"type": kind, "event": found[name]["id"]} for kind, name in relations]
            found[title] = make(
                writer, "events", collection=home, title=title, occurred=str(year), relations=pointing, **rest
            )
            return found[title]

        found: dict[str, Document] = {}
        event("Z", 2004)
        event("hub", 2001, ("depends_on", "Z"), claims=[{"source": source}])
        event("X", 2002, ("follows", "hub"), tags=["x"])
        event("Y", 2003, ("causes", "hub"), ("coincides_with", "X"))
        event("N", 2005)
        relations = [
            {"type": "depends_on", "event": found["Z"]["id"]},
            {"type": "refers_to", "event": found["X"]["id"]},
        ]
        found["bare hub"] = found["hub"]
        found["hub"] = revise(writer, "events", found["hub"], relations=relations)
        return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "XY"), ({"direction": "in"}, "XY"), ({"direction": "out"}, "XZ"), ({"direction": "both"}, "XYZ"),
        ({"relation": "follows"}, "X"), ({"relation": ["follows", "causes"]}, "XY"), ({"relation": "depends_on"}, ""),
        ({"relation": "depends_on", "direction": "out"}, "Z"), ({"relation": "follows", "direction": "out"}, ""),
        ({"relation": ["causes", "depends_on"], "direction": "both"}, "YZ"),
        ({"relation": "same_as", "direction": "both"}, ""), ({"tag": "x", "direction": "both"}, "X"),
        ({"tag": "x", "relation": "causes", "direction": "both"}, ""), ({"from": "2003", "direction": "both"}, "YZ"),
        ({"known_at": "2002", "direction": "both"}, "X"),
        # What the event points at is not lost where the event itself is not yet known.
        ({"known_at": "2019", "direction": "out"}, "XZ"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_events_are_found_by_their_ties(
    web: dict[str, Document], client: httpx.Client, query: Document, expected: str, order: str
) -> None:
    query = {"related_to": web["hub"]["id"], "order": order, **query}
    right = expected if order == "asc" else expected[::-1]
    assert "".join(listed(client, **query)) == right
    read = pages(client, "/v1/events", **query, limit=1)
    assert "".join(event["title"] for page in read for event in page["items"]) == right


def test_ties_are_those_of_the_revision_read(web: dict[str, Document], client: httpx.Client) -> None:
    query = {"related_to": web["hub"]["id"], "direction": "both"}
    assert "".join(listed(client, **query, revision=web["bare hub"]["revision"])) == "Z"
    assert "".join(listed(client, **query, revision=web["X"]["revision"])) == "XZ"
    assert "".join(listed(client, **query, revision=web["N"]["revision"])) == "XYZ"
    assert "".join(listed(client, **{**query, "direction": "out"}, revision=web["N"]["revision"])) == "Z"
    assert listed(client, **query, revision=web["Z"]["revision"]) == []


def test_an_event_that_is_not_there_has_no_ties(client: httpx.Client) -> None:
    for direction in ("in", "out", "both"):
        query = {"related_to": "0199cdef-0000-7000-8000-000000000000", "direction": direction}
        assert listed(client, **query) == []


def test_a_retracted_event_is_still_pointed_at_and_points_at_nothing(
    writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    make(writer, "collections", slug=unique)
    far = make(writer, "events", collection=unique, title="far")
    hub = make(writer, "events", collection=unique, relations=[{"type": "causes", "event": far["id"]}])
    make(writer, "events", collection=unique, title="near", relations=[{"type": "follows", "event": hub["id"]}])
    retracted = remove(writer, "events", hub)
    assert listed(client, related_to=hub["id"], direction="out") == []
    assert listed(client, related_to=hub["id"], direction="out", revision=retracted - 1) == ["far"]
    assert listed(client, related_to=hub["id"]) == ["near"]


def test_a_timeline_stores_ties(
    web: dict[str, Document], writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    selection = {"related_to": web["hub"]["id"], "direction": "both", "relation": ["follows", "depends_on"]}
    make(writer, "timelines", slug=unique, selection=selection, include=[web["N"]["id"]], exclude=[web["Z"]["id"]])
    assert "".join(listed(client, timeline=unique)) == "XN"
    # Both the timeline's ties and the request's must hold.
    assert listed(client, timeline=unique, related_to=web["X"]["id"]) == []
    assert "".join(listed(client, timeline=unique, related_to=web["Y"]["id"], direction="out")) == "X"


# --- What comes of them


def test_fields_are_just_the_members_asked_for(scene: str, client: httpx.Client) -> None:
    whole = get(client, "/v1/events", collection=scene)
    for fields in ("title", "title,occurred", "occurred,title", "standing", "id,key,revision,recorded,created"):
        page = get(client, "/v1/events", collection=scene, fields=fields)
        assert page["items"] == [{name: event[name] for name in fields.split(",")} for event in whole["items"]]
        assert (page["next"], page["revision"]) == (whole["next"], whole["revision"])
    every = get(client, "/v1/events", collection=scene, fields=",".join(whole["items"][0]))
    assert every == whole
    # Named twice it comes once.
    assert get(client, "/v1/events", collection=scene, fields="title,title")["items"][0] == {"title": "A"}


def test_fields_are_seen_through_the_lenses_and_filters_choose_by_all_members(scene: str, client: httpx.Client) -> None:
    page = get(client, "/v1/events", collection=scene, fields="title,standing", known_at="2020", stance="asserts")
    assert [(event["title"], event["standing"]["state"]) for event in page["items"]] == [
        ("A", "reported"),
        ("C", "reported"),
    ]
    read = pages(client, "/v1/events", collection=scene, fields="title", limit=2)
    assert [event for page in read for event in page["items"]] == [{"title": title} for title in "ABCDEGF"]


def test_included_holds_what_the_shown_members_name(scene: str, client: httpx.Client) -> None:
    def names(**query: Any) -> tuple[str, str]:
        included = get(client, "/v1/events", collection=scene, to="2001", **query)["included"]
        actors, sources = (
            [slug.removeprefix(f"{scene}-") for slug in included[kind]] for kind in ("actors", "sources")
        )
        return " ".join(actors), " ".join(sources)

    assert names() == ("a b c p q", "p1 q1")
    assert names(fields="actors") == ("a b", "")
    assert names(fields="claims") == ("c p q", "p1 q1")
    assert names(fields="title,standing") == ("", "")
    assert names(include="actors") == ("a b c p q", "")
    assert names(include="sources") == ("", "p1 q1")
    assert names(include="actors,sources") == ("a b c p q", "p1 q1")
    assert names(fields="claims", known_at="2020") == ("p", "p1")
    assert get(client, "/v1/events", collection=scene, include="none")["included"] is None


def test_one_event_takes_include_and_no_fields(scene: str, client: httpx.Client) -> None:
    (event,) = get(client, "/v1/events", collection=scene, to="2001")["items"]
    path = address("events", event)
    assert get(client, path, include="none") == event
    assert get(client, path, include="sources")["included"]["actors"] == {}
    assert list(get(client, path, include="actors")["included"]["actors"]) == [f"{scene}-{name}" for name in "abcpq"]
    refused(client.get(path, params={"fields": "title"}), 400, "invalid-parameter", "fields")


@pytest.mark.parametrize("name", ["fields", "include", "limit", "cursor", "timeline"])
def test_a_timeline_does_not_store_how_it_is_read(writer: httpx.Client, unique: str, name: str) -> None:
    value: Any = {"fields": "title", "include": "none", "limit": 5, "cursor": "AAAA", "timeline": "kosovo"}[name]
    answer = writer.post("/v1/timelines", json={"slug": unique, "title": "x", "selection": {name: value}})
    refused(answer, 422, "invalid-body", f"/selection/{name}")


# --- What cannot be read

SOME_ID = "0199cdef-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("query", "kind", "where"),
    [
        ("published_from=1999/2000", "refused-parameter", "published_from"),
        ("published_to=[1999,2000]", "refused-parameter", "published_to"),
        ("published_from=2025-02-30", "refused-parameter", "published_from"),
        ("published_to=soon", "refused-parameter", "published_to"),
        ("published_from=2022&published_to=2021", "refused-parameter", "published_from"),
        ("published_from=", "invalid-parameter", "published_from"),
        ("published_from=2020&published_from=2021", "invalid-parameter", "published_from"),
        ("recorded_from=2020", "invalid-parameter", "recorded_from"),
        ("recorded_to=2020-01-01T00:00:00", "invalid-parameter", "recorded_to"),
        ("recorded_to=2025-02-30T00:00:00Z", "refused-parameter", "recorded_to"),
        ("recorded_from=2025-01-02T00:00:00Z&recorded_to=2025-01-01T00:00:00Z", "refused-parameter", "recorded_from"),
        ("recorded_from=2025-01-01T00:00:00Z&recorded_from=2025-01-01T00:00:00Z", "invalid-parameter",
         "recorded_from"),
        ("role=%20host", "invalid-parameter", "role"), ("role=", "invalid-parameter", "role"),
        ("actor_match=some", "invalid-parameter", "actor_match"),
        ("publisher=Bild", "invalid-parameter", "publisher"), ("speaker=a_b", "invalid-parameter", "speaker"),
        ("stance=assert", "invalid-parameter", "stance"), ("stance=Denies", "invalid-parameter", "stance"),
        ("standing=true", "invalid-parameter", "standing"), ("standing=", "invalid-parameter", "standing"),
        ("min_origins=-1", "invalid-parameter", "min_origins"),
        ("min_origins=10001", "invalid-parameter", "min_origins"),
        ("min_origins=1.5", "invalid-parameter", "min_origins"),
        ("min_origins=two", "invalid-parameter", "min_origins"),
        ("min_origins=1&min_origins=1", "invalid-parameter", "min_origins"),
        ("language=english_", "invalid-parameter", "language"), ("language=", "invalid-parameter", "language"),
        ("country=xk", "invalid-parameter", "country"), ("country=XKX", "invalid-parameter", "country"),
        ("bbox=1,2,3", "invalid-parameter", "bbox"), ("bbox=1,2,3,4,5", "invalid-parameter", "bbox"),
        ("bbox=a,b,c,d", "invalid-parameter", "bbox"), ("bbox=1e1,0,0,0", "invalid-parameter", "bbox"),
        ("bbox=nan,0,0,0", "invalid-parameter", "bbox"), ("bbox=1,%202,3,4", "invalid-parameter", "bbox"),
        ("bbox=0,1,2,0", "refused-parameter", "bbox"), ("bbox=-181,0,0,0", "refused-parameter", "bbox"),
        ("bbox=0,-90.5,0,0", "refused-parameter", "bbox"), ("bbox=0,0,180.1,0", "refused-parameter", "bbox"),
        ("bbox=0,0,0,91", "refused-parameter", "bbox"), ("bbox=0,0,1,1&bbox=0,0,1,1", "invalid-parameter", "bbox"),
        ("related_to=x", "invalid-parameter", "related_to"),
        (f"related_to={SOME_ID}&related_to={SOME_ID}", "invalid-parameter", "related_to"),
        ("relation=follows", "refused-parameter", "relation"), ("direction=in", "refused-parameter", "direction"),
        (f"related_to={SOME_ID}&relation=knows", "invalid-parameter", "relation"),
        (f"related_to={SOME_ID}&direction=up", "invalid-parameter", "direction"),
        (f"related_to={SOME_ID}&direction=in&direction=out", "invalid-parameter", "direction"),
        ("fields=titel", "invalid-parameter", "fields"), ("fields=", "invalid-parameter", "fields"),
        ("fields=title,,id", "invalid-parameter", "fields"), ("fields=title,", "invalid-parameter", "fields"),
        ("fields=included", "invalid-parameter", "fields"), ("fields=title&fields=id", "invalid-parameter", "fields"),
        ("include=actor", "invalid-parameter", "include"), ("include=actors,none", "invalid-parameter", "include"),
        ("include=actors&include=sources", "invalid-parameter", "include"),
        ("according_to=Bild", "invalid-parameter", "according_to"),
        ("according_to_source=", "invalid-parameter", "according_to_source"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/events", "/v1/diff"])
def test_a_parameter_that_cannot_be_read_is_named(
    client: httpx.Client, path: str, query: str, kind: str, where: str
) -> None:
    refused(client.get(f"{path}?{query}"), 400, kind, where)


def test_every_fault_is_told_at_once(client: httpx.Client) -> None:
    query = "stance=assert&country=xk&bbox=1,2,3&published=2020"
    refused(client.get(f"/v1/events?{query}"), 400, "invalid-parameter", "stance", "country", "bbox", "published")
    query = "published_from=2022&published_to=2021&bbox=0,1,2,0&relation=follows"
    refused(client.get(f"/v1/events?{query}"), 400, "refused-parameter", "bbox", "published_from", "relation")


def test_a_member_that_events_do_not_have_names_the_nearest(client: httpx.Client) -> None:
    problem = refused(client.get("/v1/events?fields=id,titel"), 400, "invalid-parameter", "fields")
    assert "title" in problem["errors"][0]["detail"]
    assert "titel" in problem["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("selection", "kind", "where"),
    [
        ({"stance": "assert"}, "invalid-body", "stance"), ({"bbox": ["0,0,1,1"]}, "invalid-body", "bbox"),
        ({"min_origins": "1"}, "invalid-body", "min_origins"), ({"min_origins": -1}, "invalid-body", "min_origins"),
        ({"min_origins": True}, "invalid-body", "min_origins"), ({"language": []}, "invalid-body", "language"),
        ({"country": ["XK", "xk"]}, "invalid-body", "country"),
        ({"recorded_from": 2020}, "invalid-body", "recorded_from"),
        ({"bbox": "0,1,2,0"}, "refused", "bbox"), ({"relation": "follows"}, "refused", "relation"),
        ({"direction": "in"}, "refused", "direction"), ({"published_from": "soon"}, "refused", "published_from"),
        ({"published_from": "2022", "published_to": "2021"}, "refused", "published_from"),
    ],
)  # fmt: skip
def test_a_timeline_refuses_what_a_request_would(
    writer: httpx.Client, unique: str, selection: Document, kind: str, where: str
) -> None:
    answer = writer.post("/v1/timelines", json={"slug": unique, "title": "x", "selection": selection})
    refused(answer, 422, kind, f"/selection/{where}")


# --- What the index finds as a superset


def test_a_standing_of_long_ago_among_very_many(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    """Denied first, contested from the second day on, and for 70 days more and more say so."""
    make(writer, "collections", slug=unique)
    for name in ("denier", "voice"):
        make(writer, "sources", slug=f"{unique}-{name}")
    days = [f"2020-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in range(1, 25)]
    claims = [{"source": f"{unique}-denier", "stance": "denies", "published": days[0]}]
    claims += [{"source": f"{unique}-voice", "published": day} for day in days[1:]]
    make(writer, "events", collection=unique, title="event", claims=claims)
    for known_at, state in ((None, "contested"), (days[0], "denied"), (days[1], "contested"), (days[-1], "contested")):
        lens = {} if known_at is None else {"known_at": known_at}
        for asked in ("denied", "contested", "reported", "corroborated"):
            expected = ["event"] if asked == state else []
            assert listed(client, collection=unique, standing=asked, **lens) == expected, (known_at, asked)
    assert listed(client, collection=unique, min_origins=2, known_at=days[-1]) == []
    assert listed(client, collection=unique, min_origins=1, known_at=days[1]) == ["event"]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_few_that_are_chosen_among_many_that_come_into_question(
    writer: httpx.Client, client: httpx.Client, unique: str, order: str
) -> None:
    """All in one field of the index, each 60th in the box: pages come out whole, and in order."""
    make(writer, "collections", slug=unique)
    rows = [
        {"title": f"{n}", "occurred": f"{1500 + n // 2}",
         "places": [{"latitude": 42.5, "longitude": 20.75 if n % 60 == 7 else 20.25}]}
        for n in range(400)
    ]  # fmt: skip
    assert writer.post("/v1/events/batch", params={"collection": unique}, json=rows).status_code == 200
    expected = [f"{n}" for n in range(400) if n % 60 == 7]
    query = {"collection": unique, "bbox": "20.5,42,21,43", "order": order}
    for limit in (1, 3, 50):
        found = [item["title"] for page in pages(client, "/v1/events", limit=limit, **query) for item in page["items"]]
        assert found == (expected if order == "asc" else expected[::-1]), limit
