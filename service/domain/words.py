"""Words: text as it is searched, without case, accents and other ways of writing the same.

No stemming: it would serve some languages and mislead in others. A searcher who wants every ending asks for a prefix.
"""

import re
import unicodedata
from typing import Final

WORD_LENGTH_MAX: Final = 60
"""A longer word is indexed by its beginning alone."""

# Letters that Unicode does not take apart, and what people type in their place; then what Arabic and Persian keyboards
# write differently. An apostrophe that counts as a letter parts words as any other does; signs of transliteration and
# the line that stretches Arabic words say nothing.
_SAME: Final = {
    "đ": "d",
    "ð": "d",
    "ħ": "h",
    "ı": "i",
    "ł": "l",
    "ŋ": "n",
    "ø": "o",
    "ŧ": "t",
    "þ": "th",
    "æ": "ae",
    "œ": "oe",
    "ى": "ي",
    "ی": "ي",
    "ک": "ك",
    "ʼ": "'",
    "ʻ": "",
    "ʾ": "",
    "ʿ": "",
    "ـ": "",
}
# Scripts that put no spaces between words: Thai and Lao, Burmese, Khmer, the Tai scripts, kana, Han.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\uaa60-\uaa7f\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
)
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What says how a character is drawn, or that none is (Default_Ignorable_Code_Point), beside format characters."""
_VOWEL_SIGNS: Final = (103, 118)
"""Combining classes of Thai and Lao vowels, which are letters where all other such signs are accents."""
_RUNS: Final = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
_CACHED_MAX: Final = 20_000


class _Characters(dict[int, str]):
    """What becomes of each character, looked up once; for `str.translate`."""

    def __missing__(self, key: int) -> str:
        value = self.of(chr(key))
        if len(self) < _CACHED_MAX:
            self[key] = value
        return value

    def of(self, character: str) -> str:
        raise NotImplementedError


class _Folded(_Characters):
    def of(self, character: str) -> str:
        accent = unicodedata.combining(character) not in (0, *_VOWEL_SIGNS)
        if accent or unicodedata.category(character) in ("Cf", "Me") or _UNSEEN.match(character):
            return ""
        digit = unicodedata.decimal(character, None)
        return _SAME.get(character, character) if digit is None else str(digit)


class _OfWords(_Characters):
    def of(self, character: str) -> str:
        return character if character.isalnum() or unicodedata.category(character).startswith("M") else " "


_FOLDED, _OF_WORDS = _Folded(), _OfWords()


def folded(text: str) -> str:
    """Text without case and accents: Priština and Pristina are one. What is folded already stays as it is."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", apart.translate(_FOLDED))


def words_of(text: str) -> list[str]:
    """The words of a text, folded and in order.

    Where a script has no spaces between words, each character and the one after it make a word, so the last stands
    alone: any run of two and more is some of these words in a row, and one character is what some of them begin with.
    """
    words: list[str] = []
    for run in runs_of(text):
        words += pairs_of(run) if is_unspaced(run) else (run,)
    return words


def runs_of(text: str) -> list[str]:
    """The runs of letters and digits in a text, folded, each of scripts with spaces between words or without."""
    parted = folded(text).translate(_OF_WORDS)
    if parted.isascii() or not is_unspaced(parted):
        return parted.split()
    return [run for chunk in parted.split() for run in _RUNS.findall(chunk)]


def is_unspaced(text: str) -> bool:
    """Whether a text has characters of scripts without spaces; of a run, whether it is of such."""
    return not text.isascii() and _IS_UNSPACED.search(text) is not None


def pairs_of(run: str) -> list[str]:
    """Each character of a run with the one after it."""
    return [run[place : place + 2] for place in range(len(run))]


def indexed(word: str) -> str:
    """The word by which a word is found in the index: other words may be found by the same."""
    return word[:WORD_LENGTH_MAX]
