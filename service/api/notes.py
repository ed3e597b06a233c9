"""The change note: a diff, or the history of one event, in Markdown, for people."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from service.api.shapes import DiffSide, HistoryItem
from service.domain.diff import Added, Change, Changed, Removed, fields_between
from service.domain.event import Claim, Event
from service.operations.comparing import Comparison, Summary
from service.storage.included import Included

Names = Mapping[str, str]

# What a claim does with its event: told of one voice, and of several.
_VERBS: Final = {
    "asserts": ("asserts it", "assert it"),
    "confirms": ("confirms it", "confirm it"),
    "denies": ("denies it", "deny it"),
    "disputes": ("disputes it", "dispute it"),
    "corrects": ("corrects it", "correct it"),
    "retracts": ("takes it back", "take it back"),
    "expects": ("expects it", "expect it"),
    "mentions": ("mentions it", "mention it"),
}
_PLAIN: Final = ("title", "summary", "kind", "phase", "language")
# A parameter as a phrase, with its values and without it; any other is told as it was given.
_PHRASES: Final = {
    "according_to": ("according to {}", "according to anyone"),
    "according_to_source": ("according to {}", "according to any source"),
    "collection": ("in collection {}", "in any collection"),
    "known_at": ("known by {}", "known at any time"),
    "timeline": ("in timeline {}", "in any timeline or none"),
}
_NAMED: Final = {"according_to": "actors", "according_to_source": "sources"}


class Words(Struct, frozen=True):
    """How a comparison is told: as changes from one time to another, or as two tellings side by side.

    base, head: where something stands, as in "only according to Bild". over_time: whether the sides differ in nothing
    but the clocks of recording and of publication, so that it is one matter as it went on.
    """

    title: str
    base: str
    head: str
    over_time: bool

    def counted(self, counts: Summary) -> str:
        if self.over_time:
            return f"{counts.added} added, {counts.removed} removed, {counts.changed} changed."
        both = f"{counts.changed} in both, told differently"
        return f"{both}; {counts.removed} only {self.base}; {counts.added} only {self.head}."

    def groups(self) -> tuple[tuple[str, type[Change]], ...]:
        """The parts of a note in their order, each with its title."""
        if self.over_time:
            return ("Added", Added), ("Removed", Removed), ("Changed", Changed)
        return ("In both, told differently", Changed), (f"Only {self.base}", Removed), (f"Only {self.head}", Added)


def note_of(base: DiffSide, head: DiffSide, compared: Comparison, next: str | None) -> str:
    """The page of a diff as a note: what differs between the sides, what both share, and each change."""
    at_base, at_head = _names(compared.base), _names(compared.head)
    # Each side is told by its own names, and by the other's where it names nobody of that slug.
    at_base, at_head = {**at_head, **at_base}, {**at_base, **at_head}
    words = _words(base, head, at_base, at_head)
    lines = [f"# {words.title}", ""]
    if shared := _shared(base, head, at_head):
        lines += [f"Both sides: {shared}.", ""]
    if compared.summary is not None:
        lines += [words.counted(compared.summary), ""]
    elif not compared.items:
        lines += ["Nothing on this page.", ""]
    for title, kind in words.groups():
        members = [item for item in compared.items if isinstance(item, kind)]
        if members:
            lines += [f"## {title}", ""]
            for item in members:
                lines += _paragraph(item, at_base, at_head, words)
            lines.append("")
    if next is not None:
        lines += [f"[More changes]({next})", ""]
    return "\n".join(lines)


def note_of_history(
    id: str, items: Sequence[HistoryItem], before: Event | None, included: Included, next: str | None
) -> str:
    """A page of an event's history as a note: what each revision made of it, `before` being what it was until then."""
    names = _names(included)
    titles = [item.event.title for item in items if item.event is not None]
    lines = [f"# History of {_plain(titles[-1]) if titles else f'the event {id}'}", ""]
    for item in items:
        lines += [f"## Revision {item.revision}, {item.recorded}", ""]
        if said := ". ".join(_plain(each) for each in (_by(item), item.message) if each):
            lines += [said, ""]
        lines += [*_version(before, item.event, names), ""]
        before = item.event
    if next is not None:
        lines += [f"[More revisions]({next})", ""]
    return "\n".join(lines)


def _by(item: HistoryItem) -> str:
    cause = "" if item.cause is None else f" ({item.cause.replace('_', ' ')})"
    return f"{item.author or 'The service itself'}{cause}"


def _version(before: Event | None, after: Event | None, names: Names) -> Iterator[str]:
    if after is None:
        yield "- Retracted"
    elif before is None:
        yield f"- {_headline(after)}"
        yield from (f"  - {line}" for line in _stated(after.claims, names))
    else:
        yield f"- {_headline(after)}"
        fields = fields_between(before, after)
        yield from (f"  - {line}" for line in _differences(fields, before, after, names))
        if not fields:
            yield "  - the same, on other grounds"


def _words(base: DiffSide, head: DiffSide, at_base: Names, at_head: Names) -> Words:
    """The words for what differs between the sides."""
    given = {**base.selection, **head.selection}
    differing = [name for name in given if base.selection.get(name) != head.selection.get(name)]
    over_time = set(differing) <= {"known_at"}
    at, to = (
        [_phrase(name, side.selection.get(name), names) for name in differing]
        + ([] if base.revision == head.revision else [f"at revision {side.revision}"])
        for side, names in ((base, at_base), (head, at_head))
    )
    before, after = ", ".join(at), ", ".join(to)
    if not at:
        title = "The same on both sides"
    elif not over_time:
        title = f"{before[0].upper()}{before[1:]}, and {after}"
    elif differing:
        title = f"Changes from what was {' '.join(at)} to what was {' '.join(to)}"
    else:
        title = f"Changes from revision {base.revision} to revision {head.revision}"
    # Where several things differ, naming them all in every line would hide what the line says.
    base_word, head_word = (at[0], to[0]) if at and len(differing) <= 1 else ("in the base", "in the head")
    return Words(title=title, base=base_word, head=head_word, over_time=over_time)


def _shared(base: DiffSide, head: DiffSide, names: Names) -> str:
    """What selects on both sides alike, or nothing."""
    alike = {name: given for name, given in head.selection.items() if base.selection.get(name) == given}
    revision = [f"at revision {head.revision}"] if base.revision == head.revision else []
    return ", ".join(revision + [_phrase(name, given, names) for name, given in alike.items()])


def _phrase(name: str, given: str | list[str] | None, names: Names) -> str:
    values = given if isinstance(given, list) else [] if given is None else [given]
    phrase, without = _PHRASES.get(name, (f"with {name}={{}}", f"without {name}"))
    if name in _NAMED:
        values = [names.get(f"{_NAMED[name]}/{slug}", slug) for slug in values]
    joined = " or ".join(values) if name in _PHRASES else ",".join(values)
    return _plain(phrase.format(joined) if values else without)


def _paragraph(item: Change, at_base: Names, at_head: Names, words: Words) -> Iterator[str]:
    if isinstance(item, Changed):
        if words.over_time:
            yield f"- {_headline(item.after)}"
            lines = _differences(item.fields, item.before, item.after, at_head, at_base)
            yield from (f"  - {line}" for line in lines)
        else:
            yield from _tellings(item, at_base, at_head, words)
        return
    added = isinstance(item, Added)
    yield f"- {_headline(item.event)}"
    yield from (f"  - {line}" for line in _stated(item.event.claims, at_head if added else at_base))
    if item.other is not None and item.fields:
        there = words.base if added else words.head
        yield f"  - {there} it is outside the selection, with other {_listed(list(map(_word, item.fields)))}"


def _headline(event: Event) -> str:
    return f"**{_plain(event.title)}** ({_date(event)}): {event.standing.state}"


def _tellings(item: Changed, at_base: Names, at_head: Names, words: Words) -> Iterator[str]:
    """What each side tells of an event that the other does not."""
    dated = "occurred" in item.fields
    yield f"- **{_plain(item.after.title)}**" + ("" if dated else f" ({_date(item.after)})")
    told: set[str] = {"standing", "occurred"}
    for where, event, other, names in (
        (words.base, item.before, item.after, at_base),
        (words.head, item.after, item.before, at_head),
    ):
        yield f"  - {where}: {event.standing.state}" + (f", {_date(event)}" if dated else "")
        for name in item.fields:
            for line in _told_alone(name, event, other, names):
                told.add(name)
                yield f"    - {line}"
    if rest := [_word(name) for name in item.fields if name not in told]:
        yield f"  - not alike: {_listed(rest)}"


def _told_alone(name: str, event: Event, other: Event, names: Names) -> Iterator[str]:
    """What a member says that the other side's does not. A claim is the same whatever id it has from its event."""
    if name == "claims":
        there = [msgspec.structs.replace(claim, id="") for claim in other.claims]
        yield from _stated((c for c in event.claims if msgspec.structs.replace(c, id="") not in there), names)
    elif name in _PLAIN:
        yield f"{name}: {_plain(getattr(event, name) or '–')}"
    elif name in ("actors", "tags"):
        mine, theirs = (_actors(event, names), _actors(other, names)) if name == "actors" else (event.tags, other.tags)
        if alone := [_plain(each) for each in mine if each not in theirs]:
            yield f"{name}: {', '.join(alone)}"


def _differences(
    fields: Iterable[str], before: Event, after: Event, names: Names, names_before: Names | None = None
) -> Iterator[str]:
    """A line or two for each member that differs. What only `before` holds is told by `names_before`, if given."""
    gone_names = names if names_before is None else names_before
    for name in fields:
        if name == "standing":
            if before.standing.state != after.standing.state:
                yield f"standing: {before.standing.state} → {after.standing.state}"
            else:
                yield f"standing: {after.standing.state} as before, on other grounds"
        elif name == "occurred":
            yield f"date: {_date(before)} → {_date(after)}"
        elif name == "claims":
            there = {claim.id for claim in before.claims}
            still = {claim.id for claim in after.claims}
            came = _stated((claim for claim in after.claims if claim.id not in there), names)
            went = _stated((claim for claim in before.claims if claim.id not in still), gone_names)
            yield from (f"new: {line}" for line in came)
            yield from (f"gone: {line}" for line in went)
            if there == still:
                yield "claims: the same, told differently"
        elif name in _PLAIN:
            yield f"{name}: {_plain(getattr(before, name) or '–')} → {_plain(getattr(after, name) or '–')}"
        elif name == "actors":
            yield from _members("actors", _actors(before, gone_names), _actors(after, names))
        elif name == "tags":
            yield from _members("tags", before.tags, after.tags)
        else:
            yield f"{_word(name)}: changed"


def _members(what: str, before: list[str], after: list[str]) -> Iterator[str]:
    came = [_plain(each) for each in after if each not in before]
    went = [_plain(each) for each in before if each not in after]
    if came:
        yield f"{what}: with {', '.join(came)}"
    if went:
        yield f"{what}: without {', '.join(went)}"
    if not came and not went:
        yield f"{what}: the same, told differently"


def _actors(event: Event, names: Names) -> list[str]:
    return [
        names.get(f"actors/{part.actor}", part.actor) + (f" as {part.role}" if part.role else "")
        for part in event.actors
    ]


def _stated(claims: Iterable[Claim], names: Names) -> Iterator[str]:
    for claim in claims:
        source = names.get(f"sources/{claim.source}", claim.source)
        date = f", {claim.published}" if claim.published else ""
        speakers = " and ".join(names.get(f"actors/{slug}", slug) for slug in claim.speakers)
        who = f"{speakers}, in {source}{date}," if speakers else f"{source}{date},"
        verb = _VERBS[claim.stance][len(claim.speakers) > 1]
        dated = "" if claim.occurred is None else f" ({_plain(claim.occurred.display)})"
        yield f"{_plain(who)} {verb}{dated}"


def _date(event: Event) -> str:
    return "undated" if event.occurred is None else _plain(event.occurred.display)


def _word(name: str) -> str:
    """A member's name for readers."""
    return "date" if name == "occurred" else name.replace("_", " ")


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _names(included: Included | None) -> Names:
    names: dict[str, str] = {}
    for kind, members in (included or {}).items():
        by_slug: dict[str, dict[str, Any]] = msgspec.json.decode(members)
        for slug, shown in by_slug.items():
            names[f"{kind}/{slug}"] = shown.get("name") or shown.get("title") or slug
    return names


def _plain(text: str) -> str:
    """Text that means nothing to Markdown or HTML, on one line."""
    return re.sub(r"([\\`*_\[\]<>#|~&])", r"\\\1", " ".join(text.split()))
