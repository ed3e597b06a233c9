"""Words as they are searched, and the texts that ask for them."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.domain.text import PHRASES_MAX, WORDS_MAX, Phrase, Piece, Text, read_text
from service.domain.words import folded, indexed, is_unspaced, runs_of, words_of

texts = st.text(max_size=60)
# Where it matters how characters stand together: letters with marks, scripts with and without spaces, marks of syntax.
tricky = st.text(alphabet="aBčßıİđ\u0301\u0307Ωςأـ京都タｱｶﾞกุ่한각हि्0٣½ﬁ\u200c\u00ad’'-_\"*“ or", max_size=40)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Priština, PRISTINA", "pristina pristina"), ("Đorđe Łódź Ærøskøbing", "dorde lodz aeroskobing"),
        ("Straße STRASSE", "strasse strasse"), ("ISTANBUL İstanbul ısı", "istanbul istanbul isi"),
        ("ΟΔΟΣ οδός", "οδοσ οδοσ"), ("Ћирилица, мёд и йод", "ћирилица мед и иод"),
        ("الرَّئيس مُحَمَّد كـــتاب", "الرييس محمد كتاب"), ("کتاب كتاب", "كتاب كتاب"), ("שָׁלוֹם", "שלום"),
        ("it's 1,258.5", "it s 1 258 5"), ("٣٤ ３４", "34 34"),
        ("co\u00adoperation می\u200cخواهم", "cooperation ميخواهم"),
        ("п\u02bcять п'ять", "п ять п ять"), ("ﬁne ①", "fine 1"), ("snake_case", "snake case"),
        ("北京大学", "北京 京大 大学 学"), ("京", "京"), ("東京Tower2", "東京 京 tower2"),
        ("ﾀﾜｰ ガ", "タワ ワー ー カ"),
        ("ไทย", "ไท ทย ย"), ("한국어를", "한국어를"), ("हिन्दी", "हिनदी"), ("", ""), ("— … ¿", ""),
        ("Kosovo \u2764\ufe0f Serbia", "kosovo serbia"), ("1\ufe0f\u20e3 a\u034fb", "1 ab"),
        ("葛\U000e0100城", "葛城 城"),
    ],
)  # fmt: skip
def test_the_words_of_a_text(text: str, words: str) -> None:
    assert words_of(text) == words.split()


@given(texts | tricky)
def test_what_is_folded_stays(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert folded(text.upper().lower()) == folded(text.lower().upper().lower())


@given(texts | tricky)
def test_words_are_letters_and_digits_and_stay_words(text: str) -> None:
    for run in runs_of(text):
        assert run
        assert not any(character.isspace() for character in run)
        assert runs_of(run) == [run]
        assert all(is_unspaced(character) == is_unspaced(run) for character in run)
    assert all(len(word) <= 2 for run in runs_of(text) if is_unspaced(run) for word in words_of(run))


@given(tricky, tricky)
def test_words_of_texts_side_by_side_are_the_words_of_each(one: str, other: str) -> None:
    assert words_of(f"{one} {other}") == words_of(one) + words_of(other)


@given(texts | tricky)
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        asked = read_text(text)
    except ValueError:
        return
    assert 0 < len(asked.phrases) <= PHRASES_MAX
    assert 0 < sum(len(phrase.pieces) for phrase in asked.phrases) <= WORDS_MAX
    assert read_text(written(asked)) == asked


def written(asked: Text) -> str:
    """A text that asks for the same, in quotation marks throughout."""
    wanted = [" or ".join(map(quoted, some)) for some in asked.wanted]
    return " ".join([*wanted, *(f"-{quoted(phrase)}" for phrase in asked.unwanted)])


def quoted(phrase: Phrase) -> str:
    words: list[str] = []
    place = 0
    for piece in phrase.pieces:
        if not is_unspaced(piece.word):
            words.append(piece.word + "*" * piece.prefix)
            place = piece.place + 1
        elif words and piece.place < place:
            words[-1] += piece.word[1:]
            place = piece.place + len(piece.word)
        else:
            words.append(piece.word)
            place = piece.place + len(piece.word)
    return f'"{" ".join(words)}"'


words = st.text(alphabet=string.ascii_lowercase + "éш", min_size=1, max_size=4)


@given(st.lists(words, min_size=1, max_size=8), st.data())
def test_a_text_holds_its_own_phrases_and_beginnings(said: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(said) - 1))
    end = data.draw(st.integers(start + 1, len(said)))
    part = said[start:end]
    (some,) = read_text(f'"{" ".join(part)}"').wanted
    assert some[0].stands_in(words_of(" ".join(said)))
    assume(len(folded(part[-1])) >= 2)
    begun = read_text(f'"{" ".join([*part[:-1], part[-1][:2]])}*"').wanted[0][0]
    assert begun.stands_in(words_of(" ".join(said)))


@given(st.text(alphabet="北京大学東", min_size=1, max_size=8), st.data())
def test_of_a_script_without_spaces_any_run_is_found(said: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(said) - 1))
    end = data.draw(st.integers(start + 1, len(said)))
    other = data.draw(st.text(alphabet="北京大学東", min_size=1, max_size=3))
    assert read_text(said[start:end]).wanted[0][0].stands_in(words_of(said))
    assert read_text(other).wanted[0][0].stands_in(words_of(said)) == (other in said)


def test_or_binds_more_tightly_than_what_stands_side_by_side() -> None:
    a, b, c, d = (Phrase((Piece(word),)) for word in ("aa", "bb", "cc", "dd"))
    assert read_text("aa bb OR cc -dd") == Text(((a,), (b, c)), (d,))
    assert read_text("aa or bb or cc") == Text(((a, b, c),))
    assert read_text("aa aa AA or ÁÁ bb or bb") == Text(((a,), (b,)))
    assert read_text('"aa bb*" 大学生') == Text(
        ((Phrase((Piece("aa"), Piece("bb", 1, True))),), (Phrase((Piece("大学"), Piece("学生", 1))),))
    )
    assert read_text("京 x") == Text(((Phrase((Piece("京", 0, True),)),), (Phrase((Piece("x"),)),)))


def test_a_long_word_is_indexed_by_its_beginning() -> None:
    assert indexed("a" * 60) == indexed("a" * 61) == "a" * 60
