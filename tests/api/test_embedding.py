"""What is embedded, as a program sees it: files, pages, and who is told of them."""

import base64
import hashlib
import html
import json
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.conftest import Live, new_folder, served

PAGE = "/embed/timelines/kosovo"


def test_a_file_is_kept_for_ever_by_its_own_name(reader: httpx.Client) -> None:
    usual = reader.get("/embed/event-timeline.js")
    assert usual.headers["content-type"].startswith("text/javascript")
    assert usual.headers["access-control-allow-origin"] == "*"
    assert "max-age=3600" in usual.headers["cache-control"]
    page = reader.get(PAGE).text
    scripts = re.findall(r'src="(/embed/[^"]+)" crossorigin="anonymous" integrity="sha384-([^"]+)"', page)
    assert [re.sub("-[0-9a-f]{8}", "", path) for path, _ in scripts] == ["/embed/event-timeline.js", "/embed/frame.js"]
    for path, digest in scripts:
        answer = reader.get(path)
        assert "immutable" in answer.headers["cache-control"]
        assert base64.b64encode(hashlib.sha384(answer.content).digest()).decode() == digest
    assert reader.get(scripts[0][0]).content == usual.content
    parts = dict(re.findall(r'"?([a-z-]+)"?:"([0-9a-f]{8})"', usual.text))
    assert len(parts) == 14
    for name, digest in parts.items():
        assert reader.get(f"/embed/{name}-{digest}.js").status_code == 200
    assert reader.get("/embed/no-such.js").status_code == 404


def test_the_page_is_whole_without_a_script(reader: httpx.Client) -> None:
    text = reader.get(PAGE).text
    listed = reader.get("/v1/timelines/kosovo/events").json()
    ids = [event["id"] for event in listed["items"]]
    assert re.findall(r'data-id="([^"]+)"', text) == ids
    for event in listed["items"]:
        assert html.escape(event["title"]) in text
    for source in listed["included"]["sources"].values():
        assert source["url"] is None or html.escape(source["url"]) in text
    data = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.S)[0])
    events = [node["identifier"] for node in data["@graph"] if node["@type"] == "Event"]
    assert events == ids
    assert 'property="og:title" content="Kosovo and the American troops"' in text
    kinds = set(re.findall(r'<link rel="alternate" type="([^"]+)"', text))
    assert {"application/json+oembed", "application/atom+xml", "application/feed+json", "text/calendar"} <= kinds
    for address in re.findall(r'<link rel="alternate" [^>]*href="([^"]+)"', text):
        assert reader.get(html.unescape(address)).status_code == 200, address


def test_the_page_takes_what_a_listing_takes(reader: httpx.Client) -> None:
    asked = {"known_at": "2025-02-19", "actor": "kfor", "order": "desc"}
    listed = [event["id"] for event in reader.get("/v1/timelines/kosovo/events", params=asked).json()["items"]]
    text = reader.get(PAGE, params=asked).text
    assert re.findall(r'data-id="([^"]+)"', text) == listed
    src = html.unescape(re.findall(r'<event-timeline src="([^"]+)"', text)[0])
    assert parse_qs(urlsplit(src).query) == {name: [value] for name, value in asked.items()}
    assert [event["id"] for event in reader.get(src).json()["items"]] == listed


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("acto=kfor", 400, "acto"),
        ("view=spiral", 400, "view"),
        ("lang=no_such", 400, "lang"),
        ("view=diff&base=tag%3Dkfor", 400, "base"),
        ("view=diff&base=known_at%3Dxx", 400, "base"),
        ("view=diff&head=revision%3Dfirst", 400, "head"),
        ("view=diff&base=revision%3D1&head=revision%3D999999", 400, "head"),
        ("view=diff&head=as_of%3D2999-01-01T00:00:00Z", 400, "head"),
        ("view=diff&base=as_of%3D2025-01-01T00:00:00Z%26revision%3D1", 400, "base"),
        ("view=diff&base=known_at%3D%25FF", 400, "base"),
        ("view=diff&base=known_at%3D2000%26known_at%3D2001", 400, "base"),
        ("from=20x", 400, "from"),
    ],
)
def test_what_the_page_cannot_be_asked_is_named(reader: httpx.Client, query: str, status: int, named: str) -> None:
    answer = reader.get(f"{PAGE}?{query}")
    assert answer.status_code == status
    assert answer.json()["errors"][0]["parameter"] == named


def test_nothing_in_a_text_is_markup(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    text = f"</script><script>alert('{unique}')</script>\"><img src=x onerror=alert(1)>"
    slug = f"marked-{unique}"
    event = {"title": text, "summary": text, "occurred": "1999", "tags": [unique]}
    assert writer.post("/v1/events", json=event).status_code == 201
    timeline = {"slug": slug, "title": text, "description": text, "selection": {"tag": [unique]}}
    assert writer.post("/v1/timelines", json=timeline).status_code == 201
    for path in (f"/embed/timelines/{slug}", f"/?timeline={slug}", "/embed"):
        page = client.get(path).text
        assert "<img" not in page
        assert f"<script>alert('{unique}')" not in page
    told = client.get("/oembed", params={"url": f"{client.base_url}/embed/timelines/{slug}"}).json()
    assert "<img" not in told["html"]
    assert told["title"] == text


def test_a_text_turns_nothing_around_it(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    """A text with marks of direction stands apart from what is beside it."""
    text = f"un\u2069\u202eturned \u2067{unique}"
    row = {
        "title": text,
        "summary": text,
        "tags": [unique],
        "claims": [
            {
                "source": {"slug": unique, "title": text, "url": "https://example.org/"},
                "speakers": [{"slug": unique, "name": text}],
                "quote": text,
                "published": "2019/..",
            }
        ],
    }
    answer = writer.post("/v1/events/batch", params={"collection": "main"}, json=[row])
    assert answer.status_code == 200, answer.text
    timeline = {"slug": unique, "title": text, "description": text, "selection": {"tag": [unique]}}
    assert writer.post("/v1/timelines", json=timeline).status_code == 201
    for path in (f"/embed/timelines/{unique}", f"/?timeline={unique}", "/embed", f"/?q={text}"):
        body = client.get(path).text.partition("<body>")[2]
        around = re.findall(rf"<([^<>]*)>([^<>]*){text}([^<>]*)<", body)
        assert around, path
        for tag, before, after in around:
            assert tag == "bdi" or 'dir="auto"' in tag, (path, tag)
            assert (before, after) == (("\u2068", "\u2069") if tag == "bdi" else ("", "")), path
    page = client.get(f"/embed/timelines/{unique}").text
    assert "<bdi>2019/..</bdi>" in page


def test_oembed_gives_a_frame_that_fits(reader: httpx.Client) -> None:
    url = f"{str(reader.base_url).rstrip('/')}{PAGE}?known_at=2025-02-19&view=axis"
    told = reader.get("/oembed", params={"url": url, "maxwidth": "500", "maxheight": "300"}).json()
    assert (told["type"], told["version"], told["width"], told["height"]) == ("rich", "1.0", 500, 300)
    src = html.unescape(re.findall(r'src="([^"]+)"', told["html"])[0])
    assert src == url
    assert reader.get(src).status_code == 200
    assert 'width="500" height="300"' in told["html"]
    assert reader.get("/oembed", params={"url": url}).json()["width"] == 800


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"url": "{origin}/embed/timelines/none-such"}, 404),
        ({"url": "{origin}/v1/actors/kfor"}, 404),
        ({"url": "https://elsewhere.example/embed/timelines/kosovo"}, 404),
        ({"url": "{origin}/embed/timelines/kosovo/events"}, 404),
        ({"url": "{origin}/embed%2Ftimelines/kosovo"}, 404),
        ({"url": "http://[::1/embed/timelines/kosovo"}, 404),
        ({"url": "http://[x]/embed/timelines/kosovo"}, 404),
        ({"url": "http://a]b/x"}, 404),
        ({"url": "{origin}/embed/timelines/kosovo", "format": "xml"}, 501),
        ({"url": "{origin}/embed/timelines/kosovo", "maxwidth": "0"}, 400),
        ({}, 400),
    ],
)
def test_oembed_refuses_what_it_does_not_embed(reader: httpx.Client, query: dict[str, str], status: int) -> None:
    origin = str(reader.base_url).rstrip("/")
    answer = reader.get("/oembed", params={name: value.replace("{origin}", origin) for name, value in query.items()})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/timelines/kosovo/events?fields=title", "fields"),
        ("/embed/timelines/kosovo?bogus=1", "bogus"),
        ("/embed/timelines/kosovo?from=2025&to=2008", "from"),
        ("/embed/timelines/kosovo?revision=999999", "revision"),
        ("/embed/timelines/kosovo?cursor=none", "cursor"),
        ("/embed/timelines/kosovo?view=diff&base=known_at%3Dxx", "base"),
        ("/embed/timelines/kosovo?q=%FF", None),
    ],
)
def test_oembed_offers_no_frame_that_the_page_would_refuse(reader: httpx.Client, path: str, named: str | None) -> None:
    frame = path.replace("/v1/timelines/kosovo/events", PAGE)
    assert reader.get(frame).status_code == 400
    answer = reader.get("/oembed", params={"url": str(reader.base_url).rstrip("/") + path})
    assert answer.status_code == 404
    told = answer.json()
    assert told["detail"].startswith("There is no such page of the timeline kosovo. ")
    assert named is None or (told["errors"][0]["parameter"] == "url" and named in told["errors"][0]["detail"])


def test_oembed_of_a_bad_key_and_of_what_is_private(writer: httpx.Client, client: httpx.Client, unique: str) -> None:
    slug = f"kept-{unique}"
    timeline = {"slug": slug, "title": "Kept", "selection": {}, "visibility": "private"}
    assert writer.post("/v1/timelines", json=timeline).status_code == 201
    url = f"{str(client.base_url).rstrip('/')}/embed/timelines/{slug}"
    assert client.get("/oembed", params={"url": url}).status_code == 404
    assert client.get(f"/embed/timelines/{slug}").status_code == 404
    assert client.get("/oembed", params={"url": url}, headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert "Kept" not in client.get("/").text + client.get("/embed").text


def test_who_may_frame_is_a_setting(dossier: Live) -> None:
    policy = httpx.get(dossier.base_url + PAGE).headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "default-src 'none'" in policy
    assert "'unsafe" not in policy
    ancestors = "https://news.example https://*.paper.example"
    with new_folder() as folder, served(folder, DATELINE_FRAME_ANCESTORS=ancestors) as live:
        policy = httpx.get(live.base_url + PAGE).headers["content-security-policy"]
    assert f"frame-ancestors {ancestors};" in policy
