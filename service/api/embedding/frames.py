"""The page to be framed: a timeline that is read without a script, and is the component where there is one."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Final

import msgspec
from msgspec import Struct

from service.api import examples, replies
from service.api.diff import side_of
from service.api.embedding.files import NAMES
from service.api.embedding.listed import listed
from service.api.embedding.paper import addressed, element, page, policy_of, scripts
from service.api.embedding.words import LANG, words_in
from service.api.exports import About, Entry
from service.api.exports.linked import JsonLd
from service.api.operation import HTML, Answer, Call, Operation, Reply, read_query
from service.domain import parameters
from service.domain.asking import Asked, asked
from service.domain.cursors import Cursor, bound_of, cursor_of, cursor_text
from service.domain.errors import Fault, InvalidParameter, Malformed, RefusedParameter
from service.domain.lenses import Position
from service.domain.parameters import Parameter, Query
from service.domain.resources import Actor, Source, Timeline
from service.operations import selecting
from service.operations.selecting import Chunk, Reading, open_store

SLUG: Final = Parameter(
    name="slug", schema=parameters.SLUG, example=examples.SLUGS["timeline"], description="The slug of the timeline."
)
_SIDE: Final = {"type": "string", "pattern": r"^[a-z_]+=[^&=\u0000-\u001f]*(&[a-z_]+=[^&=\u0000-\u001f]*)*\Z"}


def _side(name: str, known_at: str, description: str) -> Parameter:
    return Parameter(
        name=name,
        schema={**_SIDE, "maxLength": 1_000},
        form="lens parameters as a query has them",
        example=f"known_at={known_at}",
        description=description,
    )


PRESENTATION: Final = (
    LANG,
    Parameter(
        name="view",
        schema=parameters.words("View", "list", "axis", "diff", default="list"),
        description="How it is shown: as a list, on a horizontal axis, or as what differs between `base` and `head`.",
    ),
    _side("base", "2025-02-19", "For the view of differences: the lenses of the one side, as in a query."),
    _side("head", "2025-02-20", "For the view of differences: the lenses of the other side."),
    Parameter(
        name="lanes",
        schema=parameters.words("Lanes", "kind", "actor", "tag"),
        description="What the axis has lanes of.",
    ),
    Parameter(
        name="filters",
        schema={"type": "boolean", "default": False},
        description="Whether readers may choose among actors, tags and standings.",
    ),
    Parameter(
        name="travel",
        schema=parameters.words("Travel", "known-at", "as-of", "both"),
        description="Whether readers may go back to what was publicly known, to what had been recorded, or to both.",
    ),
    Parameter(
        name="live",
        schema={"type": "integer", "format": "int32", "minimum": 5, "maximum": 86_400},
        description="Every how many seconds to look for news.",
    ),
)
SELECTION: Final = tuple(
    each for each in (*parameters.SELECTION, parameters.ORDER, parameters.LIMIT) if each is not parameters.TIMELINE
)
_SELECTION_NAMES: Final = frozenset(each.name for each in SELECTION)
_LENSES: Final = parameters.named(parameters.LENSES)

_actors = msgspec.json.Decoder(dict[str, Actor]).decode
_sources = msgspec.json.Decoder(dict[str, Source]).decode


class Shown(Struct, frozen=True):
    """What a page shows of its timeline."""

    timeline: Timeline
    reading: Reading
    chunk: Chunk
    cursor: Cursor | None


async def look(call: Call) -> Shown:
    """What the page has to show. Raises a DatelineError for whatever it cannot be asked."""
    slug = call.place["slug"]
    query = {**_selecting(call.query), "timeline": [slug]}
    wants = asked(query)
    sides = _sides(call.query, query)
    cursor = cursor_of(call.query, call.path, Position)
    after = None if cursor is None else msgspec.convert(cursor.place, Position)
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller, cursor)
        reading = await selecting.select(connection, store, wants)
        for side, of_side in sides.items():
            with _faults_of(side):
                await selecting.select(connection, store, of_side)
        timeline = await selecting.find_timeline(connection, store, slug, reading.selection.revision)
        chunk = await selecting.read_chunk(connection, reading.selection, after, call.limit())
    return Shown(timeline, reading, chunk, cursor)


async def read_frame(call: Call) -> Reply:
    shown = await look(call)
    chunk, cursor = shown.chunk, shown.cursor
    next = None if chunk.next is None else replies.following(call, shown.reading.newest, chunk.next)
    path = f"/v1/timelines/{shown.timeline.slug}/events"
    query = _selecting(call.query)
    if cursor is not None:
        query["cursor"] = [cursor_text(Cursor(bound_of(query, path), cursor.head, cursor.place))]
    body = _page(call, shown, addressed(path, _pairs(query)), next)
    headers = policy_of(call.origin, call.services.settings.frame_ancestors)
    return Reply(200, body.encode(), HTML, headers=headers, pinned=shown.reading.pinned)


def _selecting(query: Query) -> dict[str, list[str]]:
    """What of the page's query chooses events."""
    return {name: given for name, given in query.items() if name in _SELECTION_NAMES}


def _pairs(query: Query) -> list[tuple[str, str]]:
    return [(name, value) for name, given in query.items() for value in given]


def _sides(query: Query, both: Query) -> dict[str, Asked]:
    """What each side of a view of differences asks for, read as a diff reads it. both: what holds for either side.

    Raises RefusedParameter for what is no lens, or none that can be read.
    """
    sides = {}
    for side in ("base", "head"):
        if side in query:
            with _faults_of(side):
                lenses = read_query(query[side][0].encode(), _LENSES)
                prefixed = {f"{side}_{name}": given for name, given in lenses.items()}
                sides[side] = asked(side_of({**both, **prefixed}, f"{side}_"))
    return sides


@contextmanager
def _faults_of(side: str) -> Iterator[None]:
    """Refuses the parameter that has the side for what is wrong within it."""
    try:
        yield
    except (InvalidParameter, Malformed, RefusedParameter) as error:
        told = [f"{fault.parameter}: {fault.detail}" for fault in error.faults] or [error.detail]
        faults = [Fault(parameter=side, detail=each) for each in told]
        raise RefusedParameter("A side of the comparison cannot hold.", faults) from error


def _page(call: Call, shown: Shown, src: str, next: str | None) -> str:
    timeline, chunk = shown.timeline, shown.chunk
    language = call.query["lang"][0] if "lang" in call.query else timeline.language or "en"
    words = words_in(language)
    actors, sources = _actors(chunk.included["actors"]), _sources(chunk.included["sources"])
    entries = [Entry(event, actors, sources, f"{call.origin}/v1/events/{event.id}") for event in chunk.events]
    told = ("view", "lanes", "travel", "live", "base", "head")
    given = {name: call.query[name][0] for name in told if name in call.query}
    flags = {"filters": "true"} if call.query.get("filters") == ["true"] else {}
    component = element(
        src,
        listed(entries, words, language),
        lang=language,
        heading="2",
        height="auto",
        paging="button",
        **given,
        **flags,
    )
    lang = f' lang="{escape(timeline.language)}"' if timeline.language and timeline.language != language else ""
    description = f'<p{lang} dir="auto">{escape(timeline.description)}</p>' if timeline.description else ""
    more = f'<nav><a class="next" rel="next" href="{escape(next)}">{escape(words["more"])}</a></nav>' if next else ""
    body = (
        f'<main><header><h1{lang} dir="auto">{escape(timeline.title)}</h1>{description}</header>'
        f"{component}<noscript>{more}</noscript>"
        f"{_footer(call, timeline)}</main>{scripts(NAMES['frame.js'])}"
    )
    head = _head(call, timeline, entries, shown.reading.selection.revision)
    return page(timeline.title, body, language=language, head=head)


def feeds_of(origin: str, slug: str) -> dict[str, tuple[str, str, str]]:
    """Where else the timeline is to be had: name, media type and address, by what it is."""
    named = (("timeline", slug),)
    return {
        "json": ("JSON", "application/json", f"{origin}/v1/timelines/{slug}/events"),
        "atom": ("Atom", "application/atom+xml", addressed(f"{origin}/v1/events/export/atom", named)),
        "jsonfeed": ("JSON Feed", "application/feed+json", addressed(f"{origin}/v1/events/export/jsonfeed", named)),
        "ical": ("iCalendar", "text/calendar", addressed(f"{origin}/v1/events/export/ical", named)),
        "csv": ("CSV", "text/csv", addressed(f"{origin}/v1/events/export/csv", named)),
    }


def _footer(call: Call, timeline: Timeline) -> str:
    links = "".join(
        f'<li><a href="{escape(address)}" type="{kind}">{name}</a></li>'
        for name, kind, address in feeds_of(call.origin, timeline.slug).values()
    )
    return f"<footer><ul>{links}</ul></footer>"


def address_of(origin: str, slug: str) -> str:
    """Of the page of a timeline."""
    return f"{origin}/embed/timelines/{slug}"


def discovery_of(origin: str, slug: str, title: str) -> list[str]:
    """What tells programs that meet a page of the timeline how to embed and to follow it."""
    address = address_of(origin, slug)
    told = [
        f'<link rel="alternate" type="application/json+oembed" title="{escape(title)}" '
        f'href="{escape(addressed(origin + "/oembed", (("url", address),)))}">'
    ]
    told += [
        f'<link rel="alternate" type="{kind}" title="{escape(title)} ({name})" href="{escape(where)}">'
        for name, kind, where in feeds_of(origin, slug).values()
    ]
    return told


def _head(call: Call, timeline: Timeline, entries: list[Entry], revision: int) -> list[str]:
    address = address_of(call.origin, timeline.slug)
    first = next((entry.event.title for entry in entries), "")
    description = timeline.description or first or timeline.title
    tags: dict[str, Any] = {
        "og:title": timeline.title,
        "og:type": "website",
        "og:url": address,
        "og:description": description,
        "og:site_name": "dateline",
    }
    about = About(
        title=timeline.title,
        description=timeline.description,
        language=timeline.language,
        address=address,
        listing=f"{call.origin}/v1/timelines/{timeline.slug}/events",
        origin=call.origin,
        revision=revision,
        recorded=timeline.recorded,
    )
    linked = JsonLd(about)
    parts = [linked.begin(), *(linked.write(entry).text or b"" for entry in entries), linked.end()]
    data = b"".join(parts).decode().replace("<", "\\u003c")
    return [
        f'<meta name="description" content="{escape(description)}">',
        f'<link rel="canonical" href="{escape(address)}">',
        *(f'<meta property="{name}" content="{escape(value)}">' for name, value in tags.items()),
        *discovery_of(call.origin, timeline.slug, timeline.title),
        f'<script type="application/ld+json">{data}</script>',
    ]


PAGE: Final = Operation(
    id="readEmbedPage",
    method="GET",
    path="/embed/timelines/{slug}",
    tag="embedding",
    summary="Read a timeline as a page to be framed",
    description=(
        "Takes every filter and lens of a listing, beside how it is shown. It is read without a script, and tells "
        "the page around how high it is: as `dateline:height`, as Embedly's `iframe.resize`, and as WordPress's "
        "`height` where that has given a secret. Which pages may frame it is a setting of the service."
    ),
    place=(SLUG,),
    parameters=(*SELECTION, parameters.CURSOR, *PRESENTATION),
    run=read_frame,
    answers=(Answer(200, "A page.", {HTML: None}, replies.TAGGED),),
    problems=("refused-parameter", "selection-too-broad", "not-found", "gone"),
)
OPERATIONS: Final = (PAGE,)
