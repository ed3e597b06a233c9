"""Answers kept for as long as nothing is written, and given out ahead of everything.

An answer is found in one of two ways. What an operation was asked for finds it (`Asked`), however that was written, for
every caller with the same view. And the request as it stands finds it at once (`alias_of`), before it is read, where
nobody's key has to be looked at. Either way it is the same bytes; each coding is made when it is first asked for.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from litestar.types import ASGIApp, Message, Send

from service.api.packing import PACKED_MIN, PLAIN, packed, tag_in
from service.storage.watching import Watch

OVERHEAD: Final = 3_000
"""About what an answer and its key take beside its bodies."""
ALIASES_MAX: Final = 5_000
ALIAS_BYTES_MAX: Final = 1_000
"""Longer requests are read each time."""
HEADERS_MAX: Final = 40

STATE: Final = "answers"
"""Where the server's protocol finds the answers."""
WIRE: Final = "dateline.wire"
"""The extension of the server's protocol: `protocol` takes an answer that is ready to be sent, and `read` is what
`alias_of` found where an answer has been looked for in vain.
"""
_READING: Final = frozenset(("GET", "HEAD", b"GET", b"HEAD"))

T = TypeVar("T")
Alias: TypeAlias = tuple[Any, ...]
Asked: TypeAlias = tuple[Any, ...]
"""All that the answer to a read rests on beside what is stored."""


# What the request says of these is part of the alias; with one of the others it is read as a whole.
_BEARING: Final = {b"host": 3, b"accept": 4, b"accept-encoding": 5}
_CONDITION: Final = b"if-none-match"
_READ: Final = frozenset(
    (
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"min-revision",
        b"transfer-encoding",
    )
)


def alias_of(
    path: bytes, query: bytes, scheme: str, headers: Sequence[tuple[bytes, bytes]]
) -> tuple[Alias, bytes | None] | None:
    """A GET or HEAD as it stands, and the tag that it holds; None where it must be read as a whole.

    headers: with lower-case names.
    """
    if len(headers) > HEADERS_MAX:
        return None
    found = [path, query, scheme, b"", b"", b""]
    condition = None
    size = len(path) + len(query)
    for name, value in headers:
        size += len(value)
        place = _BEARING.get(name)
        if place is not None:
            if found[place]:
                return None
            found[place] = value
        elif name == _CONDITION:
            if condition is not None:
                return None
            condition = value
        elif name in _READ:
            return None
    return None if size > ALIAS_BYTES_MAX else (tuple(found), condition)


def wire_of(scope: Any) -> Mapping[str, Any]:
    """What the server's protocol says of an ASGI request; nothing where it is another server's."""
    return (scope.get("extensions") or {}).get(WIRE) or {}


def alias_in(scope: Any) -> tuple[Alias, bytes | None] | None:
    """What `alias_of` finds, or has found, of an ASGI request."""
    wire = wire_of(scope)
    if "read" in wire:
        found: tuple[Alias, bytes | None] | None = wire["read"]
        return found
    return alias_of(scope["raw_path"], scope["query_string"], scope["scheme"], list(scope["headers"]))


class Packed:
    """An answer in one coding, ready to be sent: whole, or as news that there is none."""

    __slots__ = ("body", "etag", "head", "tag", "unchanged")

    def __init__(self, told: str, of_body: str, body: bytes, etag: str) -> None:
        """told: header lines that a 304 has too; of_body: those that it lacks, but for the length."""
        self.etag, self.tag, self.body = etag, etag.encode(), body
        told = f"{told}etag: {etag}\r\n"
        self.head = f"{told}{of_body}content-length: {len(body)}\r\n\r\n".encode("latin-1")
        self.unchanged = f"{told}\r\n".encode("latin-1")

    async def send(self, scope: Any, send: Send, *, unchanged: bool) -> None:
        """Sends it, or only that it is unchanged. To a HEAD the server sends no body by itself."""
        wire = wire_of(scope)
        if wire and wire["protocol"].takes(scope, self, unchanged=unchanged):
            return
        status, lines, body = (304, self.unchanged, b"") if unchanged else (200, self.head, self.body)
        told = (line.partition(b": ") for line in lines.splitlines())
        headers = [(name, value) for name, _, value in told if name]
        start: Message = {"type": "http.response.start", "status": status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": False})


class Kept:
    """An answer with all its headers but those of one coding, and what has been packed of it. size: in bytes."""

    __slots__ = ("_kind", "_told", "aliases", "body", "etag", "packed", "size", "used")

    def __init__(self, headers: Mapping[str, str], kind: str, body: bytes, etag: str) -> None:
        self._told = "".join([f"{name.lower()}: {value}\r\n" for name, value in headers.items()])
        self._kind, self.body, self.etag = f"content-type: {kind}\r\n", body, etag
        self.packed: dict[str, Packed] = {}
        self.aliases: list[Alias] = []
        self.used = False
        self.size = OVERHEAD + len(body)

    async def in_coding(self, coding: str) -> Packed:
        """The answer in a coding, or plain where packing would not save anything. Its tag is of these very bytes."""
        coding = PLAIN if len(self.body) < PACKED_MIN else coding
        if coding not in self.packed:
            body = await packed(self.body, coding)
            of_body = self._kind if coding == PLAIN else f"{self._kind}content-encoding: {coding}\r\n"
            if coding not in self.packed:
                self.packed[coding] = Packed(self._told, of_body, body, tag_in(coding, self.etag))
                self.size += len(body)
        return self.packed[coding]


class Answers:
    """The answers of one worker, up to so many bytes; those that are not asked for again go first."""

    def __init__(self, watch: Watch, bytes_max: int) -> None:
        self.watch = watch
        self.bytes_max = bytes_max
        self._empty(None)

    def _empty(self, count: int | None) -> None:
        self._count = count
        self.bytes = 0
        self._kept: OrderedDict[Asked, Kept] = OrderedDict()
        self._aliases: dict[Alias, tuple[Kept, Packed]] = {}
        self._made: dict[Asked, asyncio.Event] = {}

    def at_once(self, method: str | bytes, alias: Alias, condition: bytes | None) -> tuple[Packed, bool] | None:
        """What was answered to this very request, if nothing has been written since, and whether the caller has it."""
        count = self.watch.count
        found = self._aliases.get(alias)
        if (
            found is None
            or count is None
            or count != self._count
            or method not in _READING
            or (condition is not None and condition != found[1].tag)
        ):
            return None
        found[0].used = True
        return found[1], condition is not None

    def all(self) -> Collection[Kept]:
        """Every answer that is kept, the next to go first."""
        return self._kept.values()

    async def of(self, asked: Asked, make: Callable[[], Awaitable[Kept | T]]) -> Kept | T:
        """What is kept of what was asked for, or else is made now; once for all who ask for it at the same time.

        What is made and is no answer to be kept is passed on.
        """
        count = self.watch.count
        if count is None:
            return await make()
        if count != self._count:
            self._empty(count)
        if asked in self._made:
            await self._made[asked].wait()
        if self._count == count and asked in self._kept:
            kept = self._kept[asked]
            kept.used = True
            return kept
        made, event = self._made, asyncio.Event()
        made[asked] = event
        try:
            answer = await make()
            if isinstance(answer, Kept) and self.watch.count == self._count == count:
                self._keep(asked, answer)
        finally:
            event.set()
            if made.get(asked) is event:
                del made[asked]
        return answer

    async def packed(self, asked: Asked, kept: Kept, coding: str, alias: Alias | None) -> Packed:
        """An answer in a coding; from now on the alias finds it at once."""
        before = kept.size
        answer = await kept.in_coding(coding)
        if self._kept.get(asked) is kept:
            self.bytes += kept.size - before
            if alias is not None and alias not in self._aliases:
                if len(self._aliases) >= ALIASES_MAX:
                    self._aliases.clear()
                self._aliases[alias] = (kept, answer)
                kept.aliases.append(alias)
            self._shrink()
        return answer

    def _keep(self, asked: Asked, kept: Kept) -> None:
        self._forget(asked)
        self._kept[asked] = kept
        self.bytes += kept.size
        self._shrink()

    def _shrink(self) -> None:
        while self.bytes > self.bytes_max:
            asked = next(iter(self._kept))
            if self._kept[asked].used:
                self._kept[asked].used = False
                self._kept.move_to_end(asked)
            else:
                self._forget(asked)

    def _forget(self, asked: Asked) -> None:
        kept = self._kept.pop(asked, None)
        if kept is not None:
            self.bytes -= kept.size
            for alias in kept.aliases:
                self._aliases.pop(alias, None)


class Front:
    """The service behind its answers: what was answered to the same request before is sent ahead of everything.

    The server's protocol does so itself for whoever asks it directly, since it finds the answers in the state that the
    service begins with; this is for requests that come through a proxy.
    """

    def __init__(self, service: ASGIApp, answers: Answers) -> None:
        self.service = service
        self.answers = answers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            read = None if "read" in wire_of(scope) else alias_in(scope)
            found = None if read is None else self.answers.at_once(scope["method"], *read)
            if found is not None:
                packed, unchanged = found
                await packed.send(scope, send, unchanged=unchanged)
                return
        elif scope["type"] == "lifespan":
            scope["state"][STATE] = self.answers
        await self.service(scope, receive, send)
