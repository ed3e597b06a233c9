"""Exports: every format holds what the listing does, but for what its report owns up to; other programs read it."""

import csv
import html
import io
import json
import re
import zlib
from collections.abc import AsyncGenerator, Callable
from typing import Any
from xml.etree import ElementTree

import brotli
import feedparser
import geojson
import httpx
import pytest
import zstandard
from icalendar import Calendar
from pyld import jsonld

from service.api.packing import CODINGS, flowing
from tests.contract.conformance import Contract
from tests.test_guides import rows_of

DATES = [
    *("2025-02-19", "2025-02", "2025", "199X", "19XX", "1999~", "2008?", "2004-06-~11", "-0043-03-15", "0000"),
    *("Y-13800000000", "Y170000002", "1999/..", "../2008", "1985/", "/1985", "2004-06/2006-08", "2001-21", "Y3E8"),
    *("[2020..2023]", "{1960,1961-12}", "2025-02-20T12:30:00Z", "1939-09-01T04:45:00+01:00", "9999-12-31"),
    *("2025-02-20T00:00:00Z", "1999/1999-06", "2024-02-29", "-0001/0001", None),
]
TITLES = [
    "<b>Bold</b> & \"quoted\" 'words'",
    "=cmd|' /C calc'!A0",
    "+1 is no sum",
    "יום שלישי",
    "😀 ends, here; and\\there",
]
FORMATS = ("timelinejs", "csv", "ndjson", "jsonfeed", "atom", "ical", "geojson", "jsonld")


@pytest.fixture(scope="module")
def collection(writer: httpx.Client) -> str:
    slug = "exported"
    assert writer.post("/v1/collections", json={"slug": slug, "title": "Exported"}).status_code == 201
    rows: list[dict[str, Any]] = []
    for number, date in enumerate(DATES):
        source = {"slug": f"exported-{number}", "title": f"Report <{number}> & more", "type": "article"}
        row: dict[str, Any] = {
            "key": f"e{number}",
            "title": TITLES[number % len(TITLES)],
            "summary": f"Line one of {number}\n<script>alert(1)</script>",
            "kind": ("meeting", None, "era")[number % 3],
            "phase": ("happened", "expected", "cancelled", "not_happened", "hypothetical")[number % 5],
            "tags": ["one", "two"][: number % 3],
            "actors": [{"actor": {"slug": "exporter", "name": "The Exporter, Ltd.", "type": "organisation"}}],
            "claims": [
                {"source": source | {"url": f"https://example.org/{number}?a=1&b=2"}, "stance": "asserts"},
                *(
                    [{"source": f"exported-{number}", "stance": "denies", "quote": "No & never"}]
                    if number % 4 == 0
                    else []
                ),
            ],
            "places": [{"name": "Pristina", "country": "XK", "latitude": 42.66, "longitude": 21.16}] * (number % 2),
        }
        rows.append(row if date is None else row | {"occurred": date})
    answer = writer.post("/v1/events/batch", params={"collection": slug}, json=rows)
    assert answer.status_code == 200, answer.text
    return slug


@pytest.fixture(scope="module")
def events(client: httpx.Client, collection: str) -> list[dict[str, Any]]:
    answer = client.get("/v1/events", params={"collection": collection, "limit": 500})
    found: list[dict[str, Any]] = answer.json()["items"]
    assert len(found) == len(DATES)
    return found


def export(client: httpx.Client, form: str, collection: str, **more: str) -> httpx.Response:
    answer = client.get(f"/v1/events/export/{form}", params={"collection": collection, **more})
    assert answer.status_code == 200, answer.text
    return answer


def ids_in(form: str, text: str) -> list[str]:
    """The ids of the events that an export holds, as a reader of the format finds them."""
    if form == "ndjson":
        return [json.loads(line)["id"] for line in text.splitlines()]
    if form == "csv":
        return [row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    if form == "atom":
        return [entry.id.removeprefix("urn:uuid:") for entry in feedparser.parse(text).entries]
    if form == "ical":
        return [str(event["UID"]) for event in Calendar.from_ical(text).walk("VEVENT")]
    read = json.loads(text)
    if form == "timelinejs":
        return [slide["unique_id"] for slide in read["events"]]
    if form == "jsonfeed":
        return [item["id"] for item in read["items"]]
    if form == "geojson":
        return [feature["id"] for feature in read["features"]]
    nodes = jsonld.expand(read, {"documentLoader": refuse})
    kind = "https://schema.org/Event"
    return [node["@id"].removeprefix("urn:uuid:") for node in nodes if kind in node.get("@type", [])]


def refuse(url: str, _options: object) -> None:
    raise AssertionError(f"{url} would have to be fetched")


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_is_the_listing_less_what_its_report_leaves_out(
    client: httpx.Client, collection: str, events: list[dict[str, Any]], form: str
) -> None:
    answer = export(client, form, collection)
    assert answer.headers["access-control-allow-origin"] == "*"
    report = export(client, form, collection, report="true").json()
    left_out = {each["id"] for each in report["left_out"]}
    assert ids_in(form, answer.text) == [event["id"] for event in events if event["id"] not in left_out]
    assert (report["format"], report["events"], report["written"]) == (form, len(events), len(events) - len(left_out))
    assert all(each["losses"] for each in report["left_out"])
    if form == "ndjson":
        assert (left_out, report["losses"]) == (set(), [])
        assert [json.loads(line) for line in answer.text.splitlines()] == events


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_is_conditional(client: httpx.Client, collection: str, form: str) -> None:
    first = export(client, form, collection)
    tag = first.headers["etag"]
    still = client.get(f"/v1/events/export/{form}", params={"collection": collection}, headers={"If-None-Match": tag})
    assert (still.status_code, still.content, still.headers["etag"]) == (304, b"", tag)
    other = export(client, form, collection, order="desc")
    assert other.headers["etag"] != tag
    head = client.head(f"/v1/events/export/{form}", params={"collection": collection})
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)


def test_timelinejs_finds_nothing_to_stumble_over(client: httpx.Client, collection: str, events: list[Any]) -> None:
    read = export(client, "timelinejs", collection).json()
    assert "null" not in json.dumps([{k: v for k, v in s.items() if k != "_dateline"} for s in read["events"]])
    assert read["scale"] == "cosmological"
    by_id = {event["id"]: event for event in events}
    for slide in read["events"]:
        dates = [slide[name] for name in ("start_date", "end_date") if name in slide]
        for date in dates:
            assert isinstance(date["year"], int)
            assert date["year"] != 0
            assert 1 <= int(date.get("month", 1)) <= 12
            assert 1 <= int(date.get("day", 1)) <= 31
        if len(dates) == 2:
            assert dates[0].keys() == dates[1].keys()
            assert dates[0] != dates[1]
        assert "<script" not in slide["text"]["headline"] + slide["text"]["text"]
        assert re.sub(r"&#?\w+;", "", slide["text"]["headline"]).find("<") == -1
        assert slide["display_date"]
        assert isinstance(slide["unique_id"], str)
        assert by_id[slide["unique_id"]]["occurred"]["display"]
    plain = export(client, "timelinejs", collection, key="e0").json()
    assert plain["events"][0]["start_date"] == {"year": 2025, "month": 2, "day": 19}
    assert "scale" not in plain
    (early,) = export(client, "timelinejs", collection, key="e8").json()["events"]
    assert early["start_date"] == {"year": -44, "month": 3, "day": 15}


def losses_of(report: dict[str, Any]) -> dict[str, int]:
    return {each["loss"]: each["events"] for each in report["losses"]}


def test_beside_deep_time_timelinejs_loses_days(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    dates = ["2025-02-19", "2025-02", "2025-02-20T12:30:00Z", "../2008-02-17", "1999", "2025-02-03/.."]
    for date in dates:
        writer.post("/v1/events", json={"title": date, "occurred": date, "tags": [unique]}).raise_for_status()
    asked = {"tag": unique, "report": "true"}
    path = "/v1/events/export/timelinejs"
    before = losses_of(client.get(path, params=asked).json())
    assert "precision" not in before
    deep = {"title": "Deep", "occurred": "Y-13800000000", "tags": [unique]}
    writer.post("/v1/events", json=deep).raise_for_status()
    assert client.get(path, params={"tag": unique}).json()["scale"] == "cosmological"
    assert losses_of(client.get(path, params=asked).json()) == {
        **before,
        "precision": 5,
        **{name: before[name] + 1 for name in ("recorded", "created", "tags")},
    }


def test_a_kind_is_text_to_timelinejs(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    """Which takes markup out of a group, and takes what is left for markup."""
    kind = "<img src=x> &lt;b&gt; a<b"
    event = {"title": "Of a kind", "occurred": "1999", "tags": [unique], "kind": kind}
    writer.post("/v1/events", json=event).raise_for_status()
    (slide,) = client.get("/v1/events/export/timelinejs", params={"tag": unique}).json()["events"]
    assert "<" not in html.unescape(slide["group"])
    assert html.unescape(html.unescape(slide["group"])) == kind


def test_a_parameter_may_be_spelt_so_that_timelinejs_fetches_it(client: httpx.Client, collection: str) -> None:
    path = "/v1/events/export/timelinejs"
    plain = client.get(f"{path}?collection={collection}&key=e0")
    escaped = client.get(f"{path}?collection={collection}&%6Bey=e0")
    assert escaped.json() == plain.json()
    assert len(escaped.json()["events"]) == 1


def test_a_json_feed_keeps_the_rules(client: httpx.Client, collection: str, events: list[Any]) -> None:
    answer = export(client, "jsonfeed", collection)
    assert answer.headers["content-type"].startswith("application/feed+json")
    feed = answer.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(feed["title"], str)
    known = {
        *("id", "url", "external_url", "title", "content_html", "content_text", "summary", "image", "banner_image"),
        *("date_published", "date_modified", "authors", "tags", "language", "attachments"),
    }
    for item, event in zip(feed["items"], events, strict=True):
        assert isinstance(item["id"], str)
        assert "content_html" in item or "content_text" in item
        assert all(name in known or re.fullmatch(r"_[a-z]\w*", name) for name in item)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", item["date_published"])
        assert "<script" not in item["content_html"]
        told = item["_dateline"]["occurred"]
        assert (told and told["edtf"]) == (event["occurred"] and event["occurred"]["edtf"])


def test_an_atom_feed_is_one(client: httpx.Client, collection: str, events: list[Any]) -> None:
    answer = export(client, "atom", collection)
    ElementTree.fromstring(answer.content)
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    assert feed.version == "atom10"
    assert feed.feed.id
    assert feed.feed.updated_parsed
    for entry, event in zip(feed.entries, events, strict=True):
        assert entry.title == event["title"]
        assert entry.updated_parsed
        assert "<script" not in entry.content[0].value


def test_a_calendar_has_whole_days_that_end_on_the_next(client: httpx.Client, collection: str) -> None:
    answer = export(client, "ical", collection)
    assert answer.headers["content-type"].startswith("text/calendar")
    assert b"\r\n" in answer.content
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    calendar = Calendar.from_ical(answer.content)
    by_date = {str(event["X-DATELINE-EDTF"]): event for event in calendar.walk("VEVENT")}
    day, month, year = by_date["2025-02-19"], by_date["2025-02"], by_date["2025"]
    assert [day[name].dt.isoformat() for name in ("DTSTART", "DTEND")] == ["2025-02-19", "2025-02-20"]
    assert [month[name].dt.isoformat() for name in ("DTSTART", "DTEND")] == ["2025-02-01", "2025-03-01"]
    assert [year[name].dt.isoformat() for name in ("DTSTART", "DTEND")] == ["2025-01-01", "2026-01-01"]
    instant = by_date["1939-09-01T04:45:00+01:00"]
    assert instant["DTSTART"].dt.isoformat() == "1939-09-01T03:45:00+00:00"
    report = export(client, "ical", collection, report="true").json()
    reasons = {tuple(each["losses"]) for each in report["left_out"]}
    assert {("undated",), ("before_common_era",), ("open_start",), ("out_of_range",)} <= reasons


def test_a_calendar_is_of_nobody_and_counts_versions(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    event = writer.post("/v1/events", json={"title": "Moved", "occurred": "1999-03-24", "tags": [unique]}).json()
    sequences = []
    for date in ("1999-03-25", "1999-03-26", None):
        calendar = Calendar.from_ical(client.get("/v1/events/export/ical", params={"tag": unique}).content)
        assert "METHOD" not in calendar
        sequences.append([int(found["SEQUENCE"]) for found in calendar.walk("VEVENT")])
        if date is not None:
            address = f"/v1/events/{event['id']}"
            held = {"Content-Type": "application/merge-patch+json", "If-Match": writer.get(address).headers["etag"]}
            writer.patch(address, content=json.dumps({"occurred": date}), headers=held).raise_for_status()
    assert sequences[0] == [0]
    assert sequences[0] < sequences[1] < sequences[2]


def test_geojson_is_valid(client: httpx.Client, collection: str, events: list[Any]) -> None:
    read = geojson.loads(export(client, "geojson", collection).text)
    assert read.is_valid, read.errors()
    for feature, event in zip(read["features"], events, strict=True):
        points = [[place["longitude"], place["latitude"]] for place in event["places"]]
        assert (feature["geometry"] and feature["geometry"]["coordinates"]) == (points[0] if points else None)


def test_linked_data_expands_without_being_fetched(client: httpx.Client, collection: str) -> None:
    nodes = jsonld.expand(export(client, "jsonld", collection).json(), {"documentLoader": refuse})
    kinds = [kind.removeprefix("https://schema.org/") for node in nodes for kind in node.get("@type", [])]
    assert {"Event", "Claim", "ClaimReview"} == set(kinds)
    denied = sum(1 for number in range(len(DATES)) if number % 4 == 0)
    assert kinds.count("ClaimReview") == denied
    assert kinds.count("Claim") == len(DATES) + denied


# What was published when, and whether schema.org has such a date.
PUBLISHED = {
    "[2019-02-20..2019-02-23]": False,
    "2015/..": False,
    "2018~": False,
    "201X": False,
    "-0099-01": False,
    "0000": False,
    "2001-21": False,
    "2019": True,
    "2019-02": True,
    "2019-02-20": True,
    "2019-02-20T10:30:00+02:00": True,
}


def test_linked_data_has_no_date_but_those_of_schema_org(
    writer: httpx.Client, client: httpx.Client, unique: str
) -> None:
    for number, published in enumerate(PUBLISHED):
        source = {"slug": f"{unique}-{number}", "title": "Told", "published": published}
        claim = {"source": source, "stance": "denies"}
        row = {"title": published, "occurred": "2019", "tags": [unique], "claims": [claim]}
        answer = writer.post("/v1/events/batch", params={"collection": "main"}, json=[row])
        assert answer.status_code == 200, answer.text
    timeline = {"slug": unique, "title": "Told", "selection": {"tag": [unique]}}
    writer.post("/v1/timelines", json=timeline).raise_for_status()
    page = client.get(f"/embed/timelines/{unique}").text
    within = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)[0]
    for text in (within, client.get("/v1/events/export/jsonld", params={"tag": unique}).text):
        for kind in ("Claim", "ClaimReview"):
            nodes = [node for node in json.loads(text)["@graph"] if node["@type"] == kind]
            told = sorted(node["datePublished"] for node in nodes if "datePublished" in node)
            assert told == [date for date, plain in PUBLISHED.items() if plain]
    report = client.get("/v1/events/export/jsonld", params={"tag": unique, "report": "true"}).json()
    assert losses_of(report)["claims"] == sum(not plain for plain in PUBLISHED.values())
    assert not set(re.findall(r'<time datetime="([^"]*)"', page)) - {"2019"}


def test_no_cell_of_a_table_is_a_formula(client: httpx.Client, collection: str) -> None:
    text = export(client, "csv", collection).text
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len({len(row) for row in rows}) == 1
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert any(cell == "'=cmd|' /C calc'!A0" for row in rows for cell in row)


def test_an_export_of_the_past_stays_what_it_was(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    event = writer.post("/v1/events", json={"title": f"Before {unique}", "occurred": "1999", "tags": [unique]}).json()
    asked = {"tag": unique, "revision": str(event["revision"])}
    before = client.get("/v1/events/export/ndjson", params=asked)
    tag = writer.get(f"/v1/events/{event['id']}").headers["etag"]
    patch = {"Content-Type": "application/merge-patch+json", "If-Match": tag}
    changed = writer.patch(f"/v1/events/{event['id']}", content=json.dumps({"title": "After"}), headers=patch)
    assert changed.status_code == 200
    again = client.get("/v1/events/export/ndjson", params=asked)
    assert (again.content, again.headers["etag"]) == (before.content, before.headers["etag"])
    assert "max-age=86400" in again.headers["cache-control"]
    assert json.loads(client.get("/v1/events/export/ndjson", params={"tag": unique}).text)["title"] == "After"


def test_a_long_export_is_whole(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    rows = [
        {"key": f"{unique}-{n}", "title": f"Event {n}", "occurred": f"{1000 + n}", "tags": [unique]} for n in range(700)
    ]
    assert writer.post("/v1/events/batch", params={"collection": "main"}, json=rows).status_code == 200
    lines = client.get("/v1/events/export/ndjson", params={"tag": unique}).text.splitlines()
    assert [json.loads(line)["title"] for line in lines] == [f"Event {n}" for n in range(700)]


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_as_long_as_may_be_is_as_described(writer: httpx.Client, client: httpx.Client, form: str) -> None:
    tag, source = f"long-{form}", f"long-{form}"
    writer.post("/v1/sources", json={"slug": source, "title": "s" * 500}).raise_for_status()
    told = {"source": source, "stance": "asserts", "quote": "'" * 5_000}
    claims = [told | {"published": f"20{n:02}"} for n in range(40)]
    long = {
        "title": '"' * 500,
        "summary": "<" * 20_000,
        "claims": claims,
        "tags": [tag],
        "attributes": {"n": 2**63 - 1},
    }
    for date in ("/", "Y-13800000000"):
        made = writer.post("/v1/events", json=long | {"occurred": date})
        assert made.status_code == 201, made.text
    answer = client.get(f"/v1/events/export/{form}", params={"tag": tag})
    assert answer.text.count("Standing: reported") == 2 or form in ("csv", "ndjson", "geojson", "jsonld", "ical")
    contract = Contract(client.get("/openapi.json").json())
    contract.check(answer)
    contract.check(client.get(f"/v1/events/export/{form}", params={"tag": tag, "report": "true"}))


@pytest.mark.parametrize(
    ("form", "more", "status"), [("xlsx", {}, 404), ("csv", {"limit": "5"}, 400), ("csv", {"from": "x"}, 400)]
)
def test_what_cannot_be_exported_is_refused(client: httpx.Client, form: str, more: dict[str, str], status: int) -> None:
    answer = client.get(f"/v1/events/export/{form}", params=more)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_private_is_exported_to_nobody(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    slug = f"hidden-{unique}"
    made = writer.post("/v1/collections", json={"slug": slug, "title": "Hidden", "visibility": "private"})
    assert made.status_code == 201
    event = {"title": "Secret", "collection": slug, "tags": [unique], "occurred": "1999"}
    assert writer.post("/v1/events", json=event).status_code == 201
    for form in FORMATS:
        assert "Secret" in writer.get(f"/v1/events/export/{form}", params={"tag": unique, "collection": slug}).text
        assert "Secret" not in client.get(f"/v1/events/export/{form}", params={"tag": unique}).text
        assert "Secret" not in client.get(f"/v1/events/export/{form}", params={"collection": slug}).text


# --- What is lost


MARK = "Quokka"
OTHER = "Numbat"
SPEAKER = {"slug": "marked-actor", "name": MARK, "type": "person"}
# For each member of an event and of its parts: what has it, and how it is found in a text.
LEAVES: dict[str, tuple[Callable[[str], dict[str, Any]], str]] = {
    "key": (lambda unique: {"key": f"{MARK}-{unique}"}, MARK),
    "summary": (lambda _: {"summary": MARK}, MARK),
    "language": (lambda _: {"language": "tlh"}, r"\btlh\b"),
    "kind": (lambda _: {"kind": MARK}, MARK),
    "phase": (lambda _: {"phase": "hypothetical"}, "hypothetical"),
    "tags": (lambda _: {"tags": [MARK]}, MARK),
    "attributes": (lambda _: {"attributes": {"note": MARK}}, MARK),
    "external_ids": (lambda _: {"external_ids": {"elsewhere": MARK}}, MARK),
    "actors.actor": (lambda _: {"actors": [{"actor": SPEAKER}]}, f"{MARK}|marked-actor"),
    "actors.role": (lambda _: {"actors": [{"actor": SPEAKER, "role": "Bilby"}]}, "Bilby"),
    "actors.attributes": (lambda _: {"actors": [{"actor": SPEAKER, "attributes": {"rank": "Bilby"}}]}, "Bilby"),
    "claims.source": (lambda _: claimed(), f"{MARK}|marked-source"),
    "claims.stance": (lambda _: claimed(stance="disputes"), "(?i)disputed|disputes"),
    "claims.via": (lambda _: claimed(via="marked-via"), f"marked-via|{OTHER}"),
    "claims.speakers": (lambda _: claimed(speakers=["marked-speaker"]), "Potoroo|marked-speaker"),
    "claims.occurred": (lambda _: claimed(occurred="1871-04-17"), "1871-04-17"),
    "claims.quote": (lambda _: claimed(quote="Bilby"), "Bilby"),
    "claims.locator": (lambda _: claimed(locator="Bilby"), "Bilby"),
    "claims.published": (lambda _: claimed(published="1999-03-24"), "1999-03-24"),
    "claims.confidence": (lambda _: claimed(confidence=37), r'"confidence":37\b'),
    "places.name": (lambda _: {"places": [{"name": MARK}]}, MARK),
    "places.country": (lambda _: {"places": [{"country": "AQ"}]}, r"\bAQ\b"),
    "places.latitude": (lambda _: {"places": [{"latitude": -12.3456, "longitude": 65.4321}]}, "12.3456"),
    "places.longitude": (lambda _: {"places": [{"latitude": -12.3456, "longitude": 65.4321}]}, "65.4321"),
    "media.url": (lambda _: depicted(), "example.org/marked.png"),
    "media.caption": (lambda _: depicted(caption=MARK), MARK),
    "media.credit": (lambda _: depicted(credit=MARK), MARK),
    "media.alt": (lambda _: depicted(alt=MARK), MARK),
    "media.licence": (lambda _: depicted(licence=MARK), MARK),
}


def claimed(**more: Any) -> dict[str, Any]:
    return {"claims": [{"source": "marked-source", **more}]}


def depicted(**more: Any) -> dict[str, Any]:
    return {"media": [{"url": "https://example.org/marked.png", **more}]}


@pytest.fixture(scope="module")
def marked(writer: httpx.Client) -> dict[str, str]:
    """The ids of events of which each has one member beside what every event has."""
    writer.post("/v1/actors", json={"slug": "marked-speaker", "name": "Potoroo"}).raise_for_status()
    for slug, title in (("marked-source", MARK), ("marked-via", OTHER)):
        writer.post("/v1/sources", json={"slug": slug, "title": title}).raise_for_status()
    writer.post("/v1/collections", json={"slug": "marked", "title": "Marked"}).raise_for_status()
    ids: dict[str, str] = {}
    for name, (made, _) in LEAVES.items():
        row = {"title": "Of one member", "occurred": "2020-02-03"} | made(name)
        answer = writer.post("/v1/events/batch", params={"collection": "marked"}, json=[row])
        assert answer.status_code == 200, answer.text
        ids[name] = answer.json()["rows"][0]["id"]
    return ids


@pytest.mark.parametrize("form", FORMATS)
def test_each_member_is_in_the_file_or_in_the_report(client: httpx.Client, marked: dict[str, str], form: str) -> None:
    for name, (_, pattern) in LEAVES.items():
        text = export(client, form, "marked", id=marked[name]).text.replace("\r\n ", "")
        losses = losses_of(export(client, form, "marked", id=marked[name], report="true").json())
        there = re.search(pattern, text) is not None
        assert there == (name.partition(".")[0] not in losses), (name, losses, text)


@pytest.fixture(scope="module")
def full(writer: httpx.Client, marked: dict[str, str]) -> str:
    """An event that has all that an event can have, and more than one of what some formats have one of."""
    point = {"name": "Here", "country": "XK", "latitude": 42.66, "longitude": 21.16}
    told = {"via": "marked-via", "locator": "page 1", "confidence": 37, "quote": "So", "occurred": "2020-02"}
    row = {
        "key": "full",
        "title": "Full",
        "summary": "Of everything",
        "language": "en",
        "occurred": "2020-02-03",
        "kind": "meeting",
        "phase": "expected",
        "actors": [{"actor": SPEAKER, "role": "host", "attributes": {"rank": 1}}],
        "claims": [{"source": "marked-source", "speakers": ["marked-speaker"], "published": "2020", **told}],
        "relations": [{"type": "refers_to", "event": marked["key"]}],
        "places": [point, point | {"name": "There"}],
        "tags": ["full"],
        "media": [{"url": f"https://example.org/{n}.png", "licence": "CC0"} for n in range(2)],
        "attributes": {"note": "so"},
        "external_ids": {"elsewhere": "1"},
    }
    answer = writer.post("/v1/events/batch", params={"collection": "marked"}, json=[row])
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["rows"][0]["id"]
    return found


@pytest.mark.parametrize("form", FORMATS)
def test_the_guide_says_of_each_format_what_it_cannot_hold(client: httpx.Client, full: str, form: str) -> None:
    losses = losses_of(export(client, form, "marked", id=full, report="true").json())
    told = {row[0].strip("`"): set(re.findall("`([a-z_]+)`", row[3])) for row in rows_of("exports.md", "## Formats")}
    assert set(told) == set(FORMATS)
    assert told[form] == set(losses)


# --- Addresses


def test_an_address_is_an_iri_where_one_must_be(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    url = 'https://[2001:db8::1]/ü[1]?a="b"&c=<d>&e=50%&f=%20|{g}^`\\#[a]#b'
    wanted = "https://[2001:db8::1]/ü%5B1%5D?a=%22b%22&c=%3Cd%3E&e=50%25&f=%20%7C%7Bg%7D%5E%60%5C#%5Ba%5D%23b"
    claim = {"source": {"slug": unique, "title": "Told", "url": url}}
    row = {"title": "Told", "occurred": "1999", "tags": [unique], "claims": [claim], "media": [{"url": url}]}
    answer = writer.post("/v1/events/batch", params={"collection": "main"}, json=[row])
    assert answer.status_code == 200, answer.text

    def exported(form: str) -> httpx.Response:
        return client.get(f"/v1/events/export/{form}", params={"tag": unique})

    (entry,) = ElementTree.fromstring(exported("atom").content).iter("{http://www.w3.org/2005/Atom}entry")
    links = {link.get("rel"): link.get("href") for link in entry.iter("{http://www.w3.org/2005/Atom}link")}
    assert links["via"] == wanted
    (item,) = exported("jsonfeed").json()["items"]
    assert item["external_url"] == wanted
    event, told = exported("jsonld").json()["@graph"]
    assert (event["image"], told["appearance"]["url"]) == ([wanted], wanted)
    (slide,) = exported("timelinejs").json()["events"]
    assert slide["media"]["url"] == wanted
    assert html.escape(wanted) in slide["text"]["text"]
    assert json.loads(exported("ndjson").text)["media"][0]["url"] == url


# --- Packed


def brotli_unpacked() -> Callable[[bytes], bytes]:
    unpacker = brotli.Decompressor()

    def unpack(part: bytes) -> bytes:
        found = [unpacker.process(part)]
        while found[-1]:  # It gives out a window at a time.
            found.append(unpacker.process(b""))
        return b"".join(found)

    return unpack


UNPACK: dict[str, Callable[[], Callable[[bytes], bytes]]] = {
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
    "br": brotli_unpacked,
    "gzip": lambda: zlib.decompressobj(wbits=31).decompress,
}


@pytest.mark.parametrize("coding", CODINGS)
def test_an_export_is_packed_while_it_is_sent(client: httpx.Client, collection: str, coding: str) -> None:
    path, asked = "/v1/events/export/ndjson", {"collection": collection}
    plain = client.get(path, params=asked, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    taken = {"Accept-Encoding": coding}
    with client.stream("GET", path, params=asked, headers=taken) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == coding
    assert "Accept-Encoding" in answer.headers["vary"]
    assert UNPACK[coding]()(raw) == plain.content
    assert len(raw) < len(plain.content) / 3
    tag = answer.headers["etag"]
    assert tag == f'{plain.headers["etag"][:-1]}-{coding}"'
    head = client.head(path, params=asked, headers=taken)
    told = ("etag", "vary", "content-encoding", "content-type", "cache-control")
    assert [head.headers[name] for name in told] == [answer.headers[name] for name in told]
    still = client.get(path, params=asked, headers=taken | {"If-None-Match": tag})
    assert (still.status_code, still.content, still.headers["etag"]) == (304, b"", tag)
    other = client.get(path, params=asked, headers=taken | {"If-None-Match": plain.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("coding", CODINGS)
async def test_each_part_can_be_unpacked_when_it_has_come(coding: str) -> None:
    sent = [b"first " * 100, b"second", b"third " * 100_000]

    async def parts() -> AsyncGenerator[bytes, None]:
        for part in sent:
            yield part

    unpack = UNPACK[coding]()
    come = [unpack(part) async for part in flowing(parts(), coding)]
    assert come == [*sent, b""]
