"""Full text: what `q` asks for, and whether an event holds it.

    kosovo                 the word, in any field or in the name of an actor
    "free elections"       these words in this order, in one field or one name
    troop*                 every word that begins so
    serbia or kosovo       either of them; `or` binds more tightly than what stands side by side
    -kfor                  not this

All of it must hold of the event as a whole, each part of whatever field.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from service.domain.event import Event
from service.domain.lenses import Lens, actors_named
from service.domain.words import is_unspaced, pairs_of, runs_of, words_of

TEXT_MAX: Final = 500
PHRASES_MAX: Final = 20
WORDS_MAX: Final = 60
"""In all phrases together; of a script without spaces, pairs of characters."""
PREFIX_MIN: Final = 2

# „…“, “…” and «…» are what keyboards and word processors make of "…".
_MARKS: Final = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_PARTS: Final = re.compile(r'(?P<out>-?)"(?P<quoted>[^"]*)(?P<closed>"?)|[^\s"]+')


class Piece(Struct, frozen=True):
    """One word of a phrase, or with `prefix` what it begins with. place: how far from the phrase's beginning."""

    word: str
    place: int = 0
    prefix: bool = False

    def fits(self, word: str) -> bool:
        return word.startswith(self.word) if self.prefix else word == self.word


class Phrase(Struct, frozen=True):
    """Words beside each other; mostly just one."""

    pieces: tuple[Piece, ...]

    def stands_in(self, words: Sequence[str]) -> bool:
        """Whether a text of these words, in order, holds the phrase."""
        # Most texts lack a word of it, which is soon seen.
        if not all(piece.prefix or piece.word in words for piece in self.pieces):
            return False
        reach = len(words) - self.pieces[-1].place
        return any(all(piece.fits(words[start + piece.place]) for piece in self.pieces) for start in range(reach))


class Text(Struct, frozen=True):
    """What is to be held: of each of `wanted` any phrase, and none that is unwanted."""

    wanted: tuple[tuple[Phrase, ...], ...]
    unwanted: tuple[Phrase, ...] = ()
    named: tuple[frozenset[str], ...] = ()
    """For each of the phrases the actors, those whom others stand for left out, of which a name holds it."""

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys([*(each for some in self.wanted for each in some), *self.unwanted]))

    @property
    def of_names(self) -> dict[Phrase, frozenset[str]]:
        return dict(zip(self.phrases, self.named, strict=True))

    def hold(self, event: Event, lens: Lens) -> bool:
        """Whether the event, as seen, holds what is wanted and nothing that is not."""
        fields = [words_of(field) for field in searched(event)]
        actors = {lens.actor(slug) for slug in actors_named(event)}
        held = {
            phrase
            for phrase, named in self.of_names.items()
            if not named.isdisjoint(actors) or any(phrase.stands_in(words) for words in fields)
        }
        return held.isdisjoint(self.unwanted) and all(not held.isdisjoint(some) for some in self.wanted)


def searched(event: Event) -> Iterator[str]:
    """The texts of an event that are searched, beside the names of its actors."""
    yield event.title
    yield from (place.name for place in event.places if place.name is not None)
    if event.summary is not None:
        yield event.summary
    yield from (claim.quote for claim in event.claims if claim.quote is not None)


class _Part(Struct, frozen=True):
    """What stands between spaces: a phrase, or the word that joins two of them (phrase None)."""

    at: int
    said: str
    phrase: Phrase | None
    out: bool = False


def read_text(text: str) -> Text:
    """What a text asks for. Raises ValueError, which says what of it cannot be read, and where."""
    wanted: list[list[Phrase]] = []
    unwanted: list[Phrase] = []
    before = joining = None
    for part in _parts(text.translate(_MARKS)):
        if part.phrase is None:
            if before is None or before.phrase is None or before.out:
                raise _unjoined(part)
            joining = part
        elif joining is not None:
            if part.out:
                raise _unjoined(joining)
            wanted[-1].append(part.phrase)
            joining = None
        elif part.out:
            unwanted.append(part.phrase)
        else:
            wanted.append([part.phrase])
        before = part
    if joining is not None:
        raise _unjoined(joining)
    found = Text(tuple(dict.fromkeys(tuple(dict.fromkeys(some)) for some in wanted)), tuple(dict.fromkeys(unwanted)))
    if not found.phrases:
        raise ValueError("there is no word in it to look for")
    if len(found.phrases) > PHRASES_MAX:
        raise ValueError(f"it asks for {len(found.phrases)} words and phrases, and may for {PHRASES_MAX}")
    words = sum(len(phrase.pieces) for phrase in found.phrases)
    if words > WORDS_MAX:
        raise ValueError(f"its phrases have {words} words, and may have {WORDS_MAX}")
    return found


def _unjoined(part: _Part) -> ValueError:
    return ValueError(
        f"{part.said!r} at character {part.at + 1} is not between two words or phrases that are wanted; "
        f'the word itself is written "{part.said}"'
    )


def _parts(text: str) -> Iterator[_Part]:
    """The parts of a text that hold words; what is only punctuation is passed over."""
    for match in _PARTS.finditer(text):
        said, at = match[0], match.start()
        quoted = match["quoted"]
        if quoted is None and said.casefold() == "or":
            yield _Part(at, said, None)
            continue
        if quoted is not None and not match["closed"]:
            raise ValueError(f"the quotation mark at character {match.start('quoted')} is not closed")
        out = said.startswith("-")
        inside = match.start("quoted") if quoted is not None else at + out
        pieces = tuple(_pieces(said.removeprefix("-") if quoted is None else quoted, inside))
        if pieces:
            yield _Part(at, said, Phrase(pieces), out)


def _pieces(text: str, at: int) -> Iterator[Piece]:
    """The words of a phrase that stands at a character of the whole."""
    for star in re.finditer(r"\*", text):
        after = text[star.end() :]
        if (after and not after[0].isspace()) or not words_of(text[: star.start()][-1:]):
            raise ValueError(f"'*' at character {at + star.start() + 1} is not at the end of a word")
    place = 0
    starred = text.split("*")
    for number, some in enumerate(starred):
        runs = runs_of(some)
        for run_number, run in enumerate(runs):
            if is_unspaced(run):
                # One character is what pairs begin with; of more, the last is in the pair before.
                yield from (
                    Piece(pair, place + n, len(run) == 1) for n, pair in enumerate(pairs_of(run)[: len(run) - 1 or 1])
                )
                place += len(run)
                continue
            prefix = number < len(starred) - 1 and run_number == len(runs) - 1
            if prefix and len(run) < PREFIX_MIN:
                raise ValueError(f"'{run}*' is too short: at least {PREFIX_MIN} letters begin a word")
            yield Piece(run, place, prefix)
            place += 1
