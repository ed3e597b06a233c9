"""What the UCDP events are, read from the CSV file and counted by looking at every row: nothing here is of dateline.

Dates are compared as ISO text, which orders as days do; a window is two days, both included.
"""

import csv
import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ARTICLE = re.compile(r'"(?P<office>[^",]*),(?P<date>\d{4}-\d{2}-\d{2}),(?P<headline>[^"]*)"')
"""One article of `source_article`, where these stand one after another, separated by semicolons."""


class Article(NamedTuple):
    office: str
    date: str
    headline: str


class Row(NamedTuple):
    """One event as its row has it."""

    id: str
    dyad: str
    violence: str
    sides: tuple[str, str]
    articles: tuple[Article, ...]
    original: str
    place: str
    region: str
    country: str
    latitude: float
    longitude: float
    start: str
    end: str
    deaths: int


def read_rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [_row(each) for each in csv.DictReader(file)]


def _row(line: dict[str, str]) -> Row:
    articles = tuple(
        dict.fromkeys(
            Article(*(part.strip() for part in match.groups())) for match in ARTICLE.finditer(line["source_article"])
        )
    )
    return Row(
        id=str(int(float(line["id"]))),
        dyad=line["dyad_name"],
        violence={"1": "state-based", "2": "non-state", "3": "one-sided"}[line["type_of_violence"][0]],
        sides=(line["side_a"], line["side_b"]),
        articles=articles,
        original=line["source_original"],
        place=line["where_coordinates"],
        region=line["adm_1"],
        country=line["country"],
        latitude=float(line["latitude"]),
        longitude=float(line["longitude"]),
        start=line["date_start"],
        end=line["date_end"],
        deaths=int(float(line["best"])),
    )


def ids_where(rows: list[Row], holds: Callable[[Row], bool]) -> set[str]:
    return {row.id for row in rows if holds(row)}


def questions() -> Iterator[tuple[str, dict[str, str | list[str]], Callable[[Row], bool]]]:
    """What is asked: in words, as parameters with names where the interface has slugs, and of a row."""
    for side in ("Government of Syria", "IS", "SDF", "Civilians", "Government of Turkey", "HTS, Southern Front"):
        yield f"actor {side}", {"actor": side}, lambda row, side=side: side in row.sides
    for number, role in enumerate(("side_a", "side_b")):
        for side in ("IS", "Government of Syria", "SNA"):
            question = {"actor": side, "role": role}
            yield f"{side} as {role}", question, lambda row, side=side, n=number: row.sides[n] == side
    yield (
        "IS and SDF, both",
        {"actor": ["IS", "SDF"], "actor_match": "all"},
        lambda row: {"IS", "SDF"} <= set(row.sides),
    )
    for office in ("SOHR", "Airwars", "Waha Report", "Reuters News", "Agence France Presse"):
        yield (
            f"published by {office}",
            {"publisher": office},
            lambda row, office=office: any(article.office == office for article in row.articles),
        )
    yield (
        "published by Airwars in March 2017",
        {"publisher": "Airwars", "published_from": "2017-03", "published_to": "2017-03"},
        lambda row: any(a.office == "Airwars" and a.date[:7] == "2017-03" for a in row.articles),
    )
    yield (
        "published in 2018",
        {"published_from": "2018", "published_to": "2018"},
        lambda row: any(a.date[:4] == "2018" for a in row.articles),
    )
    yield "Syria", {"country": "Syria"}, lambda row: row.country == "Syria"
    yield "another country", {"country": "Iraq"}, lambda row: row.country == "Iraq"
    for first, last in (("2016-03-01", "2016-03-31"), ("2017-01-01", "2017-12-31"), ("2016-02-15", "2016-02-15")):
        window = {"from": first, "to": last}
        yield (
            f"{first} to {last}, possible",
            window,
            lambda row, first=first, last=last: row.start <= last and row.end >= first,
        )
        yield (
            f"{first} to {last}, certain",
            window | {"match": "certain"},
            lambda row, first=first, last=last: row.start >= first and row.end <= last,
        )
    for name, west, south, east, north in (
        ("Aleppo", 36.9, 36.0, 37.5, 36.5),
        ("east of the Euphrates", 39.0, 34.0, 42.5, 37.5),
        ("a single place", 36.707602, 34.802462, 36.707602, 34.802462),
    ):
        yield (
            f"within {name}",
            {"bbox": f"{west},{south},{east},{north}"},
            lambda row, w=west, s=south, e=east, n=north: s <= row.latitude <= n and w <= row.longitude <= e,
        )
    yield (
        "IS as side_b near Aleppo in 2016 by SOHR",
        {
            "actor": "IS",
            "role": "side_b",
            "bbox": "36.5,35.5,38.5,37",
            "from": "2016",
            "to": "2016",
            "publisher": "SOHR",
        },
        lambda row: (
            row.sides[1] == "IS"
            and 35.5 <= row.latitude <= 37
            and 36.5 <= row.longitude <= 38.5
            and row.start <= "2016-12-31"
            and row.end >= "2016-01-01"
            and any(article.office == "SOHR" for article in row.articles)
        ),
    )
