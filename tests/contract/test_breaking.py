"""What breaks clients is told, and what does not is not: a table of edits, each with what it breaks.

An edit changes places of a document, each told by the keys that lead there. Those of a small document come first, which
shows each rule alone; then those of the committed one, as they may come to pass.
"""

import copy
import json
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.conftest import ROOT
from tests.contract.breaking import breaks, last_released, version_of

COMMITTED: Final = ROOT / "openapi" / "openapi.json"
RELEASED: Final = ROOT / "openapi" / "released"

GONE: Final = object()


def answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": "It.",
        "headers": {
            "ETag": {"$ref": "#/components/headers/ETag"},
            "Revision": {"required": False, "schema": {"type": "integer"}},
        },
        "content": {"application/json": {"schema": schema}, "text/markdown": {"schema": {"type": "string"}}},
    }


THING: Final = {"$ref": "#/components/schemas/Thing"}
BODY: Final = {"$ref": "#/components/schemas/ThingInput"}
SMALL: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1.0.0"},
    "servers": [{"url": "/"}],
    "security": [{"key": ["read"]}],
    "paths": {
        "/things": {
            "get": {
                "operationId": "listThings",
                "security": [{}, {"key": []}],
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 500, "default": 50}},
                    {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                ],
                "responses": {
                    "200": answer({"type": "array", "items": THING, "maxItems": 500}),
                    "400": {"$ref": "#/components/responses/Refused"},
                },
            },
            "post": {
                "operationId": "createThing",
                "requestBody": {
                    "content": {"application/json": {"schema": BODY}, "application/x-ndjson": {"schema": BODY}},
                },
                "responses": {"201": answer(THING), "4XX": {"$ref": "#/components/responses/Refused"}},
            },
        },
        "/things/{slug}": {
            "parameters": [{"$ref": "#/components/parameters/slug"}],
            "get": {"operationId": "readThing", "responses": {"200": answer(THING)}},
        },
    },
    "components": {
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key."}},
        "parameters": {
            "slug": {"name": "slug", "in": "path", "required": True, "schema": {"$ref": "#/components/schemas/Slug"}}
        },
        "headers": {"ETag": {"required": True, "schema": {"type": "string", "minLength": 2}}},
        "responses": {
            "Refused": {
                "description": "No.",
                "content": {
                    "application/problem+json": {
                        "schema": {
                            "type": "object",
                            "properties": {"status": {"type": "integer", "format": "int32"}},
                            "required": ["status"],
                        }
                    }
                },
            }
        },
        "schemas": {
            "Slug": {"type": "string", "pattern": "^[a-z]+$", "minLength": 1, "maxLength": 80},
            "Colour": {"type": "string", "enum": ["red", "green"]},
            "Base": {"type": "object", "properties": {"slug": {"$ref": "#/components/schemas/Slug"}}},
            "Thing": {
                "allOf": [{"$ref": "#/components/schemas/Base"}],
                "type": "object",
                "properties": {
                    "colour": {"$ref": "#/components/schemas/Colour"},
                    "size": {"type": "number", "minimum": 0, "maximum": 10},
                    "count": {"type": "integer"},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "parts": {"type": "array", "items": THING},
                    "seen": {"type": "string", "format": "date"},
                    "attributes": {"type": "object", "additionalProperties": {"type": "string"}},
                    "sealed": {
                        "type": "object",
                        "properties": {"a": {"type": "string"}},
                        "additionalProperties": False,
                    },
                },
                "required": ["slug", "colour"],
            },
            "ThingInput": {
                "type": "object",
                "properties": {
                    "slug": {"$ref": "#/components/schemas/Slug"},
                    "colour": {"$ref": "#/components/schemas/Colour", "default": "red"},
                    "size": {"type": "number", "minimum": 0, "maximum": 10, "multipleOf": 0.5},
                    "count": {"type": "integer", "format": "int64"},
                    "note": {"type": ["string", "null"]},
                    "parts": {"type": "array", "items": BODY, "maxItems": 10},
                    "loose": {"type": "object", "properties": {"a": {"type": "string"}}},
                    "either": {
                        "oneOf": [
                            {"type": "object", "properties": {"op": {"const": "add"}}, "required": ["op"]},
                            {"type": "object", "properties": {"op": {"const": "test"}}, "required": ["op"]},
                        ]
                    },
                    "attributes": {
                        "type": "object",
                        "propertyNames": {"maxLength": 20},
                        "additionalProperties": {"type": ["string", "number"]},
                        "maxProperties": 5,
                    },
                },
                "required": ["slug"],
                "additionalProperties": False,
            },
        },
    },
}


class Edit(NamedTuple):
    label: str
    changes: dict[str, Any]
    """New values, or `GONE`, by the keys that lead there; `-` is the end of a list."""
    expected: tuple[str, ...] = ()


def edited(document: dict[str, Any], edit: Edit) -> dict[str, Any]:
    result = copy.deepcopy(document)
    for place, value in edit.changes.items():
        *way, last = place.split()
        within: Any = result
        for key in way:
            within = within[int(key) if isinstance(within, list) else key]
        if value is GONE:
            del within[int(last) if isinstance(within, list) else last]
        elif isinstance(within, list) and last == "-":
            within.append(copy.deepcopy(value))
        else:
            within[int(last) if isinstance(within, list) else last] = copy.deepcopy(value)
    return result


LIST = "paths /things get"
POST = "paths /things post"
READ = "paths /things/{slug} get"
IN = "components schemas ThingInput"
OUT = "components schemas Thing"
JSON_BODY = "POST /things → body → application/json"
JSON_ANSWER = "GET /things → 200 → application/json → []"

SMALL_EDITS: Final = [
    # Operations
    Edit("an operation is taken away", {POST: GONE}, ("POST /things: is gone",)),
    Edit("a path is taken away", {"paths /things/{slug}": GONE}, ("GET /things/{slug}: is gone",)),
    Edit("an operation is added", {"paths /more": {"get": {"operationId": "more", "responses": {}}}}),
    Edit(
        "an operation is renamed",
        {f"{LIST} operationId": "getThings"},
        ("GET /things: operationId was listThings, is now getThings",),
    ),
    Edit(
        "an operation loses its id",
        {f"{LIST} operationId": GONE},
        ("GET /things: operationId was listThings, is gone",),
    ),
    Edit("a server is moved", {"servers 0 url": "/api"}, ("servers → /: is gone",)),
    Edit("a server is added", {"servers -": {"url": "/api"}}),
    Edit("words are changed", {f"{LIST} summary": "List", f"{IN} description": "New.", "info version": "1.1.0"}),
    # Security
    Edit(
        "a key is asked for",
        {f"{LIST} security": [{"key": []}]},
        ("GET /things → security: no key does not suffice any more",),
    ),
    Edit("a key is asked for no more", {f"{POST} security": []}),
    Edit(
        "another scope is asked for",
        {f"{POST} security": [{"key": ["read", "write"]}]},
        ("POST /things → security: key read does not suffice any more",),
    ),
    Edit(
        "the scope of all is changed",
        {"security": [{"key": ["write"]}]},
        (
            "POST /things → security: key read does not suffice any more",
            "GET /things/{slug} → security: key read does not suffice any more",
        ),
    ),
    Edit("a scope is asked for no more", {f"{POST} security": [{"key": []}]}),
    Edit(
        "a second proof is asked for",
        {f"{POST} security": [{"key": ["read"], "code": []}]},
        ("POST /things → security: key read does not suffice any more",),
    ),
    Edit("another proof suffices too", {f"{POST} security": [{"key": ["read"]}, {"cookie": []}]}),
    Edit(
        "a key is sent in another way",
        {"components securitySchemes key scheme": "basic"},
        ("security schemes → key: scheme was bearer, is now basic",),
    ),
    Edit(
        "a security scheme is taken away",
        {"components securitySchemes key": GONE},
        ("security schemes → key: is gone",),
    ),
    # Parameters
    Edit("a parameter is taken away", {f"{LIST} parameters 1": GONE}, ("GET /things → query tag: is gone",)),
    Edit(
        "an optional parameter is added",
        {f"{LIST} parameters -": {"name": "q", "in": "query", "schema": {"type": "string"}}},
    ),
    Edit(
        "a required parameter is added",
        {f"{LIST} parameters -": {"name": "q", "in": "query", "required": True, "schema": {}}},
        ("GET /things → query q: is new and required",),
    ),
    Edit(
        "a parameter becomes required",
        {f"{LIST} parameters 1 required": True},
        ("GET /things → query tag: is now required",),
    ),
    Edit("a parameter moves", {f"{LIST} parameters 1 in": "cookie"}, ("GET /things → query tag: is gone",)),
    Edit("a header is written in other letters", {f"{LIST} parameters 2 name": "x-trace"}),
    Edit(
        "a list is written in another way",
        {f"{LIST} parameters 1 explode": False},
        ("GET /things → query tag: explode was True, is now False",),
    ),
    Edit(
        "a style that was understood is spelled out",
        {f"{LIST} parameters 1 style": "form", f"{LIST} parameters 1 explode": True},
    ),
    Edit(
        "a parameter's bound is tightened",
        {f"{LIST} parameters 0 schema maximum": 100},
        ("GET /things → query limit: upper bound was 500, is now 100",),
    ),
    Edit("a parameter's bound is loosened", {f"{LIST} parameters 0 schema maximum": 1000}),
    Edit(
        "a default is changed",
        {f"{LIST} parameters 0 schema default": 20},
        ("GET /things → query limit: default was 50, is now 20",),
    ),
    Edit(
        "items of a parameter are bounded",
        {f"{LIST} parameters 1 schema items maxLength": 9},
        ("GET /things → query tag → []: maxLength was unset, is now 9",),
    ),
    Edit(
        "the parameter of a path is narrowed",
        {"components parameters slug schema": {"type": "integer"}},
        ("GET /things/{slug} → path slug: string is no longer taken",),
    ),
    # Bodies
    Edit("a body becomes required", {f"{POST} requestBody required": True}, ("POST /things → body: is now required",)),
    Edit("a body is taken away", {f"{POST} requestBody": GONE}, ("POST /things → body: is gone",)),
    Edit(
        "a required body is added",
        {f"{READ} requestBody": {"required": True, "content": {}}},
        ("GET /things/{slug} → body: is new and required",),
    ),
    Edit(
        "a media type of a body is taken away",
        {f"{POST} requestBody content application/x-ndjson": GONE},
        ("POST /things → body → application/x-ndjson: is gone",),
    ),
    Edit("a media type of a body is added", {f"{POST} requestBody content text/csv": {"schema": {"type": "string"}}}),
    Edit(
        "a required member is added",
        {f"{IN} properties must": {}, f"{IN} required -": "must"},
        (f"{JSON_BODY} → must: is now required",),
    ),
    Edit("an optional member is added", {f"{IN} properties may": {"type": "string"}}),
    Edit(
        "an optional member is added where any was ignored", {f"{IN} properties loose properties b": {"type": "string"}}
    ),
    Edit("a member becomes required", {f"{IN} required -": "note"}, (f"{JSON_BODY} → note: is now required",)),
    Edit("a member becomes optional", {f"{IN} required": []}),
    Edit("a member is taken away", {f"{IN} properties note": GONE}, (f"{JSON_BODY} → note: is gone",)),
    Edit(
        "a member is taken away where any is ignored",
        {f"{IN} properties loose properties a": GONE},
        (f"{JSON_BODY} → loose → a: is gone",),
    ),
    Edit(
        "an object is closed",
        {f"{IN} properties loose additionalProperties": False},
        (f"{JSON_BODY} → loose: other members are refused",),
    ),
    Edit("an object is opened", {f"{IN} additionalProperties": True}),
    Edit(
        "null is refused", {f"{IN} properties note type": "string"}, (f"{JSON_BODY} → note: null is no longer taken",)
    ),
    Edit("null is taken", {f"{IN} properties count type": ["integer", "null"]}),
    Edit("a type is widened", {f"{IN} properties count": {"type": "number"}}),
    Edit(
        "a type is narrowed",
        {f"{IN} properties size type": "integer"},
        (f"{JSON_BODY} → size: number is no longer taken",),
    ),
    Edit(
        "a type is changed",
        {f"{IN} properties note": {"type": "boolean"}},
        (f"{JSON_BODY} → note: string, null is no longer taken",),
    ),
    Edit(
        "an integer gets smaller",
        {f"{IN} properties count format": "int32"},
        (
            f"{JSON_BODY} → count: lower bound was {-(2**63)}, is now {-(2**31)}",
            f"{JSON_BODY} → count: upper bound was {2**63 - 1}, is now {2**31 - 1}",
        ),
    ),
    Edit(
        "a bound is excluded",
        {f"{IN} properties size exclusiveMinimum": 0},
        (f'{JSON_BODY} → size: lower bound was 0, is now {{"beyond": 0}}',),
    ),
    Edit("numbers must be whole halves no more", {f"{IN} properties size multipleOf": GONE}),
    Edit(
        "numbers must be multiples of another",
        {f"{IN} properties size multipleOf": 2},
        (f"{JSON_BODY} → size: multipleOf was 0.5, is now 2",),
    ),
    Edit(
        "a format is asked for",
        {f"{IN} properties note format": "uri"},
        (f'{JSON_BODY} → note: format was unset, is now "uri"',),
    ),
    Edit(
        "a list gets shorter",
        {f"{IN} properties parts maxItems": 5},
        (f"{JSON_BODY} → parts: maxItems was 10, is now 5",),
    ),
    Edit(
        "a list must have different items",
        {f"{IN} properties parts uniqueItems": True},
        (f"{JSON_BODY} → parts: uniqueItems was unset, is now true",),
    ),
    Edit(
        "names of members are bounded more",
        {f"{IN} properties attributes propertyNames maxLength": 10},
        (f"{JSON_BODY} → attributes → names: maxLength was 20, is now 10",),
    ),
    Edit(
        "fewer members are taken",
        {f"{IN} properties attributes maxProperties": 4},
        (f"{JSON_BODY} → attributes: maxProperties was 5, is now 4",),
    ),
    Edit(
        "other members get narrower",
        {f"{IN} properties attributes additionalProperties": {"type": "string"}},
        (f"{JSON_BODY} → attributes → *: number is no longer taken",),
    ),
    Edit(
        "a default of a member is changed",
        {f"{IN} properties colour default": "green"},
        (f'{JSON_BODY} → colour: default was "red", is now "green"',),
    ),
    Edit(
        "an alternative is taken away",
        {f"{IN} properties either oneOf 1": GONE},
        (f'{JSON_BODY} → either → op: "test" is no longer taken',),
    ),
    Edit("an alternative is added", {f"{IN} properties either oneOf -": {"type": "string"}}),
    Edit(
        "alternatives change places",
        {
            f"{IN} properties either": {
                "anyOf": [*reversed(SMALL["components"]["schemas"]["ThingInput"]["properties"]["either"]["oneOf"])]
            }
        },
    ),
    Edit(
        "a rare keyword is added",
        {f"{IN} properties loose not": {"required": ["x"]}},
        (f'{JSON_BODY} → loose: not was unset, is now {{"required": ["x"]}}',),
    ),
    Edit(
        "values are listed",
        {f"{IN} properties note enum": ["a", None]},
        (f"{JSON_BODY} → note: values are now listed",),
    ),
    Edit(
        "a schema moves into a component",
        {
            "components schemas Loose": SMALL["components"]["schemas"]["ThingInput"]["properties"]["loose"],
            f"{IN} properties loose": {"$ref": "#/components/schemas/Loose"},
        },
    ),
    # Both ways
    Edit(
        "a pattern is changed",
        {"components schemas Slug pattern": "^[a-z-]+$"},
        (
            f'{JSON_ANSWER} → slug: pattern was "^[a-z]+$", is now "^[a-z-]+$"',
            f'{JSON_BODY} → slug: pattern was "^[a-z]+$", is now "^[a-z-]+$"',
        ),
    ),
    Edit(
        "a value is listed that was not",
        {"components schemas Colour enum -": "blue"},
        (f'{JSON_ANSWER} → colour: may now be "blue"',),
    ),
    Edit(
        "a value is listed no more",
        {"components schemas Colour enum": ["red"]},
        (f'{JSON_BODY} → colour: "green" is no longer taken',),
    ),
    Edit(
        "listed values become constants",
        {"components schemas Colour": {"anyOf": [{"const": "green"}, {"const": "red"}]}},
    ),
    Edit(
        "a string gets shorter",
        {"components schemas Slug maxLength": 40},
        (f"{JSON_BODY} → slug: maxLength was 80, is now 40",),
    ),
    Edit(
        "a string gets longer",
        {"components schemas Slug maxLength": 90},
        (f"{JSON_ANSWER} → slug: maxLength was 80, is now 90",),
    ),
    # Answers
    Edit("a status is taken away", {f"{LIST} responses 400": GONE}, ("GET /things → 400: is gone",)),
    Edit("a refusal is added", {f"{LIST} responses 404": {"$ref": "#/components/responses/Refused"}}),
    Edit(
        "a success is added",
        {f"{LIST} responses 206": answer(THING)},
        ("GET /things → 206: is a new answer that is no refusal",),
    ),
    Edit(
        "a redirection is added",
        {f"{READ} responses 301": {"description": "There."}},
        ("GET /things/{slug} → 301: is a new answer that is no refusal",),
    ),
    Edit("a refusal is told more exactly", {f"{POST} responses 409": {"$ref": "#/components/responses/Refused"}}),
    Edit(
        "a refusal is not as all were",
        {f"{POST} responses 409": {"description": "No."}},
        ("POST /things → 409 → application/problem+json: is gone",),
    ),
    Edit(
        "a header of an answer is taken away",
        {f"{READ} responses 200 headers Revision": GONE},
        ("GET /things/{slug} → 200 → header revision: is gone",),
    ),
    Edit("a header of an answer is added", {f"{READ} responses 200 headers Link": {"schema": {"type": "string"}}}),
    Edit(
        "a header of an answer may be missing",
        {"components headers ETag required": False},
        ("GET /things → 200 → header etag: is no longer always there",),
    ),
    Edit(
        "a header's schema is widened",
        {f"{READ} responses 200 headers Revision schema type": "string"},
        ("GET /things/{slug} → 200 → header revision: may now be string",),
    ),
    Edit(
        "a media type of an answer is taken away",
        {f"{READ} responses 200 content text/markdown": GONE},
        ("GET /things/{slug} → 200 → text/markdown: is gone",),
    ),
    Edit(
        "a media type of an answer is added", {f"{READ} responses 200 content text/csv": {"schema": {"type": "string"}}}
    ),
    Edit("an answer has a new member", {f"{OUT} properties fresh": {"type": "string"}, f"{OUT} required -": "fresh"}),
    Edit(
        "a closed answer has a new member",
        {f"{OUT} properties sealed properties b": {}},
        (f"{JSON_ANSWER} → sealed → b: is new, where no other members could be",),
    ),
    Edit(
        "a closed answer is opened",
        {f"{OUT} properties sealed additionalProperties": True},
        (f"{JSON_ANSWER} → sealed: other members may now appear",),
    ),
    Edit("a member of an answer is taken away", {f"{OUT} properties size": GONE}, (f"{JSON_ANSWER} → size: is gone",)),
    Edit(
        "a member of an answer may be missing",
        {f"{OUT} required": ["slug"]},
        (f"{JSON_ANSWER} → colour: is no longer always there",),
    ),
    Edit("a member of an answer is always there", {f"{OUT} required -": "size"}),
    Edit(
        "a member of an answer may be null",
        {f"{OUT} properties size type": ["number", "null"]},
        (f"{JSON_ANSWER} → size: may now be null",),
    ),
    Edit("a member of an answer is never null", {f"{OUT} properties note": {"type": "string"}}),
    Edit(
        "a type of an answer is widened",
        {f"{OUT} properties count type": "number"},
        (f"{JSON_ANSWER} → count: may now be number",),
    ),
    Edit("a type of an answer is narrowed", {f"{OUT} properties size type": "integer"}),
    Edit(
        "a type of an answer is left open",
        {f"{OUT} properties count": {}},
        (f"{JSON_ANSWER} → count: may now be null, boolean, number, string, array, object",),
    ),
    Edit(
        "a bound of an answer is loosened",
        {f"{OUT} properties size maximum": GONE},
        (f"{JSON_ANSWER} → size: upper bound was 10, is now unset",),
    ),
    Edit("a bound of an answer is tightened", {f"{OUT} properties size maximum": 9}),
    Edit(
        "a format of an answer is changed",
        {f"{OUT} properties seen format": "date-time"},
        (f'{JSON_ANSWER} → seen: format was "date", is now "date-time"',),
    ),
    Edit(
        "an answer gets longer",
        {f"{LIST} responses 200 content application/json schema maxItems": 900},
        ("GET /things → 200 → application/json: maxItems was 500, is now 900",),
    ),
    Edit(
        "values of a map are widened",
        {f"{OUT} properties attributes additionalProperties": {}},
        (f"{JSON_ANSWER} → attributes → *: may now be null, boolean, number, array, object",),
    ),
    Edit(
        "what is inherited may be null",
        {
            "components schemas Base properties slug": {
                "anyOf": [{"$ref": "#/components/schemas/Slug"}, {"type": "null"}]
            }
        },
        (f"{JSON_ANSWER} → slug: may now be null",),
    ),
    Edit(
        "inheritance is written out",
        {f"{OUT} allOf": GONE, f"{OUT} properties slug": {"$ref": "#/components/schemas/Slug"}},
    ),
]

EVENTS = "GET /v1/events"
WRITTEN = "POST /v1/events → body → application/json"
SEEN = "GET /v1/events → 200 → application/json"
SCHEMAS = "components schemas"

COMMITTED_EDITS: Final = [
    Edit(
        "events get another phase",
        {f"{SCHEMAS} Phase enum -": "rumoured"},
        (f'{SEEN} → items → [] → phase: may now be "rumoured"',),
    ),
    Edit(
        "a phase is given up",
        {f"{SCHEMAS} Phase enum 3": GONE},
        (f'{EVENTS} → query phase → []: "cancelled" is no longer taken',),
    ),
    Edit("titles become optional", {f"{SCHEMAS} EventInput required": []}),
    Edit(
        "summaries become required",
        {f"{SCHEMAS} EventInput required -": "summary"},
        (f"{WRITTEN} → summary: is now required",),
    ),
    Edit(
        "events get another member",
        {
            f"{SCHEMAS} Event properties mood": {"type": "string"},
            f"{SCHEMAS} EventInput properties mood": {"type": "string"},
        },
    ),
    Edit(
        "fewer tags are taken",
        {f"{SCHEMAS} EventInput properties tags maxItems": 50},
        (f"{WRITTEN} → tags: maxItems was 100, is now 50",),
    ),
    Edit(
        "free JSON holds no null",
        {f"{SCHEMAS} JsonValue anyOf 0": GONE},
        (f"{WRITTEN} → actors → [] → attributes → *: null is no longer taken",),
    ),
    Edit(
        "a step of a patch is given up",
        {f"{SCHEMAS} JsonPatch items anyOf 4": GONE},
        ('PATCH /v1/events/{id} → body → application/json-patch+json → [] → op: "copy" is no longer taken',),
    ),
    Edit("more tags are taken", {f"{SCHEMAS} EventInput properties tags maxItems": 200}),
    Edit("limits go further", {"components parameters limit schema maximum": 1000}),
    Edit(
        "pages are shorter by default",
        {"components parameters limit schema default": 20},
        (f"{EVENTS} → query limit: default was 50, is now 20",),
    ),
    Edit(
        "listing asks for a key",
        {"paths /v1/events get security": [{"key": []}]},
        (f"{EVENTS} → security: no key does not suffice any more",),
    ),
    Edit(
        "problems lose their detail",
        {f"{SCHEMAS} Problem required": ["type", "title", "status", "errors"]},
        ("GET /v1 → 400 → application/problem+json → detail: is no longer always there",),
    ),
    Edit(
        "retraction is renamed",
        {"paths /v1/events/{id} delete operationId": "deleteEvent"},
        ("DELETE /v1/events/{id}: operationId was retractEvent, is now deleteEvent",),
    ),
    Edit("If-Match may be left out", {"components parameters If-Match required": False}),
    Edit(
        "creating has no Location",
        {"paths /v1/events post responses 201 headers Location": GONE},
        ("POST /v1/events → 201 → header location: is gone",),
    ),
    Edit(
        "histories are not read as Markdown",
        {"paths /v1/events/{id}/history get responses 200 content text/markdown": GONE},
        ("GET /v1/events/{id}/history → 200 → text/markdown: is gone",),
    ),
    Edit("a filter is taken away", {"paths /v1/events get parameters 6": GONE}, (f"{EVENTS} → query role: is gone",)),
]


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    return dict(json.loads(COMMITTED.read_bytes()))


@pytest.mark.parametrize("edit", SMALL_EDITS, ids=lambda edit: edit.label)
def test_an_edit_breaks_what_it_breaks_and_nothing_else(edit: Edit) -> None:
    new = edited(SMALL, edit)
    assert new != SMALL
    assert sorted(map(str, breaks(SMALL, new))) == sorted(edit.expected)


@pytest.mark.parametrize("edit", COMMITTED_EDITS, ids=lambda edit: edit.label)
def test_an_edit_of_the_committed_document_breaks_what_it_breaks(edit: Edit, committed: dict[str, Any]) -> None:
    new = edited(committed, edit)
    assert new != committed
    assert sorted(map(str, breaks(committed, new))) == sorted(edit.expected)


def test_a_document_breaks_nothing_of_itself(committed: dict[str, Any]) -> None:
    for document in (SMALL, committed):
        assert breaks(document, copy.deepcopy(document)) == []


def test_the_table_has_both_sorts_and_no_label_twice() -> None:
    edits = [*SMALL_EDITS, *COMMITTED_EDITS]
    assert len({edit.label for edit in edits}) == len(edits) >= 50
    assert sum(not edit.expected for edit in edits) >= 20


def test_schemas_that_lead_back_to_themselves_are_compared() -> None:
    tree = {"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Base"}}}
    edit = Edit(
        "circles of every sort",
        {
            "components schemas Base": {**tree, "allOf": [{"$ref": "#/components/schemas/Thing"}]},
            "components schemas Thing properties child": {"anyOf": [THING, {"$ref": "#/components/schemas/Empty"}]},
            "components schemas Empty": {"$ref": "#/components/schemas/Empty"},
        },
    )
    circular = edited(SMALL, edit)
    assert breaks(circular, copy.deepcopy(circular)) == []
    narrower = edited(circular, Edit("in the middle", {f"{OUT} properties size maximum": 9}))
    assert breaks(circular, narrower) == []
    assert {found.why for found in breaks(narrower, circular)} == {"upper bound was 9, is now 10"}


# --- Released documents


def test_versions_are_in_the_order_of_semantic_versioning() -> None:
    # The example of its section 11, with numbers that are not in the order of their letters.
    candidates = ["alpha", "alpha.1", "alpha.beta", "beta", "beta.2", "beta.11", "rc.1"]
    ordered = ["0.9.0", "0.10.0", *(f"1.0.0-{each}" for each in candidates), "1.0.0", "1.0.2", "1.0.10", "2.0.0"]
    assert sorted(sorted(ordered), key=version_of) == ordered
    for wrong in ("1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "latest"):
        with pytest.raises(ValueError, match="not a semantic version"):
            version_of(wrong)


def test_the_last_release_is_the_newest_of_the_major_version(tmp_path: Path) -> None:
    for version in ("0.9.0", "1.9.0", "1.10.0", "1.10.0-rc.1", "2.0.0"):
        (tmp_path / f"{version}.json").write_text("{}")
    assert last_released(tmp_path, "0.1.0") == tmp_path / "0.9.0.json"
    assert last_released(tmp_path, "1.11.0") == tmp_path / "1.10.0.json"
    assert last_released(tmp_path, "3.0.0") is None
    assert last_released(tmp_path / "absent", "1.0.0") is None


def test_released_documents_are_named_by_their_version() -> None:
    versions = {path.stem: json.loads(path.read_bytes())["info"]["version"] for path in RELEASED.glob("*.json")}
    assert versions == {name: name for name in versions}


def test_what_is_no_longer_the_released_document_has_a_version_of_its_own(committed: dict[str, Any]) -> None:
    released = RELEASED / f"{committed['info']['version']}.json"
    same = not released.exists() or json.loads(released.read_bytes()) == committed
    assert same, f"{released.stem} is released: give pyproject.toml the version that the next release will have"


def test_nothing_breaks_clients_of_the_last_release(committed: dict[str, Any]) -> None:
    version = committed["info"]["version"]
    released = last_released(RELEASED, version)
    if released is None:
        pytest.skip(f"nothing of major version {version_of(version).major} is released yet: openapi/released/ has none")
    found = breaks(json.loads(released.read_bytes()), committed)
    told = "\n".join(map(str, found))
    assert not found, f"this breaks clients of {released.stem}; mend it, or make a new major version:\n{told}"
