"""The whole: a store's history, every kind of write to it, and every answer that can be read from it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import pairwise, zip_longest
from typing import Any

from tests.model.choosing import holds, meaning, ordered, pointing
from tests.model.claims import reach
from tests.model.counting import FACETS, facet, histogram
from tests.model.dates import instant
from tests.model.forms import (
    Document,
    Form,
    Selection,
    asked,
    compared,
    filled,
    merged,
    settled,
    unwrapped,
    whole_event,
)
from tests.model.seeing import CLAIM_LENSES, PINS, Entry, Snapshot, View, see

Change = tuple[str, str, Form | None]
"""What one revision makes of one thing: its kind, id or slug, and whole form, or None to retract it."""


@dataclass(frozen=True)
class Caller:
    """Who asks: anyone, or the holder of a key, perhaps of one that is good for some collections only."""

    scope: str | None = None
    collections: frozenset[str] | None = None

    def reaches(self, collection: str) -> bool:
        return self.scope is not None and (self.collections is None or collection in self.collections)


ANYONE = Caller()
WRITER = Caller("write")


@dataclass
class Row:
    """What a batch makes of one of its rows; a row that is at fault has no form."""

    key: str | None
    collection: str
    ident: str
    result: str = "refused"
    form: Form | None = None


@dataclass
class Plan:
    """What a batch would do: with any row at fault, nothing. New events have stand-ins for ids."""

    rows: list[Row] = field(default_factory=list)
    faulty: set[int] = field(default_factory=set)
    retracted: list[str] = field(default_factory=list)
    resources: list[Change] = field(default_factory=list)

    def changes(self, ids: Mapping[str, str]) -> list[Change]:
        """All that it changes, with the ids given to new events in place of the stand-ins."""
        changes = [*self.resources, *(("events", ident, None) for ident in self.retracted)]
        for row in self.rows:
            if row.result in ("created", "updated") and row.form is not None:
                form = deepcopy(row.form)
                for relation in form["relations"]:
                    relation["event"] = ids.get(relation["event"], relation["event"])
                changes.append(("events", ids.get(row.ident, row.ident), form))
        return changes


class Model:
    """A store's history, and every answer that can be read from it.

    Revision numbers, recorded times and ids are given by whoever records, as the service gave them; the
    service may hold revisions that are not this model's.
    """

    def __init__(self) -> None:
        self.snapshots = [Snapshot()]
        self.homes: dict[str, str] = {}
        """The collection of every event there ever was."""

    # Writing

    @property
    def head(self) -> Snapshot:
        return self.snapshots[-1]

    def record(self, revision: int, recorded: str, *changes: Change) -> None:
        """What is written as one revision.

        Events whose document follows from a revised source or a merged actor are revised with it, and no others.
        """
        if revision <= self.head.revision or instant(recorded) <= instant(self.head.recorded):
            raise ValueError("revisions and their recorded times rise strictly")
        before, now = self.head, self.head.after(revision, recorded)
        for kind, ident, form in changes:
            table = now.table(kind)
            if form is None:
                del table[ident]
                continue
            created = self.created(kind, ident) or {"revision": revision, "recorded": recorded}
            table[ident] = Entry(deepcopy(form), revision, recorded, created)
            if kind == "events":
                self.homes[ident] = form["collection"]
        self.snapshots.append(now)
        written = {ident for kind, ident, _ in changes if kind == "events"}
        followed = [
            each for each in now.events if each not in written and see(View(before), each) != see(View(now), each)
        ]
        self.revise_with_head(followed)

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

    def may_be_told_by(self, actor: str) -> set[str]:
        """The events with a claim that this actor, or one it stands for or that stands for it, speaks or publishes.

        Reading: of a merge too, which of them get a version with nothing new in it is left to the service.
        """
        now = self.head
        told = set()
        for ident, entry in now.events.items():
            for claim in entry.form["claims"]:
                tellers = {now.sources[claim["source"]].form["publisher"], *claim["speakers"]} - {None}
                if now.actor(actor) in {now.actor(str(each)) for each in tellers}:
                    told.add(ident)
        return told

    def whole_event(self, sent: Form, others: Iterable[Row] = ()) -> Form:
        """An event's form as it will stand: defaults in place, relations naming both key and id.

        `others` are rows of the same batch, which relations may name too.
        """
        form = whole_event(sent)
        # One that is retracted keeps its key, and what points at it may go on doing so.
        ever = self.homes.items() if form["relations"] else ()
        named = {ident: (home, self.last_form(ident)["key"]) for ident, home in ever}
        named |= {row.ident: (row.collection, row.key) for row in others}
        for relation in form["relations"]:
            for ident, (collection, key) in named.items():
                by_key = relation["event"] is None and (collection, relation["key"]) == (form["collection"], key)
                if relation["event"] == ident or by_key:
                    relation |= {"event": ident, "key": key}
                    break
        return form

    def changes_nothing(self, kind: str, ident: str, form: Form) -> bool:
        if ident not in self.head.table(kind):
            return False
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

    def last_form(self, ident: str) -> Form:
        """An event's form as it stands, or stood before it was retracted."""
        return next(each.events[ident].form for each in reversed(self.snapshots) if ident in each.events)

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
        named += [("actors", entry.form["merged_into"]) for entry in self.head.actors.values()]
        return (kind, slug) in named

    def plan(
        self, rows: list[Form], collection: str = "main", on_existing: str = "merge", retract_missing: bool = False
    ) -> Plan:
        """What a batch of these rows would do."""
        plan, sent_by = Plan(), {}
        counted: dict[tuple[str, str], list[int]] = {}
        for index, given in enumerate(rows):
            sent, held = unwrapped(given)
            home, key = sent.get("collection") or collection, sent.get("key")
            known = self.holder_of_key(home, key)
            skipped = on_existing == "skip" and known in self.head.events
            # Reading: a row that is skipped brings nothing, also none of what it holds whole.
            for each in held if not skipped else ():
                plan.resources += [each] if self.is_new(each, plan) else []
            row = Row(key, home, known or f"new {index}")
            plan.rows.append(row)
            if key is not None:
                counted.setdefault((home, key), []).append(index)
            if (retract_missing and home != collection) or (on_existing == "fail" and known in self.head.events):
                plan.faulty.add(index)
            sent_by[index] = self.row_form(sent | {"collection": home}, known, on_existing)
        for places in counted.values():
            # Reading: of rows with one key the first is in order, and each further one a fault.
            plan.faulty |= set(places[1:])
        for index, row in enumerate(plan.rows):
            form = self.whole_event(sent_by[index], plan.rows)
            skipped = on_existing == "skip" and row.ident in self.head.events
            if form["title"] is None and not skipped:
                plan.faulty.add(index)
            if index in plan.faulty:
                continue
            row.form = form
            if skipped or self.changes_nothing("events", row.ident, row.form):
                row.result = "unchanged"
            else:
                row.result = "updated" if row.ident in self.homes else "created"
        if retract_missing:
            held_by_rows = {row.ident for row in plan.rows}
            plan.retracted = [
                ident for ident in self.head.events if self.homes[ident] == collection and ident not in held_by_rows
            ]
        return plan

    def is_new(self, change: Change, plan: Plan) -> bool:
        """Whether an actor or source held whole is to be made; of several of one slug the first counts."""
        kind, slug, _ = change
        return slug not in self.head.table(kind) and (kind, slug) not in [each[:2] for each in plan.resources]

    def row_form(self, sent: Form, known: str | None, on_existing: str) -> Form:
        """The input form a row leads to: the row alone, or its event's last form, even retracted, with it merged in."""
        if known is not None and on_existing == "merge":
            form: Form = merged(self.last_form(known), sent)
            return form
        return sent

    # Callers

    def visibility(self, kind: str, slug: str) -> str:
        """Today's, whatever the revision read; of what was deleted, its last. Reading: of what never was, public."""
        for snapshot in reversed(self.snapshots):
            if slug in snapshot.table(kind):
                return str(snapshot.table(kind)[slug].form["visibility"])
        return "public"

    def in_reach(self, collection: str, caller: Caller) -> bool:
        """Whether the caller may see what is in a collection when it is named."""
        return self.visibility("collections", collection) != "private" or caller.reaches(collection)

    def unseen(self, caller: Caller) -> frozenset[str]:
        return frozenset(ident for ident, home in self.homes.items() if not self.in_reach(home, caller))

    def is_listed(self, document: Document, selection: Selection, timeline: Form | None) -> bool:
        """Whether an event within reach may be in a list: those of an unlisted collection only if named."""
        if self.visibility("collections", document["collection"]) != "unlisted":
            return True
        stored = timeline["selection"] if timeline else {}
        pinned = timeline["include"] if timeline else []
        return (
            document["collection"] in asked(selection, "collection") + asked(stored, "collection")
            or document["id"] in asked(selection, "id") + asked(stored, "id") + pinned
        )

    def used(self, caller: Caller, named: bool, revision: int | None = None) -> dict[str, set[str]]:
        """The actors and sources, by kind, that events in the caller's sight have used by a revision.

        Those of unlisted collections count for whoever `named` what they read, and not for lists. Used are also the
        sources that these rest on, near and far, and their publishers.

        Reading: with a merged actor, those that it is merged into are used too.
        """
        actors: set[str] = set()
        sources: set[str] = set()
        for snapshot in self.snapshots:
            if revision is not None and snapshot.revision > revision:
                break
            for ident, entry in snapshot.events.items():
                home = self.homes[ident]
                unlisted = self.visibility("collections", home) == "unlisted"
                if self.in_reach(home, caller) and (named or not unlisted):
                    actors |= {part["actor"] for part in entry.form["actors"]}
                    for claim in entry.form["claims"]:
                        actors |= set(claim["speakers"])
                        sources |= {claim["source"], claim["via"]} - {None}
            forms = snapshot.source_forms()
            sources |= {further for each in sources & forms.keys() for further in reach(each, forms)}
            actors |= {forms[each]["publisher"] for each in sources & forms.keys()} - {None}
            actors |= {further for each in actors for further in snapshot.merged_through(each)}
        return {"actors": actors, "sources": sources}

    def timeline_in_sight(self, slug: str, caller: Caller) -> bool:
        """Reading: a private timeline is there for every holder of a key."""
        return caller.scope is not None or self.visibility("timelines", slug) != "private"

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

    def view(self, selection: Selection, caller: Caller = ANYONE) -> tuple[View, Form | None]:
        """From where a selection is read, and its timeline's definition.

        Reading: a timeline's definition is that of the revision that the request asks for, else today's; a revision
        or instant that the timeline itself holds is where events are then read.
        """
        snapshot, timeline = self.pinned(selection), None
        if "timeline" in selection:
            timeline = self.definition(selection["timeline"], snapshot or self.head)
            snapshot = snapshot or (self.pinned(timeline["selection"]) if timeline else None)
        defaults = timeline["selection"] if timeline else {}
        lenses = {name: value for name, value in {**defaults, **selection}.items() if name in CLAIM_LENSES}
        return View(snapshot or self.head, lenses, self.unseen(caller)), timeline

    def seen(self, ident: str, selection: Selection, caller: Caller = ANYONE) -> Document | None:
        """One event through a selection's lenses, whatever its filters say."""
        return see(self.view(selection, caller)[0], ident)

    def listing(self, selection: Selection, caller: Caller = ANYONE) -> list[Document]:
        """Every document of a selection, in its order."""
        view, timeline = self.view(selection, caller)
        if "timeline" in selection and timeline is None:
            return []
        return self.chosen(selection, view, timeline)

    def chosen(self, selection: Selection, view: View, timeline: Form | None) -> list[Document]:
        seen = [see(view, ident) for ident in view.snapshot.events]
        documents = [
            document
            for document in seen
            if document is not None
            and self.is_listed(document, selection, timeline)
            and holds(document, selection, view)
            and (timeline is None or in_timeline(document, timeline, view))
        ]
        return ordered(documents, self.order_of(selection, timeline))

    def histogram(
        self, selection: Selection, on: str = "occurred", interval: str = "auto", caller: Caller = ANYONE
    ) -> Document | None:
        """The buckets of a selection and what falls into none; None where the interval is too short for it."""
        return histogram(self.listing(selection, caller), selection, on, interval)

    def facets(self, selection: Selection, caller: Caller = ANYONE) -> dict[str, Counter[str]]:
        """How many events of a selection have each value of each facet."""
        documents, view = self.listing(selection, caller), self.view(selection, caller)[0]
        return {name: facet(documents, selection, view, name) for name in FACETS}

    def included(self, documents: Iterable[Document], snapshot: Snapshot) -> dict[str, set[str]]:
        """The actors and sources that come with documents, by kind.

        The actors that take part, speak, or publish the sources named, and those that merged ones of these are merged
        into, near and far.
        """
        actors: set[str] = set()
        sources: set[str] = set()
        for document in documents:
            actors |= {part["actor"] for part in document.get("actors", [])}
            for claim in document.get("claims", []):
                actors |= set(claim["speakers"])
                sources |= {claim["source"], claim["via"]} - {None}
        actors |= {snapshot.sources[each].form["publisher"] for each in sources} - {None}
        actors |= {further for each in actors for further in snapshot.merged_through(each)}
        return {"actors": actors, "sources": sources}

    def versions(self, ident: str) -> list[tuple[int, Entry | None]]:
        """Each revision that touched an event, oldest first, with what it left: None after a retraction."""
        found: list[tuple[int, Entry | None]] = []
        for snapshot in self.snapshots:
            entry = snapshot.events.get(ident)
            if entry is not (found[-1][1] if found else None):
                found.append((snapshot.revision, entry))
        return found

    # Comparing

    def diff(self, base: Selection, head: Selection, match_on: str = "id", caller: Caller = ANYONE) -> list[Document]:
        """The items that lead from the base's listing to the head's, in their order.

        Every item has `op` and the event's `id`. Added and removed ones hold `event`, `other` and, where the
        other exists, the `fields` that differ; changed ones hold `before`, `after` and `fields`.
        """
        only_revision = self.but_for_revision(base, caller) == self.but_for_revision(head, caller)
        before, after = self.listing(base, caller), self.listing(head, caller)
        items: list[Document] = []
        for left, right in pairs(before, after, match_on == "key", only_revision):
            if left is not None and right is not None:
                if fields := differing(left, right):
                    found = {"before": left, "after": right, "fields": fields}
                    items.append({"op": "changed", "id": right["id"], **found})
            elif left is not None:
                items.append(self.one_sided("removed", left, (base, head), after, match_on, only_revision, caller))
            elif right is not None:
                items.append(self.one_sided("added", right, (head, base), before, match_on, only_revision, caller))
        if only_revision:
            moves = self.moves(base, head, caller)
            # Of two events matched by key, the later change counts.
            return sorted(items, key=lambda item: (-max(moves[ident] for ident in both_ids(item)), item["id"]))
        # Reading: what only the base lists stands where its date there would place it in the head's listing, and
        # before what is at that very place.
        items.sort(key=lambda item: item["op"] != "removed")
        placed = [(item.get("after") or item["event"]) | {"item": item} for item in items]
        return [document["item"] for document in ordered(placed, self.order_of(head, self.view(head, caller)[1]))]

    def one_sided(
        self,
        op: str,
        document: Document,
        sides: tuple[Selection, Selection],
        far_listing: list[Document],
        match_on: str,
        only_revision: bool,
        caller: Caller,
    ) -> Document:
        """An added or removed item. Sides: the one that has the event, and the other.

        Reading: an event of an unlisted collection is another's counterpart by key only where either side names it.
        """
        item: Document = {"op": op, "id": document["id"], "event": document, "other": None}
        far_side = sides[1]
        view, timeline = self.view(far_side, caller)
        listed = {each["id"] for each in far_listing}
        if match_on == "id" or (only_revision and document["key"] is None):
            candidates = [document["id"]]
        elif document["key"] is None:
            candidates = []
        else:
            candidates = [ident for ident in self.homes if self.last_form(ident)["key"] == document["key"]]
        there = [
            each
            for ident in candidates
            if ident not in listed
            and (each := see(view, ident)) is not None
            and any(self.is_listed(each, side, self.view(side, caller)[1]) for side in sides)
        ]
        homes = asked(far_side, "collection") + (asked(timeline["selection"], "collection") if timeline else [])
        there.sort(key=lambda each: (each["collection"] not in homes, each["id"] != document["id"], each["id"]))
        if there:
            item |= {"other": there[0], "fields": differing(document, there[0])}
        return item

    def but_for_revision(self, selection: Selection, caller: Caller) -> Any:
        """All that a selection means but its revision.

        Reading: of two revisions between which its timeline was redefined, more than the revision differs.
        """
        view, timeline = self.view(selection, caller)
        stored: Form = timeline["selection"] if timeline else {}
        own = {name: value for name, value in selection.items() if name != "timeline"} | dict(view.lenses)
        rest = {name: value for name, value in stored.items() if name not in CLAIM_LENSES and name != "order"}
        order = {"order": self.order_of(selection, timeline)}
        pins = [sorted(timeline[name]) for name in ("include", "exclude")] if timeline else [[], []]
        return meaning(without_pins(own | order)), meaning(without_pins(rest)), pins

    def order_of(self, selection: Selection, timeline: Form | None) -> str:
        stored = timeline["selection"] if timeline else {}
        return str({"order": "asc", **stored, **selection}["order"])

    def moves(self, base: Selection, head: Selection, caller: Caller) -> dict[str, int]:
        """At which revision each event last changed, up to the later of two.

        Reading: beside a version of its own, what changes an event is a revision that brings it into the selection,
        takes it out, or has it seen otherwise: merging actors does, naming them anew, and revising the event that
        `related_to` names.
        """
        (view, timeline), (other, _) = (self.view(side, caller) for side in (base, head))
        first, last = sorted([view.snapshot.revision, other.snapshot.revision])
        last_changes: dict[str, int] = {}
        for before, now in pairwise(each for each in self.snapshots if each.revision <= last):
            for ident in self.homes:
                if before.events.get(ident) is not now.events.get(ident):
                    last_changes[ident] = now.revision
            related = "related_to" in base or (timeline is not None and "related_to" in timeline["selection"])
            if now.revision > first and (related or before.aliases() != now.aliases() or before.names() != now.names()):
                views = [replace(view, snapshot=each) for each in (before, now)]
                was, are = ({each["id"]: each for each in self.chosen(base, at, timeline)} for at in views)
                moved = [ident for ident in self.homes if was.get(ident) != are.get(ident)]
                last_changes |= dict.fromkeys(moved, now.revision)
        return last_changes


def in_timeline(document: Document, timeline: Form, view: View) -> bool:
    """((its selection ∪ include) − exclude); an included event must still be seen through the lenses."""
    if document["id"] in timeline["exclude"]:
        return False
    return document["id"] in timeline["include"] or holds(document, timeline["selection"], view)


def pairs(
    before: list[Document], after: list[Document], by_key: bool, only_revision: bool
) -> list[tuple[Document | None, Document | None]]:
    """The events of two listings side by side: the same event, or by key first the same one, the rest in order of id.

    An event without a key is matched by its id where only the revision differs, and else by nothing.
    """
    sides: tuple[dict[Any, dict[str, Document]], ...] = ({}, {})
    for side, listing in zip(("base", "head"), (before, after), strict=True):
        for document in listing:
            name = document["id"] if not by_key or only_revision else side + document["id"]
            if by_key and document["key"] is not None:
                name = document["key"]
            sides[side == "head"].setdefault(name, {})[document["id"]] = document
    found: list[tuple[Document | None, Document | None]] = []
    for name in sides[0] | sides[1]:
        left, right = (side.get(name, {}) for side in sides)
        found += [(left[ident], right[ident]) for ident in left if ident in right]
        rest = [sorted(side.keys() - other.keys()) for side, other in ((left, right), (right, left))]
        found += [(left.get(one or ""), right.get(two or "")) for one, two in zip_longest(*rest)]
    return found


def both_ids(item: Document) -> set[str]:
    return {item["before"]["id"], item["after"]["id"]} if item["op"] == "changed" else {item["id"]}


def differing(one: Document, other: Document) -> set[str]:
    left, right = compared(one), compared(other)
    return {name for name in left if left[name] != right[name]}


def without_pins(selection: Selection) -> Form:
    return {name: value for name, value in selection.items() if name not in PINS}


__all__ = ["ANYONE", "PINS", "WRITER", "Caller", "Change", "Model", "Plan", "differing", "filled", "pointing"]
