"""What every page for people is made of: its frame, the style, the script, and the policy that lets in no other."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

ASSETS: Final = Path(__file__).parent / "assets"
STYLE: Final = (ASSETS / "pages.css").read_text(encoding="utf-8")
SCRIPT: Final = (ASSETS / "reference.js").read_text(encoding="utf-8")

ICON: Final = "data:image/svg+xml," + quote(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M2 8h12" stroke="#0a5a75" stroke-width="2"/>'
    '<circle cx="5" cy="8" r="3" fill="#0a5a75"/><circle cx="12" cy="8" r="2" fill="#c2410c"/></svg>'
)


def source_of(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_BASE: Final = (
    f"default-src 'none'; style-src {source_of(STYLE)}; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

# A page of ours loads nothing, and runs nothing but the script here, whatever a text in it may say; the reference's
# asks its own service alone, and makes no markup from text.
STILL: Final = {"Content-Security-Policy": _BASE, "Referrer-Policy": "no-referrer"}
RUNNING: Final = {
    "Content-Security-Policy": f"{_BASE}; script-src {source_of(SCRIPT)}; connect-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Referrer-Policy": "no-referrer",
}


def page_of(title: str, body: str, *, running: bool = False) -> str:
    """A whole page. running: with the script, to be answered with RUNNING; the others go with STILL."""
    script = f"<script>{SCRIPT}</script>" if running else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{escape(title)} · dateline</title><link rel="icon" href="{ICON}">'
        f"<style>{STYLE}</style></head><body>{body}{script}</body></html>"
    )


def marked(text: str) -> str:
    """Text with `code` shown as such, and a paragraph wherever it has an empty line."""
    parts = escape(text).split("`")
    told = "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
    return told.replace("\n\n", "</p><p>")


def block(text: str) -> str:
    return f"<pre><code>{escape(text, quote=False)}</code></pre>"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], kind: str = "") -> str:
    """kind: its class in the style."""
    body = "".join(f"<tr>{cells(row)}</tr>" for row in rows)
    opening = f'<table class="{kind}">' if kind else "<table>"
    return f"{opening}{head(heads)}<tbody>{body}</tbody></table>"


def head(heads: Iterable[str]) -> str:
    told = "".join(f"<th>{each}</th>" for each in heads)
    return f"<thead><tr>{told}</tr></thead>"


def cells(row: Iterable[str]) -> str:
    return "".join(f"<td>{cell}</td>" for cell in row)
