"""The demo dossier as the default start serves it: what the interface's description promises it shows."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.calls import Document, get, pages, without
from tests.conftest import Live

READING = Path(__file__).parents[2] / "docs" / "dossier.md"


@pytest.fixture(scope="module")
def events(reader_of_module: httpx.Client) -> Mapping[str, Document]:
    """Every event of the timeline, by key."""
    read = pages(reader_of_module, "/v1/timelines/kosovo/events", limit=7)
    return {event["key"]: event for page in read for event in page["items"]}


@pytest.fixture(scope="module")
def reader_of_module(dossier: Live) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=dossier.base_url, timeout=30) as reader:
        yield reader


def keys(client: httpx.Client, **selection: Any) -> list[str]:
    return [event["key"] for event in get(client, "/v1/events", limit=500, **selection)["items"]]


def event_at(client: httpx.Client, key: str, **lenses: Any) -> Document:
    (event,) = get(client, "/v1/events", key=key, **lenses)["items"]
    found: Document = event
    return found


# By rows: key, date, phase, and what stands of it.
@pytest.mark.parametrize(
    ("key", "edtf", "precision", "phase", "state"),
    [
        ("nato-intervention", "1999", "year", "happened", "corroborated"),
        ("kfor-start", "1999", "year", "happened", "corroborated"),
        ("kfor-deployment", "1999/..", "year", "happened", "corroborated"),
        ("kosovo-independence", "2008", "year", "happened", "corroborated"),
        ("putin-demands", "2021", "year", "happened", "corroborated"),
        ("independence-anniversary", "2025-02-17", "day", "happened", "reported"),
        ("duric-moscow-visit", "[2025-02-17..2025-02-23]", "day", "happened", "reported"),
        ("hegseth-statement", "[2025-02-10..2025-02-16]", "day", "happened", "corroborated"),
        ("riyadh-negotiations", "2025-02/..", "month", "happened", "corroborated"),
        ("us-russia-agreement", "[2025-02..]", "month", "expected", "mentioned"),
        ("us-troop-withdrawal", "2025-02/..", "month", "hypothetical", "contested"),
        ("us-complete-withdrawal", None, None, "hypothetical", "denied"),
        ("bild-report", "2025-02-19", "day", "happened", "reported"),
        ("us-mission-denial", "2025-02-20", "day", "happened", "reported"),
        ("landsbergis-post", "2025-02", "month", "happened", "reported"),
        ("association-of-serbian-municipalities", None, None, "not_happened", "reported"),
    ],
)
def test_the_promised_events(
    events: Mapping[str, Document], key: str, edtf: str | None, precision: str | None, phase: str, state: str
) -> None:
    event = events[key]
    occurred = event["occurred"] or {"edtf": None, "precision": None}
    assert (occurred["edtf"], occurred["precision"], event["phase"]) == (edtf, precision, phase)
    assert (event["collection"], event["standing"]["state"]) == ("main", state)


def test_a_timeline_is_all_of_it_in_order(reader: httpx.Client, events: Mapping[str, Document]) -> None:
    listing = get(reader, "/v1/events", timeline="kosovo", limit=500)
    assert [event["key"] for event in listing["items"]] == list(events)
    assert {event["collection"] for event in listing["items"]} == {"main"}
    # Whoever and whatever is named comes along.
    named = {part["actor"] for event in listing["items"] for part in event["actors"]}
    sources = {claim["source"] for event in listing["items"] for claim in event["claims"]}
    assert named <= set(listing["included"]["actors"])
    assert sources <= set(listing["included"]["sources"])
    dated = [event["occurred"]["earliest"] for event in listing["items"] if event["occurred"]]
    assert dated == sorted(dated)
    assert all(event["occurred"] is None for event in listing["items"][len(dated) :])


def test_relations_lead_on(reader: httpx.Client, events: Mapping[str, Document]) -> None:
    def related(key: str) -> set[tuple[str, str]]:
        return {(relation["type"], relation["key"]) for relation in events[key]["relations"]}

    assert ("coincides_with", "duric-moscow-visit") in related("independence-anniversary")
    assert ("coincides_with", "independence-anniversary") in related("duric-moscow-visit")
    assert ("depends_on", "us-russia-agreement") in related("us-troop-withdrawal")
    assert ("responds_to", "bild-report") in related("us-mission-denial")
    for event in events.values():
        for relation in event["relations"]:
            assert get(reader, f"/v1/events/{relation['event']}")["key"] == relation["key"]


def test_attribution_and_figures_are_kept(events: Mapping[str, Document]) -> None:
    withdrawal = events["us-troop-withdrawal"]
    voices = {(claim["source"], claim["stance"], *claim["speakers"][:1]) for claim in withdrawal["claims"]}
    assert ("bild-2025-02-19", "asserts", "eastern-european-security-official") in voices
    assert ("gazeta-express-2025-02-20", "denies", "us-mission-to-nato") in voices
    assert ("bild-2025-02-19", "denies", "donald-trump") in {
        (claim["source"], claim["stance"], claim["speakers"][0]) for claim in events["us-complete-withdrawal"]["claims"]
    }
    figures = {
        part["actor"]: part["attributes"]["troops"]
        for part in events["kfor-deployment"]["actors"]
        if "troops" in part["attributes"]
    }
    assert figures["united-states"] == {"value": 600, "bound": "over", "unit": "persons"}
    assert figures["italy"]["value"] == 1258


def test_the_article_is_a_source_that_says_via_what(reader: httpx.Client, events: Mapping[str, Document]) -> None:
    article = get(reader, "/v1/sources/kosovo-withdrawal-article")
    assert article["published"] == "[2025-02-20..2025-02-23]"
    assert article["derived_from"] == ["bild-2025-02-19", "gazeta-express-2025-02-20"]
    claims = [claim for event in events.values() for claim in event["claims"]]
    vias = {claim["via"] for claim in claims if claim["source"] == article["slug"]}
    assert vias >= {"bild-2025-02-19", "gazeta-express-2025-02-20"}
    # Retelling Bild, it is no second origin.
    report = events["bild-report"]
    assert {claim["source"] for claim in report["claims"]} >= {"bild-2025-02-19", "kosovo-withdrawal-article"}
    assert report["standing"]["origins"] == 1


def test_what_was_known_on_the_day_of_the_report(reader: httpx.Client) -> None:
    then = keys(reader, known_at="2025-02-19")
    assert "us-troop-withdrawal" in then
    assert "us-mission-denial" not in then
    assert event_at(reader, "us-troop-withdrawal", known_at="2025-02-19")["standing"]["state"] == "reported"
    assert "us-troop-withdrawal" not in keys(reader, known_at="2025-02-18")


def test_what_was_known_on_the_day_of_the_denial(reader: httpx.Client) -> None:
    assert "us-mission-denial" in keys(reader, known_at="2025-02-20")
    withdrawal = event_at(reader, "us-troop-withdrawal", known_at="2025-02-20")
    assert withdrawal["standing"]["state"] == "contested"
    assert withdrawal["standing"]["first_published"] == "2025-02-19"
    assert withdrawal["standing"]["first_denied"] == "2025-02-20"


def test_the_difference_between_the_two_days(reader: httpx.Client) -> None:
    diff = get(reader, "/v1/diff", base_known_at="2025-02-19", head_known_at="2025-02-20", limit=500)
    added = {item["event"]["key"] for item in diff["items"] if item["op"] == "added"}
    changed = {item["after"]["key"]: item for item in diff["items"] if item["op"] == "changed"}
    assert "us-mission-denial" in added
    withdrawal = changed["us-troop-withdrawal"]
    assert {"claims", "standing"} <= set(withdrawal["fields"])
    assert [withdrawal[side]["standing"]["state"] for side in ("before", "after")] == ["reported", "contested"]
    assert diff["summary"]["removed"] == 0


MISSION = {
    "us-troop-withdrawal": "denied",
    "us-complete-withdrawal": "denied",
    "us-force-reduction": "denied",
    "us-mission-denial": "reported",
    "hegseth-statement": "reported",
    "us-troop-level-decision": "reported",
}


def states(client: httpx.Client, **selection: Any) -> dict[str, str]:
    listing = get(client, "/v1/events", limit=500, **selection)
    return {event["key"]: event["standing"]["state"] for event in listing["items"]}


def test_each_account_tells_its_own_story(reader: httpx.Client, events: Mapping[str, Document]) -> None:
    bild = states(reader, according_to="bild")
    assert bild["us-troop-withdrawal"] == "reported"
    assert bild["us-complete-withdrawal"] == "denied", "by Trump, as Bild tells"
    assert "us-mission-denial" not in bild
    assert states(reader, according_to="us-mission-to-nato") == MISSION
    # The paper tells what the mission told it, and of the report that it asked about.
    assert states(reader, according_to="gazeta-express") == MISSION | {"bild-report": "mentioned"}
    article = states(reader, according_to_source="kosovo-withdrawal-article")
    assert set(article) == set(events)
    assert article["us-troop-withdrawal"] == "contested"
    # The article has no publisher, so an account of it takes its slug; both lenses must hold of a claim.
    both = states(reader, according_to="us-mission-to-nato", according_to_source="kosovo-withdrawal-article")
    assert set(both) == set(MISSION)


def test_the_reading_counts_the_accounts(reader: httpx.Client) -> None:
    told = re.findall(r"^\| `(according_to\w*)=([a-z0-9-]+)` \| (\d+) events", READING.read_text(), re.MULTILINE)
    assert len(told) == 5
    for lens, slug, count in told:
        assert len(keys(reader, **{lens: slug})) == int(count), slug


# By rows: event, account, and the date it gives.
@pytest.mark.parametrize(
    ("key", "account", "edtf"),
    [
        ("kfor-start", {"according_to_source": "kosovo-withdrawal-article"}, "1999"),
        ("kfor-start", {"according_to": "nato"}, "[1999-06-11..1999-06-18]"),
        ("nato-intervention", {"according_to": "nato"}, "1999-03-24"),
        ("kosovo-conflict-end", {"according_to": "nato"}, "1999-06-20"),
        ("kosovo-independence", {"according_to": "assembly-of-kosovo"}, "2008-02-17"),
        ("kosovo-independence", {"according_to": "united-nations"}, "2008-02-17"),
        ("kosovo-independence", {"according_to_source": "kosovo-withdrawal-article"}, "2008"),
        ("putin-demands", {"according_to": "bild"}, "2021"),
        ("putin-demands", {"according_to": "russian-foreign-ministry"}, "2021-12-17"),
        ("war-in-ukraine", {"according_to": "un-general-assembly"}, "2022-02-24/.."),
        ("hegseth-statement", {"according_to": "pete-hegseth"}, "2025-02-13"),
        ("hegseth-statement", {"according_to": "us-department-of-defense"}, "2025-02-13"),
        ("hegseth-statement", {"according_to": "us-mission-to-nato"}, "[2025-02-10..2025-02-16]"),
        ("independence-anniversary", {"according_to_source": "kosovo-withdrawal-article"}, "[2025-02-17..2025-02-23]"),
        ("riyadh-negotiations", {"according_to": "us-department-of-state"}, "2025-02-18"),
    ],
)
def test_accounts_give_their_own_dates(reader: httpx.Client, key: str, account: dict[str, str], edtf: str) -> None:
    assert event_at(reader, key, **account)["occurred"]["edtf"] == edtf


def test_the_window_goes_by_the_date_of_the_account(reader: httpx.Client) -> None:
    window = {"from": "2021-12", "to": "2021-12", "match": "certain"}
    assert keys(reader, according_to="russian-foreign-ministry", **window) == ["putin-demands"]
    assert keys(reader, according_to="bild", **window) == []


def test_the_difference_between_the_two_accounts(reader: httpx.Client) -> None:
    sides = {"base_according_to": "bild", "head_according_to": "us-mission-to-nato"}
    diff = get(reader, "/v1/diff", limit=500, **sides)
    assert diff["summary"] == {"added": 4, "removed": 10, "changed": 2}
    assert {side: diff[side]["selection"] for side in ("base", "head")} == {
        "base": {"according_to": "bild"},
        "head": {"according_to": "us-mission-to-nato"},
    }
    changed = {item["after"]["key"]: item for item in diff["items"] if item["op"] == "changed"}
    assert {key: item["fields"] for key, item in changed.items()} == {
        "us-troop-withdrawal": ["claims", "standing"],
        "us-complete-withdrawal": ["claims", "standing"],
    }
    told = {key: [item[side]["standing"]["state"] for side in ("before", "after")] for key, item in changed.items()}
    assert told == {"us-troop-withdrawal": ["reported", "denied"], "us-complete-withdrawal": ["denied", "denied"]}
    note = reader.get("/v1/diff", params=sides, headers={"Accept": "text/markdown"}).text
    assert note.startswith("# According to Bild, and according to United States Mission to NATO\n")
    assert "\n  - according to Bild: reported\n    - Eastern European security official, in Bild's report" in note


def test_known_at_travels_through_the_background(reader: httpx.Client) -> None:
    known = keys(reader, known_at="2000")
    assert "kfor-start" in known
    assert "kosovo-independence" not in known
    assert "kosovo-independence" in keys(reader, known_at="2008-02-17")
    assert "kosovo-independence" not in keys(reader, known_at="2008-02-16")
    assert keys(reader, known_at="1998") == []
    # One resolution, adopted before the troops came in, first spoke of them as expected.
    start = event_at(reader, "kfor-start", known_at="1999-06-10")
    assert [claim["source"] for claim in start["claims"]] == ["unsc-resolution-1244"]
    assert start["standing"]["state"] == "mentioned"


def test_the_dossier_grew_revision_by_revision(reader: httpx.Client, events: Mapping[str, Document]) -> None:
    head = get(reader, "/v1")["revision"]
    assert head == 5
    log = get(reader, "/v1/revisions", order="asc")["items"]
    assert [row["cause"] for row in log] == ["import", "new_fact", "new_fact", "new_fact", "editor_fix"]
    assert all(row["message"] and row["author"] and row["counts"] for row in log)
    sizes = [len(keys(reader, revision=revision)) for revision in range(head + 1)]
    assert sizes[0] == 0
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(events)
    # The visit was dated to the anniversary at first, and then to its week.
    history = get(reader, f"/v1/events/{events['duric-moscow-visit']['id']}/history")["items"]
    dates = [item["event"]["occurred"]["edtf"] for item in history]
    assert (dates[0], dates[-1]) == ("2025-02-17", "[2025-02-17..2025-02-23]")
    assert event_at(reader, "duric-moscow-visit", revision=4)["occurred"]["edtf"] == "2025-02-17"
    # Bild's report alone at the second revision, the denial at the third.
    states = [event_at(reader, "us-troop-withdrawal", revision=revision)["standing"]["state"] for revision in (2, 3, 5)]
    assert states == ["reported", "contested", "contested"]


def test_the_correction_as_a_diff(reader: httpx.Client) -> None:
    diff = get(reader, "/v1/diff", base_revision=4, head_revision=5)
    assert diff["summary"] == {"added": 0, "removed": 0, "changed": 3}
    changed = {item["after"]["key"]: item["fields"] for item in diff["items"]}
    assert set(changed) == {"duric-moscow-visit", "kfor-deployment", "us-troop-withdrawal"}
    assert "occurred" in changed["duric-moscow-visit"]
    assert changed["kfor-deployment"] == ["actors"]


def test_every_actor_and_source_is_seen_by_anyone(reader: httpx.Client) -> None:
    for kind in ("actors", "sources"):
        listed = get(reader, f"/v1/{kind}", limit=500)
        assert listed["next"] is None
        for thing in listed["items"]:
            assert get(reader, f"/v1/{kind}/{thing['slug']}") == thing
    actors = {actor["slug"] for actor in get(reader, "/v1/actors", limit=500)["items"]}
    assert actors >= {
        "bild", "donald-trump", "gazeta-express", "italy", "kfor", "kosovo", "marko-duric", "nato", "pete-hegseth",
        "russia", "serbia", "united-states", "us-mission-to-nato", "vladimir-putin",
    }  # fmt: skip
    main = get(reader, "/v1/collections/main")
    assert main["visibility"] == "public"
    assert without(get(reader, "/v1/timelines/kosovo"), "revision", "recorded")["selection"] == {"collection": ["main"]}
