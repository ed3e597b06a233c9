"""GeoJSON (RFC 7946): a feature for each event, with a point for each place that has one, or no geometry."""

from typing import Any

import msgspec

from service.api.exports.forms import EVERYTHING, About, Entry, Format, Separated, Written


class GeoJson(Format):
    name = "geojson"
    media_type = "application/geo+json"
    suffix = "geojson"
    carries = EVERYTHING

    def __init__(self, about: About) -> None:
        super().__init__(about)
        self._separated = Separated()

    def begin(self) -> bytes:
        about = self.about
        head = {"type": "FeatureCollection", "title": about.title, "events": about.listing, "revision": about.revision}
        return msgspec.json.encode(head)[:-1] + b',"features":['

    def write(self, entry: Entry) -> Written:
        event = entry.event
        feature = {
            "type": "Feature",
            "id": event.id,
            "geometry": geometry_of([(place.longitude, place.latitude) for place in event.places]),
            "properties": {
                "title": event.title,
                "address": entry.address,
                "names": {each.actor: entry.actor(each.actor) for each in event.actors},
                "titles": {claim.source: entry.source(claim.source) for claim in event.claims},
                **{name: getattr(event, name) for name in type(event).__struct_fields__ if name not in ("id", "title")},
            },
        }
        return Written(self._separated(msgspec.json.encode(feature)))

    def end(self) -> bytes:
        return b"]}"


def geometry_of(places: list[tuple[float | None, float | None]]) -> dict[str, Any] | None:
    """One point or several; None where no place has coordinates."""
    points = [[longitude, latitude] for longitude, latitude in places if None not in (longitude, latitude)]
    if not points:
        return None
    if len(points) == 1:
        return {"type": "Point", "coordinates": points[0]}
    return {"type": "MultiPoint", "coordinates": points}
