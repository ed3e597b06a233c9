"""oEmbed 1.0: what a page of a timeline is embedded as, for programs that were given its address."""

import re
from html import escape
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from service.api import replies
from service.api.embedding.frames import PAGE, address_of, look
from service.api.examples import HOST
from service.api.operation import JSON, Answer, Call, Operation, Reply, read_query
from service.api.shapes import Embedded
from service.domain.errors import (
    Fault,
    InvalidParameter,
    Malformed,
    NotFound,
    NotMade,
    RefusedParameter,
    SelectionTooBroad,
)
from service.domain.parameters import Parameter
from service.domain.resources import Timeline

WIDTH: Final = 800
HEIGHT: Final = 600
SIZE_MIN: Final = 1
SIZE_MAX: Final = 100_000
AGE_SECONDS: Final = 3_600
_SLUG: Final = r"([a-z0-9](?:-?[a-z0-9])*)"
_PATH: Final = re.compile(rf"/embed/timelines/{_SLUG}|/v1/timelines/{_SLUG}(?:/events)?")

URL: Final = Parameter(
    name="url",
    schema={
        "type": "string",
        "format": "uri",
        "pattern": r"^https?://[!-~]{1,2000}\Z",
        "maxLength": 2_008,
    },
    form="an address of this service",
    required=True,
    example=f"{HOST}/embed/timelines/kosovo",
    description="The address of a timeline's page, or of the timeline under /v1, with whatever the page takes.",
)
_SIZE: Final = {"type": "integer", "format": "int32", "minimum": SIZE_MIN, "maximum": SIZE_MAX}
MAXWIDTH: Final = Parameter(name="maxwidth", schema=_SIZE, description="The most pixels that there is room for.")
MAXHEIGHT: Final = Parameter(name="maxheight", schema=_SIZE, description="The most pixels that there is room for.")
FORMAT: Final = Parameter(
    name="format",
    schema={"type": "string", "pattern": r"^[a-z]{1,20}\Z", "maxLength": 20, "default": "json"},
    example="json",
    description="Only json is answered; any other is 501.",
)


async def read_oembed(call: Call) -> Reply:
    if call.query.get("format", ["json"]) != ["json"]:
        raise NotMade("This service answers oEmbed as JSON alone.", [Fault(parameter="format", detail="only json")])
    slug, query = _page_at(call.query["url"][0], call.origin)
    timeline = await _shown_at(call, slug, query)
    width = min(WIDTH, int(call.query.get("maxwidth", [str(WIDTH)])[0]))
    height = min(HEIGHT, int(call.query.get("maxheight", [str(HEIGHT)])[0]))
    address = address_of(call.origin, slug) + (f"?{query}" if query else "")
    answer = Embedded(
        type="rich",
        version="1.0",
        provider_name="dateline",
        title=timeline.title,
        provider_url=call.origin + "/",
        width=width,
        height=height,
        html=(
            f'<iframe src="{escape(address)}" title="{escape(timeline.title)}" width="{width}" height="{height}" '
            'frameborder="0"></iframe>'
        ),
        cache_age=AGE_SECONDS,
    )
    return Reply(200, msgspec.json.encode(answer))


def _page_at(url: str, origin: str) -> tuple[str, str]:
    """The slug and the query of the page that an address is of. Raises NotFound where it is of none."""
    try:
        parts = urlsplit(url)
    except ValueError:  # What stands for a host in it is none.
        parts = urlsplit("")
    # A slash within a name is none between names, so the page has no such address.
    found = None if "%2f" in parts.path.lower() else _PATH.fullmatch(unquote(parts.path))
    if found is None or f"{parts.scheme}://{parts.netloc}" != origin:
        raise NotFound("This is no address of a timeline here.", [Fault(parameter="url", detail="is of no timeline")])
    return found[1] or found[2], parts.query


async def _shown_at(call: Call, slug: str, query: str) -> Timeline:
    """The timeline of a page that can be shown. Raises NotFound for one that would be refused."""
    try:
        page = msgspec.structs.replace(
            call,
            operation=PAGE,
            path=PAGE.path.format(slug=slug),
            place={"slug": slug},
            query=read_query(query.encode(), PAGE.parameters_known),
        )
        shown = await look(page)
    except (InvalidParameter, Malformed, RefusedParameter, SelectionTooBroad) as error:
        faults = [Fault(parameter="url", detail=f"{fault.parameter}: {fault.detail}") for fault in error.faults]
        raise NotFound(f"There is no such page of the timeline {slug}. {error.detail}", faults) from error
    return shown.timeline


OPERATIONS: Final = (
    Operation(
        id="readOembed",
        method="GET",
        path="/oembed",
        tag="embedding",
        summary="Ask how an address is embedded",
        description="oEmbed 1.0: for the address of a timeline's page, a frame that fits the room there is.",
        parameters=(URL, MAXWIDTH, MAXHEIGHT, FORMAT),
        run=read_oembed,
        answers=(Answer(200, "A rich embed.", {JSON: Embedded}, replies.TAGGED),),
        problems=("not-found", "gone", "not-made"),
    ),
)
