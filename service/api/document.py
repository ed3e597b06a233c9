"""The OpenAPI document, built from the operations that are served and from nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

import msgspec

from service.api.operation import PROBLEM, Answer, Header, Operation
from service.api.problems import KINDS, Problem
from service.domain.dates import EDTF_PATTERN, POINT_PATTERN
from service.domain.parameters import Parameter
from service.domain.values import INT8_MAX, TEXT_PATTERN

REF: Final = "#/components/schemas/{name}"

TAGS: Final = {
    "service": "What the service is, and whether it is well.",
    "events": "Dated happenings in the world, with the actors who take part and the claims that sources make of them.",
    "actors": "Persons, organisations, groups, states and offices that take part, speak or publish.",
    "sources": "Documents where something was learned.",
    "collections": "The datasets that events belong to.",
    "timelines": "Selections with a name.",
    "diff": "Two selections compared.",
    "revisions": "The log of committed writes.",
}

# Any operation may answer these, whatever it is.
ALWAYS: Final = ("unauthenticated", "not-acceptable", "internal", "unavailable")

PROBLEM_HEADERS: Final[Mapping[int, tuple[Header, ...]]] = {
    401: (Header("WWW-Authenticate", "Bearer.", {"type": "string"}, True),),
    409: (
        Header(
            "Location",
            "Address of what is there, where something is.",
            {"type": "string", "format": "uri-reference"},
        ),
    ),
    410: (Header("Link", "The history, or the last revision at which it was there.", {"type": "string"}, True),),
    415: (Header("Accept-Patch", "The media types that a PATCH may have.", {"type": "string"}),),
    503: (Header("Retry-After", "Seconds to wait.", {"type": "integer", "minimum": 0}, True),),
}

IF_NONE_MATCH: Final = Header(
    "If-None-Match",
    "ETags already held: where one is still right, the answer is 304 without a body.",
    {"type": "string", "maxLength": 4_000},
)
RETURNED_TAG: Final = Header("ETag", "The tag that is still right.", {"type": "string"}, True)

DATES: Final = {
    name: {
        "type": "string",
        "format": "edtf",
        "minLength": 1,
        "maxLength": 256,
        "pattern": pattern,
        "description": text,
    }
    for name, pattern, text in (
        ("Edtf", EDTF_PATTERN, "EDTF (ISO 8601-2), levels 0 to 2: a date, date-time, interval or set."),
        ("EdtfPoint", POINT_PATTERN, "EDTF (ISO 8601-2), levels 0 to 2: one date or date-time, with its whole span."),
    )
}

JSON_VALUE: Final = {
    "description": "Any JSON; numbers fit into 64 bits.",
    "anyOf": [
        {"type": ["null", "boolean"]},
        {"type": "number", "minimum": -INT8_MAX, "maximum": INT8_MAX},
        {"type": "string", "pattern": TEXT_PATTERN, "maxLength": 20_000},
        {"type": "array", "items": {"$ref": REF.format(name="JsonValue")}},
        {
            "type": "object",
            "propertyNames": {"type": "string", "pattern": TEXT_PATTERN},
            "additionalProperties": {"$ref": REF.format(name="JsonValue")},
        },
    ],
}


def document_of(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document as JSON values, its schemas in one order whatever the operations' order."""
    shown = [operation for operation in operations if operation.described]
    types = [shape for operation in shown for shape in _types_of(operation)]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=REF)
    by_type = {id(shape): schema for shape, schema in zip([*types, Problem], schemas, strict=True)}
    components["JsonValue"] = JSON_VALUE
    paths: dict[str, dict[str, Any]] = {}
    for operation in shown:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, by_type)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "dateline",
            "version": version("dateline"),
            "summary": "Event timelines with three clocks, attributed claims and diffs",
            "description": (
                "An event is something dated in the world; actors take part in it; each claim says what one source "
                "states about it. A timeline is a selection of events, evaluated; a diff is two selections, compared. "
                "Every write is a revision, and nothing recorded is ever lost: each read can be made as of an earlier "
                "revision or instant, and through what was publicly known by a date."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This service."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {name: components[name] for name in sorted(components)},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key made with `dateline key create`.",
                }
            },
        },
    }
    settled: dict[str, Any] = _settled(document)
    settled["components"]["schemas"] |= DATES
    return settled


def document_bytes(operations: Sequence[Operation]) -> bytes:
    """The document as it is served and committed."""
    return msgspec.json.format(msgspec.json.encode(document_of(operations)), indent=2) + b"\n"


def endpoints_text(operations: Iterable[Operation]) -> str:
    """One line for each operation: its method, path, id and scope."""
    rows = [(o.method, o.path, o.id, o.scope or "-") for o in operations if o.described]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "".join(
        f"{method:<{widths[0]}}  {path:<{widths[1]}}  {name:<{widths[2]}}  {scope}\n"
        for method, path, name, scope in rows
    )


def _types_of(operation: Operation) -> list[Any]:
    answered = [shape for answer in operation.answers for shape in answer.content.values() if shape is not None]
    return [*operation.bodies.values(), *answered]


def _operation(operation: Operation, by_type: Mapping[int, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.description is not None:
        described["description"] = operation.description
    parameters = [_parameter(each, "path") for each in operation.place]
    parameters += [_parameter(each, "query") for each in operation.parameters]
    conditional = operation.method == "GET" and any(
        header.name == "ETag" for answer in operation.answers for header in answer.headers
    )
    headers = (*operation.headers, IF_NONE_MATCH) if conditional else operation.headers
    parameters += [_header_parameter(each) for each in headers]
    if parameters:
        described["parameters"] = parameters
    if operation.bodies:
        described["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": by_type[id(shape)]} for kind, shape in operation.bodies.items()},
        }
    responses = {str(answer.status): _answer(answer, by_type) for answer in operation.answers}
    if conditional:
        responses["304"] = {"description": "It is still what was held.", "headers": _headers((RETURNED_TAG,))}
    responses |= _problems(operation, by_type)
    described["responses"] = dict(sorted(responses.items()))
    described["security"] = [{"key": []}] if operation.scope is not None else [{}, {"key": []}]
    return described


def _parameter(parameter: Parameter, place: str) -> dict[str, Any]:
    schema: dict[str, Any] = parameter.schema
    if parameter.repeatable:
        schema = {"type": "array", "items": parameter.schema, "minItems": 1, "maxItems": 100}
    described = {
        "name": parameter.name,
        "in": place,
        "description": parameter.description,
        "required": place == "path",
        "schema": schema,
    }
    if parameter.repeatable:
        described |= {"style": "form", "explode": True}
    if parameter.example is not None:
        described["example"] = [parameter.example] if parameter.repeatable else parameter.example
    return described


def _header_parameter(header: Header) -> dict[str, Any]:
    described = {
        "name": header.name,
        "in": "header",
        "description": header.description,
        "required": header.required,
        "schema": header.schema,
    }
    return described if header.example is None else described | {"example": header.example}


def _headers(headers: Iterable[Header]) -> dict[str, Any]:
    return {
        header.name: {"description": header.description, "required": header.required, "schema": header.schema}
        for header in headers
    }


def _answer(answer: Answer, by_type: Mapping[int, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        described["headers"] = _headers(answer.headers)
    if answer.content:
        described["content"] = {
            kind.split(";")[0]: {"schema": {"type": "string"} if shape is None else by_type[id(shape)]}
            for kind, shape in answer.content.items()
        }
    if answer.links:
        described["links"] = {
            name: {"operationId": target, "parameters": dict(parameters)}
            for name, (target, parameters) in answer.links.items()
        }
    return described


def _problems(operation: Operation, by_type: Mapping[int, Any]) -> dict[str, Any]:
    names = [*operation.problems, *ALWAYS]
    if operation.scope is not None:
        names.append("forbidden")
    by_status: dict[int, list[str]] = {}
    for name in dict.fromkeys(names):
        by_status.setdefault(KINDS[name].status, []).append(name)
    return {
        str(status): {
            "description": ". ".join(KINDS[name].title for name in members)
            + f". Problem types: {', '.join(f'`/problems/{name}`' for name in members)}.",
            "headers": _headers(PROBLEM_HEADERS.get(status, ())),
            "content": {PROBLEM: {"schema": by_type[id(Problem)]}},
        }
        for status, members in by_status.items()
    }


def _settled(value: Any) -> Any:
    """Patterns as ECMA-262 has them, where `$` is the end and nothing else; the long one of dates said once."""
    if isinstance(value, dict):
        settled = {name: _pattern(each) if name == "pattern" else _settled(each) for name, each in value.items()}
        for name, date in DATES.items():
            if settled.get("pattern") == date["pattern"]:
                rest = {key: each for key, each in settled.items() if key not in date or key == "description"}
                return {"$ref": REF.format(name=name), **rest}
        return settled
    if isinstance(value, list):
        return [_settled(each) for each in value]
    return value


def _pattern(pattern: Any) -> Any:
    return pattern.replace(r"\Z", "$") if isinstance(pattern, str) else _settled(pattern)
