"""The change note: a diff, or the history of one event, in Markdown, for people."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from service.api.shapes import DiffSide, HistoryItem
from service.domain.diff import Added, Change, Changed, Removed, fields_between
from service.domain.event import Claim, Event
from service.operations.comparing import Comparison
from service.storage.resources import Included

Names = Mapping[str, str]

_VERBS = {
    "asserts": "asserts it",
    "confirms": "confirms it",
    "denies": "denies it",
    "disputes": "disputes it",
    "corrects": "corrects it",
    "retracts": "takes it back",
    "expects": "expects it",
    "mentions": "mentions it",
}
_PLAIN = ("title", "summary", "kind", "phase", "language")


def note_of(base: DiffSide, head: DiffSide, compared: Comparison, next: str | None) -> str:
    """The page of a diff as a note: what came, what went, what changed and how."""
    before, after = _names(compared.base), _names(compared.head)
    lines = [f"# Changes from {_told(base)} to {_told(head)}", ""]
    if compared.summary is not None:
        counts = compared.summary
        lines += [f"{counts.added} added, {counts.removed} removed, {counts.changed} changed.", ""]
    elif not compared.items:
        lines += ["Nothing on this page.", ""]
    groups: tuple[tuple[str, type[Change], Names], ...] = (
        ("Added", Added, after),
        ("Removed", Removed, before),
        ("Changed", Changed, after),
    )
    for title, kind, names in groups:
        members = [item for item in compared.items if isinstance(item, kind)]
        if members:
            lines += [f"## {title}", ""]
            for item in members:
                lines += _paragraph(item, names)
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


def _told(side: DiffSide) -> str:
    rest = ", ".join(
        f"{name}={'+'.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in side.selection.items()
    )
    return f"revision {side.revision}" + (f" ({_plain(rest)})" if rest else "")


def _paragraph(item: Change, names: Names) -> Iterator[str]:
    if isinstance(item, Changed):
        yield f"- {_headline(item.after)}"
        yield from (f"  - {line}" for line in _differences(item.fields, item.before, item.after, names))
        return
    yield f"- {_headline(item.event)}"
    yield from (f"  - {line}" for line in _stated(item.event.claims, names))
    if item.other is not None and item.fields:
        yield f"  - on the other side it stands outside the selection, with other {_listed(item.fields)}"


def _headline(event: Event) -> str:
    date = "undated" if event.occurred is None else event.occurred.display
    return f"**{_plain(event.title)}** ({_plain(date)}): {event.standing.state}"


def _differences(fields: Iterable[str], before: Event, after: Event, names: Names) -> Iterator[str]:
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
            yield from (f"new: {line}" for line in _stated((c for c in after.claims if c.id not in there), names))
            yield from (f"gone: {line}" for line in _stated((c for c in before.claims if c.id not in still), names))
            if there == still:
                yield "claims: the same, told differently"
        elif name in _PLAIN:
            yield f"{name}: {_plain(getattr(before, name) or '–')} → {_plain(getattr(after, name) or '–')}"
        elif name == "actors":
            yield from _members("actors", _actors(before, names), _actors(after, names))
        elif name == "tags":
            yield from _members("tags", before.tags, after.tags)
        else:
            yield f"{name.replace('_', ' ')}: changed"


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
        yield f"{_plain(who)} {_VERBS[claim.stance]}"


def _date(event: Event) -> str:
    return "undated" if event.occurred is None else _plain(event.occurred.display)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _names(included: Included | None) -> Names:
    names: dict[str, str] = {}
    for kind, by_slug in (included or {}).items():
        for slug, document in by_slug.items():
            shown: dict[str, Any] = msgspec.json.decode(document)
            names[f"{kind}/{slug}"] = shown.get("name") or shown.get("title") or slug
    return names


def _plain(text: str) -> str:
    """Text that means nothing to Markdown or HTML, on one line."""
    return re.sub(r"([\\`*_\[\]<>#|~&])", r"\\\1", " ".join(text.split()))
