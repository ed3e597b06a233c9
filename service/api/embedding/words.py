"""The component's words in its languages, for pages that are read without it."""

import json
import re
from pathlib import Path
from typing import Any, Final

from service import embed
from service.domain.parameters import Parameter

WORDS: Final[dict[str, dict[str, Any]]] = json.loads(
    (Path(embed.__file__).parent / "dist" / "words.json").read_text(encoding="utf-8")
)
NAMES: Final = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "sq": "Shqip",
    "sr": "Српски",
    "sr-Latn": "Srpski",
    "it": "Italiano",
    "ru": "Русский",
    "ar": "العربية",
    "uk": "Українська",
    "es": "Español",
}
_RIGHT_TO_LEFT: Final = frozenset(("ar", "fa", "he", "ur"))

LANG: Final = Parameter(
    name="lang",
    schema={"type": "string", "pattern": r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}\Z", "maxLength": 60},
    form="a language tag such as de or sr-Latn",
    example="de",
    description="The language of the words around the events; dates are told in it too. It filters nothing.",
)


def words_in(language: str) -> dict[str, Any]:
    """The words of the language, or English ones."""
    primary, *rest = language.split("-")
    if primary == "sr" and "latn" in (each.lower() for each in rest):
        return WORDS["sr-latn"]
    return WORDS.get(primary.lower(), WORDS["en"])


def direction_of(language: str) -> str:
    return "rtl" if language.split("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def filled(text: str, *values: object) -> str:
    """A text with values in its places."""
    return re.sub(r"\{(\d)\}", lambda place: str(values[int(place[1])]), text)
