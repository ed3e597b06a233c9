"""The demo dossier as it lies in the file: whole, well formed, in our own words, showing what it must show.

Nothing here goes through the service but the date parser: what is publicly known when is worked out from the
raw JSON, independently, so that the service's own answers can be held against it.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.domain.dates import parse

REPOSITORY = Path(__file__).parents[2]
DOSSIER = REPOSITORY / "service" / "operations" / "dossier.json"
READING = REPOSITORY / "docs" / "dossier.md"
ARTICLE = Path(os.environ.get("DATELINE_SHARED", REPOSITORY.parent / "shared")) / "seed" / "article.txt"

SLUG = re.compile(r"[a-z0-9](-?[a-z0-9])*")
SHARED_WORDS_MAX = 5  # A longer run of words in common with the article is its sentence, not ours.

Json = dict[str, Any]

MEMBERS = {
    "collections": "slug title description licence attribution visibility",
    "actors": "slug name type names aliases description external_ids",
    "sources": "slug title publisher url type published language derived_from archive_url archive_sha256 external_ids",
    "events": "key collection title summary language occurred kind phase actors claims relations places tags"
    " media attributes external_ids",
    "timelines": "slug title description language selection include exclude visibility",
}
CLAIM_MEMBERS = "source via stance speakers occurred quote locator published confidence"

# What a reader of the interface's description is promised to find, each with its date as it must stay.
PROMISED: dict[str, str | None] = {
    "nato-intervention": "1999",
    "kfor-start": "1999",
    "kfor-deployment": "1999/..",
    "kosovo-independence": "2008",
    "putin-demands": "2021",
    "independence-anniversary": "2025-02-17",
    "duric-moscow-visit": "[2025-02-17..2025-02-23]",
    "hegseth-statement": "[2025-02-10..2025-02-16]",
    "riyadh-negotiations": "2025-02/..",
    "us-russia-agreement": "[2025-02..]",
    "us-troop-withdrawal": "2025-02/..",
    "us-complete-withdrawal": None,
    "bild-report": "2025-02-19",
    "us-mission-denial": "2025-02-20",
    "landsbergis-post": "2025-02",
    "association-of-serbian-municipalities": None,
}


@pytest.fixture(scope="module")
def revisions() -> list[Json]:
    read: list[Json] = json.loads(DOSSIER.read_text(encoding="utf-8"))["revisions"]
    return read


@pytest.fixture(scope="module")
def events(revisions: list[Json]) -> dict[str, Json]:
    """The events as the last revision leaves them, by key."""
    return {event["key"]: event for revision in revisions for event in revision.get("events", [])}


@pytest.fixture(scope="module")
def sources(revisions: list[Json]) -> dict[str, Json]:
    return {source["slug"]: source for revision in revisions for source in revision.get("sources", [])}


@pytest.fixture(scope="module")
def article() -> str:
    if not ARTICLE.exists():
        pytest.skip(f"the article is not at {ARTICLE}")
    return ARTICLE.read_text(encoding="utf-8")


def claims_of(revisions: list[Json]) -> Iterator[Json]:
    for revision in revisions:
        for event in revision.get("events", []):
            yield from event["claims"]


def test_the_file_is_written_as_it_is_kept() -> None:
    text = DOSSIER.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n"


def test_shapes_hold_only_what_may_be_sent(revisions: list[Json]) -> None:
    for revision in revisions:
        assert set(revision) <= {"message", "cause", *MEMBERS}
        assert revision["message"]
        assert revision["cause"] in {
            "new_fact",
            "source_correction",
            "editor_fix",
            "dedupe",
            "import",
            "migration",
        }
        for name, members in MEMBERS.items():
            for entry in revision.get(name, []):
                assert set(entry) <= set(members.split()), entry
                assert None not in entry.values(), entry
    for claim in claims_of(revisions):
        assert set(claim) <= set(CLAIM_MEMBERS.split()), claim


def test_names_are_slugs_and_stand_once_in_a_revision(revisions: list[Json]) -> None:
    for revision in revisions:
        for name in MEMBERS:
            slugs = [entry.get("slug") or entry["key"] for entry in revision.get(name, [])]
            assert len(slugs) == len(set(slugs))
            for slug in slugs:
                assert SLUG.fullmatch(slug), slug
                assert len(slug) <= 80


def test_what_is_named_is_defined_by_then(revisions: list[Json]) -> None:
    actors, sources, collections, keys = set[str](), set[str](), set[str](), set[str]()
    for revision in revisions:
        actors |= {actor["slug"] for actor in revision.get("actors", [])}
        sources |= {source["slug"] for source in revision.get("sources", [])}
        collections |= {collection["slug"] for collection in revision.get("collections", [])}
        keys |= {event["key"] for event in revision.get("events", [])}
        for source in revision.get("sources", []):
            assert {source["publisher"]} <= actors if "publisher" in source else True, source["slug"]
            assert set(source.get("derived_from", [])) <= sources, source["slug"]
        for timeline in revision.get("timelines", []):
            assert set(timeline["selection"]["collection"]) <= collections
        for event in revision.get("events", []):
            assert event["collection"] in collections
            assert {part["actor"] for part in event["actors"]} <= actors, event["key"]
            assert {relation["key"] for relation in event.get("relations", [])} <= keys, event["key"]
            for claim in event["claims"]:
                assert {claim["source"], claim.get("via", claim["source"])} <= sources, event["key"]
                assert set(claim.get("speakers", [])) <= actors, event["key"]


def test_no_claim_relation_or_participation_stands_twice(revisions: list[Json]) -> None:
    for revision in revisions:
        for event in revision.get("events", []):
            for name, identity in {
                "claims": ("source", "speakers", "stance", "published", "locator"),
                "relations": ("type", "key"),
                "actors": ("actor", "role"),
            }.items():
                seen = [tuple(str(entry.get(member)) for member in identity) for entry in event.get(name, [])]
                assert len(seen) == len(set(seen)), (event["key"], name)


def test_every_date_is_one(revisions: list[Json]) -> None:
    texts = {claim[name] for claim in claims_of(revisions) for name in ("occurred", "published") if name in claim}
    for revision in revisions:
        texts |= {event["occurred"] for event in revision.get("events", []) if "occurred" in event}
        texts |= {source["published"] for source in revision.get("sources", []) if "published" in source}
    assert len(texts) > 15
    for text in sorted(texts):
        assert parse(text).edtf == text


def test_everything_given_is_used(revisions: list[Json], events: dict[str, Json], sources: dict[str, Json]) -> None:
    claims = [claim for event in events.values() for claim in event["claims"]]
    named = {part["actor"] for event in events.values() for part in event["actors"]}
    named |= {speaker for claim in claims for speaker in claim.get("speakers", [])}
    named |= {source["publisher"] for source in sources.values() if "publisher" in source}
    assert {actor["slug"] for revision in revisions for actor in revision.get("actors", [])} == named
    assert set(sources) == {claim[name] for claim in claims for name in ("source", "via") if name in claim}


def test_the_promised_events_are_there_and_their_dates_as_imprecise_as_promised(
    events: dict[str, Json],
) -> None:
    assert {key: events[key].get("occurred") for key in PROMISED} == PROMISED


def test_phases_relations_and_figures(events: dict[str, Json]) -> None:
    phases = {key: events[key]["phase"] for key in PROMISED if events[key]["phase"] != "happened"}
    assert phases == {
        "us-russia-agreement": "expected",
        "us-troop-withdrawal": "hypothetical",
        "us-complete-withdrawal": "hypothetical",
        "association-of-serbian-municipalities": "not_happened",
    }
    ties = {(key, tie["type"], tie["key"]) for key, event in events.items() for tie in event.get("relations", [])}
    assert ties >= {
        ("independence-anniversary", "coincides_with", "duric-moscow-visit"),
        ("duric-moscow-visit", "coincides_with", "independence-anniversary"),
        ("us-troop-withdrawal", "depends_on", "us-russia-agreement"),
        ("us-mission-denial", "responds_to", "bild-report"),
    }
    troops = {
        part["actor"]: part["attributes"]["troops"]
        for part in events["kfor-deployment"]["actors"]
        if "rank" in part.get("attributes", {})
    }
    assert troops == {
        "italy": {"value": 1258, "unit": "persons"},
        "united-states": {"value": 600, "bound": "over", "unit": "persons"},
    }


def test_the_article_is_a_source_among_others(events: dict[str, Json], sources: dict[str, Json]) -> None:
    article = sources["kosovo-withdrawal-article"]
    assert article["published"] == "[2025-02-20..2025-02-23]"
    assert {sources[slug]["publisher"] for slug in article["derived_from"]} == {"bild", "gazeta-express"}
    for key, event in events.items():
        passed_on = [claim for claim in event["claims"] if claim["source"] == article["slug"] and "via" in claim]
        direct = [claim for claim in event["claims"] if claim["source"] != article["slug"]]
        assert {(claim["via"], claim["stance"]) for claim in passed_on} <= {
            (claim.get("via", claim["source"]), claim["stance"]) for claim in direct
        }, key


def earliest_day(text: str) -> str:
    """First day that a date of publication may mean: a day, month, year or set `[first..last]`."""
    found = re.fullmatch(r"\[?(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:\.\.[\d-]+\])?", text)
    assert found, text
    return f"{found[1]}-{found[2] or '01'}-{found[3] or '01'}"


def seen_by(day: str, event: Json, sources: dict[str, Json]) -> list[Json]:
    """The event's claims whose publication had been reached on that day, in the order of the file."""
    dated = [(claim.get("published") or sources[claim["source"]].get("published"), claim) for claim in event["claims"]]
    return [claim for published, claim in dated if published and earliest_day(published) <= day]


def voices(claims: list[Json], sources: dict[str, Json]) -> dict[str, str]:
    """Each voice's stance; no voice in the dossier changes its mind, which the caller relies on."""
    stances: dict[str, str] = {}
    for claim in claims:
        if claim["stance"] not in {"mentions", "expects"}:
            speaker = next(iter(claim.get("speakers", [])), None)
            voice = speaker or sources[claim["source"]].get("publisher") or claim["source"]
            assert stances.setdefault(voice, claim["stance"]) == claim["stance"], voice
    return stances


def test_the_day_of_the_report_and_the_day_of_the_denial(events: dict[str, Json], sources: dict[str, Json]) -> None:
    withdrawal, denial = events["us-troop-withdrawal"], events["us-mission-denial"]
    assert voices(seen_by("2025-02-18", withdrawal, sources), sources) == {}
    assert not seen_by("2025-02-18", withdrawal, sources)
    assert voices(seen_by("2025-02-19", withdrawal, sources), sources) == {
        "eastern-european-security-official": "asserts"
    }
    assert not seen_by("2025-02-19", denial, sources)
    assert voices(seen_by("2025-02-20", withdrawal, sources), sources) == {
        "eastern-european-security-official": "asserts",
        "us-mission-to-nato": "denies",
    }
    assert voices(seen_by("2025-02-20", denial, sources), sources) == {"us-mission-to-nato": "asserts"}
    complete = events["us-complete-withdrawal"]
    assert voices(seen_by("2025-02-19", complete, sources), sources) == {"donald-trump": "denies"}


def test_the_background_was_known_in_its_own_time(events: dict[str, Json], sources: dict[str, Json]) -> None:
    known = {
        day: {key for key in events if seen_by(day, events[key], sources)}
        for day in ("1999-03-23", "2000-12-31", "2008-12-31")
    }
    assert known["1999-03-23"] == set()
    assert known["2000-12-31"] == {
        "nato-intervention",
        "kosovo-conflict-end",
        "kfor-start",
        "kfor-deployment",
    }
    assert known["2008-12-31"] - known["2000-12-31"] == {"kosovo-independence", "serbia-rejects-statehood"}


def test_the_accounts_of_bild_and_of_the_mission_differ(events: dict[str, Json], sources: dict[str, Json]) -> None:
    claims = events["us-troop-withdrawal"]["claims"]
    bild = [claim for claim in claims if sources[claim["source"]].get("publisher") == "bild"]
    mission = [claim for claim in claims if claim.get("speakers", [None])[0] == "us-mission-to-nato"]
    assert set(voices(bild, sources).values()) == {"asserts"}
    assert set(voices(mission, sources).values()) == {"denies"}


def test_a_claim_is_dated_only_where_its_source_dates_it(events: dict[str, Json]) -> None:
    """What the article and the reports it passes on say of when, and nothing more."""
    given = {
        (key, claim["source"], claim["occurred"])
        for key, event in events.items()
        for claim in event["claims"]
        if "occurred" in claim
    }
    article, bild, gazeta = "kosovo-withdrawal-article", "bild-2025-02-19", "gazeta-express-2025-02-20"
    last_week, this_week = "[2025-02-10..2025-02-16]", "[2025-02-17..2025-02-23]"
    assert {each for each in given if each[1] in (article, bild, gazeta)} == {
        ("bild-report", article, "2025-02-19"),
        ("duric-moscow-visit", article, this_week),
        ("hegseth-statement", article, last_week),
        ("hegseth-statement", gazeta, last_week),
        ("independence-anniversary", article, this_week),
        ("kfor-start", article, "1999"),
        ("kosovo-independence", article, "2008"),
        ("putin-demands", article, "2021"),
        ("putin-demands", bild, "2021"),
        ("us-mission-denial", article, "2025-02-20"),
    }


def test_the_revisions_tell_the_story(revisions: list[Json]) -> None:
    given = [{event["key"]: event for event in revision.get("events", [])} for revision in revisions]
    first = {key: number for number, events in reversed(list(enumerate(given, 1))) for key in events}
    assert [
        first[key] for key in ("kosovo-independence", "us-troop-withdrawal", "us-mission-denial", "duric-moscow-visit")
    ] == [1, 2, 3, 4]
    stances = [
        {claim["stance"] for claim in events["us-troop-withdrawal"]["claims"]}
        for events in given
        if "us-troop-withdrawal" in events
    ]
    assert "denies" not in stances[0]
    assert all("denies" in later for later in stances[1:])
    assert (given[3]["duric-moscow-visit"]["occurred"], given[4]["duric-moscow-visit"]["occurred"]) == (
        "2025-02-17",
        "[2025-02-17..2025-02-23]",
    )


def texts_of(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every string in the value with the member it stands under."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list):
        for entry in value:
            yield from texts_of(entry, name)
    elif isinstance(value, dict):
        for member, entry in value.items():
            yield from texts_of(entry, member)


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower().replace("’", "").replace("'", ""))


def runs_of(text: str) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[at : at + SHARED_WORDS_MAX + 1]) for at in range(len(words) - SHARED_WORDS_MAX)}


def test_quotations_are_what_stands_in_quotation_marks(revisions: list[Json], article: str) -> None:
    quoted = re.findall(r'"([^"]*)"|“([^”]*)”', article)
    passages = [straight or curly for straight, curly in quoted]
    quotes = {claim["quote"] for claim in claims_of(revisions) if "quote" in claim}
    assert len(quotes) >= 8
    for quote in quotes:
        assert any(quote in passage for passage in passages), quote


def test_no_sentence_of_the_article_is_in_the_data_or_the_reading(revisions: list[Json], article: str) -> None:
    taken = runs_of(article)
    ours = [text for name, text in texts_of(revisions) if name != "quote"]
    ours += re.split(r"[|\n]", READING.read_text(encoding="utf-8"))
    for text in ours:
        assert not runs_of(text) & taken, text


def test_the_reading_tells_where_each_sentence_and_event_went(revisions: list[Json], events: dict[str, Json]) -> None:
    section = READING.read_text(encoding="utf-8").split("\n## ")[2]
    assert section.startswith("The article, sentence by sentence")
    rows = dict(re.findall(r"^\| (\d+) \| (.*)$", section, flags=re.MULTILINE))
    assert list(rows) == [str(number) for number in range(1, 23)]
    assert set(events) <= set(re.findall(r"`([a-z0-9-]+)`", section))
    for key, event in events.items():
        for locator in (claim["locator"] for claim in event["claims"] if "locator" in claim):
            for number in re.findall(r"\d+", locator):
                assert f"`{key}`" in rows[number], (key, locator)
