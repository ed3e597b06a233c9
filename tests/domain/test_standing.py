"""Standing as a pure function of the claims seen: states, voices, origins."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.dates import EARLIEST
from service.domain.event import Claim, ClaimFacts, Standing
from service.domain.standing import Stated, Tally, roots_of, standing_of


def said(
    stance: str,
    speaker: str | None = "a",
    *,
    source: str = "s",
    roots: tuple[str, ...] | None = None,
    published: str | None = "2020",
    reached: int | None = 0,
    publisher: str | None = None,
) -> Stated:
    claim = Claim(
        id="00000000-0000-5000-8000-000000000000",
        source=source,
        via=None,
        stance=stance,  # type: ignore[arg-type]
        speakers=[] if speaker is None else [speaker],
        occurred=None,
        quote=None,
        locator=None,
        published=published,
        confidence=None,
    )
    roots = (source,) if roots is None else roots
    facts = ClaimFacts(publisher=publisher, reached=reached, dated_by_source=False, roots=list(roots))
    return claim, facts


def test_without_claims() -> None:
    assert standing_of([]) == Standing(
        state="unsourced", asserting=0, denying=0, sources=0, origins=0, first_published=None, first_denied=None
    )


# By rows: stances in the order in which they were published, each by a voice of its own from a source of its own.
@pytest.mark.parametrize(
    ("stances", "state", "asserting", "denying"),
    [
        ("mentions", "mentioned", 0, 0),
        ("expects", "mentioned", 0, 0),
        ("mentions expects mentions", "mentioned", 0, 0),
        ("retracts", "retracted", 0, 0),
        ("retracts mentions", "retracted", 0, 0),
        ("asserts", "reported", 1, 0),
        ("confirms", "reported", 1, 0),
        ("asserts mentions expects", "reported", 1, 0),
        ("asserts retracts", "reported", 1, 0),
        ("corrects", "corrected", 1, 0),
        ("asserts corrects", "corrected", 2, 0),
        ("corrects confirms", "corrected", 2, 0),
        ("asserts confirms", "corroborated", 2, 0),
        ("asserts asserts asserts", "corroborated", 3, 0),
        ("denies", "denied", 0, 1),
        ("disputes", "denied", 0, 1),
        ("denies disputes", "denied", 0, 2),
        ("denies retracts expects", "denied", 0, 1),
        ("asserts denies", "contested", 1, 1),
        ("confirms disputes", "contested", 1, 1),
        ("corrects denies", "contested", 1, 1),
        ("asserts confirms corrects denies disputes", "contested", 3, 2),
    ],
)
def test_the_first_state_that_fits(stances: str, state: str, asserting: int, denying: int) -> None:
    words = stances.split()
    claims = [said(stance, f"{place}", source=f"s{place}") for place, stance in enumerate(words)]
    standing = standing_of(claims)
    assert (standing.state, standing.asserting, standing.denying) == (state, asserting, denying)
    assert standing.sources == len(words)
    assert standing.origins == asserting


# One voice: only its latest claim counts, once mentions and expectations are set aside.
@pytest.mark.parametrize(
    ("stances", "state", "asserting", "denying"),
    [
        ("asserts denies", "denied", 0, 1),
        ("denies asserts", "reported", 1, 0),
        ("asserts mentions", "reported", 1, 0),
        ("asserts denies expects", "denied", 0, 1),
        ("mentions asserts", "reported", 1, 0),
        ("asserts retracts", "retracted", 0, 0),
        ("asserts retracts confirms", "reported", 1, 0),
        ("corrects asserts", "reported", 1, 0),
        ("asserts corrects", "corrected", 1, 0),
        ("asserts asserts asserts", "reported", 1, 0),
    ],
)
def test_of_each_voice_only_the_latest_counts(stances: str, state: str, asserting: int, denying: int) -> None:
    words = stances.split()
    standing = standing_of([said(stance, source=f"s{place}") for place, stance in enumerate(words)])
    assert (standing.state, standing.asserting, standing.denying) == (state, asserting, denying)
    assert standing.origins == asserting
    assert standing.sources == len(words)


def test_an_actor_and_a_source_of_one_slug_are_two_voices() -> None:
    assert standing_of([said("asserts", "bild"), said("denies", None, source="bild")]).state == "contested"


def test_a_voice_is_the_first_speaker_else_the_publisher_else_the_source() -> None:
    spoken = said("asserts", "duric", source="bild-1", publisher="bild")
    written = said("denies", None, source="bild-2", publisher="bild")
    assert standing_of([spoken, written]).state == "contested"
    assert standing_of([written, said("asserts", "bild", source="elsewhere")]).state == "reported"
    assert standing_of([written, said("asserts", None, source="bild-2", publisher="bild")]).state == "reported"
    assert standing_of([said("asserts", None), said("denies", None, source="other")]).state == "contested"


def test_merged_actors_are_one_voice() -> None:
    claims = [said("asserts", "pristina", source="s1"), said("denies", "prishtina", source="s2")]
    assert standing_of(claims).state == "contested"
    for aliases in ({"prishtina": "pristina"}, {"prishtina": "kosovo", "pristina": "kosovo"}):
        standing = standing_of(claims, aliases)
        assert (standing.state, standing.asserting, standing.denying) == ("denied", 0, 1)
    # A source is no actor, whatever its slug is merged into.
    lone = [said("asserts", None, source="prishtina"), said("denies", "pristina", source="s2")]
    assert standing_of(lone, {"prishtina": "pristina"}).state == "contested"


def test_first_dates_are_those_of_the_earliest_claims_that_assert_or_deny() -> None:
    standing = standing_of(
        [
            said("denies", "d", published=None, reached=None),
            said("mentions", "m", published="2017", reached=1),
            said("asserts", "a", published="2018", reached=2),
            said("asserts", "b", published="2019-05~", reached=3),
            said("denies", "c", published="2020", reached=4),
            said("denies", "a", published="2021", reached=5),
        ]
    )
    # Whoever said it first may have changed their mind since: it was first said then all the same.
    assert (standing.first_published, standing.first_denied) == ("2018", "2020")
    # A date without a beginning is the earliest of all; no date at all is none.
    open_start = standing_of([said("asserts", published="../2000", reached=EARLIEST), said("asserts", "b")])
    assert open_start.first_published == "../2000"
    assert standing_of([said("asserts", published=None, reached=None)]).first_published is None


# --- Origins


def test_twelve_articles_on_one_report_are_one_origin() -> None:
    claims = [said("asserts", f"{n}", source=f"article-{n}", roots=("report",)) for n in range(12)]
    standing = standing_of(claims)
    assert (standing.state, standing.asserting, standing.sources, standing.origins) == ("reported", 12, 12, 1)


# By rows: roots of each asserting claim, whose source is its place.
@pytest.mark.parametrize(
    ("roots", "origins"),
    [
        (["a"], 1),
        (["a", "a"], 1),
        (["a", "b"], 2),
        (["ab"], 1),
        # One that touches a counted root adds none …
        (["a", "ab"], 1),
        (["ab", "a"], 1),
        (["ab", "b", "a"], 2),
        # … and marks none: what stands on its other roots adds one.
        (["a", "ab", "bc"], 2),
        # One that adds marks all its roots.
        (["ab", "bc"], 1),
        (["ab", "bc", "cd"], 2),
        (["ab", "cd", "bc"], 2),
        (["ab", "cd", "ef"], 3),
        (["abc", "cd", "de", "ef"], 2),
    ],
)
def test_origins_count_single_roots_first_then_several_by_source(roots: list[str], origins: int) -> None:
    claims = [said("asserts", f"{place}", source=f"s{place}", roots=tuple(each)) for place, each in enumerate(roots)]
    # Not the order of the claims decides, but that of their sources.
    for order in permutations(claims):
        assert standing_of(order).origins == origins


def test_of_one_source_the_order_of_the_claims_that_count_decides() -> None:
    def through(speaker: str, roots: str) -> Stated:
        return said("asserts", speaker, roots=tuple(roots))

    first, second, third = through("b", "ab"), through("c", "cd"), through("a", "bc")
    assert standing_of([first, second, third]).origins == 2
    assert standing_of([third, first, second]).origins == 1
    # A claim takes its voice's later place, not that of the one which it supersedes.
    assert standing_of([through("a", "x"), first, second, third]).origins == 2


def test_denials_and_superseded_claims_are_no_origins() -> None:
    claims = [
        said("asserts", "a", roots=("x",)),
        said("denies", "b", roots=("y",)),
        said("denies", "a", roots=("z",)),
        said("confirms", "c", roots=("w",)),
    ]
    assert standing_of(claims).origins == 1


# --- Roots


@pytest.mark.parametrize(
    ("graph", "roots"),
    [
        ({"s": []}, ["s"]),
        ({"s": ["a"], "a": []}, ["a"]),
        ({"s": ["a", "b"], "a": ["c"], "b": ["c"], "c": []}, ["c"]),
        ({"s": ["b", "a"], "a": [], "b": []}, ["a", "b"]),
        ({"s": ["s"]}, ["s"]),
        # A circle is one root, whichever way it is entered; one with a way out is none.
        ({"s": ["c"], "c": ["b"], "b": ["c"]}, ["b"]),
        ({"s": ["a"], "a": ["s"]}, ["a"]),
        ({"s": ["a"], "a": ["s", "z"], "z": []}, ["z"]),
        ({"s": ["b", "d"], "b": ["c"], "c": ["b"], "d": ["d"]}, ["b", "d"]),
        ({"s": ["a"], "a": ["b"], "b": ["a", "c"], "c": ["d"], "d": ["c"]}, ["c"]),
    ],
)
def test_roots_are_where_derivation_ends(graph: dict[str, list[str]], roots: list[str]) -> None:
    assert roots_of("s", graph.__getitem__) == roots


@given(st.lists(st.lists(st.integers(0, 6), max_size=3, unique=True), min_size=7, max_size=7))
def test_roots_are_the_circles_without_a_way_out(derived_from: list[list[int]]) -> None:
    graph = {str(place): [str(parent) for parent in parents] for place, parents in enumerate(derived_from)}

    def reach(start: str) -> set[str]:
        found = {start}
        for _ in graph:
            found |= {parent for each in found for parent in graph[each]}
        return found

    ends = {frozenset(reach(each)) for each in reach("0") if all(each in reach(on) for on in reach(each))}
    assert roots_of("0", graph.__getitem__) == sorted(min(end) for end in ends)


def test_chains_may_be_longer_than_the_stack() -> None:
    length = 50_000
    assert roots_of("0", lambda slug: [str(int(slug) + 1)] if int(slug) < length else []) == [str(length)]
    assert roots_of("0", lambda slug: [str((int(slug) + 1) % length)]) == ["0"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["asserts", "confirms", "corrects", "denies", "disputes", "retracts", "mentions", "expects"]
            ),
            st.sampled_from([None, "a", "b", "c"]),
            st.sampled_from("stu"),
            st.sets(st.sampled_from("pqrst"), min_size=1, max_size=3),
        ),
        max_size=12,
    )
)
def test_a_tally_is_after_each_claim_what_all_up_to_it_amount_to(words: list[tuple[str, str, str, set[str]]]) -> None:
    claims = [
        said(stance, speaker, source=source, roots=tuple(sorted(roots))) for stance, speaker, source, roots in words
    ]
    tally = Tally({"c": "a"})
    for number, claim in enumerate(claims, 1):
        tally.add(*claim)
        standing = standing_of(claims[:number], {"c": "a"})
        told = (tally.state(tally.origins), tally.asserting, tally.denying, tally.origins)
        assert told == (standing.state, standing.asserting, standing.denying, standing.origins)
