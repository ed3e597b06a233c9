"""What a person sees in a browser: the interface to read and to try, and the kinds of problems. No foreign host."""

from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any, Final

import msgspec

from service.api import replies
from service.api.markup import RUNNING, STILL, marked, page_of
from service.api.operation import HTML, JSON, Answer, Call, Operation, Reply
from service.api.problems import KINDS
from service.api.reference import reference_of
from service.api.trying import ORIGIN
from service.domain.parameters import Parameter, words

PROBLEM_NAME: Final = Parameter(
    name="name",
    schema=words("ProblemName", *KINDS),
    example="refused",
    description="The last part of a problem's type.",
)


def pages_of(_operations: Sequence[Operation], document: bytes) -> tuple[Operation, ...]:
    """The document itself, and the pages made from it."""

    @cache
    def reference() -> str:
        return reference_of(msgspec.json.decode(document))

    async def read_document(_call: Call) -> Reply:
        return Reply(200, document)

    async def read_docs(call: Call) -> Reply:
        return Reply(200, reference().replace(ORIGIN, escape(call.origin)).encode(), HTML, headers=RUNNING)

    page = (Answer(200, "A page for people.", {HTML: None}, replies.TAGGED),)
    return (
        Operation(
            id="readDocument",
            method="GET",
            path="/openapi.json",
            tag="service",
            summary="Read this document",
            description="OpenAPI 3.1, as it is committed with the code.",
            run=read_document,
            answers=(Answer(200, "The document.", {JSON: dict[str, Any]}, replies.TAGGED),),
        ),
        Operation(
            id="readDocs",
            method="GET",
            path="/docs",
            tag="service",
            summary="Read this document as a page",
            description="Every operation and shape, with requests to try; it needs no script and no other host.",
            run=read_docs,
            answers=page,
        ),
        Operation(
            id="readProblem",
            method="GET",
            path="/problems/{name}",
            tag="service",
            summary="Read what a kind of problem means",
            description="Where the `type` of a problem leads: its status, and what to do.",
            place=(PROBLEM_NAME,),
            run=read_problem,
            answers=page,
            problems=("not-found",),
        ),
    )


async def read_problem(call: Call) -> Reply:
    name = call.place["name"]
    kind = KINDS[name]
    body = (
        f"<main><h1>{escape(kind.title)}</h1><p>Status {kind.status}, type <code>/problems/{name}</code>.</p>"
        f'<p>{marked(kind.advice)}</p><p><a href="/docs#problems">All kinds of problems</a></p></main>'
    )
    return Reply(200, page_of(kind.title, body).encode(), HTML, headers=STILL)


# As they are described; what they show is known only once everything is.
PAGES: Final = pages_of((), b"{}")
