"""What every page around a timeline is made of: its frame, its style, and the policy that lets in nothing else."""

from collections.abc import Iterable
from html import escape
from typing import Final
from urllib.parse import quote

from service.api.embedding.files import CORE, integrity_of
from service.api.embedding.words import direction_of
from service.api.markup import ASSETS, ICON, source_of

ISOLATES: Final = "\u2066\u2067\u2068"
POP: Final = "\u2069"
"""Characters that begin and end a part of a text with a direction of its own."""
STYLE: Final = (ASSETS / "embed.css").read_text(encoding="utf-8")


def policy_of(origin: str, ancestors: str, *, forms: str = "'none'") -> dict[str, str]:
    """The headers of a page: it loads the component, asks this service, and nobody else. forms: where its forms lead.

    The origin is spelt out, since a page in a sandbox has none of its own for 'self' to mean. Programs that judge a
    page from within it, as Lighthouse does, ask for robots.txt.
    """
    asked = f"{origin}/v1/ {origin}/robots.txt"
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src {origin}/embed/; connect-src {asked}; style-src {source_of(STYLE)}; "
            f"img-src data:; base-uri 'none'; form-action {forms}; "
            f"frame-ancestors {ancestors}; require-trusted-types-for 'script'; trusted-types 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }


def scripts(*names: str) -> str:
    """The component and whatever else runs beside it, each checked against what was built."""
    return "".join(
        f'<script type="module" src="/embed/{name}" crossorigin="anonymous" integrity="{integrity_of(name)}"></script>'
        for name in (CORE, *names)
    )


def page(title: str, body: str, *, language: str = "en", head: Iterable[str] = ()) -> str:
    """A whole page. head: more elements of its head, as markup."""
    direction = ' dir="rtl"' if direction_of(language) == "rtl" else ""
    return (
        f'<!doctype html><html lang="{escape(language)}"{direction}><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="{ICON}">{"".join(head)}'
        f"<style>{STYLE}</style></head><body>{body}</body></html>"
    )


def apart(text: str) -> str:
    """A text from elsewhere as part of a line, whose direction does not reach beyond it.

    What sets a part of it apart is closed in it, and it closes nothing that it has not opened, or it would end here.
    """
    opened = closed = 0
    for character in text:
        if character in ISOLATES:
            opened += 1
        elif character == POP and opened:
            opened -= 1
        elif character == POP:
            closed += 1
    return f"<bdi>{ISOLATES[-1] * closed}{escape(text)}{POP * opened}</bdi>"


def element(src: str, fallback: str, **attributes: str) -> str:
    """The component around what stands there until it has loaded, and wherever it cannot."""
    told = "".join(f' {name.replace("_", "-")}="{escape(value)}"' for name, value in attributes.items() if value)
    return f'<event-timeline src="{escape(src)}"{told}>{fallback}</event-timeline>'


def addressed(path: str, pairs: Iterable[tuple[str, str]] = ()) -> str:
    """A path with a query."""
    query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in pairs)
    return f"{path}?{query}" if query else path
