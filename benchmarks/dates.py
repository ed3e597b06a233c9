"""Parses per second of our dates beside those of the PyPI package `edtf`, on one corpus in one run.

    python -m benchmarks.dates

The corpus is built here with a fixed seed, in every form that both sides read, each text once; the adjudicated
vectors join it where DATELINE_SHARED, or `../shared`, has them. Texts that `edtf` refuses are left out on both sides.
Nothing is cached on ours; `edtf` switches on the packrat cache of pyparsing. Our `parse` includes the bounds in
seconds; theirs leaves all bounds for later.
"""

import contextlib
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from random import Random

import edtf

from service.domain import dates

SEED = 2025
TEXTS_PER_FORM = 12
ROUNDS = 3
OUR_PASSES_PER_ROUND = 100

SHARED = Path(os.environ.get("DATELINE_SHARED") or Path(__file__).parents[2] / "shared")
VECTORS = SHARED / "data" / "edtf" / "vectors.jsonl"


def built_texts() -> list[str]:
    random = Random(SEED)

    def year() -> str:
        return f"{random.choice(['', '', '', '-'])}{random.randint(1, 2100):04d}"

    def month() -> str:
        return f"{random.randint(1, 12):02d}"

    def day() -> str:
        return f"{random.randint(1, 28):02d}"

    def mark() -> str:
        return random.choice("?~%")

    def date() -> str:
        return random.choice([year(), f"{year()}-{month()}", f"{year()}-{month()}-{day()}"])

    def time_of_day() -> str:
        return f"{random.randint(0, 23):02d}:{random.randint(0, 59):02d}:{random.randint(0, 59):02d}"

    def ordered(form: Callable[[], str]) -> list[str]:
        return sorted((form() for _ in range(2)), key=lambda text: dates.parse(text).start or 0)

    def positive() -> str:
        return f"{random.randint(1000, 2100)}"

    forms: list[Callable[[], str]] = [
        year,
        lambda: f"{year()}-{month()}",
        lambda: f"{year()}-{month()}-{day()}",
        lambda: f"{year()}-{month()}-{day()}T{time_of_day()}",
        lambda: f"{year()}-{month()}-{day()}T{time_of_day()}Z",
        lambda: f"{year()}-{month()}-{day()}T{time_of_day()}{random.choice('+-')}{random.randint(1, 11):02d}:30",
        lambda: "/".join(ordered(date)),
        lambda: f"{date()}/..",
        lambda: f"../{date()}",
        lambda: f"{date()}/",
        lambda: f"/{date()}",
        lambda: f"{date()}{mark()}",
        lambda: "/".join(ordered(lambda: f"{date()}{mark()}")),
        lambda: f"{year()}-{random.randint(21, 24)}",
        lambda: f"{year()}-{random.randint(25, 41)}",
        lambda: f"Y{random.choice(['', '-'])}{random.randint(10**4, 10**11)}",
        lambda: f"Y{random.choice(['', '-'])}{random.randint(1, 99)}E{random.randint(4, 9)}",
        lambda: f"{positive()}S{random.randint(1, 3)}",
        lambda: f"Y{random.randint(10**6, 10**9)}S{random.randint(1, 5)}",
        lambda: f"{positive()[:3]}X",
        lambda: f"{positive()[:2]}XX",
        lambda: f"{year()}-XX",
        lambda: f"{year()}-{month()}-XX",
        lambda: f"{year()}-XX-XX",
        lambda: f"{positive()[:3]}X-{month()}-{day()}",
        lambda: f"{positive()[:2]}XX-{month()}-XX",
        lambda: f"{year()}-1X",
        lambda: f"{year()}{mark()}-{month()}-{day()}",
        lambda: f"{year()}-{month()}{mark()}-{day()}",
        lambda: f"{mark()}{year()}-{month()}-{mark()}{day()}",
        lambda: f"{year()}-{mark()}{month()}",
        lambda: f"[{','.join(date() for _ in range(random.randint(2, 6)))}]",
        lambda: f"{{{','.join(date() for _ in range(random.randint(2, 6)))}}}",
        lambda: f"[{','.join(positive() for _ in range(3))},{'..'.join(ordered(positive))}]",
        lambda: f"[..{date()}]",
        lambda: f"{{{date()}..}}",
    ]
    return [form() for form in forms for _ in range(TEXTS_PER_FORM)]


def vectors() -> list[str]:
    if not VECTORS.exists():
        return []
    rows = map(json.loads, VECTORS.read_text().splitlines())
    return [row["edtf"] for row in rows if row["valid"]]


def theirs(text: str) -> object:
    return edtf.parse_edtf(text)


def is_read(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except Exception:
        return False
    return True


def seconds_for(work: Callable[[str], object], texts: Sequence[str], passes: int) -> float:
    begin = time.perf_counter()
    for _ in range(passes):
        for text in texts:
            work(text)
    return (time.perf_counter() - begin) / (passes * len(texts))


def whole(text: str) -> tuple[str | None, str | None, str]:
    date = dates.parse(text)
    return date.earliest, date.latest, date.display


def main() -> None:
    built, adjudicated = built_texts(), vectors()
    candidates = list(dict.fromkeys(built + adjudicated))
    # The package writes to standard output as it parses.
    with contextlib.redirect_stdout(io.StringIO()):
        texts = [text for text in candidates if is_read(theirs, text)]
    refused = [text for text in texts if not is_read(dates.parse, text)]
    if refused:
        sys.exit(f"edtf reads what we refuse: {refused}")
    our, their, our_whole = [], [], []
    for _ in range(ROUNDS):
        our.append(seconds_for(dates.parse, texts, OUR_PASSES_PER_ROUND))
        our_whole.append(seconds_for(whole, texts, OUR_PASSES_PER_ROUND // 10))
        with contextlib.redirect_stdout(io.StringIO()):
            their.append(seconds_for(theirs, texts, 1))
    print(
        f"corpus: {len(texts)} texts ({len(set(built))} built with seed {SEED}, {len(adjudicated)} adjudicated vectors,"
        f" each once; {len(candidates) - len(texts)} left out because edtf {version('edtf')} refuses them)"
    )
    ours_median, theirs_median = statistics.median(our), statistics.median(their)
    print(f"dateline              {1 / ours_median:12,.0f} parses/s  {ours_median * 1e6:10,.1f} µs each")
    median = statistics.median(our_whole)
    print(f"  with texts, English {1 / median:12,.0f} parses/s  {median * 1e6:10,.1f} µs each")
    print(f"edtf {version('edtf'):17}{1 / theirs_median:12,.0f} parses/s  {theirs_median * 1e6:10,.1f} µs each")
    print(f"ratio                 {theirs_median / ours_median:12,.0f} x  (medians of {ROUNDS} alternating rounds)")


if __name__ == "__main__":
    main()
