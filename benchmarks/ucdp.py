"""Twelve thousand real events through the batch, and whether filters and diffs say what plain reading of them says.

    python -m benchmarks.ucdp [--data FILE]

The file is UCDP GED 19.1 for Syria (CC BY 4.0), from the folder of shared data. Each row becomes an event with both
sides as actors, its articles as claims of sources with publishers, its dates as exact as the row has them, and its
coordinates. What is right is counted by `ucdp_plain`, which reads the file and nothing else. The second release has 500
rows altered, 100 dropped and 50 new; the diff must say exactly that, between revisions and between collections by key.
Ends with status 1 where anything differs.
"""

import argparse
import hashlib
import os
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec

from benchmarks.serving import served
from benchmarks.ucdp_plain import Article, Row, ids_where, questions, read_rows

FILE = "data/ucdp/ged_syria_191_part.csv.gz"
COUNTRIES = {"Syria": "SY", "Iraq": "IQ"}
# One batch takes 10,000 rows, and with `retract_missing` it is all that its collection holds.
COLLECTIONS = {"state-based": "ged-state-based", "non-state": "ged-other", "one-sided": "ged-other"}
SEED = 191
ALTERED, DROPPED, NEW = 500, 100, 50

Shape = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ucdp", description=__doc__)
    shared = Path(os.environ.get("DATELINE_SHARED", Path(__file__).parents[2] / "shared"))
    parser.add_argument("--data", type=Path, default=shared / FILE)
    path: Path = parser.parse_args().data
    if not path.exists():
        sys.exit(f"{path} is not there; --data or DATELINE_SHARED names another place.")
    first = read_rows(path)
    second, expected = released_again(first)
    with served(DATELINE_STATEMENT_SECONDS="120") as client:
        right = run(client, first, second, expected)
    sys.exit(0 if right else 1)


def run(client: httpx.Client, first: list[Row], second: list[Row], expected: Counter[str]) -> bool:
    checks: list[bool] = []
    load(client, first, "")
    for words, named, holds in questions():
        wanted = ids_where(first, holds)
        found = keys_of(client, {"collection": sorted(set(COLLECTIONS.values())), **slugged(named)})
        checks.append(tell(words, len(wanted), len(found), wanted == found))
    one = head_of(client)
    load(client, first, "")
    checks.append(tell("the same batches again: revisions made", 0, head_of(client) - one, head_of(client) == one))
    load(client, second, "", retract_missing="true")
    two = head_of(client)
    collections = sorted(set(COLLECTIONS.values()))
    between = changes(client, {"collection": collections, "base_revision": str(one), "head_revision": str(two)})
    checks += compared("between revisions", expected, between)
    load(client, first, "", retract_missing="true")
    again = changes(client, {"collection": collections, "base_revision": str(one)})
    checks += compared("and back again", Counter(), again)
    load(client, second, "-next")
    sides = {"base_collection": collections, "head_collection": [f"{each}-next" for each in collections]}
    by_key = changes(client, {**sides, "match_on": "key"})
    checks += compared("between collections by key", expected, by_key)
    return all(checks)


def tell(words: str, wanted: int, found: int, right: bool) -> bool:
    print(f"{words:<50} {wanted:>7} {found:>7}  {'the same' if right else 'DIFFERENT'}", flush=True)
    return right


def compared(words: str, expected: Counter[str], found: Counter[str]) -> list[bool]:
    return [
        tell(f"{words}: {op}", expected[op], found[op], expected[op] == found[op])
        for op in ("added", "removed", "changed")
    ]


# --- From rows to events


def load(client: httpx.Client, rows: Iterable[Row], suffix: str, **parameters: str) -> None:
    """Sends each collection's rows as one batch."""
    by_collection: dict[str, list[Row]] = {}
    for row in rows:
        by_collection.setdefault(COLLECTIONS[row.violence] + suffix, []).append(row)
    for collection, members in sorted(by_collection.items()):
        made = client.post("/v1/collections", json={"slug": collection, "title": collection, "licence": "CC-BY-4.0"})
        assert made.status_code in (201, 409), made.text
        body = b"\n".join(msgspec.json.encode(event_of(row)) for row in members)
        began = time.monotonic()
        answer = client.post(
            "/v1/events/batch",
            params={"collection": collection, **parameters},
            content=body,
            headers={"Content-Type": "application/x-ndjson", "Revision-Cause": "import"},
        )
        seconds = time.monotonic() - began
        if answer.status_code != 200:
            sys.exit(f"{collection}: {answer.status_code} {answer.text[:2000]}")
        done = answer.json()
        told = ", ".join(f"{done[name]} {name}" for name in ("created", "updated", "unchanged", "retracted"))
        print(f"{collection}: {len(members)} rows, {len(body) / 1e6:.1f} MB, {seconds:.1f} s: {told}", flush=True)


def event_of(row: Row) -> Shape:
    return {
        "key": row.id,
        "title": line_of(f"{row.dyad}: {row.place}"),
        "language": "en",
        "occurred": row.start if row.start == row.end else f"{row.start}/{row.end}",
        "kind": row.violence,
        "actors": [{"actor": actor_of(side), "role": role} for side, role in zip(row.sides, ROLES, strict=True)],
        "claims": [{"source": source_of(article)} for article in row.articles],
        "places": [
            {
                "name": line_of(row.place),
                "country": COUNTRIES[row.country],
                "latitude": row.latitude,
                "longitude": row.longitude,
            }
        ],
        "tags": [line_of(row.region)] if row.region else [],
        "attributes": {"deaths": {"value": row.deaths, "unit": "persons"}, "source_original": row.original},
    }


ROLES = ("side_a", "side_b")


def actor_of(name: str) -> Shape:
    return {"slug": slug_of(name), "name": name, "type": "group"}


def source_of(article: Article) -> Shape:
    digest = hashlib.sha256("\0".join(article).encode()).hexdigest()[:16]
    return {
        "slug": f"{slug_of(article.office)[:40].strip('-')}-{article.date}-{digest}",
        "title": line_of(article.headline) or line_of(article.office),
        "type": "article",
        "published": article.date,
        "publisher": {"slug": slug_of(article.office), "name": article.office, "type": "organisation"},
    }


def line_of(text: str) -> str:
    """The text on one line, without what nobody sees at its ends."""
    return " ".join(text.split())[:500].strip(" \u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\ufeff")


def slug_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return slug or f"n-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def slugged(named: dict[str, str | list[str]]) -> dict[str, Any]:
    """Parameters with slugs and codes where the question has names."""
    turned: dict[str, Any] = {}
    for name, value in named.items():
        turn: Callable[[str], str] = slug_of if name in ("actor", "publisher") else str
        if name == "country":
            turn = COUNTRIES.__getitem__
        turned[name] = [turn(each) for each in value] if isinstance(value, list) else turn(value)
    return turned


def released_again(rows: list[Row]) -> tuple[list[Row], Counter[str]]:
    """The next release, and what a diff must say of it."""
    random = Random(SEED)
    chosen = random.sample(range(len(rows)), ALTERED + DROPPED)
    altered, dropped = set(chosen[:ALTERED]), set(chosen[ALTERED:])
    alter: list[Callable[[Row], Row]] = [
        lambda row: row._replace(deaths=row.deaths + 1),
        lambda row: row._replace(latitude=round(row.latitude + 0.01, 6)),
        lambda row: row._replace(end="2020-01-01"),
        lambda row: row._replace(sides=(row.sides[0], f"{row.sides[1]} (confirmed)")),
        lambda row: row._replace(articles=(*row.articles, Article("Release notes", "2019-06-01", row.id))),
    ]
    next_release = [
        alter[place % len(alter)](row) if place in altered else row
        for place, row in enumerate(rows)
        if place not in dropped
    ]
    new = [row._replace(id=str(9_000_000 + place)) for place, row in enumerate(random.sample(rows, NEW))]
    return [*next_release, *new], Counter(added=NEW, removed=DROPPED, changed=ALTERED)


# --- What the service says


def keys_of(client: httpx.Client, query: dict[str, Any]) -> set[str]:
    return {event["key"] for page in pages(client, "/v1/events", {**query, "fields": "key"}) for event in page["items"]}


def changes(client: httpx.Client, query: dict[str, Any]) -> Counter[str]:
    everything = pages(client, "/v1/diff", {**query, "fields": "key"})
    return Counter(item["op"] for page in everything for item in page["items"])


def pages(client: httpx.Client, path: str, query: dict[str, Any]) -> Iterable[Shape]:
    answer = client.get(path, params={**query, "include": "none", "limit": "500"})
    while True:
        answer.raise_for_status()
        page: Shape = answer.json()
        yield page
        if page["next"] is None:
            return
        answer = client.get(page["next"])


def head_of(client: httpx.Client) -> int:
    return int(client.get("/v1").json()["revision"])


if __name__ == "__main__":
    main()
