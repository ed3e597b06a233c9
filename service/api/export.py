"""Exports: a selection whole, in the formats of other applications, sent while it is read."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from service.api.exports import FORMATS, LEFT_OUT_MAX, About, Entry, Format, Loss, missing
from service.api.exports.shapes import Exported, ExportedJson, ExportLoss, ExportReport, LeftOut
from service.api.operation import JSON, Answer, Call, Operation, Reply, Streamed
from service.api.replies import TAGGED
from service.domain import parameters
from service.domain.asking import Asked, asked
from service.domain.cursors import Cursor
from service.domain.instants import recorded_text
from service.domain.lenses import Position
from service.domain.parameters import Parameter
from service.domain.resources import Actor, Source
from service.operations import selecting
from service.operations.selecting import Chunk, open_store
from service.storage import revisions

AT_ONCE: Final = 200
"""Events that are read at once, between which no connection is held."""

FORMAT: Final = Parameter(
    name="format",
    schema=parameters.words("ExportFormat", *FORMATS),
    example="timelinejs",
    description="What to export to.",
)
REPORT: Final = Parameter(
    name="report",
    schema={"type": "boolean", "default": False},
    description="Whether the answer is what the export cannot hold, in place of the export.",
)

_actors = msgspec.json.Decoder(dict[str, Actor]).decode
_sources = msgspec.json.Decoder(dict[str, Source]).decode


class Export:
    """One export: what is asked for, and as of when."""

    def __init__(self, call: Call, wants: Asked) -> None:
        self._call, self._wants = call, wants
        self._head: int | None = None

    async def about(self) -> tuple[About, bool]:
        """What is exported, and whether the same request will have the same answer for ever."""
        call = self._call
        async with call.pool.acquire() as connection:
            store = await open_store(connection, call.caller)
            reading = await selecting.select(connection, store, self._wants)
            self._head, revision = reading.newest, reading.selection.revision
            timeline = None
            if self._wants.timeline is not None:
                timeline = await selecting.find_timeline(connection, store, self._wants.timeline, revision)
            log = await revisions.read_revisions(connection, [revision])
            recorded = recorded_text(log[revision].recorded if revision in log else store.head.recorded)
        query = [(name, value) for name, given in call.query.items() if name != "report" for value in given]
        asked_for = f"?{urlencode(query)}" if query else ""
        about = About(
            title="Events" if timeline is None else timeline.title,
            description=None if timeline is None else timeline.description,
            language=None if timeline is None else timeline.language,
            address=f"{call.origin}{quote(call.path)}{asked_for}",
            listing=f"{call.origin}/v1/events{asked_for}",
            origin=call.origin,
            revision=revision,
            recorded=recorded,
        )
        return about, reading.pinned

    async def chunks(self) -> AsyncIterator[Chunk]:
        """The events, as pages that follow each other would have them: what may be seen is looked at for each anew."""
        after: Position | None = None
        cursor: Cursor | None = None
        while True:
            async with self._call.pool.acquire() as connection:
                store = await open_store(connection, self._call.caller, cursor)
                reading = await selecting.select(connection, store, self._wants)
                chunk = await selecting.read_chunk(connection, reading.selection, after, AT_ONCE)
            yield chunk
            if chunk.next is None:
                return
            after = chunk.next
            cursor = Cursor("", reading.newest if cursor is None else cursor.head, [])

    async def entries(self) -> AsyncIterator[list[Entry]]:
        async for chunk in self.chunks():
            actors, sources = _actors(chunk.included["actors"]), _sources(chunk.included["sources"])
            yield [Entry(event, actors, sources, f"{self._call.origin}/v1/events/{event.id}") for event in chunk.events]


async def export_events(call: Call) -> Reply | Streamed:
    export = Export(call, asked(call.query))
    about, pinned = await export.about()
    written = FORMATS[call.place["format"]](about)
    if call.query.get("report") == ["true"]:
        report = msgspec.json.encode(await _report(export, written))
        return Reply(200, report, revision=about.revision, pinned=pinned)

    async def parts() -> AsyncGenerator[bytes, None]:
        begin = written.begin()
        async for entries in export.entries():
            yield begin + b"".join([written.write(entry).text or b"" for entry in entries])
            begin = b""
        yield written.end()

    name = about.title if call.query.get("timeline") is None else call.query["timeline"][0]
    disposition = f'inline; filename="{name.lower()}.{written.suffix}"'
    return Streamed(
        parts(),
        written.media_type,
        revision=about.revision,
        pinned=pinned,
        headers={"Content-Disposition": disposition},
    )


async def _report(export: Export, written: Format) -> ExportReport:
    written.begin()
    events = there = 0
    lost: dict[Loss, int] = {}
    left_out: list[LeftOut] = []
    async for entries in export.entries():
        for entry in entries:
            found = written.write(entry)
            events += 1
            there += found.text is not None
            unheld = frozenset() if found.text is None else missing(entry.event, written.carries)
            for loss in found.lost | unheld:
                lost[loss] = lost.get(loss, 0) + 1
            if found.text is None and len(left_out) < LEFT_OUT_MAX:
                event = entry.event
                left_out.append(LeftOut(id=event.id, key=event.key, title=event.title, losses=sorted(found.lost)))
    for loss, number in written.lost_together().items():
        lost[loss] = lost.get(loss, 0) + number
    return ExportReport(
        format=written.name,
        events=events,
        written=there,
        losses=[ExportLoss(loss=loss, events=lost[loss]) for loss in sorted(lost)],
        left_out=left_out,
        revision=written.about.revision,
    )


_KINDS: Final = [each.media_type for each in FORMATS.values()]

OPERATIONS: Final = (
    Operation(
        id="readExport",
        method="GET",
        path="/v1/events/export/{format}",
        tag="events",
        summary="Export the events of a selection to the format of another application",
        description=(
            "It takes every filter and lens of a listing and is all of what that would list, in its order, sent while "
            "it is read. Events have the same ids in every format. What a format cannot hold is told with "
            "`report=true`, and so is every event that it has no place for at all."
        ),
        place=(FORMAT,),
        parameters=(*parameters.SELECTION, parameters.ORDER, REPORT),
        run=export_events,
        answers=(
            Answer(
                200,
                "The export, or the report of what it cannot hold.",
                {**{each: Exported if each.endswith("+json") else None for each in _KINDS}, JSON: ExportedJson},
                TAGGED,
            ),
        ),
        problems=("refused-parameter", "selection-too-broad", "not-found", "gone"),
    ),
)
