"""Forms: what a client sends, made whole, and what of a document may be compared."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

Form = dict[str, Any]
"""What a client sent, with the defaults filled in."""
Document = dict[str, Any]
"""What a reader gets, without claim ids and display text, which only the service can know."""
Selection = Mapping[str, Any]
"""Parameter name to its text, or to a list of texts where it may be repeated, as in a query string."""

EVENT: Form = {
    "key": None, "collection": "main", "title": None, "summary": None, "language": None, "occurred": None,
    "kind": None, "phase": "happened", "actors": [], "claims": [], "relations": [], "places": [], "tags": [],
    "media": [], "attributes": {}, "external_ids": {},
}  # fmt: skip
PARTS: dict[str, Form] = {
    "actors": {"actor": None, "role": None, "attributes": {}},
    "claims": {
        "source": None, "via": None, "stance": "asserts", "speakers": [], "occurred": None, "quote": None,
        "locator": None, "published": None, "confidence": None,
    },
    "relations": {"type": None, "key": None, "event": None},
    "places": {"name": None, "country": None, "latitude": None, "longitude": None},
    "media": {"url": None, "caption": None, "credit": None, "alt": None, "licence": None},
}  # fmt: skip
OTHERS: dict[str, Form] = {
    "actors": {
        "name": None, "type": "other", "names": {}, "aliases": [], "description": None, "external_ids": {},
        "merged_into": None,
    },
    "sources": {
        "title": None, "publisher": None, "url": None, "type": "other", "published": None, "language": None,
        "derived_from": [], "archive_url": None, "archive_sha256": None, "external_ids": {},
    },
    "collections": {
        "title": None, "description": None, "licence": None, "attribution": None, "visibility": "public",
    },
    "timelines": {
        "title": None, "description": None, "language": None, "selection": {}, "include": [], "exclude": [],
        "visibility": "public",
    },
}  # fmt: skip
SETS = ("actors", "claims", "relations", "tags")
ONLY_KNOWN_TO_THE_SERVICE = ("id", "collection", "revision", "recorded", "created")


def filled(shape: Form, sent: Form) -> Form:
    """What was sent with every default in place; a member sent as null counts as not sent."""
    return deepcopy({**shape, **{name: value for name, value in sent.items() if value is not None}})


def whole_event(sent: Form) -> Form:
    form = filled(EVENT, sent)
    for name, shape in PARTS.items():
        form[name] = [filled(shape, part) for part in form[name]]
    return form


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396: what remains of `target` after a merge patch."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def settled(document: Document) -> Document:
    """The same document with its sets in an order of their own, so that equal sets compare equal."""
    return document | {name: sorted(document[name], key=repr) for name in SETS if name in document}


def compared(document: Document) -> Document:
    """What of a document can be a change between two sides.

    Reading: which event a relation points at goes by its key; only where it has none, by its id.
    """
    kept = {name: value for name, value in document.items() if name not in ONLY_KNOWN_TO_THE_SERVICE}
    kept["claims"] = [{name: claim[name] for name in claim if name != "id"} for claim in document["claims"]]
    kept["relations"] = [
        {**each, "event": each["event"] if each["key"] is None else None} for each in document["relations"]
    ]
    return settled(kept)


def asked(selection: Selection, name: str) -> list[str]:
    """The values of a repeatable parameter; a stored selection may hold a single one as text."""
    value = selection.get(name, [])
    return value if isinstance(value, list) else [value]


def unwrapped(row: Form) -> tuple[Form, list[tuple[str, str, Form]]]:
    """A row of a batch with slugs alone, and the actors and sources it held whole: kind, slug and form of each."""
    row, held = deepcopy(row), []

    def slug_of(kind: str, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        form = {name: value for name, value in given.items() if name != "slug"}
        if kind == "sources":
            if "publisher" in form:
                form["publisher"] = slug_of("actors", form["publisher"])
            if form.get("derived_from"):
                form["derived_from"] = [slug_of("sources", each) for each in form["derived_from"]]
        held.append((kind, given["slug"], filled(OTHERS[kind], form)))
        return given["slug"]

    for part in row.get("actors") or []:
        part["actor"] = slug_of("actors", part["actor"])
    for claim in row.get("claims") or []:
        for name in ("source", "via"):
            if name in claim:
                claim[name] = slug_of("sources", claim[name])
        if claim.get("speakers"):
            claim["speakers"] = [slug_of("actors", each) for each in claim["speakers"]]
    return row, held
