"""The OpenAPI document, built from the operations that are served and from nothing else.

What is said of an operation is said in its declaration; this module puts it into OpenAPI's words. What is said more
than once becomes a component: schemas by their titles (api/schemas.py), and here parameters, headers, links, examples
and problem responses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import msgspec
from msgspec import Struct

from service.api import replies
from service.api.bodies import DEPTH_MAX
from service.api.examples import HOST, answers_of
from service.api.http import HEADERS_BYTES_MAX
from service.api.layout import laid_out
from service.api.operation import (
    JSON_PATCH,
    MERGE_PATCH,
    PAIRS_MAX,
    PROBLEM,
    QUERY_BYTES_MAX,
    Answer,
    Header,
    Link,
    Operation,
)
from service.api.pages import PAGES
from service.api.problems import KINDS, Problem, example_of
from service.api.schemas import Schemas
from service.domain.parameters import REPEATS_MAX, Parameter
from service.domain.values import TEXT_PATTERN
from service.settings import Settings

TAGS: Final = {
    "service": "What the service is, and whether it is well.",
    "events": "Dated happenings in the world, with the actors who take part and the claims that sources make of them.",
    "actors": "Persons, organisations, groups, states and offices that take part, speak or publish.",
    "sources": "Documents where something was learned.",
    "collections": "The datasets that events belong to.",
    "timelines": "Selections with a name.",
    "diff": "Two selections compared.",
    "revisions": "The log of committed writes.",
    "embedding": "Timelines in other pages and programs.",
}

DESCRIPTION: Final = f"""\
An event is something dated in the world; actors take part in it; each claim says what one source states about it. \
A timeline is a selection of events, evaluated; a diff is two selections, compared. Every write is a revision, and \
nothing recorded is ever lost: each read can be made as of an earlier revision or instant, and through what was \
publicly known by a date.

Reading is open; writing needs a key, sent as `Authorization: Bearer …`. Whatever is refused is answered with a \
problem document (RFC 9457), whose `type` is named at each operation. `HEAD` is known wherever `GET` is, and `OPTIONS` \
says what an address knows. Unknown parameters and members are refused, never ignored. A JSON body is UTF-8, names no \
member twice and is at most {DEPTH_MAX} levels deep; its numbers fit into 64 bits.

Nothing is without bounds. A body has at most {Settings().body_bytes_max:,} bytes where the operation names no other \
bound and the service is not set to one, a query {QUERY_BYTES_MAX:,} bytes and {PAIRS_MAX:,} parameters, and all \
headers of a request together {HEADERS_BYTES_MAX:,} bytes. Each text, list and number has its bound in its schema, and \
each page its `limit`."""

# Any operation may answer these, whatever it is.
ALWAYS: Final = (
    "malformed-request",
    "invalid-parameter",
    "unauthenticated",
    "not-acceptable",
    "internal",
    "unavailable",
)

# As long as its page makes it.
_DOCUMENT: Final = {"type": "string", "pattern": TEXT_PATTERN, "maxLength": 1_000_000_000}
PROBLEM_HEADERS: Final[Mapping[int, tuple[Header, ...]]] = {
    401: (Header("WWW-Authenticate", "What proves who calls.", {"type": "string", "const": "Bearer"}, True),),
    409: (
        Header(
            "Location",
            "Address of what is there, where something is.",
            {"type": "string", "format": "uri-reference", "maxLength": 2_000},
            example=f"{HOST}/v1/actors/kfor",
        ),
        Header(
            "Link",
            "The same, and what it is: the item, or the history of one that was retracted.",
            replies.LINK_SCHEMA,
            example=f'<{HOST}/v1/actors/kfor>; rel="item"',
        ),
    ),
    410: (
        Header(
            "Link",
            "The history, or the last revision at which it was there.",
            replies.LINK_SCHEMA,
            True,
            example=f'<{HOST}/v1/actors/kfor?revision=5>; rel="predecessor-version"',
        ),
    ),
    415: (
        Header(
            "Accept-Patch",
            "The media types that a PATCH may have.",
            {"type": "string", "const": f"{MERGE_PATCH}, {JSON_PATCH}"},
        ),
    ),
    503: (
        Header(
            "Retry-After",
            "Seconds to wait.",
            {"type": "integer", "format": "int32", "minimum": 0, "maximum": 3_600},
            True,
        ),
    ),
}
CACHE_CONTROL: Final = Header(
    "Cache-Control",
    "What caches may do: to callers without a key a few seconds for what is live and a day for what is pinned.",
    {"type": "string", "pattern": r"^[a-z-]+(=[0-9]+)?(, [a-z-]+(=[0-9]+)?)*\Z", "maxLength": 200},
    True,
)
VARY: Final = Header(
    "Vary",
    "What of the request, beside its address, the answer rests on.",
    {"type": "string", "pattern": r"^[A-Za-z-]+(, [A-Za-z-]+)*\Z", "maxLength": 200},
    True,
)
ORIGIN: Final = Header(
    "Access-Control-Allow-Origin", "Pages of any origin may read it.", {"type": "string", "const": "*"}, True
)


class _Part(Struct, frozen=True):
    """Something that becomes a component where it is said more than once."""

    kind: str
    name: str
    other_name: str
    value: Mapping[str, Any]


def document_of(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document as JSON values."""
    shown = (*operations, *PAGES)
    schemas = Schemas([Problem, *(shape for operation in shown for shape in _shapes_of(operation))])
    paths: dict[str, dict[str, Any]] = {}
    for operation in shown:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    components, paths = _shared(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dateline",
            "version": version("dateline"),
            "summary": "Event timelines with three clocks, attributed claims and diffs",
            "description": DESCRIPTION,
            "contact": {"name": "Whoever runs this service"},
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This service, local or in production.", "x-internal": False}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            **components,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key made with `dateline key create`.",
                }
            },
        },
    }


def document_bytes(operations: Sequence[Operation]) -> bytes:
    """The document as it is served and committed."""
    return laid_out(document_of(operations)).encode() + b"\n"


def endpoints_text(operations: Iterable[Operation]) -> str:
    """One line for each operation: its method, path, id and scope."""
    rows = [(o.method, o.path, o.id, o.scope or "-") for o in (*operations, *PAGES)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "".join(
        f"{method:<{widths[0]}}  {path:<{widths[1]}}  {name:<{widths[2]}}  {scope}\n"
        for method, path, name, scope in rows
    )


def _shapes_of(operation: Operation) -> list[Any]:
    answered = [shape for answer in operation.answers for shape in answer.content.values() if shape is not None]
    return [*operation.bodies.values(), *answered]


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": operation.id, "tags": [operation.tag], "summary": operation.summary}
    if operation.description is not None:
        described["description"] = operation.description
    parameters = [
        *(_parameter(each, "path", operation.tag, schemas) for each in operation.place),
        *(_parameter(each, "query", operation.tag, schemas) for each in operation.parameters),
        *(_header_parameter(each, operation.tag, schemas) for each in operation.request_headers),
    ]
    if parameters:
        described["parameters"] = parameters
    if operation.bodies:
        content = {kind: _body(operation, kind, schemas.of(shape)) for kind, shape in operation.bodies.items()}
        described["requestBody"] = {"required": True, "content": content}
    responses: dict[str, Any] = {
        str(answer.status): _answer(operation, answer, schemas) for answer in operation.answers
    }
    if operation.conditional:
        told = _headers((replies.ETAG, CACHE_CONTROL, VARY, ORIGIN), "Still", schemas)
        still = {"description": "What was held is still right.", "headers": told}
        responses["304"] = _Part("responses", "StillRight", "StillRight", still)
    responses |= _problems(operation, schemas)
    described["responses"] = dict(sorted(responses.items()))
    described["security"] = [{"key": []}] if operation.scope is not None else [{}, {"key": []}]
    return described


def _body(operation: Operation, kind: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    examples = operation.examples.get(kind, {})
    return _content(schema, {name: {"value": value} for name, value in examples.items()})


def _content(schema: Mapping[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    return {"schema": schema} | ({"examples": dict(examples)} if examples else {})


def _parameter(parameter: Parameter, place: str, tag: str, schemas: Schemas) -> _Part:
    schema = schemas.settled(parameter.schema)
    described = {
        "name": parameter.name,
        "in": place,
        "description": parameter.description,
        "required": place == "path" or parameter.required,
        "schema": schema,
    }
    if parameter.repeatable:
        described["schema"] = {"type": "array", "items": schema, "minItems": 1, "maxItems": REPEATS_MAX}
        described |= {"style": "form", "explode": True}
    if parameter.example is not None:
        described["example"] = [parameter.example] if parameter.repeatable else parameter.example
    qualified = f"{tag}-{parameter.name}"
    return _Part("parameters", qualified if place == "path" else parameter.name, qualified, described)


def _header_parameter(header: Header, tag: str, schemas: Schemas) -> _Part:
    described = {
        "name": header.name,
        "in": "header",
        "description": header.description,
        "required": header.required,
        "schema": schemas.settled(header.schema),
    }
    if header.example is not None:
        described["example"] = header.example
    return _Part("parameters", header.name, f"{tag}-{header.name}", described)


def _headers(headers: Iterable[Header], where: str, schemas: Schemas) -> dict[str, _Part]:
    told = {
        header.name: {
            "description": header.description,
            "required": header.required,
            "schema": schemas.settled(header.schema),
            **({} if header.example is None else {"example": header.example}),
        }
        for header in headers
    }
    return {name: _Part("headers", name, f"{where}-{name}", value) for name, value in told.items()}


def _answer(operation: Operation, answer: Answer, schemas: Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    caching = (CACHE_CONTROL, VARY) if operation.method == "GET" else ()
    described["headers"] = _headers((*answer.headers, *caching, ORIGIN), "Answer", schemas)
    if answer.content:
        described["content"] = {
            kind: _content(
                schemas.settled(_DOCUMENT) if shape is None else schemas.of(shape), answers_of(operation.id, kind)
            )
            for kind, shape in answer.content.items()
        }
    if answer.links:
        described["links"] = {link.name: _link(link) for link in answer.links}
    return described


def _link(link: Link) -> _Part:
    described = {
        "operationId": link.operation,
        "description": link.description,
        "parameters": dict(link.parameters),
    } | ({} if link.body is None else {"requestBody": dict(link.body)})
    return _Part("links", link.name, link.name, described)


def _problems(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    """One response for each status, and in its examples the name of every problem that it can be."""
    named = {*operation.problems, *ALWAYS, *(("forbidden",) if operation.scope is not None else ())}
    by_status: dict[int, list[str]] = {}
    for name in (name for name in KINDS if name in named):
        by_status.setdefault(KINDS[name].status, []).append(name)
    return {str(status): _problem(status, names, schemas) for status, names in by_status.items()}


def _problem(status: int, names: Sequence[str], schemas: Schemas) -> _Part:
    component = "Or".join(name.title().replace("-", "") for name in names)
    examples = {name: _Part("examples", name, name, {"value": example_of(name)}) for name in names}
    described: dict[str, Any] = {"description": ". ".join(KINDS[name].title for name in names) + "."}
    headers = (*PROBLEM_HEADERS.get(status, ()), ORIGIN)
    described["headers"] = _headers(headers, HTTPStatus(status).phrase.replace(" ", ""), schemas)
    described["content"] = {PROBLEM: {"schema": schemas.of(Problem), "examples": examples}}
    return _Part("responses", component, component, described)


def _shared(paths: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The components, by kind and name, and the paths with references to them."""
    found: dict[tuple[str, str], dict[bytes, list[_Part]]] = {}
    _visit(paths, lambda part: found.setdefault((part.kind, part.name), {}).setdefault(_key(part), []).append(part))
    components: dict[str, dict[str, Any]] = {}
    references: dict[bytes, str] = {}
    for (kind, name), meanings in found.items():
        usual = max(meanings.values(), key=len)
        for key, parts in meanings.items():
            if len(parts) > 1:
                told = name if parts is usual else parts[0].other_name
                references[key] = f"#/components/{kind}/{told}"
                components.setdefault(kind, {})[told] = parts[0].value

    def settled(value: Any) -> Any:
        if isinstance(value, _Part):
            return {"$ref": references[_key(value)]} if _key(value) in references else settled(value.value)
        if isinstance(value, Mapping):
            return {name: settled(each) for name, each in value.items()}
        return [settled(each) for each in value] if isinstance(value, list) else value

    return {
        kind: {name: settled(each) for name, each in sorted(named.items())}
        for kind, named in sorted(components.items())
    }, settled(paths)


def _visit(value: Any, see: Callable[[_Part], None]) -> None:
    if isinstance(value, _Part):
        see(value)
        _visit(value.value, see)
    elif isinstance(value, Mapping):
        for each in value.values():
            _visit(each, see)
    elif isinstance(value, list):
        for each in value:
            _visit(each, see)


def _key(part: _Part) -> bytes:
    return msgspec.json.encode((part.kind, part.name, part.value))
