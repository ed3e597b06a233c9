"""Histories and selections to be drawn: small vocabularies, so that things meet.

What is drawn names nothing that exists yet. `World` makes names into slugs and keys of the example's own, and the
numbers called picks into ids, revisions and instants of its history.
"""

from typing import Any

from hypothesis import strategies as st

from tests.model import CLOCKS, INTERVALS, Form

# --- Vocabularies

ACTORS = ["a0", "a1", "a2", "a3", "a4"]
SOURCES = ["s0", "s1", "s2", "s3", "s4", "s5"]
OF_BATCHES = ["a5", "s6"]
"""An actor and a source that only batches name, so that some of them come upon names that do not stand yet."""
COLLECTIONS = {"c0": "public", "c1": "unlisted", "c2": "private"}
TIMELINES = ["t0", "t1"]
KEYS = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"]
NAMES = {*ACTORS, *SOURCES, *OF_BATCHES, *COLLECTIONS, *TIMELINES, *KEYS}
TAGS = ["kfor", "nato", "visit"]
KINDS = ["attack", "statement"]
ROLES = ["subject", "speaker"]
PHASES = ["happened", "expected", "hypothetical", "cancelled", "not_happened"]
STANCES = ["asserts", "confirms", "denies", "disputes", "corrects", "retracts", "expects", "mentions"]
STANDINGS = [
    "unsourced", "mentioned", "retracted", "contested", "denied", "corrected", "corroborated", "reported",
]  # fmt: skip
RELATIONS = ["responds_to", "causes", "depends_on"]
LANGUAGES = ["en", "en-GB", "sr-Latn", "sq"]
VISIBILITIES = ["public", "unlisted", "private"]
CALLERS = ["anyone", "reader", "writer"]
DATES = [
    "1999", "1999-06", "1999-06-10", "1999-01-01", "1999-01-01T00:00:00Z", "1999-06-10T23:59:59Z",
    "1999-06-10T12:00:00Z", "1999~", "199X", "1999/..", "1999-06/", "1999-06-12/2008", "../2008-02-17", "/1999",
    "2008-02-17", "2008-02-17?", "2008-02-17/2008-02-18", "2025-02/..", "0000-02", "-0043",
    "-0043-03-15/1999",
]  # fmt: skip
# No text is in both, so that no two claims of one event end as equals but for their ids.
PUBLISHED_OF_SOURCES = ["1999-06-10", "2008-02-17", "2025-02-19", "2025-02", "../2000"]
PUBLISHED_OF_CLAIMS = ["1999-06-11", "2008-02", "2025-02-01", "2025-02-20", "2025-02-19~", "../1999"]
KNOWN_DATES = ["-0044", "1999-06-10", "2000", "2008-02-17T12:00:00Z", "2025-02-18", "2025-02-19", "2025"]
WINDOWS: list[Form] = [
    {"from": "1999"}, {"from": "1999-06-10T12:00:00Z"}, {"from": "2008-02-18"}, {"from": "2025"},
    {"to": "1998"}, {"to": "1999-06-10"}, {"to": "1999-06-10T12:00:00Z"}, {"to": "2008"}, {"to": "0000"},
    {"from": "-0043", "to": "0000"}, {"from": "199X", "to": "199X"}, {"from": "1999-06", "to": "1999-06"},
    {"from": "1999", "to": "2008-02-17"}, {"from": "1999-01-01T00:00:00Z", "to": "1999-01-01T00:00:00Z"},
]  # fmt: skip
PUBLISHED_WINDOWS: list[Form] = [
    {"published_from": "2008"}, {"published_from": "2025-02-20"}, {"published_from": "1999-06-11T00:00:00Z"},
    {"published_to": "1998"}, {"published_to": "2008-02"}, {"published_to": "2025-02-19"},
    {"published_from": "2025-02-19", "published_to": "2025-02-19"}, {"published_from": "1999", "published_to": "2008"},
    {"published_from": "199X", "published_to": "199X"},
]  # fmt: skip
# Edges lie on coordinates of places; the last two cross 180°.
BOXES = [
    "20.9,42.6,46.7,42.6",
    "-180,-90,180,90",
    "20,40,21,43",
    "21,-90,180,90",
    "170,-90,20.9,90",
    "46.7,-20,-170,30",
]
# Three roots, two sources that share one of them, and one from which a single revision makes a cycle.
FIRST_SOURCES: dict[str, Form] = {
    "s0": {"published": "2025-02-19", "publisher": "a0"},
    "s1": {"published": "2008-02-17", "derived_from": ["s0", "s2"]},
    "s2": {},
    "s3": {"published": "../2000", "publisher": "a0"},
    "s4": {"published": "1999-06-10", "publisher": "a1", "derived_from": ["s2", "s3"]},
    "s5": {"published": "2025-02", "derived_from": ["s3"]},
    "s6": {"published": "2008-02-17", "publisher": "a5", "derived_from": ["s2", "s5"]},
}
PLACES = [
    {"name": "Kosovo", "country": "XK", "latitude": 42.6, "longitude": 20.9},
    {"name": "Riyadh", "country": "SA", "latitude": 24.7, "longitude": 46.7},
    {"name": "Suva", "country": "FJ", "latitude": -18.1, "longitude": 178.4},
    {"name": "Serbia", "country": "RS"},
]
PICTURE = {
    "url": "https://example.org/troops.jpg",
    "caption": "Troops",
    "credit": "A. Nobody",
    "alt": "Troops on a road",
    "licence": "CC0-1.0",
}
# What is said in several words, scripts and spellings, so that words and phrases meet or miss; `TEXTS` ask for it.
TITLES = ["First", "Second visit", "Second", "Poseta Prištini", "Visit, Second", "北京会談"]
SUMMARIES = ["Said once", "Said again", "Once said: a visit to Pristina", "在北京"]
QUOTES = ["We are not aware of any discussions", "Said again, once more"]
ALIASES = ["Alias", "Other alias", "Marko Đurić", "北京"]
CALLED = "renamed or alias or duric"
"""What is only said in names of actors, which they get and lose."""
TEXTS = [
    "first", "FIRST or pristini", "second visit", '"Second visit"', "-first", "-second -said", "poseta*", "again said",
    '-"second visit" second', "prištin* -said", '"said once"', "once -said", "aware or again", '"not awa*"', "kosovo",
    "KOSOVO or first", "suva -aware", "renamed", '"renamed again"', "renamed -again", "alias", '"other alias"',
    "-alias", "alias or second", "duric", '"marko duric" or "said again"', "ma*", "北京", "京", "会談 or said",
    '"alias said"',
]  # fmt: skip
MEMBERS = [
    "id", "key", "collection", "title", "occurred", "kind", "actors", "claims", "standing", "relations", "tags",
    "attributes", "revision", "created",
]  # fmt: skip

# --- Forms

Forms = st.SearchStrategy[Form]

one_of = st.sampled_from
picks = st.integers(0, 20)
"""Stands for one of the ids or revisions of an example, which are not known before it runs."""


def form(required: dict[str, Any] | None = None, /, **optional: Any) -> Forms:
    return st.fixed_dictionaries(required or {}, optional=optional)


def some(values: list[str], least: int = 0, most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(one_of(values), min_size=least, max_size=most, unique=True)


def chosen(values: list[str], most: int = 3) -> st.SearchStrategy[list[str]]:
    """The values of a repeatable parameter."""
    return some(values, 1, most).map(sorted)


def weighted(*choices: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One of the choices, drawn the more often the more often it is given."""
    return one_of(choices).flatmap(lambda choice: choice)


def together(*parts: Forms) -> Forms:
    return st.tuples(*parts).map(joined)


def several(part: Forms, most: int) -> Forms:
    return st.lists(part, max_size=most).map(joined)


def joined(forms: Any) -> Form:
    return {name: each[name] for each in forms for name in each}


def claim_identity(claim: Form) -> tuple[Any, ...]:
    named = (claim.get(name) for name in ("source", "stance", "published", "locator"))
    return *named, *claim.get("speakers", [])


# The last of each are rarely named, so that some are out of use at times and can be deleted.
actor_names = one_of([*ACTORS, *ACTORS[:3] * 2])
source_names = one_of([*SOURCES, *SOURCES[:4] * 2])
amounts = st.builds(lambda value: {"value": value, "bound": "over", "unit": "persons"}, st.integers(1, 600))
claims = form(
    {"source": source_names, "stance": one_of(STANCES)},
    via=source_names,
    speakers=st.lists(actor_names, max_size=2, unique=True),
    published=one_of([None, *PUBLISHED_OF_CLAIMS]),
    occurred=one_of([None, *DATES]),
    quote=one_of(QUOTES),
    locator=one_of(["p. 1", "p. 2"]),
)
participations = form(
    {"actor": actor_names, "role": one_of([None, *ROLES, *ROLES])},
    attributes=st.dictionaries(st.just("troops"), amounts),
)
relations = form({"type": one_of(RELATIONS), "pick": picks, "by_key": st.booleans()})
usual_fields: dict[str, st.SearchStrategy[Any]] = {
    "title": one_of(TITLES),
    "occurred": one_of([None, None, None, *DATES]),
    "actors": st.lists(participations, max_size=3, unique_by=lambda part: (part["actor"], part.get("role"))),
    "claims": st.lists(claims, max_size=4, unique_by=claim_identity),
    "tags": some(TAGS),
    "kind": one_of([None, *KINDS]),
    "relations": st.lists(relations, max_size=2),
    "places": st.lists(one_of(PLACES), max_size=2),
    "language": one_of([None, *LANGUAGES]),
}
further_fields: dict[str, st.SearchStrategy[Any]] = {
    "summary": one_of(SUMMARIES),
    "phase": one_of(PHASES),
    "media": st.lists(st.just(PICTURE), max_size=1),
    "attributes": st.dictionaries(one_of(["troops", "losses"]), amounts, max_size=2),
    "external_ids": st.dictionaries(st.just("wikidata"), one_of(["Q1246", "Q7184"])),
}
collection_names = one_of(["c0", "c0", "c1", "c2"])
events = form({"collection": collection_names, "key": one_of([None, *KEYS]), **usual_fields}, **further_fields)
keyed_events = form({"key": one_of(KEYS), **usual_fields}, **further_fields)
event_patches = form(
    title=usual_fields["title"],
    **{name: st.none() | each for name, each in (usual_fields | further_fields).items() if name != "title"},
)
source_patches = form(
    title=one_of(["Renamed", "Renamed again"]),
    publisher=one_of([None, *ACTORS]),
    published=one_of([None, *PUBLISHED_OF_SOURCES]),
    derived_from=one_of([None, ["s0"], ["s1"], ["s3"], ["s5"], ["s0", "s2"], ["s1", "s3"]]),
)
actor_patches = form(
    name=one_of(["Renamed", "Renamed again"]),
    aliases=some(ALIASES),
    names=st.dictionaries(one_of(["sr", "zh"]), one_of(ALIASES), max_size=2),
)
# A row may leave out what it does not change; of those that make an event the first has a title.
rows = weighted(
    form({"key": one_of(KEYS), **usual_fields}, collection=collection_names, **further_fields),
    form(
        {
            "key": one_of(KEYS),
            **usual_fields,
            "actors": st.lists(form({"actor": one_of(["a0", "a5"])}), max_size=1),
            "claims": st.just([{"source": "s6"}]),
        },
        collection=collection_names,
    ),
    form(
        {"key": one_of([None, *KEYS, *KEYS]), "title": usual_fields["title"]},
        collection=collection_names,
        **{name: st.none() | each for name, each in (usual_fields | further_fields).items() if name != "title"},
    ),
)


def row_key(drawn: tuple[Form, bool]) -> Any:
    """Distinct for rows that may stand in one batch."""
    return drawn[0]["key"] or id(drawn)


batches = form(
    {
        "rows": weighted(
            *[st.lists(st.tuples(rows, st.booleans()), min_size=1, max_size=5, unique_by=row_key)] * 5,
            st.lists(st.tuples(rows, st.booleans()), min_size=2, max_size=3),
        ),
        "on_existing": one_of([None, "merge", "merge", "merge", "replace", "skip", "fail"]),
        "collection": collection_names,
        "retract_missing": one_of([False, False, True]),
        "lines": st.booleans(),
    },
)

# --- Selections

undated = one_of(["include", "only", "exclude"])
any_or_all = one_of(["any", "all"])
windows = together(one_of(WINDOWS), form(match=one_of(["possible", "certain"]), undated=undated))
recorded_windows = together(
    form({"recorded_from": st.tuples(picks, st.booleans())}) | form({"recorded_to": st.tuples(picks, st.booleans())}),
    form(recorded_to=st.tuples(picks, st.booleans())),
)
# Claims are looked at one by one, so two things asked of them are drawn together as often as one.
claim_filters: Forms = st.lists(
    weighted(
        form({"source": chosen(SOURCES)}),
        form({"publisher": chosen(ACTORS)}),
        form({"speaker": chosen(ACTORS)}),
        form({"stance": chosen(STANCES)}),
        one_of(PUBLISHED_WINDOWS),
    ),
    min_size=1,
    max_size=2,
).map(joined)
related = form({"related_to": picks}, relation=chosen(RELATIONS, 2), direction=one_of(["in", "out", "both"]))
plain_filters: Forms = weighted(
    *[windows] * 3,
    *[claim_filters] * 4,
    form({"actor": chosen(ACTORS)}, actor_match=any_or_all),
    form({"actor": chosen(ACTORS), "role": chosen(ROLES, 1)}, actor_match=any_or_all),
    form({"role": chosen(ROLES, 2)}),
    form({"undated": undated}),
    form({"tag": chosen(TAGS)}, tag_match=any_or_all),
    form({"kind": chosen(KINDS)}),
    form({"phase": chosen(PHASES)}),
    form({"key": chosen(KEYS, 6)}),
    form({"language": chosen(["EN", "en-gb", "sr", "sq"], 2)}),
    form({"country": chosen(["XK", "SA", "FJ", "RS"], 2)}),
    form({"bbox": one_of(BOXES)}),
    form({"standing": chosen(STANDINGS)}),
    form({"min_origins": one_of(["0", "1", "2"])}),
    *[form({"q": one_of(TEXTS)})] * 3,
    recorded_windows,
    related,
)
# The first is defined and read more often, so that it is mostly there when it is asked for.
timeline_names = one_of([*TIMELINES, TIMELINES[0]])
timelines = form({"timeline": timeline_names})
idents = form({"id": st.lists(picks, min_size=1, max_size=6)})


def any_filters(most: int) -> Forms:
    return several(weighted(*[plain_filters] * 5, timelines, idents), most)


known: Forms = form({"known_at": one_of(KNOWN_DATES) | picks})
# Accounts are of many, since what nobody among them tells of is absent.
accounts: Forms = weighted(
    form({"according_to": some(ACTORS, 2, 5).map(sorted)}),
    form({"according_to_source": some(SOURCES, 2, 6).map(sorted)}),
    form({"according_to": some(ACTORS, 3, 5).map(sorted), "according_to_source": some(SOURCES, 4, 6).map(sorted)}),
)
maybe_lens: Forms = weighted(*[st.just({})] * 4, known, accounts, accounts, together(known, accounts))
old_pins: Forms = form({"revision": picks}) | form({"as_of": st.tuples(picks, st.booleans())})
pins: Forms = weighted(*[st.just({})] * 2, old_pins)
orders: Forms = one_of([{}, {"order": "asc"}, {"order": "desc"}])
# Every selection keeps to its example, by collections or by keys; the latter does not name what is unlisted.
homes: Forms = weighted(
    *[st.just({"collection": list(COLLECTIONS)})] * 3,
    one_of([{"collection": names} for names in (["c0"], ["c1"], ["c2"], ["c0", "c1"])]),
    st.just({"key": KEYS}),
)
selections = together(homes, any_filters(2), maybe_lens, pins, orders)
own_timelines = together(timelines, several(plain_filters, 1), maybe_lens, pins, orders)
"""What a timeline of the example holds, without naming collections beside it."""
TOUR: list[Form] = [
    {"from": "1999"}, {"to": "2008", "match": "certain"}, {"undated": "only"}, {"published_from": "2008-02-17"},
    {"published_to": "2008"}, {"recorded_from": (4, False)}, {"recorded_to": (3, True)}, {"role": ["subject"]},
    {"actor": ["a0", "a1"], "actor_match": "all"}, {"source": ["s0", "s1"]}, {"publisher": ["a0"]},
    {"speaker": ["a0", "a1"]}, {"stance": ["asserts", "denies"]}, {"standing": ["reported", "contested"]},
    {"min_origins": "1"}, {"tag": ["kfor", "visit"], "tag_match": "all"}, {"kind": ["attack"]}, {"key": ["k0", "k3"]},
    {"phase": ["expected", "happened"]}, {"language": ["en"]}, {"country": ["XK", "FJ"]}, {"bbox": BOXES[2]},
    {"q": "second or alias"}, {"q": "-said"},
    {"related_to": 2, "relation": ["causes", "depends_on"], "direction": "both"}, {"id": [0, 1, 2]}, {"timeline": "t0"},
    {"as_of": (2, True)}, {"revision": 3}, {"known_at": "2025-02-19"}, {"according_to": ["a0", "a1", "a2"]},
    {"according_to_source": ["s0", "s1", "s2"]}, {"order": "desc"},
    *({"actor": [actor], "role": [role]} for actor in ACTORS[:3] for role in ROLES),
    *({"source": [source], "stance": STANCES[start::2]} for source in SOURCES[:3] for start in (0, 1)),
    *({"publisher": ["a0"], "speaker": [actor]} for actor in ACTORS[:3]),
    *({"q": CALLED} | pin for pin in ({"known_at": "2025-02-19"}, {"revision": 2}, {"as_of": (3, True)})),
    {"q": CALLED, "revision": 4},
    *({"q": CALLED} | pin for pin in ({"known_at": "2025"}, {"revision": 5}, {"according_to": ["a0", "a1", "a2"]})),
    {"q": '"renamed again" or "other alias"'},
]  # fmt: skip
"""Each parameter by itself, and those that must hold of one thing in pairs, since what is drawn may pass one by. The
last eight are for names of actors, today and when they were others."""
readings = st.tuples(one_of([*CALLERS, "writer"]), weighted(*[selections] * 5, own_timelines))
"""Who asks, and for what."""

counts = st.tuples(readings, one_of(CLOCKS), one_of(["auto", "auto", *INTERVALS]))
"""Who asks for how many of what there are, by which clock, and in which intervals."""

Sides = tuple[Form, Form, Form, Form]
one_home: Forms = one_of([{"collection": [name]} for name in COLLECTIONS])
two_homes: st.SearchStrategy[Sides] = st.tuples(
    together(any_filters(1), pins), one_home, together(one_home, maybe_lens), orders
)
sides: st.SearchStrategy[Sides] = weighted(
    # One selection at two revisions or instants; what was known at two dates; two accounts of the same; a timeline
    # against another or itself; two collections; any two selections.
    *[st.tuples(together(homes, any_filters(1), maybe_lens), old_pins, pins, orders)] * 2,
    st.tuples(together(timelines, homes), old_pins, pins, st.just({})),
    # What is chosen by names alone comes and goes with them, and no event is revised.
    st.tuples(together(homes, form({"q": one_of([CALLED, "renamed", "-renamed", "alias"])})), old_pins, pins, orders),
    st.tuples(together(homes, any_filters(1), pins), known, known, orders),
    *[st.tuples(together(homes, any_filters(1), pins), accounts, weighted(accounts, st.just({})), orders)] * 2,
    *[st.tuples(st.just({}), together(timelines, pins), together(timelines, pins, maybe_lens), orders)] * 2,
    two_homes,
    st.tuples(homes, together(any_filters(1), maybe_lens, pins), together(any_filters(1), maybe_lens, pins), orders),
)
"""What both sides of a diff share, what the base has more, what the head has more, and an order for both."""
comparisons = weighted(
    *[st.tuples(one_of([*CALLERS, "writer"]), one_of(["id", "key"]), sides)] * 4,
    # Most of what is in two collections has a counterpart by its key alone.
    st.tuples(st.just("writer"), st.just("key"), two_homes),
)
"""Who asks, by what events are matched, and the sides."""
thinnings = one_of([[], *[["title", "occurred"], ["id"], ["claims", "standing", "actors"], ["relations", "key"]]])

# --- Writes: the name of a method of `World`, and what it takes

Write = tuple[Any, ...]
History = list[Write]

creations: st.SearchStrategy[Write] = st.tuples(st.just("create"), events)
patches: st.SearchStrategy[Write] = st.tuples(st.just("patch"), picks, event_patches)
revised_sources: st.SearchStrategy[Write] = st.tuples(st.just("revise_source"), one_of(SOURCES), source_patches)
definitions: st.SearchStrategy[Write] = st.tuples(
    st.just("define"),
    timeline_names,
    together(homes, several(plain_filters, 2), maybe_lens, orders, weighted(*[st.just({})] * 5, old_pins)),
    st.lists(picks, max_size=2),
    st.lists(picks, max_size=2),
    one_of(["public", "public", "unlisted", "private"]),
)
merges: st.SearchStrategy[Write] = st.tuples(st.just("merge"), one_of(ACTORS), one_of(ACTORS))
unmerges: st.SearchStrategy[Write] = st.tuples(st.just("unmerge"), picks)
shows: st.SearchStrategy[Write] = st.tuples(st.just("show"), one_of(list(COLLECTIONS)), one_of(VISIBILITIES))
WRITES: dict[str, tuple[int, st.SearchStrategy[Write]]] = {
    # The first writes nothing and is what others shrink to, so that histories may be long and failures short.
    "rest": (1, st.just(("rest",))),
    "create": (2, creations),
    "patch": (4, patches),
    "repeat": (1, st.tuples(st.just("repeat"), picks)),
    "retract": (2, st.tuples(st.just("retract"), picks)),
    "revert": (2, st.tuples(st.just("revert"), picks, picks)),
    "batch": (3, st.tuples(st.just("batch"), batches)),
    "revise_source": (3, revised_sources),
    "revise_actor": (2, st.tuples(st.just("revise_actor"), one_of(ACTORS), actor_patches)),
    "merge": (3, merges),
    "unmerge": (1, unmerges),
    "delete": (1, st.tuples(st.just("delete"), one_of([*SOURCES[2:], *ACTORS[2:]]))),
    "define": (3, definitions),
    "show": (1, shows),
}
"""Each kind of write, how often it is drawn, and what it takes."""


def some_writes(*without: str) -> st.SearchStrategy[Write]:
    return weighted(*(each for name, (weight, each) in WRITES.items() if name not in without for _ in range(weight)))


writes = some_writes()
histories: st.SearchStrategy[History] = st.tuples(
    st.lists(creations, min_size=3, max_size=8), st.lists(writes, min_size=8, max_size=14)
).map(lambda parts: parts[0] + parts[1])
