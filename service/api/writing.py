"""How every write goes: one transaction, one revision, one answer, kept for a repeated Idempotency-Key."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import msgspec

from service.api import bodies
from service.api.operation import MERGE_PATCH, TAGS_PATTERN, Call, Header, Reply
from service.domain import values
from service.domain.cursors import bound_of
from service.domain.errors import DatelineError, Fault, InvalidBody, KeyReused, Refused, StillRunning
from service.domain.parameters import words
from service.domain.patch import PatchError, applied, merged
from service.domain.values import LINE_PATTERN
from service.operations.editing import Edit, Note, editing
from service.storage import idempotency
from service.storage.pool import Connection

MESSAGE: Final = Header(
    "Revision-Message",
    "What the write is about, in words; kept in the log.",
    {"type": "string", "pattern": LINE_PATTERN, "minLength": 0, "maxLength": 500},
    example="Told by the mission",
)
CAUSE: Final = Header("Revision-Cause", "Why it is written; kept in the log.", words("Cause", *values.CAUSES))
IDEMPOTENCY_KEY: Final = Header(
    "Idempotency-Key",
    "A name of the caller's own for this request: sent again within a day, it gets the first answer again.",
    {"type": "string", "pattern": r"^[\u0021-\u007e]+\Z", "minLength": 1, "maxLength": 255},
)
IF_MATCH: Final = Header(
    "If-Match",
    "The ETag that was read, or *: refused with 412 if the resource has been revised since, with 428 if missing.",
    {"type": "string", "minLength": 1, "maxLength": 1_000, "pattern": TAGS_PATTERN},
    True,
    example='"12-5f3c0b6d2c9a4c1e8d7f6a5b"',
)
IF_MATCH_MAYBE: Final = msgspec.structs.replace(
    IF_MATCH,
    required=False,
    description="The ETag that was read, or *: if given, refused with 412 where the resource has been revised since.",
)
NOTE: Final = (MESSAGE, CAUSE)


async def write(call: Call, change: Callable[[Edit], Awaitable[Reply]], *, kept: bool = True) -> Reply:
    """Runs one change as one revision, and says which in `Revision`.

    A POST with an Idempotency-Key is done once: the key again gets the kept answer, with another request KeyReused, and
    while the first is running StillRunning. Refusals are not kept, nor is what is not to be `kept`.
    """
    watch = call.services.watch
    try:
        reply = await _once(call, change, kept=kept)
    except DatelineError:
        raise
    except BaseException:
        # It may have been committed all the same, and only the word of it been lost.
        watch.add()
        raise
    watch.add(int(reply.headers["Revision"]))
    return reply


async def _once(call: Call, change: Callable[[Edit], Awaitable[Reply]], *, kept: bool) -> Reply:
    note = Note(
        author=call.caller.name or "",
        cause=call.headers.get("revision-cause"),
        message=call.headers.get("revision-message") or None,
    )
    key = call.headers.get("idempotency-key") if call.operation.method == "POST" and kept else None
    async with call.services.writing() as connection:
        if key is None:
            return await _written(connection, note, change)
        caller = call.caller.key or ""
        request = _digest(call)
        if not await idempotency.lock(connection, caller, key):
            raise StillRunning("A request with this Idempotency-Key is being worked on.")
        before = await idempotency.kept(connection, caller, key)
        if before is not None:
            digest, answer = before
            if digest != request:
                raise KeyReused("This Idempotency-Key was sent with another request before.")
            return Reply(answer.status, answer.body, headers=answer.headers, tagged=False)
        reply = await _written(connection, note, change)
        headers = reply.headers | ({"ETag": reply.etag} if reply.tagged else {})
        await idempotency.keep(connection, caller, key, request, idempotency.Answer(reply.status, headers, reply.body))
        return reply


async def _written(connection: Connection, note: Note, change: Callable[[Edit], Awaitable[Reply]]) -> Reply:
    async with editing(connection, note) as edit:
        reply = await change(edit)
    headers = {**reply.headers, "Revision": str(edit.revision)}
    if not edit.changed:
        headers["Revision-Unchanged"] = "true"
    return msgspec.structs.replace(reply, headers=headers)


def _digest(call: Call) -> bytes:
    query = (bound_of(call.query, call.path),) if call.query else ()
    parts = (call.operation.id, call.path, *query, call.media_type, call.body)
    return hashlib.sha256(b"\0".join(part if isinstance(part, bytes) else part.encode() for part in parts)).digest()


def read_patch(call: Call) -> Any:
    """The body's patch, of its schema: an object, or a list of steps. Raises InvalidBody."""
    patch = bodies.json_of(call.body)
    bodies.structure_of(patch, call.operation.bodies[call.media_type])
    return patch


def patched(call: Call, patch: Any, form: dict[str, Any], shape: Any) -> Any:
    """A patch applied to an input form, as a struct.

    Raises Refused where it does not apply, or leaves what `POST` would not take.
    """
    most = call.services.settings.body_bytes_max
    try:
        result = merged(form, patch) if call.media_type == MERGE_PATCH else applied(form, patch, most)
    except PatchError as error:
        fault = Fault(pointer=f"/{error.place}", detail=f"does not apply: {error}")
        raise Refused("The patch does not apply.", [fault]) from error
    if not isinstance(result, dict):
        raise Refused("The patch does not leave an object.", [Fault(pointer="", detail="is no object any more")])
    if bodies.depth_of(result) > bodies.DEPTH_MAX or len(msgspec.json.encode(result)) > most:
        fault = Fault(pointer="", detail=f"is more than {most} bytes or {bodies.DEPTH_MAX} levels of JSON")
        raise Refused("The patch leaves more than can be posted.", [fault])
    try:
        given = bodies.structure_of(_without_ids(result), shape)
    except InvalidBody as error:
        raise Refused("The patch leaves what cannot be recorded.", error.faults) from None
    if faults := bodies.loose_faults(result):
        raise Refused("The patch leaves what cannot be recorded.", faults)
    return given


def _without_ids(form: dict[str, Any]) -> dict[str, Any]:
    """A claim's id is accepted, whatever it says: it follows from the claim."""
    claims = form.get("claims")
    if not isinstance(claims, list):
        return form
    kept = [
        {name: value for name, value in cast("dict[str, Any]", claim).items() if name != "id"}
        if isinstance(claim, dict)
        else claim
        for claim in claims
    ]
    return form | {"claims": kept}
