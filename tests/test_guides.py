"""The guides: every call answers as printed, and the tables are those of the code."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from service.domain import parameters, values
from tests.conftest import Live, environment, new_folder, served
from tests.printed import CURLS, ROOT, follow, shell_of, steps_of

GUIDES = ROOT / "docs" / "guides"


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Iterator[Live]:
    """The shared dossier for a guide that only reads; for one that writes, a store of its own."""
    page: Path = request.getfixturevalue("page")
    with ExitStack() as kept:
        if "key create" in page.read_text():
            yield kept.enter_context(served(kept.enter_context(new_folder())))
        else:
            yield request.getfixturevalue("dossier")


@pytest.mark.parametrize("page", sorted(GUIDES.glob("*.md")), ids=lambda page: page.stem)
def test_every_call_answers_as_printed(page: Path, store: Live, tmp_path: Path) -> None:
    assert len(steps_of(page.read_text())) >= 5
    with shell_of(tmp_path / "checkout", tmp_path / "bin", environment(store.data_dir), CURLS[0]) as shell:
        follow(page, shell, store.base_url)


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, each a list of its cells."""
    section = (GUIDES / page).read_text().split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in re.findall(r"^\|.*\|$", section, re.MULTILINE)]
    return rows[2:]


def test_the_table_of_parameters_is_the_table_of_the_code() -> None:
    told = {re.sub("`", "", row[0]): row[1:] for row in rows_of("selections.md", "## Every parameter")}
    assert [*told] == [each.name for each in parameters.LISTING]
    for each in parameters.LISTING:
        takes, _meaning = told[each.name]
        assert takes == _takes(each), each.name


NAMES = {
    "BoundingBox": "minLon,minLat,maxLon,maxLat",
    "Country": "country code",
    "Cursor": "`next`, or the cursor in it",
    "EdtfPoint": "EDTF date",
    "FieldList": "member names",
    "FullText": "text",
    "Id": "id",
    "Instant": "RFC 3339 instant",
    "Key": "key",
    "Language": "language tag",
    "Slug": "slug",
    "Word": "word",
}


def _takes(parameter: parameters.Parameter) -> str:
    """What a parameter takes, in the words of the table."""
    schema: dict[str, Any] = parameter.schema
    if "enum" in schema:
        takes = ", ".join(f"`{word}`" for word in schema["enum"])
    elif schema["type"] == "integer":
        takes = f"{schema['minimum']:,} to {schema['maximum']:,}"
    else:
        low, high = schema["minLength"], schema["maxLength"]
        name = NAMES[schema["title"]] if "title" in schema else "text"
        takes = f"{name}, {high if low == high else f'{low} to {high}'} characters"
    default = f"; `{schema['default']}` if not given" if "default" in schema else ""
    return takes + default + (f"; up to {parameters.REPEATS_MAX} times" if parameter.repeatable else "")


@pytest.mark.parametrize(
    ("heading", "words"), [("## Stances", values.STANCES), ("## Standing", values.STANDINGS)], ids=["stances", "states"]
)
def test_every_stance_and_state_is_explained(heading: str, words: tuple[str, ...]) -> None:
    told = [row[0].strip("`") for row in rows_of("claims-and-standing.md", heading)]
    assert sorted(told) == sorted(words)
