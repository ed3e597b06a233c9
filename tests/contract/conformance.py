"""The document as a judge: whether an answer is one that it describes for the operation. Knows nothing of the service.

Schemas are read by jsonschema-rs, whose patterns are ECMA-262's.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import httpx
import jsonschema_rs

PROBLEM = "application/problem+json"


class Described(NamedTuple):
    """One answer that a document describes: of which operation, its status, and what it is.

    That is the name of a problem, else a media type, else nothing.
    """

    operation: str
    status: int
    what: str = ""


class Contract:
    """What a document says, and what has been seen of it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.seen: set[Described] = set()
        self._paths = [
            (
                re.compile("/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/"))),
                path,
            )
            for path in sorted(document["paths"], key=lambda path: path.count("{"))
        ]
        self.validator = cache(self._validator)

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield path, method, operation

    def resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in value:
            return value
        found: Any = self.document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return self.resolved(found)

    def parameters(self, operation: dict[str, Any]) -> list[dict[str, Any]]:
        return [self.resolved(each) for each in operation.get("parameters", [])]

    def response(self, operation: dict[str, Any], status: int) -> dict[str, Any]:
        return self.resolved(operation["responses"][str(status)])

    def problems(self, operation: dict[str, Any], status: int) -> set[str]:
        """The names of the problems that an operation can answer with a status."""
        return set(self.response(operation, status).get("content", {}).get(PROBLEM, {}).get("examples", {}))

    def described(self) -> set[Described]:
        """Every answer that the document describes."""
        found: set[Described] = set()
        for path, method, operation in self.operations():
            for status in map(int, operation["responses"]):
                content = self.response(operation, status).get("content", {"": {}})
                whats = (content.keys() - {PROBLEM}) | self.problems(operation, status)
                found |= {Described(f"{method.upper()} {path}", status, what) for what in whats}
        return found

    def operation_of(self, method: str, address: str) -> tuple[str, dict[str, Any]]:
        """The operation that a request is meant for, HEAD being a GET."""
        path = unquote(urlsplit(address).path)
        template = next(template for pattern, template in self._paths if pattern.fullmatch(path))
        name = "get" if method == "HEAD" else method.lower()
        return f"{name.upper()} {template}", self.document["paths"][template][name]

    def check(self, response: httpx.Response) -> None:
        """Asserts that the answer has a status, headers, media type and body that its operation describes."""
        label, operation = self.operation_of(response.request.method, str(response.request.url))
        status = response.status_code
        assert str(status) in operation["responses"], f"{label} does not describe {status}: {response.text[:500]}"
        described = self.response(operation, status)
        self._check_headers(f"{label} {status}", described.get("headers", {}), response.headers)
        what = self._check_body(f"{label} {status}", described, response)
        if response.request.method != "HEAD":
            self.seen.add(Described(label, status, what))

    def _check_body(self, label: str, described: dict[str, Any], response: httpx.Response) -> str:
        """Asserts that the body is one described; says what it is."""
        if "content" not in described:
            assert response.content == b"", f"{label} describes no body"
            return ""
        media_type = response.headers["content-type"].split(";")[0]
        assert media_type in described["content"], f"{label} does not describe {media_type}"
        if response.request.method == "HEAD":
            assert response.content == b""
            return ""
        body: Any = response.json() if media_type.endswith(("/json", "+json")) else response.text
        self.check_value(described["content"][media_type]["schema"], body, label)
        if media_type != PROBLEM:
            return media_type
        name = str(body["type"]).removeprefix("/problems/")
        assert name in described["content"][PROBLEM]["examples"], f"{label} does not name {name}"
        assert body["status"] == response.status_code
        return name

    def _check_headers(self, label: str, described: dict[str, Any], headers: httpx.Headers) -> None:
        for name, each in described.items():
            header = self.resolved(each)
            if name not in headers:
                assert not header["required"], f"{label} has no {name}"
                continue
            value: Any = headers[name]
            if header["schema"].get("type") == "integer" or header["schema"].get("$ref", "").endswith("/Revision"):
                value = int(value)
            self.check_value(header["schema"], value, f"{label} {name}")

    def check_value(self, schema: dict[str, Any], value: Any, label: str) -> None:
        faults = [f"{error.instance_path}: {error.message}"[:300] for error in self.faults(schema, value)]
        assert faults == [], f"{label}: {faults[:5]}"

    def faults(self, schema: dict[str, Any], value: Any) -> list[jsonschema_rs.ValidationError]:
        return list(self.validator(json.dumps(schema)).iter_errors(value))

    def _validator(self, schema: str) -> jsonschema_rs.Draft202012Validator:
        whole = {"components": {"schemas": self.document["components"]["schemas"]}, **json.loads(schema)}
        return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
