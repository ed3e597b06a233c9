"""Events as this service has them, one to a line; nothing is lost."""

import msgspec

from service.api.exports.forms import EVERYTHING, Entry, Format, Written


class Ndjson(Format):
    name = "ndjson"
    media_type = "application/x-ndjson"
    suffix = "ndjson"
    carries = EVERYTHING

    def begin(self) -> bytes:
        return b""

    def write(self, entry: Entry) -> Written:
        return Written(msgspec.json.encode(entry.event) + b"\n")

    def end(self) -> bytes:
        return b""
