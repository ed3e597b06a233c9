"""What the service says of itself: the landing page, whether it lives and is ready, the document and its pages."""

from importlib.metadata import version
from typing import Final

import msgspec

from service.api import replies
from service.api.operation import JSON, Answer, Call, Operation, Reply
from service.api.shapes import Health, Landing, LandingLink
from service.storage import revisions

VERSION: Final = version("dateline")
COMMIT: Final[str | None] = None


async def read_landing(call: Call) -> Reply:
    async with call.pool.acquire() as connection:
        head = await revisions.read_head(connection)
    links = [
        LandingLink(rel=rel, href=call.origin + path, type=kind, title=title)
        for rel, path, kind, title in (
            ("self", "/v1", JSON, "This page"),
            (
                "service-desc",
                "/openapi.json",
                "application/vnd.oai.openapi+json;version=3.1",
                "The interface, for programs",
            ),
            ("service-doc", "/docs", "text/html", "The interface, for people"),
            ("events", "/v1/events", JSON, "Events"),
            ("actors", "/v1/actors", JSON, "Actors"),
            ("sources", "/v1/sources", JSON, "Sources"),
            ("collections", "/v1/collections", JSON, "Collections"),
            ("timelines", "/v1/timelines", JSON, "Timelines"),
            ("diff", "/v1/diff", JSON, "Two selections compared"),
            ("revisions", "/v1/revisions", JSON, "The log of writes"),
        )
    ]
    landing = Landing(
        title="dateline",
        version=VERSION,
        commit=COMMIT,
        revision=head.revision,
        conforms_to=["https://spec.openapis.org/oas/v3.1.0", "https://www.rfc-editor.org/rfc/rfc9457"],
        links=links,
    )
    return Reply(200, msgspec.json.encode(landing))


async def read_health(_call: Call) -> Reply:
    """Whether the process answers; it asks nobody else."""
    return Reply(200, msgspec.json.encode(Health(status="ok")), tagged=False)


async def read_readiness(call: Call) -> Reply:
    """Whether the database answers too."""
    async with call.pool.acquire() as connection:
        await revisions.read_head(connection)
    return Reply(200, msgspec.json.encode(Health(status="ok")), tagged=False)


OPERATIONS = (
    Operation(
        id="readLanding",
        method="GET",
        path="/v1",
        tag="service",
        summary="Read what this service is and where to go on",
        description="Its version, the newest revision, and links to every listing and to the document.",
        run=read_landing,
        answers=(Answer(200, "Title, version, head and addresses.", {JSON: Landing}, replies.TAGGED),),
    ),
    Operation(
        id="readHealth",
        method="GET",
        path="/healthz",
        tag="service",
        summary="Ask whether the process answers",
        description="Asks nobody else, so that it answers while the database is away.",
        run=read_health,
        answers=(Answer(200, "It does.", {JSON: Health}),),
    ),
    Operation(
        id="readReadiness",
        method="GET",
        path="/readyz",
        tag="service",
        summary="Ask whether the database answers",
        description="Reads the newest revision; refused with 503 while the database is away.",
        run=read_readiness,
        answers=(Answer(200, "It does.", {JSON: Health}),),
    ),
)
