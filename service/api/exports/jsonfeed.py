"""JSON Feed 1.1: an item for each event. Its own date is not a feed's, so it stands in `_dateline` as EDTF has it."""

from typing import Any, Final

import msgspec

from service.api.exports.forms import EVERYTHING, About, Entry, Format, Separated, Written, html_of

VERSION: Final = "https://jsonfeed.org/version/1.1"
TOLD: Final = frozenset({"id", "title", "summary", "language", "tags"})
"""Members that an item has of its own; all others stand in `_dateline`."""


class JsonFeed(Format):
    name = "jsonfeed"
    media_type = "application/feed+json"
    suffix = "json"
    carries = EVERYTHING

    def __init__(self, about: About) -> None:
        super().__init__(about)
        self._separated = Separated()

    def begin(self) -> bytes:
        about = self.about
        head: dict[str, Any] = {
            "version": VERSION,
            "title": about.title,
            "home_page_url": about.origin + "/",
            "feed_url": about.address,
        }
        if about.description:
            head["description"] = about.description
        if about.language:
            head["language"] = about.language
        head["_dateline"] = {
            "about": f"{about.origin}/docs",
            "events": about.listing,
            "revision": about.revision,
            "recorded": about.recorded,
        }
        return msgspec.json.encode(head)[:-1] + b',"items":['

    def write(self, entry: Entry) -> Written:
        event = entry.event
        item: dict[str, Any] = {
            "id": event.id,
            "url": entry.address,
            "title": event.title,
            "content_html": html_of(entry),
            "date_published": event.created.recorded,
            "date_modified": event.recorded,
        }
        if event.summary:
            item["summary"] = event.summary
        if event.tags:
            item["tags"] = event.tags
        if event.language:
            item["language"] = event.language
        urls = [url for claim in event.claims if (url := entry.url(claim.source))]
        if urls:
            item["external_url"] = urls[0]
        publishers = {
            source.publisher: entry.actor(source.publisher)
            for claim in event.claims
            if (source := entry.sources.get(claim.source)) is not None and source.publisher is not None
        }
        if publishers:
            item["authors"] = [{"name": name} for name in publishers.values()]
        item["_dateline"] = {name: getattr(event, name) for name in event.__struct_fields__ if name not in TOLD}
        return Written(self._separated(msgspec.json.encode(item)))

    def end(self) -> bytes:
        return b"]}"
