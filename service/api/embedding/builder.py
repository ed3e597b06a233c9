"""The builder: a form whose choices are shown at once, as a timeline and as the lines that a page needs to have it."""

from html import escape
from typing import Final

import msgspec

from service.api import replies
from service.api.embedding.files import CORE, NAMES, integrity_of
from service.api.embedding.paper import page, policy_of, scripts
from service.api.embedding.words import NAMES as LANGUAGES
from service.api.operation import HTML, Answer, Call, Operation, Reply
from service.api.resources import shown_to
from service.domain.resources import Timeline
from service.operations.selecting import open_store
from service.storage import resources

TIMELINES_MAX: Final = 200

_timeline = msgspec.json.Decoder(Timeline).decode


async def public_timelines(call: Call, words: list[str], limit: int) -> list[Timeline]:
    """The first timelines that anyone's list of them holds."""
    async with call.pool.acquire() as connection:
        store = await open_store(connection, call.caller)
        rows = await resources.list_resources(
            connection,
            "timeline",
            after="",
            revision=store.newest,
            words=words,
            shown=await shown_to(store, "timeline"),
            limit=limit,
        )
    return [_timeline(row.document) for row in rows if row.document is not None]


def _select(name: str, label: str, options: dict[str, str]) -> str:
    told = "".join(
        f'<option value="{escape(value)}" dir="auto">{escape(words)}</option>' for value, words in options.items()
    )
    return f'<label>{label}<select name="{name}">{told}</select></label>'


def _field(name: str, label: str, **attributes: str) -> str:
    told = "".join(f' {each}="{escape(value)}"' for each, value in attributes.items())
    return f'<label>{label}<input name="{name}"{told}></label>'


def _check(name: str, label: str, value: str) -> str:
    return f'<label class="check"><input type="checkbox" name="{name}" value="{value}">{label}</label>'


async def read_builder(call: Call) -> Reply:
    timelines = await public_timelines(call, [], TIMELINES_MAX)
    fields = (
        _select("timeline", "Timeline", {each.slug: each.title for each in timelines} or {"": "All events"}),
        _select("view", "View", {"": "List", "axis": "Axis"}),
        _select("lang", "Language", {"": "As the page", **LANGUAGES}),
        _select("lanes", "Lanes of the axis", {"": "None", "kind": "Kind", "actor": "Actor", "tag": "Tag"}),
        _select(
            "travel",
            "Travel in time",
            {"": "No", "known-at": "What was known", "as-of": "What was recorded", "both": "Both"},
        ),
        _field("q", "Words", maxlength="200"),
        _field("from", "From", placeholder="1999", maxlength="40"),
        _field("to", "To", placeholder="2025-02-20", maxlength="40"),
        _field("height", "Height of the frame", type="number", min="200", max="5000", value="600"),
        _check("filters", "Filters for readers", "true"),
        _check("live", "Look for news", "60"),
    )
    data = f'data-origin="{escape(call.origin)}" data-script="{CORE}" data-integrity="{integrity_of(CORE)}"'
    body = (
        "<main><header><h1>Embed a timeline</h1><p>Choose, look, and copy two lines into your page: the component, "
        "which takes the colours and the language of the page, or a frame, which any editor takes.</p></header>"
        f"<form {data}>{''.join(fields)}</form><noscript><p>The form needs a script to show what you choose. A frame "
        f"is written by hand too: {escape(call.origin)}/embed/timelines/NAME.</p></noscript>"
        '<h2 class="plain">Preview</h2><div id="preview"></div>'
        '<h2 class="plain">The component</h2><pre><code id="as-element"></code></pre>'
        '<button type="button" data-copy="as-element" data-done="The component is copied.">Copy the component</button>'
        '<h2 class="plain">A frame</h2><pre><code id="as-frame"></code></pre>'
        '<button type="button" data-copy="as-frame" data-done="The frame is copied.">Copy the frame</button>'
        '<p id="told" role="status"></p>'
        '<p class="links"><a href="/">Timelines</a> <a href="/docs">The interface</a></p>'
        f"</main>{scripts(NAMES['builder.js'])}"
    )
    head = ('<meta name="description" content="Choose how a timeline is embedded, and copy it into a page.">',)
    headers = policy_of(call.origin, "'none'")
    return Reply(200, page("Embed a timeline", body, head=head).encode(), HTML, headers=headers)


OPERATIONS: Final = (
    Operation(
        id="readBuilder",
        method="GET",
        path="/embed",
        tag="embedding",
        summary="Build an embed, as a page",
        description="A form with a live preview, and the lines to copy.",
        run=read_builder,
        answers=(Answer(200, "A page for people.", {HTML: None}, replies.TAGGED),),
    ),
)
