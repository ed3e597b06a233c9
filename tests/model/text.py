"""`q`: what a text asks for, and whether an event holds it; found by looking for strings within strings.

A text becomes its words with a space on either side of each; of a script that has none between words, each character
is a word. A phrase is then held where it is a part of such a text.
"""

import re
import unicodedata

from tests.model.forms import Document
from tests.model.seeing import View

NO_ACCENT = str.maketrans({"đ": "d", "ł": "l", "ø": "o"})
QUOTATION = re.compile(r'(-?)"([^"]*)"|(\S+)')

Asked = tuple[list[set[str]], set[str]]
"""Of each set some phrase is wanted, and none of the rest; a phrase as it is looked for, with its spaces."""


def spelled(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold()).translate(NO_ACCENT)
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    spaced = "".join(f" {each} " if "\u4e00" <= each <= "\u9fff" else each for each in bare)
    return " " + " ".join(re.findall(r"[^\W_]+", spaced)) + " "


def looked_for(text: str) -> str:
    """A phrase; of a word with a star its end is left open."""
    return spelled(text)[:-1] if text.endswith("*") else spelled(text)


def asked_text(query: str) -> Asked:
    wanted: list[set[str]] = []
    unwanted: set[str] = set()
    joins = False
    for minus, quoted, bare in QUOTATION.findall(query):
        if bare.lower() == "or":
            joins = True
        elif minus or bare.startswith("-"):
            unwanted.add(looked_for(quoted or bare))
        elif joins:
            wanted[-1].add(looked_for(quoted or bare))
            joins = False
        else:
            wanted.append({looked_for(quoted or bare)})
    return wanted, unwanted


def texts_of(document: Document, view: View) -> list[str]:
    """What of an event is searched: its own texts as seen, and all names of the actors that take part or speak."""
    quotes = [claim["quote"] for claim in document["claims"]]
    found = [document["title"], document["summary"], *quotes, *(place["name"] for place in document["places"])]
    actors = {part["actor"] for part in document["actors"]}
    actors |= {speaker for claim in document["claims"] for speaker in claim["speakers"]}
    meant = {view.snapshot.actor(slug) for slug in actors}
    for slug, names in view.snapshot.names().items():
        if view.snapshot.actor(slug) in meant:
            found += names
    return [spelled(text) for text in found if text is not None]


def holds_text(document: Document, query: str, view: View) -> bool:
    wanted, unwanted = asked_text(query)
    texts = texts_of(document, view)

    def held(phrase: str) -> bool:
        return any(phrase in text for text in texts)

    return all(any(map(held, some)) for some in wanted) and not any(map(held, unwanted))
