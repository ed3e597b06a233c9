"""A table for spreadsheets: a line for each event, its lists joined within their cells (RFC 4180)."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from service.api.exports.forms import Entry, Format, Loss, Written, told_by

COLUMNS: Final = (
    *("id", "key", "collection", "title", "summary", "language"),
    *("occurred", "earliest", "latest", "precision", "approximate", "uncertain", "display"),
    *("kind", "phase", "standing", "asserting", "denying", "origins", "first_published", "first_denied"),
    *("actors", "roles", "stances", "claims", "sources", "tags", "places", "countries", "latitude", "longitude"),
    *("revision", "recorded", "created", "address"),
)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What spreadsheets take for the beginning of something to be worked out, minus signs of years among it."""


def safe(text: str) -> str:
    """A cell that no spreadsheet works out: an apostrophe before what could be a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


class Table(Format):
    name = "csv"
    media_type = "text/csv"
    suffix = "csv"
    carries = frozenset(
        {
            *("id", "key", "collection", "title", "summary", "language", "occurred", "kind", "phase", "standing"),
            *("actors.actor", "actors.role", "tags", "revision", "recorded", "created"),
            *("claims.source", "claims.stance", "claims.speakers", "claims.published"),
            *("places.name", "places.country", "places.latitude", "places.longitude"),
        }
    )

    def begin(self) -> bytes:
        return _line(COLUMNS)

    def write(self, entry: Entry) -> Written:
        event, standing = entry.event, entry.event.standing
        occurred = event.occurred
        date = (
            ("",) * 7
            if occurred is None
            else (
                occurred.edtf,
                occurred.earliest,
                occurred.latest,
                occurred.precision,
                occurred.approximate,
                occurred.uncertain,
                occurred.display,
            )
        )
        point = next((place for place in event.places if place.latitude is not None), None)
        cells = (
            *(event.id, event.key, event.collection, event.title, event.summary, event.language),
            *date,
            *(event.kind, event.phase, standing.state, standing.asserting, standing.denying, standing.origins),
            *(standing.first_published, standing.first_denied),
            _joined(entry.actor(each.actor) for each in event.actors),
            _joined(each.role for each in event.actors),
            _joined(claim.stance for claim in event.claims),
            _joined(told_by(entry, claim) for claim in event.claims),
            _joined(entry.url(claim.source) or "" for claim in event.claims),
            _joined(event.tags),
            _joined(place.name for place in event.places),
            _joined(place.country for place in event.places),
            *(("", "") if point is None else (point.latitude, point.longitude)),
            *(event.revision, event.recorded, event.created.recorded, entry.address),
        )
        # There is one position to a line.
        lost: set[Loss] = {"places"} if sum(place.latitude is not None for place in event.places) > 1 else set()
        return Written(_line(cells), frozenset(lost))

    def end(self) -> bytes:
        return b""


def _joined(parts: Iterable[str | None]) -> str:
    return "; ".join(part or "" for part in parts)


def _line(cells: Iterable[object]) -> bytes:
    text = io.StringIO()
    row = []
    for cell in cells:
        if isinstance(cell, str):
            row.append(safe(cell))
        elif isinstance(cell, bool):
            row.append("true" if cell else "false")
        else:
            row.append("" if cell is None else str(cell))
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue().encode()
