"""Between litestar and the operations: routes, strict reading, conditional answers, problem documents."""

import logging
import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_to_bytes

import msgspec
from litestar import HttpMethod, Request, Response, route
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    NotFoundException,
)
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from service.api.answers import Asked, Kept, alias_in
from service.api.operation import (
    PROBLEM,
    Call,
    Operation,
    Reply,
    Streamed,
    accepted_of,
    check_headers,
    check_length,
    matches,
    media_type_of,
    prefers_minimal,
    read_query,
)
from service.api.packing import PLAIN, coding_for, coding_of, flowing, packed, tag_in
from service.api.problems import KINDS, Problem, made, problem_of
from service.api.services import Services, await_revision, read_caller
from service.domain.errors import (
    DatelineError,
    Fault,
    Malformed,
    MethodNotAllowed,
    NotFound,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from service.storage.pool import UNAVAILABLE

log = logging.getLogger("dateline")

RETRY_SECONDS: Final = "1"
HEADERS_BYTES_MAX: Final = 65_536
DRAINED: Final = 8
"""How many times the usual longest body is read, and thrown away, before a sender is cut off."""
# Reading is open to pages of any origin, which may look at what tells them how to go on.
SHARED: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Patch, Allow, ETag, Link, Location, Preference-Applied, "
    "Retry-After, Revision, Revision-Unchanged, WWW-Authenticate",
    "X-Content-Type-Options": "nosniff",
}
# What caches may do with an answer: docs/caching.md has the table, and decision 11 the reasons.
PINNED: Final = "public, max-age=86400"
"""To one revision: the same for ever, but that visibility is always today's. So it is kept a day, and not immutable."""
LIVE: Final = "public, max-age=1, stale-while-revalidate=9"
"""At most ten seconds old. It is not max-age=0, which common caches take for a ban to keep it, nor s-maxage, which
forbids them to give what is stale."""
KEYED: Final = "private, no-cache"
"""Whoever writes reads with a key, and so their own writes at once."""
UNKEPT: Final = "no-store"
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:[0-9]{1,5})?")


def handlers_of(operations: Sequence[Operation], services: Services) -> list[HTTPRouteHandler]:
    """One route for each path: HEAD comes with every GET, and OPTIONS tells what the path knows."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        methods = by_path.setdefault(operation.path, {})
        methods[operation.method] = operation
        if operation.method == "GET":
            methods["HEAD"] = operation
    return [_handler_of(path, methods, services) for path, methods in by_path.items()]


def _handler_of(path: str, methods: Mapping[str, Operation], services: Services) -> HTTPRouteHandler:
    allow = ", ".join(sorted([*methods, "OPTIONS"]))

    def ahead(app: ASGIApp) -> ASGIApp:
        """Reads are answered here, ahead of what litestar does to call a handler: a fifth of the work for an event."""

        async def answer(scope: Any, receive: Receive, send: Send) -> None:
            operation = methods.get(scope["method"])
            if operation is None or not operation.conditional:
                await app(scope, receive, send)
            else:
                await (await _answer(operation, services, scope, receive))(scope, receive, send)

        return answer

    @route(
        _litestar_path(path),
        http_method=[HttpMethod(method) for method in (*methods, "OPTIONS")],
        name=path,
        status_code=200,
        opt={"operations": methods},
        middleware=[ahead],
        request_max_body_size=None,  # Each operation has its own, which `_body_of` keeps.
    )
    async def handle(request: Request[Any, Any, Any]) -> ASGIApp:
        operation = methods.get(request.method)
        if operation is None:
            return _sent(Response(b"", status_code=204, headers=_options(allow)), request.scope)
        return await _answer(operation, services, request.scope, request.receive)

    return handle


async def _answer(operation: Operation, services: Services, scope: HTTPScope, receive: Receive) -> ASGIApp:
    """What an operation answers to a request, ready to be sent."""
    call = await _read(operation, services, scope, receive)
    try:
        if "min-revision" in call.headers:
            await await_revision(services, int(call.headers["min-revision"]))
        if operation.conditional:
            return await _answered(call, scope)
        reply = await operation.run(call)
        if isinstance(reply, Streamed):
            raise TypeError("only a conditional read is sent while it is read")
        return _sent(await _finished(call, reply), scope)
    except DatelineError as error:
        if error.link is not None:
            path, relation = error.link
            error.link = (call.origin + path, relation)
        raise


def _sent(response: Response[bytes], scope: HTTPScope) -> ASGIApp:
    return response.to_asgi_response(None, Request(scope))


def _options(allow: str) -> dict[str, str]:
    return {
        "Allow": allow,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": allow,
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
        "Min-Revision, Prefer, Revision-Cause, Revision-Message",
        "Access-Control-Max-Age": "86400",
    }


def _litestar_path(path: str) -> str:
    return re.sub(r"\{(\w+)\}", r"{\1:str}", path)


async def _read(operation: Operation, services: Services, scope: HTTPScope, receive: Receive) -> Call:
    """The request as a call of the operation. Raises a DatelineError for whatever it should not be."""
    place = _place_of(operation, scope)
    headers = _headers_of(operation, scope)
    caller = await read_caller(services, headers.get("authorization"), operation.scope)
    query = read_query(scope.get("query_string", b""), operation.parameters_known)
    check_headers(operation, headers)
    accepted = accepted_of(operation, headers.get("accept"))
    media_type, body = media_type_of(operation, headers.get("content-type")), b""
    if operation.bodies:
        if "content-encoding" in headers and headers["content-encoding"].strip().lower() not in (
            "",
            "identity",
        ):
            raise UnsupportedMediaType("Compressed bodies are not taken.")
        request = Request[Any, Any, Any](scope, receive)
        body = await _body_of(request, headers, operation.body_bytes_max, services.settings.body_bytes_max)
    return Call(
        operation=operation,
        services=services,
        caller=caller,
        path=scope["path"],
        origin=_origin(services.settings.public_url, scope, headers),
        place=place,
        query=query,
        headers=headers,
        accepted=accepted,
        media_type=media_type,
        body=body,
    )


_LISTS: Final = frozenset(("accept", "accept-encoding", "if-match", "if-none-match", "prefer"))
"""Those that may be given again and go on where they ended."""


def _headers_of(operation: Operation, scope: HTTPScope) -> dict[str, str]:
    """The request's headers by lower-case name. Raises Malformed for one given twice that may not be, or no UTF-8."""
    known = operation.headers_known
    headers: dict[str, str] = {}
    if sum(len(raw) + len(value) for raw, value in scope["headers"]) > HEADERS_BYTES_MAX:
        raise Malformed(f"The request has more than {HEADERS_BYTES_MAX} bytes of headers.")
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        if name not in known:
            continue
        try:
            text = value.strip(b" \t").decode("utf-8", "strict")
        except UnicodeDecodeError as error:
            raise Malformed(f"The header {name} is not UTF-8.") from error
        if name in headers and name not in _LISTS:
            raise Malformed(f"The header {name} is given twice.")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    if {"content-length", "transfer-encoding"} <= headers.keys():
        raise Malformed("The request has both a length and a transfer encoding.")
    return headers


def _place_of(operation: Operation, scope: HTTPScope) -> dict[str, str]:
    """The path's parameters. Raises NotFound for one that is not of its schema: nothing can be there.

    An address is written in one way: no slash at its end or twice, none escaped within a name.
    """
    place = {name: str(value) for name, value in scope["path_params"].items()}
    written = unquote_to_bytes(scope["raw_path"])
    if b"%2f" in scope["raw_path"].lower() or written != operation.path.format(**place).encode():
        raise NotFound("There is nothing at this address.")
    for parameter in operation.place:
        fault = parameter.schema_fault(place[parameter.name])
        if fault is not None:
            raise NotFound("There is nothing at this address.", [Fault(parameter=parameter.name, detail=f"is {fault}")])
    return place


async def _body_of(request: Request[Any, Any, Any], headers: Mapping[str, str], own: int | None, usual: int) -> bytes:
    """The body, as long as the operation's own bound allows, or else the usual one.

    Raises TooLarge once a body that is not absurdly long has been read: who still sends cannot listen.
    """
    most = own or usual
    read_max = max(most, DRAINED * usual)
    length = headers.get("content-length", "0")
    check_length(int(length[:20]) if length.isdigit() else 0, most, read_max)
    body, read = BytesIO(), 0
    try:
        async for part in request.stream():
            read += len(part)
            check_length(read, most, read_max)
            if read <= most:
                body.write(part)
    except InternalServerException as error:
        # litestar's word for a client that has gone; nobody will read the answer.
        raise Malformed("The body ended before its length.") from error
    check_length(read, most, most)
    # Nothing of it is there twice.
    return body.getvalue()


def _origin(public: str | None, scope: HTTPScope, headers: Mapping[str, str]) -> str:
    if public is not None:
        return public
    host = headers.get("host", "")
    if _HOST.fullmatch(host) is None:
        raise Malformed("The Host header names no host.")
    return f"{scope['scheme']}://{host}"


def _asked(call: Call) -> Asked:
    """All that the answer rests on beside what is stored."""
    query = tuple((name, tuple(given)) for name, given in call.query.items())
    return (call.operation.id, call.path, query, call.accepted, call.origin, call.caller.scope, call.caller.collections)


def _content_type(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


_Made: TypeAlias = Kept | ASGIApp
"""An answer to be kept, or another that is ready to be sent."""


async def _answered(call: Call, scope: HTTPScope) -> ASGIApp:
    """The answer to a read, kept or made now, or 304 where the caller has it already."""

    async def make() -> _Made:
        reply = await call.operation.run(call)
        if isinstance(reply, Streamed):
            return await _flowing(call, reply, scope)
        if not reply.tagged:
            return _sent(await _finished(call, reply), scope)
        headers = {
            **SHARED,
            **reply.headers,
            "Cache-Control": reply.kept or _cache_control(call, reply),
            "Vary": call.operation.vary,
        }
        return Kept(headers, _content_type(reply.media_type), reply.body, reply.etag)

    answers = call.services.answers
    asked = _asked(call)
    kept = await answers.of(asked, make)
    if not isinstance(kept, Kept):
        return kept
    read = alias_in(scope)
    coding = coding_of(call.headers.get("accept-encoding", ""))
    answer = await answers.packed(asked, kept, coding, None if read is None else read[0])
    condition = call.headers.get("if-none-match")
    unchanged = condition is not None and matches(answer.etag, condition)

    async def respond(scope: Scope, _receive: Receive, send: Send) -> None:
        await answer.send(scope, send, unchanged=unchanged)

    return respond


async def _flowing(call: Call, streamed: Streamed, scope: HTTPScope) -> ASGIApp:
    """An answer that is sent while it is read.

    What is refused is so before the first part is sent; what fails later breaks the connection off.
    """
    coding = coding_of(call.headers.get("accept-encoding", ""))
    etag = tag_in(coding, streamed.etag(_asked(call)))
    headers = {
        **SHARED,
        **streamed.headers,
        "ETag": etag,
        "Cache-Control": _cache_control(call, streamed),
        "Vary": call.operation.vary,
        "Content-Type": _content_type(streamed.media_type),
    }
    condition = call.headers.get("if-none-match")
    if condition is not None and matches(etag, condition):
        return _sent(Response(b"", status_code=304, headers=headers), scope)
    if coding != PLAIN:
        headers["Content-Encoding"] = coding
    parts = flowing(streamed.parts, coding)
    first: bytes | None = await anext(parts)
    if scope["method"] == "HEAD":
        await parts.aclose()
        first = None
    told = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def respond(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": told})
        if first is not None:
            await send({"type": "http.response.body", "body": first, "more_body": True})
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return respond


async def _finished(call: Call, reply: Reply) -> Response[bytes]:
    """The reply to what is no conditional read, with what all have in common.

    It is packed as the read would be that follows a write, and so has that one's tag.
    """
    headers = {**SHARED, **reply.headers}
    if reply.tagged:
        headers["ETag"] = reply.etag
    coding = coding_for(reply.body, call.headers.get("accept-encoding", ""))
    if "ETag" in headers:
        headers["ETag"] = tag_in(coding, headers["ETag"])
    headers["Cache-Control"] = UNKEPT
    if call.operation.method == "GET":
        headers["Vary"] = call.operation.vary
    if call.operation.brief and prefers_minimal(call.headers.get("prefer", "")):
        return Response(b"", status_code=204, headers=headers | {"Preference-Applied": "return=minimal"})
    if reply.status == 204:
        return Response(b"", status_code=204, headers=headers)
    if coding != PLAIN:
        headers["Content-Encoding"] = coding
    body = await packed(reply.body, coding)
    return Response(body, status_code=reply.status, headers=headers, media_type=reply.media_type)


def _cache_control(call: Call, reply: Reply | Streamed) -> str:
    if call.caller.scope is not None:
        return KEYED
    # A cursor pins a reading too, to the revision at which it began.
    return PINNED if reply.pinned or "cursor" in call.query else LIVE


def _problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    told = {**SHARED, "Cache-Control": UNKEPT, **(headers or {})}
    return Response(msgspec.json.encode(problem), status_code=problem.status, headers=told, media_type=PROBLEM)


def on_refusal(request: Request[Any, Any, Any], error: DatelineError) -> Response[bytes]:
    problem = problem_of(error)
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if error.link is not None:
        address, relation = error.link
        headers["Link"] = f'<{address}>; rel="{relation}"'
        if problem.status == 409:
            headers["Location"] = address
    if isinstance(error, UnsupportedMediaType) and request.method == "PATCH":
        headers["Accept-Patch"] = ", ".join(_operations_at(request)["PATCH"].bodies)
    if problem.status == 503:
        headers["Retry-After"] = RETRY_SECONDS
    return _problem_response(problem, headers)


def on_absence(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The database is away for a moment."""
    log.warning("%s %s: database away: %s", request.method, request.scope["path"], type(error).__name__)
    return on_refusal(request, Unavailable("The database did not answer."))


def on_framework_refusal(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What litestar refuses before an operation is found, in the words of the rest."""
    if isinstance(error, NotFoundException):
        return on_refusal(request, NotFound("There is nothing at this address."))
    if isinstance(error, MethodNotAllowedException):
        response = on_refusal(request, MethodNotAllowed(f"{request.method} is not known at this address."))
        known = (error.headers or {}).get("allow", "").split(", ")
        response.headers["Allow"] = ", ".join(sorted(known))
        return response
    if error.status_code < 500:
        return on_refusal(request, Malformed(str(error.detail)))
    return on_fault(request, error)


def on_fault(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of our own: logged whole, told without its inside."""
    log.error("%s %s failed", request.method, request.scope["path"], exc_info=error)
    return _problem_response(made("internal", KINDS["internal"].advice))


def _operations_at(request: Request[Any, Any, Any]) -> Mapping[str, Operation]:
    operations: Mapping[str, Operation] = request.route_handler.opt["operations"]
    return operations


EXCEPTION_HANDLERS: Final[dict[Any, Any]] = {
    DatelineError: on_refusal,
    HTTPException: on_framework_refusal,
    **dict.fromkeys(UNAVAILABLE, on_absence),
    Exception: on_fault,
}

__all__ = ["EXCEPTION_HANDLERS", "handlers_of"]
