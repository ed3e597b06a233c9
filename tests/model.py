"""The service in miniature: an independent reading of the interface's rules, kept in plain dictionaries.

It exists to be compared with the real service, so it shares no line with it and prefers the plainest way to
the fast one: the history is a list of whole snapshots, one for each revision, and every answer is found by
looking at everything. A *form* is what a client sent with the defaults filled in; a *document* is what a
reader gets. Documents here carry no claim ids and no display text, which only the service can know.

Where the rules leave room, the reading taken is marked `Reading:`.

To widen it: a filter is one function in `FILTERS`, a lens over claims one function in `CLAIM_LENSES`, and
a kind of write one call of `Model.record`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Form = dict[str, Any]
Document = dict[str, Any]
Selection = Mapping[str, Any]
"""Parameter name to its text, or to a list of texts where it may be repeated, as in a query string."""

UNBOUNDED_START, UNBOUNDED_END = float("-inf"), float("inf")

# --- Dates: a small part of EDTF, with arithmetic of its own ----------------------------------------------

PRECISIONS = ["second", "minute", "hour", "day", "month", "season", "year", "decade"]  # finer before coarser
DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]
ONE_DATE = re.compile(
    r"((?P<decade>\d{3})X|(?P<year>-?\d{4})(-(?P<month>0[1-9]|1[0-2])(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)Z?)?)?)?)(?P<mark>[?~%]?)",
    re.ASCII,
)
INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


class Span(NamedTuple):
    """Outer bounds of a date: inclusive seconds of one shared count, and the text documents show for them."""

    low: float
    high: float
    earliest: str | None
    latest: str | None
    precision: str
    approximate: bool
    uncertain: bool


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_length(year: int, month: int) -> int:
    return DAYS_BEFORE_MONTH[month] - DAYS_BEFORE_MONTH[month - 1] + (month == 2 and is_leap(year))


def day_number(year: int, month: int, day: int) -> int:
    """Days from 0000-01-01, proleptic Gregorian with astronomical years; negative before it."""
    leap_days = (year + 3) // 4 - (year + 99) // 100 + (year + 399) // 400
    after_february = month > 2 and is_leap(year)
    return 365 * year + leap_days + DAYS_BEFORE_MONTH[month - 1] + after_february + day - 1


def year_text(year: int) -> str:
    return f"{year:04d}" if year >= 0 else f"-{-year:04d}"


def one_date(text: str) -> Span:
    match = ONE_DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} lies outside the dates this model speaks")
    first_year = int(match["year"] or match["decade"] + "0")
    last_year = first_year + 9 if match["decade"] else first_year
    first_month, last_month = (int(match["month"]),) * 2 if match["month"] else (1, 12)
    last_day = int(match["day"]) if match["day"] else month_length(last_year, last_month)
    first_day = last_day if match["day"] else 1
    precision = "decade" if match["decade"] else "year"
    for finer in ("month", "day", "second"):
        precision = finer if match[finer] else precision
    low = day_number(first_year, first_month, first_day) * 86_400
    high = day_number(last_year, last_month, last_day) * 86_400 + 86_399
    earliest = f"{year_text(first_year)}-{first_month:02d}-{first_day:02d}"
    latest = f"{year_text(last_year)}-{last_month:02d}-{last_day:02d}"
    if match["hour"]:
        low += int(match["hour"]) * 3600 + int(match["minute"]) * 60 + int(match["second"])
        high = low
        earliest = latest = f"{earliest}T{match['hour']}:{match['minute']}:{match['second']}Z"
    approximate, uncertain = match["mark"] in ("~", "%"), match["mark"] in ("?", "%")
    return Span(low, high, earliest, latest, precision, approximate, uncertain)


def span(text: str) -> Span:
    """The bounds of a date or interval; an open (`..`) or unknown (empty) end is unbounded, without text."""
    if "/" not in text:
        return one_date(text)
    left, right = text.split("/")
    start = None if left in ("", "..") else one_date(left)
    end = None if right in ("", "..") else one_date(right)
    known = [each for each in (start, end) if each is not None]
    return Span(
        start.low if start else UNBOUNDED_START,
        end.high if end else UNBOUNDED_END,
        start.earliest if start else None,
        end.latest if end else None,
        max((each.precision for each in known), key=PRECISIONS.index),
        any(each.approximate for each in known),
        any(each.uncertain for each in known),
    )


def instant(text: str) -> tuple[int, int]:
    """A point of recorded time in UTC: whole seconds, of the same count as `Span`, and nanoseconds."""
    match = INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an instant in UTC")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    seconds = day_number(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    return seconds, int((match[7] or "").ljust(9, "0"))


# --- Forms: what a client sends, made whole ---------------------------------------------------------------

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
    """What of a document can be a change between two sides."""
    kept = {name: value for name, value in document.items() if name not in ONLY_KNOWN_TO_THE_SERVICE}
    kept["claims"] = [{name: claim[name] for name in claim if name != "id"} for claim in document["claims"]]
    kept["relations"] = [{"type": each["type"], "key": each["key"]} for each in document["relations"]]
    return settled(kept)


# --- Claims, voices, origins, standing --------------------------------------------------------------------

ASSERTING = ("asserts", "confirms", "corrects")
DENYING = ("denies", "disputes")
SET_ASIDE = ("mentions", "expects")


def claim_order(given: Form, published: str | None) -> tuple[Any, ...]:
    """The documented order of claims, which also tells the latest of a voice: by date, then by what identifies one.

    Reading: `published` null and an open start are both earlier than every date, so a claim of unknown date never
    overrides a dated one; a date taken over from the source counts as null where claims are told apart; a null
    locator comes before any other.
    """
    low = UNBOUNDED_START if published is None else span(published).low
    return low, given["source"], given["stance"], given["speakers"], given["published"] or "", given["locator"] or ""


def voice(claim: Form, sources: Mapping[str, Form]) -> tuple[str, str]:
    """Who stands behind a claim. An actor and a source of the same slug are two voices."""
    if claim["speakers"]:
        return "actor", claim["speakers"][0]
    publisher = sources[claim["source"]]["publisher"]
    return ("actor", publisher) if publisher is not None else ("source", claim["source"])


def reach(source: str, sources: Mapping[str, Form]) -> frozenset[str]:
    """The source itself and all it is derived from, near and far."""
    found = {source}
    for _ in sources:
        found |= {further for each in found for further in sources[each]["derived_from"]}
    return frozenset(found)


def roots(claim: Form, sources: Mapping[str, Form]) -> set[frozenset[str]]:
    """The root sources of a claim, each as the set of sources that are this root: one, or those of a cycle.

    Reading: a cycle is a root where nothing leads out of it; where something does, the root lies further on.
    """
    found = set()
    for source in reach(claim["via"] or claim["source"], sources):
        onwards = reach(source, sources)
        if all(source in reach(further, sources) for further in onwards):
            found.add(onwards)
    return found


def count_origins(asserting: list[Form], sources: Mapping[str, Form]) -> int:
    """How many independent origins stand behind the asserting claims.

    Reading: a claim that touches a counted root adds none and marks none; only one that adds marks its roots.
    So every origin counted shares no root with another. Among claims of one source their order decides.
    """
    rooted = [roots(claim, sources) for claim in sorted(asserting, key=lambda claim: str(claim["source"]))]
    counted = {root for each in rooted if len(each) == 1 for root in each}
    origins = len(counted)
    for each in rooted:
        if len(each) > 1 and not each & counted:
            origins += 1
            counted |= each
    return origins


def first_date(claims: Iterable[Form]) -> str | None:
    """Reading: the claim's date is its `published` as it stands; claims without one are passed over."""
    return next((str(claim["published"]) for claim in claims if claim["published"] is not None), None)


def standing(claims: list[Form], sources: Mapping[str, Form]) -> Document:
    """What claims amount to, given in their documented order.

    Reading: the claims whose voices and origins are counted are those that count, the latest of each voice; the
    first dates are of all that assert or deny, since saying a thing again does not move when it was first said.
    """
    latest: dict[tuple[str, str], Form] = {}
    for claim in claims:
        if claim["stance"] not in SET_ASIDE:
            latest.pop(voice(claim, sources), None)
            latest[voice(claim, sources)] = claim
    asserting = [claim for claim in latest.values() if claim["stance"] in ASSERTING]
    denying = [claim for claim in latest.values() if claim["stance"] in DENYING]
    origins = count_origins(asserting, sources)
    if not claims:
        state = "unsourced"
    elif not latest:
        state = "mentioned"
    elif not asserting and not denying:
        state = "retracted"
    elif asserting and denying:
        state = "contested"
    elif denying:
        state = "denied"
    elif any(claim["stance"] == "corrects" for claim in asserting):
        state = "corrected"
    elif origins >= 2:
        state = "corroborated"
    else:
        state = "reported"
    return {
        "state": state,
        "asserting": len(asserting),
        "denying": len(denying),
        "sources": len({claim["source"] for claim in claims}),
        "origins": origins,
        "first_published": first_date(claim for claim in claims if claim["stance"] in ASSERTING),
        "first_denied": first_date(claim for claim in claims if claim["stance"] in DENYING),
    }


# --- History ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """One thing as one revision left it; never altered afterwards."""

    form: Form
    revision: int
    recorded: str
    created: Document


@dataclass
class Snapshot:
    """Everything that stands at one revision, by id or slug."""

    revision: int = 0
    recorded: str = "0000-01-01T00:00:00.000Z"
    events: dict[str, Entry] = field(default_factory=dict)
    actors: dict[str, Entry] = field(default_factory=dict)
    sources: dict[str, Entry] = field(default_factory=dict)
    collections: dict[str, Entry] = field(default_factory=dict)
    timelines: dict[str, Entry] = field(default_factory=dict)

    def table(self, kind: str) -> dict[str, Entry]:
        table: dict[str, Entry] = getattr(self, kind)
        return table

    def source_forms(self) -> dict[str, Form]:
        return {slug: entry.form for slug, entry in self.sources.items()}

    def after(self, revision: int, recorded: str) -> "Snapshot":
        tables = (self.events, self.actors, self.sources, self.collections, self.timelines)
        return Snapshot(revision, recorded, *(dict(table) for table in tables))


# --- Lenses: how an event is seen -------------------------------------------------------------------------


def published_by(claim: Form, known_at: str) -> bool:
    return claim["published"] is not None and span(claim["published"]).low <= span(known_at).high


CLAIM_LENSES: dict[str, Callable[[Form, Any], bool]] = {"known_at": published_by}
PINS = ("revision", "as_of")
LENSES = (*PINS, *CLAIM_LENSES)


def happened_by(document: Document, known_at: str) -> bool:
    """Whether an event without claims is publicly known: from its `earliest`, else from when it was created.

    Reading: an open start leaves `earliest` null, so it too falls back on the creation.
    """
    occurred = document["occurred"]
    if occurred is not None and occurred["earliest"] is not None:
        return span(occurred["edtf"]).low <= span(known_at).high
    return instant(document["created"]["recorded"])[0] <= span(known_at).high


def shown_date(edtf: str | None) -> Document | None:
    if edtf is None:
        return None
    seen = span(edtf)
    return {
        "edtf": edtf,
        "earliest": seen.earliest,
        "latest": seen.latest,
        "precision": seen.precision,
        "approximate": seen.approximate,
        "uncertain": seen.uncertain,
    }


def see(snapshot: Snapshot, ident: str, lenses: Selection) -> Document | None:
    """The event's document at a snapshot through the lenses over claims, or None where it is not seen."""
    entry = snapshot.events.get(ident)
    if entry is None:
        return None
    document = {"id": ident, **deepcopy(entry.form)}
    document["occurred"] = shown_date(entry.form["occurred"])
    sources = snapshot.source_forms()
    dated = [(claim, claim["published"] or sources[claim["source"]]["published"]) for claim in document["claims"]]
    dated.sort(key=lambda pair: claim_order(*pair))
    document["claims"] = [{**claim, "published": published} for claim, published in dated]
    document |= {"revision": entry.revision, "recorded": entry.recorded, "created": entry.created}
    had_claims = bool(document["claims"])
    for name, lens in CLAIM_LENSES.items():
        if name in lenses:
            document["claims"] = [claim for claim in document["claims"] if lens(claim, lenses[name])]
    if had_claims and not document["claims"]:
        return None
    if not had_claims and "known_at" in lenses and not happened_by(document, lenses["known_at"]):
        return None
    document["standing"] = standing(document["claims"], sources)
    return document


# --- Filters: which of the events seen are chosen ---------------------------------------------------------

Predicate = Callable[[Document, Selection], bool]


def in_window(document: Document, selection: Selection) -> bool:
    """`from`, `to`, `match` and `undated`, which only make sense together."""
    windowed = "from" in selection or "to" in selection
    undated = selection.get("undated", "exclude" if windowed else "include")
    if document["occurred"] is None:
        return bool(undated in ("include", "only"))
    if undated == "only":
        return False
    low, high = span(document["occurred"]["edtf"])[:2]
    start = span(selection["from"]).low if "from" in selection else UNBOUNDED_START
    end = span(selection["to"]).high if "to" in selection else UNBOUNDED_END
    if selection.get("match", "possible") == "certain":
        return start <= low and high <= end
    return low <= end and start <= high


def has_actor(document: Document, selection: Selection) -> bool:
    taking_part = [part["actor"] for part in document["actors"]]
    enough = all if selection.get("actor_match", "any") == "all" else any
    return enough(actor in taking_part for actor in selection["actor"])


def has_tag(document: Document, selection: Selection) -> bool:
    enough = all if selection.get("tag_match", "any") == "all" else any
    return enough(tag in document["tags"] for tag in selection["tag"])


def has_source(document: Document, selection: Selection) -> bool:
    """Only claims seen through the lenses are still in the document; `via` is not the claim's source."""
    return any(claim["source"] in selection["source"] for claim in document["claims"])


def member(name: str) -> Predicate:
    return lambda document, selection: document[name] in selection[name]


FILTERS: dict[str, Predicate] = {
    "from": in_window,
    "to": in_window,
    "undated": in_window,
    "actor": has_actor,
    "tag": has_tag,
    "source": has_source,
    "kind": member("kind"),
    "phase": member("phase"),
    "collection": member("collection"),
    "key": member("key"),
    "id": member("id"),
}
COMPANIONS = ("match", "actor_match", "tag_match")
ANSWERED_ELSEWHERE = (*LENSES, "timeline", "order")


def holds(document: Document, selection: Selection) -> bool:
    for name in selection:
        if name not in FILTERS and name not in COMPANIONS and name not in ANSWERED_ELSEWHERE:
            raise KeyError(f"this model does not know the parameter {name!r}")
    return all(FILTERS[name](document, selection) for name in selection if name in FILTERS)


def date_order(document: Document) -> tuple[float, float, str]:
    low, high = span(document["occurred"]["edtf"])[:2]
    return low, high, document["id"]


def ordered(documents: Iterable[Document], order: str) -> list[Document]:
    """By date, `desc` the exact reverse; those without a date follow in both, by id."""
    everything = list(documents)
    dated = [document for document in everything if document["occurred"] is not None]
    undated = [document for document in everything if document["occurred"] is None]
    return [
        *sorted(dated, key=date_order, reverse=order == "desc"),
        *sorted(undated, key=lambda document: str(document["id"])),
    ]


# --- The whole --------------------------------------------------------------------------------------------


class Model:
    """A store's history, and every answer that can be read from it.

    Revision numbers, recorded times and ids are given by whoever records, as the service gave them; the
    service may hold revisions that are not this model's.
    """

    def __init__(self) -> None:
        self.snapshots = [Snapshot()]

    # Writing

    @property
    def head(self) -> Snapshot:
        return self.snapshots[-1]

    def record(self, revision: int, recorded: str, kind: str, ident: str, form: Form | None) -> None:
        """One thing written as one revision: its whole form, or None to retract it.

        A revised source revises in the same revision the events whose document changes with it.
        """
        if revision <= self.head.revision or instant(recorded) <= instant(self.head.recorded):
            raise ValueError("revisions and their recorded times rise strictly")
        before, now = self.head, self.head.after(revision, recorded)
        table = now.table(kind)
        if form is None:
            del table[ident]
        else:
            created = self.created(kind, ident) or {"revision": revision, "recorded": recorded}
            table[ident] = Entry(deepcopy(form), revision, recorded, created)
        self.snapshots.append(now)
        if kind == "sources" and ident in before.sources and form is not None:
            self.revise_with_head(each for each in now.events if see(before, each, {}) != see(now, each, {}))

    def created(self, kind: str, ident: str) -> Document | None:
        for snapshot in self.snapshots:
            if ident in snapshot.table(kind):
                return snapshot.table(kind)[ident].created
        return None

    def revise_with_head(self, idents: Iterable[str]) -> None:
        """Give events a version of their own in the newest revision, with the form they had."""
        now = self.head
        for ident in list(idents):
            entry = now.events[ident]
            now.events[ident] = Entry(entry.form, now.revision, now.recorded, entry.created)

    def may_follow(self, source: str) -> set[str]:
        """The events whose standing or dates rest on this source, now or before the newest revision.

        Reading: those whose document a revised source changes must be revised with it; whether the others
        that rest on it get a version too, one with nothing new in it, is left to the service.
        """
        resting = set()
        for snapshot in self.snapshots[-2:]:
            sources = snapshot.source_forms()
            for ident, entry in snapshot.events.items():
                named = {claim[name] for claim in entry.form["claims"] for name in ("source", "via")} - {None}
                if any(source in reach(each, sources) for each in named):
                    resting.add(ident)
        return resting

    def whole_event(self, sent: Form) -> Form:
        """An event's form as it will stand: defaults in place, relations naming both key and id."""
        form = whole_event(sent)
        for relation in form["relations"]:
            for ident, entry in self.head.events.items():
                by_key = relation["event"] is None and relation["key"] == entry.form["key"]
                if relation["event"] == ident or (by_key and entry.form["collection"] == form["collection"]):
                    relation |= {"event": ident, "key": entry.form["key"]}
        return form

    def changes_nothing(self, kind: str, ident: str, form: Form) -> bool:
        standing_form = self.head.table(kind)[ident].form
        if kind == "events":
            return settled(standing_form) == settled(form)
        return standing_form == form

    def holder_of_key(self, collection: str, key: str | None) -> str | None:
        """The event, perhaps retracted, to which a key belongs for good."""
        for snapshot in self.snapshots if key is not None else ():
            for ident, entry in snapshot.events.items():
                if (entry.form["collection"], entry.form["key"]) == (collection, key):
                    return ident
        return None

    def in_use(self, kind: str, slug: str) -> bool:
        """Whether something that stands now names this actor or source.

        Reading: what only the past names may be deleted, since the past is read at its own revision.
        """
        named: list[tuple[str, str | None]] = []
        for entry in self.head.events.values():
            named += [("actors", part["actor"]) for part in entry.form["actors"]]
            for claim in entry.form["claims"]:
                named += [("sources", claim["source"]), ("sources", claim["via"])]
                named += [("actors", speaker) for speaker in claim["speakers"]]
        for entry in self.head.sources.values():
            named += [("actors", entry.form["publisher"])]
            named += [("sources", further) for further in entry.form["derived_from"]]
        return (kind, slug) in named

    # Reading

    def at(self, revision: int) -> Snapshot:
        return [snapshot for snapshot in self.snapshots if snapshot.revision <= revision][-1]

    def as_of(self, moment: str) -> Snapshot:
        return [snapshot for snapshot in self.snapshots if instant(snapshot.recorded) <= instant(moment)][-1]

    def pinned(self, selection: Selection) -> Snapshot | None:
        if "revision" in selection:
            return self.at(int(selection["revision"]))
        return self.as_of(selection["as_of"]) if "as_of" in selection else None

    def definition(self, slug: str, snapshot: Snapshot) -> Form | None:
        """A timeline as it stood; before its creation, as it was first defined."""
        if slug in snapshot.timelines:
            return snapshot.timelines[slug].form
        for later in self.snapshots:
            if slug in later.timelines:
                return later.timelines[slug].form if later.revision > snapshot.revision else None
        return None

    def view(self, selection: Selection) -> tuple[Snapshot, Form | None, Selection]:
        """What a selection is read from: the snapshot, the timeline's definition, and the lenses over claims.

        Reading: a revision or instant held by a timeline is taken from its definition at the head, and its
        definition at the revision so found is the one that applies.
        """
        snapshot, timeline = self.pinned(selection), None
        if "timeline" in selection:
            if snapshot is None:
                current = self.definition(selection["timeline"], self.head)
                snapshot = self.pinned(current["selection"]) if current else None
            timeline = self.definition(selection["timeline"], snapshot or self.head)
        defaults = timeline["selection"] if timeline else {}
        lenses = {name: value for name, value in {**defaults, **selection}.items() if name in CLAIM_LENSES}
        return snapshot or self.head, timeline, lenses

    def seen(self, ident: str, selection: Selection) -> Document | None:
        """One event through a selection's lenses, whatever its filters say."""
        snapshot, _, lenses = self.view(selection)
        return see(snapshot, ident, lenses)

    def listing(self, selection: Selection) -> list[Document]:
        """Every document of a selection, in its order."""
        snapshot, timeline, lenses = self.view(selection)
        seen = [see(snapshot, ident, lenses) for ident in snapshot.events]
        chosen = [document for document in seen if document is not None and holds(document, selection)]
        order = "asc"
        if "timeline" in selection:
            if timeline is None:
                return []
            chosen = [document for document in chosen if in_timeline(document, timeline)]
            order = timeline["selection"].get("order", order)
        return ordered(chosen, selection.get("order", order))

    def versions(self, ident: str) -> list[tuple[int, Entry | None]]:
        """Each revision that touched an event, oldest first, with what it left: None after a retraction."""
        found: list[tuple[int, Entry | None]] = []
        for snapshot in self.snapshots:
            entry = snapshot.events.get(ident)
            if entry is not (found[-1][1] if found else None):
                found.append((snapshot.revision, entry))
        return found

    def diff(self, base: Selection, head: Selection) -> list[Document]:
        """The items that lead from the base's listing to the head's, in their order.

        Every item has `op` and the event's `id`. Added and removed ones hold `event`, `other` and, where the
        other exists, the `fields` that differ; changed ones hold `before`, `after` and `fields`.
        """
        before = {document["id"]: document for document in self.listing(base)}
        after = {document["id"]: document for document in self.listing(head)}
        items: dict[str, Document] = {}
        for ident in before.keys() | after.keys():
            if ident in before and ident in after:
                fields = differing(before[ident], after[ident])
                if fields:
                    found = {"before": before[ident], "after": after[ident], "fields": fields}
                    items[ident] = {"op": "changed", "id": ident, **found}
            else:
                op, event, far_side = (
                    ("added", after[ident], base) if ident in after else ("removed", before[ident], head)
                )
                other = self.seen(ident, far_side)
                items[ident] = {"op": op, "id": ident, "event": event, "other": other}
                if other is not None:
                    items[ident]["fields"] = differing(event, other)
        if self.revision_apart(base) == self.revision_apart(head):
            later = max(self.view(side)[0].revision for side in (base, head))
            return sorted(items.values(), key=lambda item: (-self.last_change(item["id"], later), item["id"]))
        # Reading: what only the base lists stands where its date there would place it in the head's listing.
        places = ordered([after.get(ident) or before[ident] for ident in items], head.get("order", "asc"))
        return [items[document["id"]] for document in places]

    def revision_apart(self, selection: Selection) -> tuple[Form, Form | None]:
        """All of a selection but its revision.

        Reading: of two revisions between which its timeline was redefined, more than the revision differs.
        """
        _, timeline, _ = self.view(selection)
        defined = timeline and {name: timeline[name] for name in ("selection", "include", "exclude")}
        return without_pins(selection), defined

    def last_change(self, ident: str, revision: int) -> int:
        return max(changed for changed, _ in self.versions(ident) if changed <= revision)


def in_timeline(document: Document, timeline: Form) -> bool:
    """((its selection ∪ include) − exclude); an included event must still be seen through the lenses."""
    if document["id"] in timeline["exclude"]:
        return False
    return document["id"] in timeline["include"] or holds(document, timeline["selection"])


def differing(one: Document, other: Document) -> set[str]:
    left, right = compared(one), compared(other)
    return {name for name in left if left[name] != right[name]}


def without_pins(selection: Selection) -> Form:
    return {name: value for name, value in selection.items() if name not in PINS}
