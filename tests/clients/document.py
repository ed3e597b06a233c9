"""What of the document a generated client must have: its operations, and the bodies of their answers."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent


class Operation(NamedTuple):
    """An operation, and the media types of each of its answers by status; none where an answer has no body."""

    id: str
    tag: str
    answers: dict[int, tuple[str, ...]]

    @property
    def snake(self) -> str:
        return re.sub(r"(?=[A-Z])", "_", self.id).lower()

    @property
    def pascal(self) -> str:
        return self.id[0].upper() + self.id[1:]


def document() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / "openapi" / "openapi.json").read_text())
    return read


def operations() -> list[Operation]:
    told = document()

    def settled(value: dict[str, Any]) -> dict[str, Any]:
        found: Any = value
        if "$ref" in value:
            found = told
            for name in value["$ref"].removeprefix("#/").split("/"):
                found = found[name]
        return dict(found)

    return [
        Operation(
            operation["operationId"],
            operation["tags"][0],
            {int(status): (*settled(answer).get("content", ()),) for status, answer in operation["responses"].items()},
        )
        for methods in told["paths"].values()
        for operation in methods.values()
    ]


def listing_parameters() -> set[str]:
    """The names of every parameter of the query of `listEvents`."""
    told = document()
    given = told["paths"]["/v1/events"]["get"]["parameters"]
    named = [
        told["components"]["parameters"][each["$ref"].rsplit("/", 1)[-1]] if "$ref" in each else each for each in given
    ]
    return {each["name"] for each in named if each["in"] == "query"}
