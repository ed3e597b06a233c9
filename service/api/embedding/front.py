"""The front page: the public timelines, one of them opened, a search, and where to go on."""

from collections.abc import Sequence
from html import escape
from typing import Final

from service.api import replies
from service.api.embedding.builder import public_timelines
from service.api.embedding.frames import address_of, discovery_of, feeds_of
from service.api.embedding.paper import addressed, apart, element, page, policy_of, scripts
from service.api.operation import HTML, Answer, Call, Operation, Reply
from service.domain import parameters
from service.domain.parameters import Parameter
from service.domain.resources import Timeline

TIMELINES_MAX: Final = 100
EXPORTS: Final = {"json": "JSON", "atom": "Atom", "jsonfeed": "JSON Feed", "ical": "iCalendar", "csv": "CSV"}

OPEN: Final = Parameter(
    name="timeline", schema=parameters.SLUG, example="kosovo", description="The timeline to be opened on the page."
)

WORDS: Final = Parameter(
    name="q",
    schema=parameters.FULL_TEXT,
    example="troops",
    description="Events with these words are shown, as `q` of a listing finds them.",
)


async def read_front_page(call: Call) -> Reply:
    timelines = await public_timelines(call, [], TIMELINES_MAX)
    words = call.query["q"][0] if "q" in call.query else ""
    wanted = call.query["timeline"][0] if "timeline" in call.query else ""
    opened = next((each for each in timelines if each.slug == wanted), None)
    if opened is None and not words and timelines:
        opened = timelines[0]
    parts = (_search(words), _opened(opened, words, call.origin), _timelines(timelines), _links())
    body = (
        "<main><header><h1>dateline</h1><p>Dated events, what each source says of them, and what changed.</p></header>"
        f"{''.join(parts)}</main>{scripts()}"
    )
    head = [
        '<meta name="description" content="Timelines of dated events, what each source says of them, and what '
        'changed.">',
        *(discovery_of(call.origin, opened.slug, opened.title) if opened is not None else ()),
    ]
    headers = policy_of(call.origin, "'none'", forms=call.origin)
    return Reply(200, page("Timelines · dateline", body, head=head).encode(), HTML, headers=headers)


def _search(words: str) -> str:
    return (
        '<form class="search" role="search" action="/"><label>Search in all events'
        f'<input type="search" name="q" maxlength="200" value="{escape(words)}"></label><button>Search</button></form>'
    )


def _opened(timeline: Timeline | None, words: str, origin: str) -> str:
    if timeline is None:
        src = addressed("/v1/events", (("q", words),) if words else ())
        title = f"Events with “{apart(words)}”" if words else "All events"
        fallback = f'<p><a href="{escape(src)}">{title} as JSON</a></p>'
        return f'<h2 class="plain">{title}</h2>{element(src, fallback, heading="3")}'
    told = f'<p class="told" dir="auto">{escape(timeline.description)}</p>' if timeline.description else ""
    links = "".join(
        f'<li><a href="{escape(address)}">{name}</a></li>'
        for name, _, address in feeds_of(origin, timeline.slug).values()
    )
    page_address = address_of("", timeline.slug)
    return (
        f'<h2 class="plain" dir="auto">{escape(timeline.title)}</h2>{told}'
        + element(
            f"/v1/timelines/{timeline.slug}/events",
            f'<p><a href="{page_address}">{apart(timeline.title)}, as a page</a></p>',
            heading="3",
            travel="known-at",
            filters="true",
        )
        + f'<ul class="links"><li><a href="{page_address}">As a page</a></li>{links}</ul>'
    )


def _timelines(timelines: Sequence[Timeline]) -> str:
    if not timelines:
        return ""
    items = "".join(
        f'<li><a href="/?timeline={each.slug}">{apart(each.title)}</a>'
        + (f'<p dir="auto">{escape(each.description)}</p>' if each.description else "")
        + "</li>"
        for each in timelines
    )
    return f'<h2 class="plain">Timelines</h2><ul class="timelines">{items}</ul>'


def _links() -> str:
    return (
        '<h2 class="plain">More</h2><ul class="links"><li><a href="/embed">Embed a timeline in a page</a></li>'
        '<li><a href="/docs">The interface, to read and to try</a></li>'
        '<li><a href="/v1/events">All events as JSON</a></li>'
        '<li><a href="/v1/events/export/atom">All events as a feed</a></li>'
        '<li><a href="/v1/revisions">The log of what was recorded when</a></li></ul>'
    )


OPERATIONS: Final = (
    Operation(
        id="readFrontPage",
        method="GET",
        path="/",
        tag="service",
        summary="Read where to begin, as a page",
        description="The public timelines, one of them opened, a search in all events, and links for people.",
        parameters=(WORDS, OPEN),
        run=read_front_page,
        answers=(Answer(200, "A page for people.", {HTML: None}, replies.TAGGED),),
    ),
)
