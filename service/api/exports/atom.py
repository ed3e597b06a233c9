"""Atom (RFC 4287): an entry for each event, with its own date as EDTF in a namespace of this service."""

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from service.api.exports.forms import Entry, Format, Written, html_of

NAMESPACE: Final = "urn:dateline:timeline"
OWN: Final = ("key", "collection", "kind", "phase", "revision")
"""Members for which Atom has no element, and the namespace has one each."""
# What XML 1.0 cannot hold at all, not even as a reference.
_UNFIT: Final = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: str) -> str:
    return escape(_UNFIT.sub("\ufffd", value))


def attribute(value: str) -> str:
    return quoteattr(_UNFIT.sub("\ufffd", value))


class Atom(Format):
    name = "atom"
    media_type = "application/atom+xml"
    suffix = "atom"
    carries = frozenset(
        {
            *("id", "title", "summary", "language", "occurred", "tags", "standing", "recorded", "created", *OWN),
            *("actors.actor", "claims.source", "claims.stance", "claims.speakers", "claims.quote", "claims.published"),
        }
    )

    def begin(self) -> bytes:
        about = self.about
        language = f" xml:lang={attribute(about.language)}" if about.language else ""
        lines = [
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:dateline={attribute(NAMESPACE)}{language}>',
            f"<id>{text(about.address)}</id>",
            f"<title>{text(about.title)}</title>",
            *([f"<subtitle>{text(about.description)}</subtitle>"] if about.description else []),
            f"<updated>{text(about.recorded)}</updated>",
            f'<link rel="self" type="application/atom+xml" href={attribute(about.address)}/>',
            f'<link rel="alternate" type="application/json" href={attribute(about.listing)}/>',
            f"<author><name>{text(about.title)}</name></author>",
            f"<dateline:revision>{about.revision}</dateline:revision>",
        ]
        return "\n".join(lines).encode() + b"\n"

    def write(self, entry: Entry) -> Written:
        event = entry.event
        language = f" xml:lang={attribute(event.language)}" if event.language else ""
        lines = [
            f"<entry{language}>",
            f"<id>urn:uuid:{event.id}</id>",
            f"<title>{text(event.title)}</title>",
            f"<updated>{event.recorded}</updated>",
            f"<published>{event.created.recorded}</published>",
            f'<link rel="alternate" type="application/json" href={attribute(entry.address)}/>',
        ]
        urls = dict.fromkeys(url for claim in event.claims if (url := entry.url(claim.source)))
        lines += [f'<link rel="via" href={attribute(url)}/>' for url in urls]
        lines += [f"<category term={attribute(tag)}/>" for tag in event.tags]
        lines += [f"<contributor><name>{text(entry.actor(each.actor))}</name></contributor>" for each in event.actors]
        if event.summary:
            lines.append(f"<summary>{text(event.summary)}</summary>")
        lines.append(f'<content type="html">{text(html_of(entry))}</content>')
        if event.occurred is not None:
            display = attribute(event.occurred.display)
            lines.append(f"<dateline:occurred display={display}>{text(event.occurred.edtf)}</dateline:occurred>")
        own = {name: getattr(event, name) for name in OWN}
        lines += [
            f"<dateline:{name}>{text(str(value))}</dateline:{name}>" for name, value in own.items() if value is not None
        ]
        lines += [f"<dateline:standing>{event.standing.state}</dateline:standing>", "</entry>"]
        return Written("\n".join(lines).encode() + b"\n")

    def end(self) -> bytes:
        return b"</feed>\n"
