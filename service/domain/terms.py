"""Terms: by which an event is found in the index, and for which of them a selection has it looked through.

What is posted and what is asked for stand side by side here, since each is worthless without the other. Terms find a
superset; a group that is `exact` finds just what the filter chooses, as long as no lens takes claims away.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, zip_longest

import msgspec
from msgspec import Struct

from service.domain.dates import LATEST, bound_text, recalled, year_start
from service.domain.event import Claim, Event, Facts
from service.domain.filters import Box, ClaimFilter, Filters, coordinates, language_ranges
from service.domain.lenses import Aliases, Lens
from service.domain.sampling import samples_of
from service.domain.standing import Tally
from service.domain.text import Phrase, Piece, Text, searched
from service.domain.words import WORD_LENGTH_MAX, indexed, words_of

Term = tuple[str, str]
"""A dimension and a value of it, such as ("actor", "bild")."""

Parents = Callable[[str], Iterable[str]]
"""The sources that a source is derived from."""

ORIGINS_MAX = 20
"""More independent origins than these are not told apart by terms."""
PAIRS_MAX = 400
WORDS_MAX = 5_000
"""An event of more different words is found by the first of them, and of the others one by one."""
MONTHS_MAX = 60
CELLS_MAX = 64
CELLS = {"fine cell": 0.1, "cell": 1.0, "coarse cell": 10.0}
"""Degrees of the sides of cells: a small box is looked for in small ones."""

_YEAR_0, _YEAR_10000 = year_start(0), year_start(10_000)


class Group(Struct, frozen=True):
    """Terms, any of which will do. between: dimensions and the first and last value, all between which will do too."""

    terms: tuple[Term, ...] = ()
    between: tuple[tuple[str, str, str], ...] = ()
    exact: bool = True
    unsure: Term | None = None
    """The one of its terms whose events may be what is looked for or not; without it the group may be exact."""


def posted(event: Event, facts: Facts, parents: Parents, aliases: Aliases) -> frozenset[Term]:
    """The terms under which a version stands in the index."""
    return frozenset(
        chain(
            _of_event(event),
            _of_claims(event, facts),
            _of_standing(event, facts, aliases),
            (("basis", slug) for slug in beneath(event, parents)),
            _of_text(event),
            (sample(rate) for rate in samples_of(event.id)),
            (("reaches", collection) for collection in facts.reaches if collection is not None),
        )
    )


def _of_event(event: Event) -> Iterator[Term]:
    yield "collection", event.collection
    yield "phase", event.phase
    if event.kind is not None:
        yield "kind", event.kind
    for tag in event.tags:
        yield "tag", tag
    for part in event.actors:
        yield "actor", part.actor
        if part.role is not None:
            yield "role", part.role
            yield "actor role", f"{part.actor} {part.role}"
    for language in language_ranges(event.language):
        yield "language", language
    for place in event.places:
        if place.country is not None:
            yield "country", place.country
    for latitude, longitude in coordinates(event):
        for dimension, degrees in CELLS.items():
            yield dimension, _cell(latitude, longitude, degrees)
    for relation in event.relations:
        yield "points at", relation.event
        yield "relation", f"{relation.type} {relation.event}"


LAST_CHARACTER = "\U0010ffff"
MORE_WORDS: Term = ("words", "more")


def _of_text(event: Event) -> list[Term]:
    words = dict.fromkeys(indexed(word) for text in searched(event) for word in words_of(text))
    terms: list[Term] = [("word", word) for word in islice(words, WORDS_MAX)]
    return terms if len(words) <= WORDS_MAX else [*terms, MORE_WORDS]


def _of_claims(event: Event, facts: Facts) -> Iterator[Term]:
    for claim, stated in zip(event.claims, facts.claims, strict=True):
        yield "source", claim.source
        yield "stance", claim.stance
        if stated.publisher is not None:
            yield "publisher", stated.publisher
        for speaker in claim.speakers:
            yield "speaker", speaker
        yield from _of_publication(claim)


def _of_publication(claim: Claim) -> Iterator[Term]:
    """The month of a publication, or what it could not be narrowed to: its year, or nothing at all."""
    if claim.published is None:
        return
    date = recalled(claim.published)
    if date.start is None or date.end is None or not _YEAR_0 <= date.start <= date.end < _YEAR_10000:
        yield "published", "wide"
        return
    first, last = bound_text(date.start, False), bound_text(date.end, False)
    if first[:4] != last[:4]:
        yield "published", "wide"
        return
    yield "published", first[:7] if first[:7] == last[:7] else first[:4]
    yield "published year", first[:4]


def _of_standing(event: Event, facts: Facts, aliases: Aliases) -> Iterator[Term]:
    """Of the claims in all, and where it was ever another, of those published by then."""
    stated = list(zip(event.claims, facts.claims, strict=True))
    yield "standing", event.standing.state
    for origins in range(2, min(event.standing.origins, ORIGINS_MAX) + 1):
        yield "origins", str(origins)
    dated = [pair for pair in stated if pair[1].reached is not None]
    tally = Tally(aliases)
    for pair, following in zip_longest(dated, dated[1:]):
        tally.add(*pair)
        if following is not None and following[1].reached == pair[1].reached:
            continue
        origins_then = tally.origins
        state = tally.state(origins_then)
        if state != event.standing.state:
            yield "standing once", state
        for origins in range(max(event.standing.origins, 1) + 1, min(origins_then, ORIGINS_MAX) + 1):
            yield "origins once", str(origins)


def beneath(event: Event, parents: Parents) -> set[str]:
    """Every source that the event's claims rest on, near and far."""
    found = {claim.source for claim in event.claims} | {claim.via for claim in event.claims if claim.via is not None}
    waiting = list(found)
    while waiting:
        for parent in parents(waiting.pop()):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def asked(filters: Filters, lens: Lens) -> Iterator[Group]:
    """What the index is to look for; a filter that no term can narrow is not in it and leaves the rest to `hold`."""
    yield from _plain("collection", filters.collections)
    yield from _plain("kind", filters.kinds)
    yield from _plain("phase", filters.phases)
    yield from _plain("country", filters.countries)
    yield from _plain("language", tuple(language.lower() for language in filters.languages))
    for tags in ((tag,) for tag in filters.tags) if filters.all_tags else (filters.tags,):
        yield from _plain("tag", tags)
    yield from _participations(filters, lens)
    yield from _claims(filters.claim, lens)
    if not lens.of_account:
        once = () if lens.known == LATEST else tuple(("standing once", state) for state in filters.standings)
        if filters.standings:
            yield Group((*(("standing", state) for state in filters.standings), *once))
        if filters.origins_min > 1:
            value = str(min(filters.origins_min, ORIGINS_MAX))
            terms: tuple[Term, ...] = (("origins", value),)
            if lens.known != LATEST:
                terms += (("origins once", value),)
            yield Group(terms, exact=filters.origins_min <= ORIGINS_MAX)
    if filters.box is not None:
        yield from _box(filters.box)
    if filters.text is not None:
        yield from _words(filters.text, lens)
    related = filters.related
    if related is not None and related.out is None:
        yield Group(() if related.event is None else tuple(pointing(related.event, related.types)))


def is_exact(filters: Filters, lens: Lens, groups: Iterable[Group]) -> bool:
    """Whether the groups asked for and excluded choose just what the filters do, dates, ids, keys and revisions apart.

    Through a lens that takes claims away they do only where nothing is asked of claims and no account dates events.
    """
    members = (filters.claim.sources, filters.claim.publishers, filters.claim.speakers, filters.claim.stances)
    asks_of_claims = any(members) or filters.standings or filters.origins_min or filters.text is not None
    return (
        not lens.of_account
        and not (lens.trims and asks_of_claims)
        and sum(bool(member) for member in members) <= 1
        and filters.claim.published is None
        and filters.origins_min != 1
        and filters.box is None
        and (filters.related is None or filters.related.out is None)
        and all(group.exact for group in groups)
    )


def excluded(filters: Filters, lens: Lens) -> Iterator[Group]:
    """What the index is to leave out, as far as a group is exact: where a lens trims, it may be unseen."""
    if filters.text is not None:
        for phrase, actors in filters.text.of_names.items():
            if phrase in filters.text.unwanted:
                group = _of_pieces(list(phrase.pieces), (phrase,), actors, lens)
                yield msgspec.structs.replace(group, exact=group.exact and not lens.trims)


def sample(rate: int) -> Term:
    """Of the events that stand for so many each."""
    return "sample", str(rate)


def of_account(lens: Lens) -> Iterator[Group]:
    """What an account lens lets through: a voice is a speaker, or else the publisher."""
    if lens.accounts is not None:
        slugs = same_actors(lens.accounts, lens.aliases)
        yield Group(tuple((name, slug) for name in ("speaker", "publisher") for slug in slugs), exact=False)
    if lens.account_sources is not None:
        yield Group(tuple(("source", slug) for slug in sorted(lens.account_sources)), exact=False)


def same_actors(slugs: Iterable[str], aliases: Aliases) -> list[str]:
    """The slugs, and all others that stand for the same actors."""
    meant = {aliases.get(slug, slug) for slug in slugs}
    return sorted(meant | {alias for alias, actor in aliases.items() if actor in meant})


def pointing(event: str, types: frozenset[str]) -> Iterator[Term]:
    """Of events with a relation to this one, of one of the types or of any."""
    if not types:
        yield "points at", event
    for name in sorted(types):
        yield "relation", f"{name} {event}"


def _plain(dimension: str, values: tuple[str, ...]) -> Iterator[Group]:
    if values:
        yield Group(tuple((dimension, value) for value in values))


def _participations(filters: Filters, lens: Lens) -> Iterator[Group]:
    if not filters.actors:
        yield from _plain("role", filters.roles)
        return
    for actors in ((actor,) for actor in filters.actors) if filters.all_actors else (filters.actors,):
        slugs = same_actors(actors, lens.aliases)
        pairs = [("actor role", f"{slug} {role}") for slug in slugs for role in filters.roles]
        if pairs and len(pairs) <= PAIRS_MAX:
            yield Group(tuple(pairs))
        else:
            yield Group(tuple(("actor", slug) for slug in slugs), exact=not filters.roles)


def _claims(claim: ClaimFilter, lens: Lens) -> Iterator[Group]:
    yield from _plain("source", claim.sources)
    yield from _plain("stance", claim.stances)
    if claim.publishers:
        yield from _plain("publisher", tuple(same_actors(claim.publishers, lens.aliases)))
    if claim.speakers:
        yield from _plain("speaker", tuple(same_actors(claim.speakers, lens.aliases)))
    if claim.published is not None:
        yield _publication(*claim.published)


def _publication(first: int, last: int) -> Group:
    low, high = max(first, _YEAR_0), min(last, _YEAR_10000 - 1)
    wide: Term = ("published", "wide")
    if low > high:
        return Group((wide,), exact=False)
    begins, ends = bound_text(low, False), bound_text(high, False)
    years = int(ends[:4]) - int(begins[:4])
    if years * 12 + int(ends[5:7]) - int(begins[5:7]) < MONTHS_MAX:
        # A year alone stands before its months and may hold any of them.
        alone = tuple(("published", f"{int(begins[:4]) + number:04d}") for number in range(years + 1))
        return Group((wide, *alone), (("published", begins[:7], ends[:7]),), exact=False)
    return Group((wide,), (("published year", begins[:4], ends[:4]),), exact=False)


def _words(text: Text, lens: Lens) -> Iterator[Group]:
    """Each word of a phrase that is wanted; of several phrases, any of which will do, one word of each."""
    of_names = text.of_names
    for some in text.wanted:
        several = len(some) > 1
        sets = [[max(phrase.pieces, key=_telling) for phrase in some]] if several else [[p] for p in some[0].pieces]
        for pieces in sets:
            yield _of_pieces(pieces, some, frozenset().union(*(of_names[phrase] for phrase in some)), lens)


def _telling(piece: Piece) -> tuple[bool, int]:
    """Long words are rare, and what begins with a few letters is much."""
    return not piece.prefix, len(piece.word)


def _of_pieces(pieces: list[Piece], phrases: tuple[Phrase, ...], actors: frozenset[str], lens: Lens) -> Group:
    words: list[Term] = [("word", indexed(piece.word)) for piece in pieces if not piece.prefix]
    named = [(dimension, slug) for slug in same_actors(actors, lens.aliases) for dimension in ("actor", "speaker")]
    begun = [indexed(piece.word) for piece in pieces if piece.prefix]
    return Group(
        (*words, *named, MORE_WORDS),
        tuple(("word", first, first + LAST_CHARACTER) for first in begun),
        exact=all(len(p.pieces) == 1 and len(p.pieces[0].word) < WORD_LENGTH_MAX for p in phrases),
        unsure=MORE_WORDS,
    )


def _cell(latitude: float, longitude: float, degrees: float) -> str:
    return f"{_row(latitude, degrees)} {math.floor((longitude + 180) / degrees) % round(360 / degrees)}"


def _row(latitude: float, degrees: float) -> int:
    """The row of cells in which a latitude lies, with the pole in the last."""
    return min(math.floor((latitude + 90) / degrees), round(180 / degrees) - 1)


def _box(box: Box) -> Iterator[Group]:
    for dimension, degrees in CELLS.items():
        rows = range(_row(box.south, degrees), _row(box.north, degrees) + 1)
        around = round(360 / degrees)
        west, east = math.floor((box.west + 180) / degrees), math.floor((box.east + 180) / degrees)
        width = east - west + 1 if box.west <= box.east else around - west + east + 1
        if dimension == "coarse cell" or len(rows) * width <= CELLS_MAX:
            columns = {(west + step) % around for step in range(min(width, around))}
            yield Group(
                tuple((dimension, f"{row} {column}") for row in rows for column in sorted(columns)), exact=False
            )
            return
