"""Requests to try: each as HTTP has it, to be edited and sent from the page, and as a command that makes it.

Both leave three values to be found when it is made: `$KEY` is the reader's own; `$ETAG` is the tag of what stands at
the address now; `$ID` is the id of the dossier's event with the key EVENT_KEY.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from service.api.examples import ANSWERS, EVENT_KEY, EVENT_REVISION, READS
from service.api.layout import laid_out
from service.api.operation import JSON, NDJSON

ORIGIN: Final = "{origin}"
"""Stands in the page where the service's own address goes."""

LOOKUP: Final = f"/v1/events?key={EVENT_KEY}&revision={EVENT_REVISION}&fields=id&include=none"
"""Where `$ID` is found, also once the event has been retracted."""

LINE_MAX: Final = 80

VARIABLES: Final[Mapping[str, str]] = {"id": "$ID", "If-Match": "$ETAG"}


class Request(Struct, frozen=True):
    """A request to try; title: what it shows, where an operation has several."""

    title: str
    method: str
    address: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    answer: Any = None
    """What the demo dossier answers: JSON, or text; None where nobody has asked."""

    @property
    def opened(self) -> str | None:
        """The address, where following it is the same request."""
        return self.address if self.method == "GET" and not self.headers and "$" not in self.address else None

    def text(self) -> str:
        """As HTTP has it."""
        lines = [f"{self.method} {self.address}", *(f"{name}: {value}" for name, value in self.headers)]
        return "\n".join([*lines, "", self.body] if self.body else lines)

    def command(self) -> str:
        """As lines for a shell that has curl."""
        lines = []
        if "$ID" in self.address:
            lines.append(f"ID=$(curl -s '{ORIGIN}{LOOKUP}' | grep -oE '[0-9a-f-]{{36}}')")
        if any("$ETAG" in value for _, value in self.headers):
            lines.append(f"ETAG=$(curl -s -o /dev/null -w '%header{{etag}}' {_quoted(ORIGIN + self.address)})")
        parts = [f"curl {'' if self.method == 'GET' else f'-X {self.method} '}{_quoted(ORIGIN + self.address)}"]
        parts += [f"-H {_quoted(f'{name}: {value}')}" for name, value in self.headers]
        if self.body:
            parts.append(f"--data-binary @- <<'BODY'\n{self.body}\nBODY")
        return "\n".join([*lines, " \\\n  ".join(parts)])


def _quoted(text: str) -> str:
    return f'"{text}"' if "$" in text else f"'{text}'"


Resolve = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def requests_of(path: str, method: str, operation: Mapping[str, Any], resolved: Resolve) -> Iterator[Request]:
    """The requests of one operation of the document; `resolved` follows its references."""
    parameters = [resolved(each) for each in operation.get("parameters", [])]
    for each in parameters:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", VARIABLES.get(each["name"]) or quote(str(each["example"])))
    if method == "get":
        for title, (query, kind) in READS.get(operation["operationId"], {"": ("", JSON)}).items():
            accept = () if kind == JSON else (("Accept", kind),)
            answer = ANSWERS.get(operation["operationId"], {}).get(title)
            yield Request(title, "GET", f"{path}?{query}" if query else path, accept, answer=answer)
        return
    headers = (("Authorization", "Bearer $KEY"), *_required(parameters))
    if "requestBody" not in operation:
        yield Request("", method.upper(), path, headers)
        return
    for kind, body in operation["requestBody"]["content"].items():
        for name, example in body.get("examples", {}).items():
            text = laid_out(resolved(example)["value"], LINE_MAX if kind != NDJSON else sys.maxsize, 2)
            yield Request(_worded(name), method.upper(), path, (*headers, ("Content-Type", kind)), text)


def _required(parameters: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for each in parameters:
        if each["in"] == "header" and each["required"]:
            yield each["name"], VARIABLES.get(each["name"]) or str(each["example"])


def _worded(name: str) -> str:
    """The words of an example's name: nearerDate is Nearer date."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).capitalize()
