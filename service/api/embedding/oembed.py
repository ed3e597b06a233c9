"""oEmbed 1.0: what a page of a timeline is embedded as, for programs that were given its address."""

import re
from html import escape
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from service.api import replies
from service.api.embedding.frames import address_of
from service.api.examples import HOST
from service.api.operation import JSON, Answer, Call, Operation, Reply
from service.api.shapes import Embedded
from service.domain.errors import Fault, NotFound, NotMade
from service.domain.parameters import Parameter
from service.operations import selecting
from service.operations.selecting import open_store

WIDTH: Final = 800
HEIGHT: Final = 600
SIZE_MIN: Final = 1
SIZE_MAX: Final = 100_000
AGE_SECONDS: Final = 3_600
_PATH: Final = re.compile(r"/(?:embed|v1)/timelines/([a-z0-9](?:-?[a-z0-9])*)(?:/events)?")

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
    url = call.query["url"][0]
    parts = urlsplit(url)
    found = _PATH.fullmatch(unquote(parts.path))
    if f"{parts.scheme}://{parts.netloc}" != call.origin or found is None:
        raise NotFound("This is no address of a timeline here.", [Fault(parameter="url", detail="is of no timeline")])
    slug = found[1]
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller)
        timeline = await selecting.find_timeline(connection, store, slug, store.newest)
    width = min(WIDTH, int(call.query.get("maxwidth", [str(WIDTH)])[0]))
    height = min(HEIGHT, int(call.query.get("maxheight", [str(HEIGHT)])[0]))
    address = address_of(call.origin, slug) + (f"?{parts.query}" if parts.query else "")
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
