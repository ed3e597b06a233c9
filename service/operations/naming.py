"""Naming: whose names hold what a text asks for, at one revision or at any between two.

A rename revises the actor alone, so names are looked up when they are asked for, as merged actors are.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from service.domain.errors import SelectionTooBroad
from service.domain.lenses import Aliases
from service.domain.resources import Actor, names_of
from service.domain.terms import LAST_CHARACTER
from service.domain.text import Phrase, Text
from service.domain.words import WORD_LENGTH_MAX, indexed, words_of
from service.storage import names
from service.storage.names import Sought
from service.storage.pool import Connection

NAMED_MAX: Final = 20_000
"""Actors of whose names one word may be."""
NAMES_MAX: Final = 40_000
"""Versions of actors looked at for a diff of what their names choose."""

_actor = msgspec.json.Decoder(Actor).decode


async def with_names(connection: Connection, text: Text, aliases: Aliases, revision: int) -> Text:
    """The text, with the actors whose names hold its phrases at the revision. Raises SelectionTooBroad."""
    sought = [_sought(phrase) for phrase in text.phrases]
    found = await names.read_named(connection, sought, revision, NAMED_MAX + 1)
    for asked, actors in zip(sought, found, strict=True):
        if len(actors) > NAMED_MAX:
            raise SelectionTooBroad(
                f"More than {NAMED_MAX} actors have names with {_shown(asked)}. "
                "Ask for more letters, or for a rarer word."
            )
    named = [
        [slug for slug, document in actors if document is None or is_named(document, phrase)]
        for phrase, actors in zip(text.phrases, found, strict=True)
    ]
    return of_actors(text, named, aliases)


def of_actors(text: Text, named: Iterable[Iterable[str]], aliases: Aliases) -> Text:
    """The text, with those whom the actors named stand for."""
    meant = tuple(frozenset(aliases.get(slug, slug) for slug in slugs) for slugs in named)
    return msgspec.structs.replace(text, named=meant)


def is_named(document: bytes, phrase: Phrase) -> bool:
    """Whether one of the actor's names holds the phrase."""
    return any(phrase.stands_in(words_of(name)) for name in names_of(_actor(document)))


def _sought(phrase: Phrase) -> Sought:
    """Names that have all its words, if not in that order."""
    ranges = {
        (word, word + LAST_CHARACTER if piece.prefix else word)
        for piece in phrase.pieces
        for word in (indexed(piece.word),)
    }
    decides = len(phrase.pieces) == 1 and len(phrase.pieces[0].word) < WORD_LENGTH_MAX
    return Sought(tuple(sorted(ranges)), not decides)


def _shown(sought: Sought) -> str:
    return " ".join(first if first == last else f"{first}*" for first, last in sought.ranges)


class Namings:
    """Whose names held the phrases of a text, at any revision up to one."""

    def __init__(self, text: Text, versions: Sequence[tuple[int, str, bytes | None]]) -> None:
        self._phrases = text.phrases
        self._held: dict[str, list[tuple[int, frozenset[Phrase]]]] = {}
        for revision, slug, document in versions:
            held = frozenset[Phrase]()
            if document is not None:
                held = frozenset(phrase for phrase in self._phrases if is_named(document, phrase))
            self._held.setdefault(slug, []).append((revision, held))

    @property
    def actors(self) -> Iterable[str]:
        """All of which a name has ever held one of the phrases, and perhaps more."""
        return self._held

    def _holds(self, slug: str, revision: int) -> frozenset[Phrase]:
        place = bisect_right(self._held[slug], revision, key=lambda each: each[0])
        return self._held[slug][place - 1][1] if place else frozenset()

    def at(self, revision: int) -> list[list[str]]:
        """For each of the phrases, the actors that a name of theirs held it."""
        held = {slug: self._holds(slug, revision) for slug in self._held}
        return [[slug for slug, phrases in held.items() if phrase in phrases] for phrase in self._phrases]

    def turns(self, since: int) -> Iterator[tuple[int, str]]:
        """The revisions after one at which an actor came to hold other phrases, with the actor."""
        for slug, versions in self._held.items():
            for revision, held in versions:
                if revision > since and held != self._holds(slug, revision - 1):
                    yield revision, slug


async def read_namings(connection: Connection, text: Text, until: int) -> Namings:
    """Whose names held the phrases at any revision up to one. Raises SelectionTooBroad."""
    sought = [_sought(phrase) for phrase in text.phrases]
    actors = await names.read_ever_named(connection, sought, until, NAMED_MAX + 1)
    versions = await names.read_versions(connection, actors, until, NAMES_MAX + 1)
    if len(actors) > NAMED_MAX or len(versions) > NAMES_MAX:
        raise SelectionTooBroad(
            "Too many actors have had names with words that are asked for. Ask for more letters, or for rarer words."
        )
    return Namings(text, versions)
