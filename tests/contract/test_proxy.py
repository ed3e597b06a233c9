"""The service behind prism, which compares every request and answer with the committed document.

With `--errors` the proxy itself answers where it finds a violation, and otherwise tells of it in a header.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.conftest import ROOT, Live, free_port, new_folder
from tests.node import MODULES, need_node

START_SECONDS_MAX = 120
# Prism compares text with its pattern as it was packed.
PLAIN = {"Accept-Encoding": "identity"}


@contextmanager
def proxied(live: Live) -> Iterator[httpx.Client]:
    """The holder of a write key, at a proxy before the service. Fails at the first answer with a violation."""
    need_node()
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = ["node", MODULES / ".bin" / "prism", "proxy", "--errors", "--port", str(port)]
    keyed = {"Authorization": f"Bearer {live.key}"}
    with new_folder() as folder, (folder.parent / "prism.log").open("w+") as log:
        process = subprocess.Popen([*command, ROOT / "openapi" / "openapi.json", live.base_url], stdout=log, stderr=log)
        try:
            with httpx.Client(
                base_url=address, headers=keyed | PLAIN, timeout=30, event_hooks={"response": [is_clean]}
            ) as client:
                deadline = time.monotonic() + START_SECONDS_MAX
                while True:
                    try:
                        client.get("/healthz")
                        break
                    except httpx.TransportError:
                        log.seek(0)
                        assert process.poll() is None, log.read()
                        assert time.monotonic() < deadline, log.read()
                        time.sleep(0.1)
                yield client
        finally:
            process.terminate()
            process.wait(30)


def is_clean(answer: httpx.Response) -> None:
    answer.read()
    where = f"{answer.request.method} {answer.request.url}"
    assert "sl-violations" not in answer.headers, f"{where}: {answer.headers['sl-violations']}"
    assert b"stoplight.io/prism" not in answer.content, f"{where}: {answer.text}"


def rows(collection: str) -> list[dict[str, Any]]:
    """Two events with a little of everything."""
    alpha, beta, article, denial = (f"{collection}-{name}" for name in ("alpha", "beta", "article", "denial"))
    return [
        {
            "key": "one",
            "title": "One",
            "occurred": "2025-02/..",
            "kind": "deployment",
            "language": "en",
            "actors": [
                {
                    "actor": {"slug": alpha, "name": "Alpha", "names": {"de": "Alpha"}},
                    "role": "subject",
                    "attributes": {"troops": {"value": 600, "bound": "over"}},
                },
                {"actor": {"slug": beta, "name": "Beta", "type": "state"}},
            ],
            "claims": [
                {
                    "source": {"slug": article, "title": "An article", "publisher": beta, "published": "2025-02-19"},
                    "speakers": [alpha],
                    "quote": "We go.",
                    "confidence": 50,
                },
                {
                    "source": {
                        "slug": denial,
                        "title": "A denial",
                        "published": "2025-02-20",
                        "derived_from": [article],
                    },
                    "stance": "denies",
                    "occurred": "2025-02-20T10:00:00Z",
                },
            ],
            "places": [{"name": "Prishtina", "country": "XK", "latitude": 42.66, "longitude": 21.17}],
            "media": [{"url": "https://example.org/one.jpg", "alt": "One"}],
            "tags": ["proxied"],
            "attributes": {"list": [1, [2.5, None]], "object": {"deep": {"er": True}}},
            "external_ids": {"wikidata": "Q1"},
        },
        {"key": "two", "title": "Two", "relations": [{"type": "depends_on", "key": "one"}]},
    ]


def test_the_service_passes_a_validating_proxy(live: Live, unique: str) -> None:
    with proxied(live) as client:
        # Written, and refused.
        assert client.post("/v1/collections", json={"slug": unique, "title": "Proxied"}).status_code == 201
        batch = client.post("/v1/events/batch", params={"collection": unique}, json=rows(unique))
        assert [row["result"] for row in batch.json()["rows"]] == ["created", "created"]
        event = {"collection": unique, "key": "three", "title": "Three"}
        made = client.post("/v1/events", json=event)
        assert made.status_code == 201
        assert client.post("/v1/events", json=event).status_code == 409
        place, tagged = f"/v1/events/{made.json()['id']}", {"If-Match": made.headers["ETag"]}
        patch = {"Content-Type": "application/merge-patch+json"} | tagged
        assert client.patch(place, headers=patch, content=b'{"title": "Other"}').status_code == 200
        assert client.patch(place, headers=patch, content=b'{"title": "Third"}').status_code == 412
        timeline = {"slug": unique, "title": "Proxied", "selection": {"collection": unique, "tag": ["proxied"]}}
        assert client.post("/v1/timelines", json=timeline).status_code == 201

        # Read, and refused.
        base = batch.json()["revision"] - 1
        reads = {
            "/v1": 200,
            "/readyz": 200,
            f"/v1/events?collection={unique}&limit=1": 200,
            f"/v1/events?collection={unique}&known_at=2025-02-19&fields=title,occurred&include=none": 200,
            f"/v1/events?actor={unique}-alpha&actor={unique}-beta&from=2025&match=certain&order=desc": 200,
            f"/v1/timelines/{unique}": 200,
            f"/v1/timelines/{unique}/events?stance=denies&standing=contested": 200,
            place: 200,
            f"{place}/history": 200,
            f"/v1/diff?collection={unique}&base_revision={base}&limit=1": 200,
            f"/v1/diff?collection={unique}&base_known_at=2025-02-19&head_known_at=2025-02-20": 200,
            f"/v1/actors/{unique}-alpha": 200,
            "/v1/sources?limit=2": 200,
            "/v1/collections": 200,
            "/v1/revisions?limit=2": 200,
            "/v1/revisions/1": 200,
            "/openapi.json": 200,
            "/docs": 200,
            "/problems/stale": 200,
            "/v1/events?nosuch=1": 400,
            "/v1/events?cursor=nonsense": 400,
            "/v1/actors/nobody": 404,
        }
        assert {path: client.get(path).status_code for path in reads} == reads
        listed = client.get("/v1/collections")
        assert client.get("/v1/collections", headers={"If-None-Match": listed.headers["ETag"]}).status_code == 304
        note = client.get(f"{place}/history", headers={"Accept": "text/markdown"})
        assert note.headers["Content-Type"].startswith("text/markdown")

        # Retracted.
        assert client.delete(place, headers={"If-Match": "*"}).status_code == 204
        assert client.get(place).status_code == 410
