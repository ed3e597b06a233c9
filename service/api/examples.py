"""Examples of what can be sent, each good for the demo dossier: bodies by media type and name, slugs, and reads."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from service.api.operation import JSON, JSON_PATCH, MARKDOWN, MERGE_PATCH, NDJSON

Bodies = Mapping[str, Mapping[str, Any]]

Reads = Mapping[str, tuple[str, str]]

HOST: Final = "https://dateline.example"
"""Where the service of an example is."""

SLUGS: Final = {"actor": "kfor", "source": "bild-2025-02-19", "collection": "main", "timeline": "kosovo"}

EVENT: Final[Bodies] = {
    JSON: {
        "small": {"title": "Kosovo declares its independence", "occurred": "2008-02-17"},
        "attributed": {
            "key": "italian-contingent",
            "collection": "main",
            "title": "Italy has 1,258 soldiers in the force",
            "language": "en",
            "occurred": "2025-02~",
            "kind": "deployment",
            "actors": [
                {
                    "actor": "italy",
                    "role": "contributor",
                    "attributes": {"troops": {"value": 1258, "unit": "persons"}},
                },
                {"actor": "kfor", "role": "subject"},
            ],
            "claims": [
                {
                    "source": "kosovo-withdrawal-article",
                    "via": "bild-2025-02-19",
                    "stance": "asserts",
                    "speakers": ["bild"],
                    "published": "[2025-02-20..2025-02-23]",
                }
            ],
            "relations": [{"type": "part_of", "key": "kfor-deployment"}],
            "places": [{"name": "Kosovo", "country": "XK", "latitude": 42.6, "longitude": 20.9}],
            "tags": ["kfor"],
            "external_ids": {"wikidata": "Q844930"},
        },
    }
}
BATCH: Final[Bodies] = {
    JSON: {
        "ownNamesAlong": [
            {
                "key": "german-contingent",
                "title": "Germany has about 300 soldiers in the force",
                "occurred": "2025-02~",
                "actors": [{"actor": {"slug": "germany", "name": "Germany", "type": "state"}, "role": "contributor"}],
                "claims": [
                    {
                        "source": {
                            "slug": "bundeswehr-2025-02",
                            "title": "Deployments of the Bundeswehr",
                            "type": "document",
                            "publisher": {"slug": "bundeswehr", "name": "Bundeswehr", "type": "organisation"},
                            "published": "2025-02",
                        }
                    }
                ],
                "relations": [{"type": "part_of", "key": "kfor-deployment"}],
            },
            {"key": "kfor-start", "tags": ["kfor", "beginnings"], "summary": None},
        ]
    },
    NDJSON: {"line": {"key": "us-troop-withdrawal", "attributes": {"reviewed": True}}},
}
REVERT: Final[Bodies] = {JSON: {"asAtFirst": {"revision": 5}}}
EVENT_PATCH: Final[Bodies] = {
    MERGE_PATCH: {
        "nearerDate": {"occurred": "2025-02-19/..", "attributes": {"checked": True, "draft": None}},
    },
    JSON_PATCH: {
        "phaseIfStillSo": [
            {"op": "test", "path": "/phase", "value": "hypothetical"},
            {"op": "replace", "path": "/phase", "value": "not_happened"},
            {"op": "add", "path": "/tags/-", "value": "withdrawal"},
        ],
    },
}

MERGE: Final[Bodies] = {JSON: {"sameOffice": {"into": "nato"}}}

CREATED: Final[Mapping[str, Bodies]] = {
    "actor": {
        JSON: {
            "organisation": {
                "slug": "kosovo-police",
                "name": "Kosovo Police",
                "type": "organisation",
                "names": {"sq": "Policia e Kosovës"},
            }
        }
    },
    "source": {
        JSON: {
            "document": {
                "slug": "unsc-resolution-1160",
                "title": "Resolution 1160 (1998)",
                "publisher": "un-security-council",
                "url": "https://undocs.org/S/RES/1160(1998)",
                "type": "document",
                "published": "1998-03-31",
                "language": "en",
            }
        }
    },
    "collection": {
        JSON: {
            "dataset": {"slug": "balkans", "title": "The Balkans since 1991", "licence": "CC-BY-4.0"},
        }
    },
    "timeline": {
        JSON: {
            "selection": {
                "slug": "american-troops",
                "title": "American troops in Kosovo",
                "selection": {"actor": ["united-states"], "tag": "kfor", "known_at": "2025-02-20"},
            }
        }
    },
}
PATCHED: Final[Mapping[str, Bodies]] = {
    "actor": {
        MERGE_PATCH: {"name": {"names": {"sr": "Снаге Кфора"}, "description": None}},
        JSON_PATCH: {"alias": [{"op": "add", "path": "/aliases/-", "value": "Kosovo Force"}]},
    },
    "source": {
        MERGE_PATCH: {"archive": {"archive_url": "https://archive.example/bild-2025-02-19"}},
        JSON_PATCH: {"identifier": [{"op": "add", "path": "/external_ids/press-archive", "value": "2025-02-19/3"}]},
    },
    "collection": {
        MERGE_PATCH: {"credit": {"attribution": "The editors of the dossier"}},
        JSON_PATCH: {"licence": [{"op": "add", "path": "/licence", "value": "CC-BY-4.0"}]},
    },
    "timeline": {
        MERGE_PATCH: {"narrower": {"selection": {"tag": ["kfor", "us-troops"], "tag_match": "any"}}},
        JSON_PATCH: {"title": [{"op": "replace", "path": "/title", "value": "Kosovo, claim by claim"}]},
    },
}

EVENT_KEY: Final = "us-troop-withdrawal"
"""An event of the dossier that one source asserts and another denies."""
EVENT_REVISION: Final = 5
"""A revision at which it is there."""

_ONE_DAY: Final = "base_known_at=2025-02-19&head_known_at=2025-02-20"

READS: Final[Mapping[str, Reads]] = {
    "listEvents": {
        "What was publicly known on 19 February 2025": ("known_at=2025-02-19&tag=us-troops&limit=1", JSON),
        "What one newspaper says": ("according_to=bild&fields=title,claims,standing&include=none&limit=2", JSON),
        "What is contested": ("standing=contested&fields=title,occurred,standing&include=none", JSON),
        "From 1999 to 2008, newest first": (
            "from=1999&to=2008&order=desc&limit=3&fields=title,occurred&include=none",
            JSON,
        ),
    },
    "readEvent": {
        "As it is": ("", JSON),
        "As it was known before it was denied": ("known_at=2025-02-19&include=none", JSON),
    },
    "readHistogram": {
        "Each year from 1999 to 2002": ("from=1999&to=2002&interval=year", JSON),
        "What was made public on which day": (
            "on=published&interval=day&published_from=2025-02-19&published_to=2025-02-23",
            JSON,
        ),
    },
    "readFacets": {
        "Who takes part most": ("facet=actor&facet_limit=3", JSON),
        "How things stood before the denial": ("facet=standing&tag=us-troops&known_at=2025-02-19", JSON),
    },
    "readEventHistory": {"The first revision": ("limit=1", JSON), "As a note": ("", MARKDOWN)},
    "listTimelineEvents": {"The first of a timeline": ("limit=1&include=none", JSON)},
    "readDiff": {
        "What one day changed": (
            f"{_ONE_DAY}&key={EVENT_KEY}&key=us-mission-denial&fields=title,phase,standing&include=none",
            JSON,
        ),
        "What one day changed, as a note": (f"{_ONE_DAY}&tag=us-troops", MARKDOWN),
        "Where two accounts differ": (
            "base_according_to=bild&head_according_to=us-mission-to-nato&fields=title,standing&include=none",
            JSON,
        ),
    },
    "readExport": {
        "For TimelineJS": ("key=kosovo-independence", JSON),
        "What TimelineJS cannot hold": ("tag=kfor&report=true", JSON),
    },
    "readOembed": {"The page of a timeline": ("url={origin}/embed/timelines/kosovo&maxwidth=640", JSON)},
    "listActors": {"Those with a word in their names": ("q=kosovo", JSON)},
    "listSources": {"The first of them": ("limit=2", JSON)},
    "listRevisions": {"The newest of them": ("limit=2", JSON)},
}
"""Queries of reads with the media type asked for, by operation and by what they show."""

ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = json.loads(
    (Path(__file__).parent / "assets/answers.json").read_text(encoding="utf-8")
)
"""What the demo dossier answers to reads, as READS names them: written by `python -m tests.contract.answers`."""


def answers_of(operation: str, media_type: str) -> dict[str, Any]:
    """Examples of what a read answers in a media type, named after what they show."""
    return {
        "-".join(re.findall(r"[a-z0-9]+", title.lower())) or "dossier": {
            **({"summary": title} if title else {}),
            "value": json.loads(json.dumps(value).replace("{origin}", HOST)),
        }
        for title, value in ANSWERS.get(operation, {}).items()
        if (MARKDOWN if isinstance(value, str) else JSON) == media_type
    }
