"""The document: it is what is served and committed, describes everything that is served, and says all of it exactly."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema
import pytest
from litestar import Litestar
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from service.api.document import document_bytes, endpoints_text
from service.api.examples import HOST
from service.api.problems import KINDS
from service.app import OPERATIONS, create_app
from service.settings import Settings
from tests.conftest import ROOT, Live, new_folder, served
from tests.contract.conformance import Contract

OPENAPI = ROOT / "openapi"
MEND = "openapi/ is not what the code makes: run `make openapi`, and read what changes for clients"

# What a schema may leave open: what the service does not know of a patch's step is ignored, as RFC 6902 has it.
OPEN_INPUTS = {"AddStep", "RemoveStep", "ReplaceStep", "MoveStep", "CopyStep", "TestStep"}
# The only members of answers that may be absent: what `include=none` leaves out, and where a fault is.
OPTIONAL = {("EventWithIncluded", "included"), ("ProblemFault", "pointer"), ("ProblemFault", "parameter")}
# And what only a refused batch tells.
OPTIONAL |= {("Problem", "rows")}
# Only a timeline that a calendar cannot draw has a scale.
OPTIONAL |= {("TimelineJsFile", "scale")}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return dict(httpx.Response(200, content=(OPENAPI / "openapi.json").read_bytes()).json())


@pytest.fixture(scope="module")
def contract(document: dict[str, Any]) -> Contract:
    return Contract(document)


# --- The same everywhere


@pytest.mark.parametrize(
    ("name", "made"),
    [("openapi.json", document_bytes(OPERATIONS)), ("endpoints.txt", endpoints_text(OPERATIONS).encode())],
)
def test_what_is_committed_is_what_the_code_makes(name: str, made: bytes) -> None:
    # Compared before the assertion, whose own words for two long texts would take minutes.
    same = (OPENAPI / name).read_bytes() == made
    assert same, MEND


def test_what_is_served_is_what_is_committed(reader: httpx.Client) -> None:
    same = reader.get("/openapi.json").content == (OPENAPI / "openapi.json").read_bytes()
    assert same, MEND


def test_what_is_served_is_described_and_what_is_described_is_served(document: dict[str, Any]) -> None:
    app = create_app(Settings()).service
    assert isinstance(app, Litestar)
    routes = {
        (re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path_format), str(method).lower())
        for route in app.routes
        for method in route.methods  # type: ignore[union-attr]
    }
    described = {(path, method) for path, operations in document["paths"].items() for method in operations}
    beside = {(path, "options") for path, _ in described} | {(path, "head") for path, way in described if way == "get"}
    assert routes == described | beside


def test_the_document_is_small_enough_to_be_read_by_every_tool() -> None:
    assert (OPENAPI / "openapi.json").stat().st_size < 400_000


# --- Valid


def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []


def schemas_in(value: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of the document that stands in `schema` or is a component, and every one within."""
    if isinstance(value, dict):
        for name, each in value.items():
            where = f"{place}/{name}"
            if name == "schema" or place.endswith("components/schemas"):
                yield from within(each, where)
            elif name not in ("example", "examples"):
                yield from schemas_in(each, where)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from schemas_in(each, f"{place}/{number}")


def within(schema: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(schema, dict):
        return
    yield place, schema
    for name, each in schema.get("properties", {}).items():
        yield from within(each, f"{place}/{name}")
    for key in ("items", "additionalProperties", "propertyNames"):
        yield from within(schema.get(key), f"{place}/{key}")
    for number, each in enumerate(schema.get("anyOf", [])):
        yield from within(each, f"{place}/{number}")


def test_every_schema_is_json_schema(document: dict[str, Any]) -> None:
    for _, schema in schemas_in(document):
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere_and_every_component_is_used(contract: Contract) -> None:
    used = set(re.findall(r'"#/components/([^"]+)"', (OPENAPI / "openapi.json").read_text()))
    components = contract.document["components"]
    named = {f"{kind}/{name}" for kind, members in components.items() for name in members if kind != "securitySchemes"}
    assert used == named


def test_patterns_are_what_every_dialect_understands(document: dict[str, Any]) -> None:
    """No flags, look-around, possessive or named groups, nor classes whose members differ; anchored at both ends."""
    for place, schema in schemas_in(document):
        pattern = schema.get("pattern")
        if pattern is not None:
            assert re.search(r"\(\?(?!:)|\\[AZzdDwWsSbBpPhH]|[*+?}]\+", pattern) is None, (place, pattern)
            assert pattern.startswith("^"), (place, pattern)
            assert pattern.endswith("$"), (place, pattern)


# --- Exact


def reached(contract: Contract, schema: Any, found: dict[str, Any]) -> dict[str, Any]:
    """The components that a schema names, and those that these name."""
    for _, each in within(schema, ""):
        name = each.get("$ref", "").removeprefix("#/components/schemas/")
        if name and name not in found:
            found[name] = contract.document["components"]["schemas"][name]
            reached(contract, found[name], found)
    return found


@pytest.fixture(scope="module")
def inputs(contract: Contract) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _, _, operation in contract.operations():
        for body in operation.get("requestBody", {}).get("content", {}).values():
            reached(contract, body["schema"], found)
    return found


@pytest.fixture(scope="module")
def outputs(contract: Contract) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _, _, operation in contract.operations():
        for status in operation["responses"]:
            for body in contract.response(operation, int(status)).get("content", {}).values():
                reached(contract, body["schema"], found)
    return found


def test_inputs_and_outputs_have_schemas_of_their_own(inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
    both = {name for name in inputs.keys() & outputs.keys() if "properties" in inputs[name]}
    assert both <= OPEN_INPUTS


def test_an_input_admits_no_member_that_it_does_not_know(inputs: dict[str, Any]) -> None:
    for name, schema in inputs.items():
        if "properties" in schema and name not in OPEN_INPUTS:
            assert schema["additionalProperties"] is False, name


def test_every_member_of_an_output_is_always_there(outputs: dict[str, Any]) -> None:
    for name, schema in outputs.items():
        absent = {(name, member) for member in schema.get("properties", {}).keys() - set(schema.get("required", []))}
        assert absent <= OPTIONAL or name in ("EventThinned", "ShownSelection")


def test_everything_that_can_be_sent_is_bounded(contract: Contract, inputs: dict[str, Any]) -> None:
    sent = list(inputs.items())
    for path, method, operation in contract.operations():
        for parameter in contract.parameters(operation):
            sent.append((f"{method} {path} {parameter['name']}", parameter["schema"]))
            reached(contract, parameter["schema"], inputs)
    for place, schema in [pair for name, root in sent for pair in within(root, name)]:
        match schema.get("type"):
            case "string":
                assert {"maxLength", "enum", "const"} & schema.keys(), place
            case "integer":
                assert {"minimum", "maximum", "format"} <= schema.keys(), place
            case "number":
                assert {"minimum", "maximum"} <= schema.keys(), place
            case "array":
                assert "maxItems" in schema, place
            case "object":
                assert schema.get("additionalProperties") is False or "maxProperties" in schema, place


def test_integers_say_how_wide_they_are(document: dict[str, Any]) -> None:
    for place, schema in schemas_in(document):
        if schema.get("type") == "integer":
            assert schema["format"] in ("int32", "int64"), place


def test_a_union_of_objects_says_by_which_member_it_is_told_apart(document: dict[str, Any]) -> None:
    for place, schema in schemas_in(document):
        objects = [each for each in schema.get("anyOf", []) if each.get("$ref", "").endswith(("Step", "ed"))]
        if len(objects) > 1:
            mapping = schema["discriminator"]["mapping"]
            assert {each["$ref"] for each in objects} == set(mapping.values()), place


# --- Complete


def test_operations_are_named_by_verb_and_noun_and_only_once(contract: Contract) -> None:
    ids = [operation["operationId"] for _, _, operation in contract.operations()]
    assert len(ids) == len(set(ids))
    for name in ids:
        assert re.fullmatch(
            r"(list|create|read|revise|retract|revert|delete|merge|unmerge|record)([A-Z][a-z]+)+", name
        ), name


def test_operations_are_told(contract: Contract) -> None:
    tags = {tag["name"] for tag in contract.document["tags"]}
    for path, _, operation in contract.operations():
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["tags"]) <= tags
        assert {each["name"] for each in contract.parameters(operation) if each["in"] == "path"} == set(
            re.findall(r"\{(\w+)\}", path)
        )


def test_links_lead_to_operations_and_their_parameters(contract: Contract) -> None:
    targets = {operation["operationId"]: operation for _, _, operation in contract.operations()}
    linked = set()
    for _, _, operation in contract.operations():
        for status in operation["responses"]:
            for link in contract.response(operation, int(status)).get("links", {}).values():
                target = targets[contract.resolved(link)["operationId"]]
                required = {each["name"] for each in contract.parameters(target) if each["required"]}
                given = contract.resolved(link)["parameters"].keys()
                assert required <= given <= {each["name"] for each in contract.parameters(target)}
                linked.add(target["operationId"])
    assert {
        "reviseEvent",
        "retractEvent",
        "readEventHistory",
        "deleteTimeline",
        "reviseActor",
        "readRevision",
    } <= linked


def test_every_page_is_linked_to_the_next(contract: Contract) -> None:
    for path, _, operation in contract.operations():
        paged = any(each["name"] == "cursor" for each in contract.parameters(operation))
        links = contract.response(operation, 200).get("links", {}) if "200" in operation["responses"] else {}
        onwards = [contract.resolved(link) for link in links.values()]
        places = {name: f"$request.path.{name}" for name in re.findall(r"\{(\w+)\}", path)}
        expected = {"cursor": "$response.body#/next"} | places
        if "application/json" in contract.response(operation, 200).get("content", {}) if paged else True:
            assert paged == (expected in [link["parameters"] for link in onwards]), path


def test_every_answer_to_a_key_or_without_one_is_described(contract: Contract) -> None:
    for path, method, operation in contract.operations():
        statuses = operation["responses"].keys()
        assert {"400", "401", "406", "500", "503"} <= statuses, path
        assert ("403" in statuses) == (operation["security"] == [{"key": []}]), path
        assert ("304" in statuses) == ("ETag" in operation["responses"]["200"]["headers"]) if method == "get" else True
        if method in ("patch", "delete"):
            assert {"404", "410", "412", "428"} <= statuses, path
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= statuses, path


def test_every_read_of_the_store_has_examples_of_what_it_answers(contract: Contract) -> None:
    for path, method, operation in contract.operations():
        if method == "get" and path.startswith("/v1"):
            answered = contract.response(operation, 200)["content"]
            for media_type in answered.keys() & {
                "application/json",
                "text/markdown",
            }:  # Files of other applications are for them to read.
                content = answered[media_type]
                assert content["examples"], (path, media_type)
                for name, example in content["examples"].items():
                    contract.check_value(content["schema"], example["value"], f"{path} {name}")


def test_every_kind_of_problem_is_named_somewhere_with_an_example_of_it(contract: Contract) -> None:
    named = set()
    for _, _, operation in contract.operations():
        for status in operation["responses"]:
            problems = contract.response(operation, int(status)).get("content", {}).get("application/problem+json")
            for name, example in {} if problems is None else problems["examples"].items():
                value = contract.resolved(example)["value"]
                assert (value["type"], value["status"]) == (f"/problems/{name}", int(status))
                contract.check_value(problems["schema"], value, name)
                named.add(name)
    assert named == KINDS.keys() - {"method-not-allowed"}  # Which is the answer to what is no operation.


# --- True of the running service


def test_an_unknown_query_parameter_is_refused_by_every_operation(contract: Contract, live: Live) -> None:
    with httpx.Client(base_url=live.base_url, headers={"Authorization": f"Bearer {live.key}"}) as client:
        for path, method, operation in contract.operations():
            address = example_path(contract, path, operation, "00000000-0000-0000-0000-000000000000")
            answer = client.request(method, address, params={"limt": "1"})
            contract.check(answer)
            assert answer.json()["type"] == "/problems/invalid-parameter", address
            assert answer.json()["errors"][0]["parameter"] == "limt"


def example_query(contract: Contract, operation: dict[str, Any]) -> list[tuple[str, str]]:
    given = [each for each in contract.parameters(operation) if each["in"] == "query" and "example" in each]
    listed = [
        (each["name"], each["example"] if isinstance(each["example"], list) else [each["example"]]) for each in given
    ]
    return [(name, str(value)) for name, values in listed for value in values]


def example_path(contract: Contract, path: str, operation: dict[str, Any], id: str) -> str:
    for each in contract.parameters(operation):
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", str(each.get("example", id)))
    return path


@pytest.fixture
def withdrawal(reader: httpx.Client) -> str:
    """The id of the event that the examples choose."""
    (event,) = reader.get("/v1/events", params={"key": "us-troop-withdrawal"}).json()["items"]
    return str(event["id"])


def test_the_examples_of_every_read_are_answered(contract: Contract, reader: httpx.Client, withdrawal: str) -> None:
    for path, method, operation in contract.operations():
        if method != "get":
            continue
        origin = str(reader.base_url).rstrip("/")
        query = [(name, value.replace(HOST, origin)) for name, value in example_query(contract, operation)]
        answer = reader.get(example_path(contract, path, operation, withdrawal), params=query)
        contract.check(answer)
        assert answer.status_code == 200, (path, answer.text)
        if operation["operationId"] in ("listEvents", "listTimelineEvents"):
            assert [event["key"] for event in answer.json()["items"]] == ["us-troop-withdrawal"]
        if operation["operationId"] == "readDiff":
            assert [item["op"] for item in answer.json()["items"]] == ["changed"]


def test_the_examples_of_every_write_are_taken(contract: Contract) -> None:
    with new_folder() as folder, served(folder) as own:
        key = {"Authorization": f"Bearer {own.key}", "Revision-Cause": "new_fact", "Revision-Message": "Told anew"}
        with httpx.Client(base_url=own.base_url, headers=key) as client:
            events = client.get("/v1/events", params={"key": "us-troop-withdrawal"}).json()["items"]
            for path, method, operation in contract.operations():
                address = example_path(contract, path, operation, events[0]["id"])
                for media_type, body in operation.get("requestBody", {"content": {}})["content"].items():
                    assert body["examples"], (path, media_type)
                    for name, example in body["examples"].items():
                        contract.check_value(body["schema"], example["value"], name)
                        headers = {"Content-Type": media_type}
                        if method == "patch":
                            headers["If-Match"] = client.get(address).headers["etag"]
                        content = httpx.Request("POST", "/", json=example["value"]).content
                        answer = client.request(method, address, content=content, headers=headers)
                        contract.check(answer)
                        assert answer.status_code in (200, 201), (path, name, answer.text)
                        assert "revision-unchanged" not in answer.headers, (path, name)
            # What the examples have made goes again, as the links say it can.
            for path, method, _ in contract.operations():
                if method == "delete":
                    made = {"actors": "kosovo-police", "sources": "unsc-resolution-1160", "collections": "balkans"}
                    kind = path.split("/")[2]
                    name = events[0]["id"] if kind == "events" else made.get(kind, "american-troops")
                    address = f"/v1/{kind}/{name}"
                    answer = client.delete(address, headers={"If-Match": client.get(address).headers["etag"]})
                    contract.check(answer)
                    assert answer.status_code == 204
                    contract.check(client.get(address))


def test_every_answer_of_the_dossier_is_of_its_schema(contract: Contract, reader: httpx.Client) -> None:
    """Listings page by page, each thing on them, each event's history, and what holds between all revisions."""
    addresses = ["/v1", "/v1/revisions", "/v1/revisions?order=asc&limit=2", "/v1/timelines/kosovo/events?limit=7"]
    addresses += [f"/v1/{kind}?limit=3" for kind in ("events", "actors", "sources", "collections", "timelines")]
    addresses += ["/v1/events?known_at=2025-02-19", "/v1/events?include=none&revision=2", "/v1/events?order=desc"]
    addresses += ["/v1/diff?base_known_at=2025-02-19&head_known_at=2025-02-20&limit=4"]
    addresses += [f"/v1/diff?base_revision={base}&head_revision={base + 1}" for base in range(5)]
    addresses += ["/v1/diff?base_revision=0&include=none", "/v1/diff?base_revision=5&head_revision=1&limit=10"]
    waiting, checked = list(addresses), 0
    while waiting:
        address = waiting.pop()
        answer = reader.get(address)
        contract.check(answer)
        assert answer.status_code == 200, address
        contract.check(reader.head(address))
        again = reader.get(address, headers={"If-None-Match": answer.headers["etag"]})
        contract.check(again)
        assert again.status_code == 304
        checked += 1
        body = answer.json()
        if body.get("next"):
            waiting.append(body["next"])
        for item in body.get("items", []) if "?limit=" in address else []:
            kind = urlsplit(address).path
            if kind == "/v1/events":
                waiting += [f"{kind}/{item['id']}", f"{kind}/{item['id']}/history"]
            elif "slug" in item:
                waiting.append(f"{kind}/{item['slug']}")
    assert checked > 150


def test_a_schema_that_something_breaks_is_noticed(contract: Contract) -> None:
    """The judge itself: a wrong answer does not pass."""
    request = httpx.Request("GET", "http://service/v1/revisions/1")
    good = {"revision": 1, "recorded": "2025-02-20T09:14:03.120Z", "author": "", "cause": None, "message": None}
    told = {"ETag": '"1"', "Cache-Control": "no-store", "Vary": "Accept", "Access-Control-Allow-Origin": "*"}
    contract.check(httpx.Response(200, json=good | {"counts": None}, headers=told, request=request))
    for wrong in (good, good | {"counts": {"actors": -1}}, good | {"counts": None, "cause": "whim"}):
        with pytest.raises(AssertionError):
            contract.check(httpx.Response(200, json=wrong, headers=told, request=request))
    with pytest.raises(AssertionError, match="has no Cache-Control"):
        contract.check(httpx.Response(200, json=good | {"counts": None}, headers={"ETag": '"1"'}, request=request))
    with pytest.raises(AssertionError, match="does not describe 418"):
        contract.check(httpx.Response(418, request=request))


def test_the_repository_names_the_verb_that_mends_a_drift() -> None:
    assert "\nopenapi:" in Path(ROOT / "Makefile").read_text()
