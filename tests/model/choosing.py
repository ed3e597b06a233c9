"""Filters: which of the events seen are chosen; and their order."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.model.dates import UNBOUNDED_END, UNBOUNDED_START, instant, span
from tests.model.forms import Document, Form, Selection, asked
from tests.model.seeing import LENSES, View
from tests.model.text import asked_text, holds_text

Predicate = Callable[[Document, Selection, View], bool]


def in_window(document: Document, selection: Selection, view: View) -> bool:
    """`from`, `to`, `match` and `undated`, which only make sense together."""
    windowed = "from" in selection or "to" in selection
    undated = selection.get("undated", "exclude" if windowed else "include")
    if document["occurred"] is None:
        return bool(undated in ("include", "only"))
    if undated == "only":
        return False
    low, high = span(document["occurred"]["edtf"])[:2]
    start, end = window(selection, "from", "to")
    if selection.get("match", "possible") == "certain":
        return start <= low and high <= end
    return low <= end and start <= high


def window(selection: Selection, first: str, last: str) -> tuple[float, float]:
    """The seconds from the first of one date to the last of another; a date not given sets no bound."""
    return (
        span(selection[first]).low if first in selection else UNBOUNDED_START,
        span(selection[last]).high if last in selection else UNBOUNDED_END,
    )


def takes_part(document: Document, selection: Selection, view: View) -> bool:
    """`actor`, `actor_match` and `role`: actor and role hold of one participation, and merged actors are one."""
    roles = asked(selection, "role")
    taking_part = [
        view.snapshot.actor(part["actor"]) for part in document["actors"] if not roles or part["role"] in roles
    ]
    if "actor" not in selection:
        return bool(taking_part)
    enough = all if selection.get("actor_match", "any") == "all" else any
    return enough(view.snapshot.actor(slug) in taking_part for slug in asked(selection, "actor"))


def has_claim(document: Document, selection: Selection, view: View) -> bool:
    """One claim of those seen is all that is asked of claims; `via` is not the claim's source."""
    return any(is_such_claim(claim, selection, view) for claim in document["claims"])


def is_such_claim(claim: Form, selection: Selection, view: View) -> bool:
    publisher = view.snapshot.sources[claim["source"]].form["publisher"]
    if "source" in selection and claim["source"] not in asked(selection, "source"):
        return False
    if "stance" in selection and claim["stance"] not in asked(selection, "stance"):
        return False
    if "publisher" in selection and not any_of(publisher and [publisher], asked(selection, "publisher"), view):
        return False
    if "speaker" in selection and not any_of(claim["speakers"], asked(selection, "speaker"), view):
        return False
    if "published_from" in selection or "published_to" in selection:
        if claim["published"] is None:
            return False
        low, high = span(claim["published"])[:2]
        start, end = window(selection, "published_from", "published_to")
        return low <= end and start <= high
    return True


def any_of(actors: list[str] | None, wanted: list[str], view: View) -> bool:
    meant = {view.snapshot.actor(slug) for slug in wanted}
    return any(view.snapshot.actor(slug) in meant for slug in actors or [])


def was_recorded(document: Document, selection: Selection, view: View) -> bool:
    moment = instant(document["recorded"])
    after = "recorded_from" not in selection or instant(selection["recorded_from"]) <= moment
    return after and ("recorded_to" not in selection or moment <= instant(selection["recorded_to"]))


def has_tag(document: Document, selection: Selection, view: View) -> bool:
    enough = all if selection.get("tag_match", "any") == "all" else any
    return enough(tag in document["tags"] for tag in asked(selection, "tag"))


def is_of_language(document: Document, selection: Selection, view: View) -> bool:
    """Basic filtering: a range takes in itself and what it begins, at a hyphen, in whatever case."""
    tag = (document["language"] or "").lower() + "-"
    return any(tag.startswith(language.lower() + "-") for language in asked(selection, "language"))


def is_in_country(document: Document, selection: Selection, view: View) -> bool:
    return any(place["country"] in asked(selection, "country") for place in document["places"])


def is_in_box(document: Document, selection: Selection, view: View) -> bool:
    """A place on the edge is inside; a west beyond the east crosses 180°, which is the same as -180°."""
    west, south, east, north = (float(part) for part in selection["bbox"].split(","))
    for place in document["places"]:
        latitude, longitude = place["latitude"], place["longitude"]
        if latitude is None or longitude is None or not south <= latitude <= north:
            continue
        for same in {longitude, -longitude} if abs(longitude) == 180 else {longitude}:
            if west <= east and west <= same <= east:
                return True
            if west > east and (same >= west or same <= east):
                return True
    return False


def is_related(document: Document, selection: Selection, view: View) -> bool:
    """`related_to`, `relation` and `direction`: by own relations, or by those of the other event as it stands there.

    Reading: the other event's relations count as recorded at the revision that is read, also where a lens over
    claims leaves that event itself out.
    """
    other, types, direction = selection["related_to"], asked(selection, "relation"), selection.get("direction", "in")
    if other in view.unseen:
        return False
    points_at_it = [each["type"] for each in document["relations"] if each["event"] == other]
    is_pointed_at = [kind for kind, ident in pointing(other, view) if ident == document["id"]]
    counted = {"in": points_at_it, "out": is_pointed_at, "both": points_at_it + is_pointed_at}[direction]
    return any(not types or each in types for each in counted)


def pointing(ident: str, view: View) -> list[tuple[str, str]]:
    """Type and event of each relation that an event has at the revision, if it stands there within sight."""
    entry = view.snapshot.events.get(ident)
    if entry is None or ident in view.unseen:
        return []
    return [(each["type"], each["event"]) for each in entry.form["relations"] if each["event"] not in view.unseen]


def member(name: str) -> Predicate:
    return lambda document, selection, view: document[name] in asked(selection, name)


FILTERS: dict[str, Predicate] = {
    "from": in_window,
    "to": in_window,
    "undated": in_window,
    "published_from": has_claim,
    "published_to": has_claim,
    "source": has_claim,
    "publisher": has_claim,
    "speaker": has_claim,
    "stance": has_claim,
    "recorded_from": was_recorded,
    "recorded_to": was_recorded,
    "actor": takes_part,
    "role": takes_part,
    "tag": has_tag,
    "standing": lambda document, selection, view: document["standing"]["state"] in asked(selection, "standing"),
    "min_origins": lambda document, selection, view: document["standing"]["origins"] >= int(selection["min_origins"]),
    "kind": member("kind"),
    "phase": member("phase"),
    "collection": member("collection"),
    "key": member("key"),
    "id": member("id"),
    "language": is_of_language,
    "country": is_in_country,
    "bbox": is_in_box,
    "q": lambda document, selection, view: holds_text(document, selection["q"], view),
    "related_to": is_related,
}
COMPANIONS = {"match": "possible", "actor_match": "any", "tag_match": "any", "direction": "in", "relation": None}
"""Parameters that only say how others are meant, with their defaults."""
ANSWERED_ELSEWHERE = (*LENSES, "timeline", "order")


def holds(document: Document, selection: Selection, view: View) -> bool:
    for name in selection:
        if name not in FILTERS and name not in COMPANIONS and name not in ANSWERED_ELSEWHERE:
            raise KeyError(f"this model does not know the parameter {name!r}")
    return all(FILTERS[name](document, selection, view) for name in selection if name in FILTERS)


def meaning(selection: Selection) -> Form:
    """A selection without what may be said in several ways: defaults, single values, spellings of a window."""
    plain: Form = {name: sorted(asked(selection, name)) for name in selection}
    for name, default in COMPANIONS.items():
        if plain.get(name) == [default]:
            del plain[name]
    if plain.get("order") == ["asc"]:
        del plain["order"]
    for first, last in (("from", "to"), ("published_from", "published_to")):
        if first in selection or last in selection:
            plain[first] = window(selection, first, last)
            plain.pop(last, None)
    if "q" in selection:
        plain["q"] = asked_text(selection["q"])
    if "known_at" in selection:
        plain["known_at"] = span(selection["known_at"]).high
    if selection.get("undated") == ("exclude" if "from" in plain else "include"):
        del plain["undated"]
    return plain


def date_order(document: Document) -> tuple[float, float, str]:
    low, high = span(document["occurred"]["edtf"])[:2]
    return low, high, document["id"]


def ordered(documents: Iterable[Document], order: str) -> list[Document]:
    """By date, `desc` the exact reverse; those without a date follow in both, by id. Equals stay as they were."""
    everything = list(documents)
    dated = [document for document in everything if document["occurred"] is not None]
    undated = [document for document in everything if document["occurred"] is None]
    return [
        *sorted(dated, key=date_order, reverse=order == "desc"),
        *sorted(undated, key=lambda document: str(document["id"])),
    ]


def thinned(document: Any, fields: list[str]) -> Any:
    """What `fields` leaves of a document."""
    return document and {name: value for name, value in document.items() if name in fields}
