"""Selections in the formats of other applications, each a module: an event at a time, and what of it is lost."""

from typing import Final

from service.api.exports.atom import Atom
from service.api.exports.calendar import ICal
from service.api.exports.forms import LEFT_OUT_MAX, LOSSES, About, Entry, Format, Loss, Written, missing
from service.api.exports.geojson import GeoJson
from service.api.exports.jsonfeed import JsonFeed
from service.api.exports.linked import JsonLd
from service.api.exports.ndjson import Ndjson
from service.api.exports.table import Table
from service.api.exports.timelinejs import TimelineJs

FORMATS: Final[dict[str, type[Format]]] = {
    each.name: each for each in (TimelineJs, Table, Ndjson, JsonFeed, Atom, ICal, GeoJson, JsonLd)
}

__all__ = ["FORMATS", "LEFT_OUT_MAX", "LOSSES", "About", "Entry", "Format", "Loss", "Written", "missing"]
