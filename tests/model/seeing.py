"""What stands at a revision, and how an event is seen there through the lenses and by a caller."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.model.claims import claim_order, speaking, standing
from tests.model.dates import instant, span
from tests.model.forms import Document, Form, Selection, asked


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

    def merged_through(self, slug: str) -> list[str]:
        """The actors that a slug is merged into, one after the other; the last is the one it stands for."""
        found: list[str] = []
        while slug in self.actors and (into := self.actors[slug].form["merged_into"]) is not None:
            found.append(into)
            slug = into
        return found

    def actor(self, slug: str) -> str:
        """The actor that a slug stands for."""
        return [slug, *self.merged_through(slug)][-1]

    def names(self) -> dict[str, list[str]]:
        """All that each actor is called."""
        forms = {slug: entry.form for slug, entry in self.actors.items()}
        return {slug: [form["name"], *form["names"].values(), *form["aliases"]] for slug, form in forms.items()}

    def aliases(self) -> dict[str, str]:
        return {slug: self.actor(slug) for slug in self.actors}


@dataclass(frozen=True)
class View:
    """From where events are looked at: a revision, the lenses over claims, and the events out of the caller's sight."""

    snapshot: Snapshot
    lenses: Selection = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()

    @property
    def of_account(self) -> bool:
        return "according_to" in self.lenses or "according_to_source" in self.lenses


# --- Lenses over claims: whether one is shown


def published_by(claim: Form, view: View) -> bool:
    return claim["published"] is not None and span(claim["published"]).low <= span(view.lenses["known_at"]).high


def told_by_actor(claim: Form, view: View) -> bool:
    """As voice or as publisher; a claim whose voice is the source itself is told by no actor."""
    sources = view.snapshot.source_forms()
    tellers = {speaking(claim, sources), sources[claim["source"]]["publisher"]} - {None}
    accounts = {view.snapshot.actor(slug) for slug in asked(view.lenses, "according_to")}
    return any(view.snapshot.actor(str(slug)) in accounts for slug in tellers)


def told_by_source(claim: Form, view: View) -> bool:
    return claim["source"] in asked(view.lenses, "according_to_source")


CLAIM_LENSES: dict[str, Callable[[Form, View], bool]] = {
    "known_at": published_by,
    "according_to": told_by_actor,
    "according_to_source": told_by_source,
}
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


def see(view: View, ident: str) -> Document | None:
    """The event's document as it shows in a view, or None where it does not."""
    entry = view.snapshot.events.get(ident)
    if entry is None or ident in view.unseen:
        return None
    document: Document = {"id": ident, **deepcopy(entry.form)}
    sources = view.snapshot.source_forms()
    dated = [(claim, claim["published"] or sources[claim["source"]]["published"]) for claim in document["claims"]]
    dated.sort(key=lambda pair: claim_order(*pair))
    claims = [{**claim, "published": published} for claim, published in dated]
    shown = [claim for claim in claims if all(CLAIM_LENSES[name](claim, view) for name in view.lenses)]
    document["occurred"] = shown_date(
        told_date(shown, document["occurred"]) if view.of_account else document["occurred"]
    )
    document["claims"] = shown
    document["relations"] = [each for each in document["relations"] if each["event"] not in view.unseen]
    document |= {"revision": entry.revision, "recorded": entry.recorded, "created": entry.created}
    document["standing"] = standing(shown, sources, view.snapshot.aliases())
    if not shown and (claims or view.of_account):
        return None
    if not claims and "known_at" in view.lenses and not happened_by(document, view.lenses["known_at"]):
        return None
    return document


def told_date(claims: list[Form], otherwise: str | None) -> Any:
    """The date by an account: that of the latest of its claims that gives one."""
    return next((claim["occurred"] for claim in reversed(claims) if claim["occurred"] is not None), otherwise)
