"""Events as a list in HTML, which needs no script to be read, printed or found."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from service.api.embedding.paper import apart
from service.api.embedding.words import filled
from service.api.exports import Entry
from service.api.exports.forms import is_iso
from service.domain.event import Claim


def listed(entries: Iterable[Entry], words: Mapping[str, Any], language: str, level: int = 2) -> str:
    """An ordered list of the events. level: of their headings."""
    items = "".join(_item(entry, words, language, level) for entry in entries)
    return f"<ol>{items}</ol>" if items else f"<p>{escape(words['none'])}</p>"


def _item(entry: Entry, words: Mapping[str, Any], language: str, level: int) -> str:
    event = entry.event
    lang = f' lang="{escape(event.language)}"' if event.language and event.language != language else ""
    when = escape(words["undated"])
    if event.occurred is not None:
        display, edtf = escape(event.occurred.display), event.occurred.edtf
        when = f'<time datetime="{edtf}">{display}</time>' if is_iso(edtf) else f"<bdi>{display}</bdi>"
    phase = words["phases"].get(event.phase)
    state = words["standings"].get(event.standing.state, event.standing.state)
    parts = [
        f'<p class="when">{when}{" · " + escape(phase) if phase else ""}</p>',
        f'<h{level}{lang} dir="auto">{escape(event.title)}</h{level}>',
        f'<p{lang} dir="auto">{escape(event.summary)}</p>' if event.summary else "",
        f'<p class="state {escape(event.standing.state)}">{escape(state)}</p>',
    ]
    if event.claims:
        claims = "".join(_claim(entry, claim, words, lang) for claim in event.claims)
        sources = len({claim.source for claim in event.claims})
        form = words["claims"]["one" if sources == 1 and "one" in words["claims"] else "other"]
        parts.append(f"<details><summary>{escape(filled(form, sources))}</summary><ul>{claims}</ul></details>")
    return f'<li id="e{event.id}" data-id="{event.id}">{"".join(parts)}</li>'


def _claim(entry: Entry, claim: Claim, words: Mapping[str, Any], lang: str) -> str:
    source = entry.sources.get(claim.source)
    slugs = claim.speakers or ([source.publisher] if source is not None and source.publisher is not None else [])
    title = apart(entry.source(claim.source))
    who = ", ".join(apart(entry.actor(slug)) for slug in slugs) or title
    told = filled(escape(words["stances"][claim.stance]), who)
    quote = f" <q{lang}>{apart(claim.quote)}</q>" if claim.quote else ""
    url = entry.url(claim.source)
    web = url is not None and url.lower().startswith(("http://", "https://"))
    linked = f'<a href="{escape(url or "")}" rel="noopener">{title}</a>' if web else title
    published = f" · {apart(claim.published)}" if claim.published else ""
    return f"<li>{told}{quote} <span>{linked}{published}</span></li>"
