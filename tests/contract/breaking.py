"""What of a change of the OpenAPI document breaks clients that were written for the document as it was.

A request that was good must stay good: nothing it may hold is refused, nothing it may leave out is required, and what
is left out means the same. An answer may hold nothing that it could not hold before. Operations, parameters, statuses,
headers, media types, keys that suffice and operation ids stay.

Statuses: a new refusal (4xx, 5xx) breaks nobody, since any client has to treat an unknown one as the first of its
class (RFC 9110, section 15) and every problem has the same form. A new success or redirection does: what a client
waits for then comes in a form that it does not know. A further media type of an answer breaks nobody, being asked for.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.contract.inclusion import Inclusion, Place, Side

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
STYLES: Final = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
# What of a security scheme is for people only.
SCHEME_NOTES: Final = ("description", "bearerFormat")


class Break(NamedTuple):
    """`where` leads from an operation to what changed; `why` says what changed about it."""

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[Break]:
    """What may fail with `new` for a client made for `old`; none where nothing does.

    What changes in a component is told once for requests and once for answers, at the first place that uses it.
    """
    found: dict[tuple[str, tuple[str, ...], str], Break] = {}
    for direction, place, why in Comparison(old, new).all():
        found.setdefault((direction, place.anchor, why), Break(" → ".join(place.trail), why))
    return list(found.values())


class Found(NamedTuple):
    direction: str
    place: Place
    why: str


def named(headers: dict[str, Any]) -> dict[str, Any]:
    """By lower case: names of headers are alike in any."""
    return {name.lower(): header for name, header in headers.items()}


def shared(old: dict[str, Any], new: dict[str, Any], place: Place) -> Place:
    """The place of the component, if both sides refer to one of the same name."""
    return place.component(old["$ref"]) if "$ref" in old and old["$ref"] == new.get("$ref") else place


class Comparison:
    """Walks two documents side by side, the old one leading."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self.old, self.new = Side(old), Side(new)
        self._asked = Inclusion(self.old, self.new, "request")
        self._answered = Inclusion(self.old, self.new, "response")

    def all(self) -> Iterator[Found]:
        old, new = self.old.document, self.new.document
        urls = [server["url"] for server in new.get("servers", [{"url": "/"}])]
        for server in old.get("servers", [{"url": "/"}]):
            if server["url"] not in urls:
                yield self._gone(Place(("servers",), ("servers",)), server["url"])
        yield from self._schemes()
        for path, item in old.get("paths", {}).items():
            item, new_item = self.old.resolve(item), self.new.resolve(new.get("paths", {}).get(path, {}))
            for method in METHODS:
                if method not in item:
                    continue
                name = f"{method.upper()} {path}"
                place = Place((name,), (name,))
                if method in new_item:
                    yield from self._operation(item, item[method], new_item, new_item[method], place)
                else:
                    yield Found("", place, "is gone")

    def _gone(self, place: Place, name: str) -> Found:
        return Found("", place.step(name), "is gone")

    def _schemes(self) -> Iterator[Found]:
        schemes = [side.document.get("components", {}).get("securitySchemes", {}) for side in (self.old, self.new)]
        for name, scheme in schemes[0].items():
            place = Place(("security schemes", name), ("security schemes", name))
            old = self.old.resolve(scheme)
            new = self.new.resolve(schemes[1].get(name))
            if new is None:
                yield Found("", place, "is gone")
                continue
            for keyword in sorted((old.keys() | new.keys()) - {*SCHEME_NOTES}):
                if old.get(keyword) != new.get(keyword):
                    yield Found("", place, f"{keyword} was {old.get(keyword)}, is now {new.get(keyword)}")

    def _operation(
        self, old_item: dict[str, Any], old: dict[str, Any], new_item: dict[str, Any], new: dict[str, Any], place: Place
    ) -> Iterator[Found]:
        if old.get("operationId") is not None and old["operationId"] != new.get("operationId"):
            now = f"is now {new['operationId']}" if "operationId" in new else "is gone"
            yield Found("", place, f"operationId was {old['operationId']}, {now}")
        yield from self._security(old, new, place.step("security"))
        yield from self._parameters(_parameters(self.old, old_item, old), _parameters(self.new, new_item, new), place)
        yield from self._body(
            self.old.resolve(old.get("requestBody")), self.new.resolve(new.get("requestBody")), place.step("body")
        )
        yield from self._responses(old.get("responses", {}), new.get("responses", {}), place)

    def _security(self, old: dict[str, Any], new: dict[str, Any], place: Place) -> Iterator[Found]:
        """Whoever could call still can: each way of proving oneself holds one that suffices now."""
        suffice = new.get("security", self.new.document.get("security", [])) or [{}]
        for way in old.get("security", self.old.document.get("security", [])) or [{}]:
            if not any(
                all(name in way and {*scopes} <= {*way[name]} for name, scopes in each.items()) for each in suffice
            ):
                said = " and ".join(" ".join((name, *scopes)) for name, scopes in way.items()) or "no key"
                yield Found("", place, f"{said} does not suffice any more")

    def _parameters(
        self, old: dict[tuple[str, str], Any], new: dict[tuple[str, str], Any], place: Place
    ) -> Iterator[Found]:
        for (kind, name), parameter in old.items():
            step = place.step(f"{kind} {name}")
            now = new.get((kind, name))
            if now is None:
                yield Found("", step, "is gone")
                continue
            step = shared(parameter, now, step)
            parameter, now = self.old.resolve(parameter), self.new.resolve(now)
            if now.get("required", False) and not parameter.get("required", False):
                yield Found("", step, "is now required")
            for keyword, before, after in zip(
                ("style", "explode", "allowReserved"), _style(parameter), _style(now), strict=True
            ):
                if before != after:
                    yield Found("", step, f"{keyword} was {before}, is now {after}")
            yield from self._value(self._asked, parameter, now, step)
        for (kind, name), parameter in new.items():
            if (kind, name) not in old and self.new.resolve(parameter).get("required", False):
                yield Found("", place.step(f"{kind} {name}"), "is new and required")

    def _body(self, old: dict[str, Any] | None, new: dict[str, Any] | None, place: Place) -> Iterator[Found]:
        if old is None:
            if new is not None and new.get("required", False):
                yield Found("", place, "is new and required")
        elif new is None:
            yield Found("", place, "is gone")
        else:
            if new.get("required", False) and not old.get("required", False):
                yield Found("", place, "is now required")
            yield from self._value(self._asked, old, new, place)

    def _value(self, inclusion: Inclusion, old: dict[str, Any], new: dict[str, Any], place: Place) -> Iterator[Found]:
        """Compares what has a `schema` or a `content`: parameters, headers, bodies and answers."""
        pairs = []
        if "schema" in old or "schema" in new:
            pairs.append((old.get("schema", True), new.get("schema", True), place))
        for media, content in old.get("content", {}).items():
            step = place.step(media)
            if media not in new.get("content", {}):
                yield Found("", step, "is gone")
                continue
            now = new["content"][media]
            if content.get("encoding", {}) != now.get("encoding", {}):
                yield Found("", step, "is encoded in another way")
            pairs.append((content.get("schema", True), now.get("schema", True), step))
        direction = "request" if inclusion.is_request else "response"
        for before, after, step in pairs:
            sent, read = (before, after) if inclusion.is_request else (after, before)
            for gap in inclusion.gaps(sent, read, step):
                yield Found(direction, gap.place, gap.why)

    def _responses(self, old: dict[str, Any], new: dict[str, Any], place: Place) -> Iterator[Found]:
        for status, response in old.items():
            if status in new:
                yield from self._response(response, new[status], place.step(status))
            else:
                yield self._gone(place, status)
        for status, response in new.items():
            if status in old:
                continue
            # A range, or `default`, told what every status within it looks like.
            covering = next((each for each in (f"{status[0]}XX", "default") if each in old), None)
            if covering is not None:
                yield from self._response(old[covering], response, place.step(status))
            elif status[0] not in "45":
                yield Found("", place.step(status), "is a new answer that is no refusal")

    def _response(self, old: dict[str, Any], new: dict[str, Any], place: Place) -> Iterator[Found]:
        place = shared(old, new, place)
        old, new = self.old.resolve(old), self.new.resolve(new)
        headers = named(new.get("headers", {}))
        for name, header in named(old.get("headers", {})).items():
            if name not in headers:
                yield self._gone(place, f"header {name}")
                continue
            step = shared(header, headers[name], place.step(f"header {name}"))
            before, after = self.old.resolve(header), self.new.resolve(headers[name])
            if before.get("required", False) and not after.get("required", False):
                yield Found("", step, "is no longer always there")
            yield from self._value(self._answered, before, after, step)
        yield from self._value(self._answered, old, new, place)


def _parameters(side: Side, item: dict[str, Any], operation: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """By place and name, references as they are; an operation's own come before those of its path."""
    result: dict[tuple[str, str], Any] = {}
    for each in (*item.get("parameters", []), *operation.get("parameters", [])):
        parameter = side.resolve(each)
        name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
        result[parameter["in"], name] = each
    return result


def _style(parameter: dict[str, Any]) -> tuple[str, bool, bool]:
    style = parameter.get("style", STYLES[parameter["in"]])
    return style, parameter.get("explode", style == "form"), parameter.get("allowReserved", False)


# --- Released documents


class Version(NamedTuple):
    """A semantic version, in the order of precedence of its section 11; build metadata has no part in it."""

    major: int
    minor: int
    patch: int
    is_final: bool
    # Numbers before words, numbers by value.
    candidate: tuple[tuple[bool, int, str], ...]


VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?")


def version_of(text: str) -> Version:
    """Raises `ValueError` for what is no semantic version."""
    match = VERSION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a semantic version: {text}")
    words = match[4].split(".") if match[4] else []
    candidate = tuple((not word.isdecimal(), int(word) if word.isdecimal() else 0, word) for word in words)
    return Version(int(match[1]), int(match[2]), int(match[3]), not words, candidate)


def last_released(folder: Path, version: str) -> Path | None:
    """The newest `VERSION.json` of the major version of `version`; none where it has had no release."""
    major = version_of(version).major
    files = [(version_of(path.stem), path) for path in folder.glob("*.json")]
    return max((each for each in files if each[0].major == major), default=(None, None))[1]
