"""How reading grows with the store: the same pages in a small one and in a large one, at the same time.

    python -m benchmarks.growth [--small 100000] [--large 5000000] [--copies N] [--stores FOLDER] [--order] [NAME …]

Both stores run beside each other, and each has a service of one worker, which keeps no answers. Each case is a query
with its dates or names drawn anew for every page of fifty; the same pages are asked for of both, in turns, one request
at a time over a connection that stays open, and what came first does not count. The table has the medians in
milliseconds, the ratio that is to stay under its bound, how many events the pages have, and how many blocks PostgreSQL
looks at for them, which tells more than time where others use the machine. Where the small store has fewer events for a
page than the large one (a window of a day, a rare word), the two pages are not alike, and nothing is said of their
ratio. The diff of a revision of a thousand changes is read page after page. The plot shows all ratios.

The stores are kept in the folder, `events-N-in-C` for N events, C of each that is made. With `--order` all is
measured a second time after the rows of `version` have been laid out in the order of their dates.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from msgspec import Raw, Struct

from benchmarks import pages, plots
from benchmarks.generated import MADE_MAX
from benchmarks.loading import connect
from benchmarks.serving import service
from benchmarks.stores import Store, kept
from benchmarks.writing import BASE, CHANGED
from service.domain import parameters
from service.domain.cursors import Cursor, bound_of, cursor_text
from service.domain.lenses import Position, bounds_of
from service.domain.parameters import LIMIT_MAX, LISTING
from service.storage.pool import open_pool

SMALL, LARGE = 100_000, 5_000_000
PAGES, ROUNDS, BLOCKS_OF, DIFFS = 12, 3, 4, 12
PATH = "/v1/events"
FLAT, COMMON = 1.3, 2.0

Draw = Callable[[Random], str]


class Case(NamedTuple):
    """Pages to read: a query drawn anew for each, whether they begin midway, and how much slower they may get."""

    name: str
    draw: Draw
    deep: bool = False
    most: float = FLAT


def some_day(random: Random) -> date:
    return date(1905, 1, 1) + timedelta(days=random.randrange(115 * 365))


def window(days: int, more: str = "") -> Draw:
    """A window of so many days, anywhere."""

    def draw(random: Random) -> str:
        begin = some_day(random)
        return f"from={begin}&to={begin + timedelta(days=days)}{more}"

    return draw


def fixed(text: str) -> Draw:
    return lambda _: text


def both(*draws: Draw) -> Draw:
    return lambda random: "&".join(filter(None, (draw(random) for draw in draws)))


def number_of(name: str, many: int) -> Draw:
    """One of many that are alike."""
    return lambda random: f"{name}{random.randrange(many)}"


def five_actors(random: Random) -> str:
    return "&".join(f"actor=a{number}" for number in random.sample(range(2_000), 5))


DATES: dict[str, Draw] = {
    "a day": window(0),
    "a week": window(7),
    "a week, certain": window(7, "&match=certain"),
    "twenty years": window(7_305),
    "the last month": fixed("from=2025-12"),
    "the last day, with all that is open": fixed("from=2025-12-31&to=2025-12-31"),
    "a year, latest first": window(366, "&order=desc"),
}
FILTERS: dict[str, tuple[Draw, float]] = {
    "all": (fixed(""), FLAT),
    "rare actor": (fixed("actor=rare"), FLAT),
    "middling actor": (fixed("actor=mid"), FLAT),
    "hot actor": (fixed("actor=hot"), COMMON),
    "source": (number_of("source=s", 2_000), FLAT),
    "publisher": (number_of("publisher=publisher-", 200), FLAT),
    "tag": (number_of("tag=tag-", 50), FLAT),
    "kind": (number_of("kind=kind-", 10), FLAT),
    "country": (fixed("country=XK"), FLAT),
    "standing": (fixed("standing=contested"), FLAT),
    "collection": (fixed("collection=side"), FLAT),
    "hot actor and hot tag": (fixed("actor=hot&tag=hot"), COMMON),
    "tag and kind": (both(number_of("tag=tag-", 50), number_of("kind=kind-", 10)), COMMON),
    "five actors, any": (five_actors, FLAT),
    "a rare word": (fixed("q=uncommon"), COMMON),
    "a middling word": (fixed("q=middling"), COMMON),
    "a common word": (fixed("q=common"), COMMON),
    "a phrase": (fixed('q="common ground"'), COMMON),
    "two words": (fixed("q=common middling"), COMMON),
}
FIVE_YEARS = window(1_826)
FAR_BACK = fixed("revision=100")
DEEP = ("all", "hot actor", "kind", "hot actor and hot tag", "five actors, any")


def cases() -> list[Case]:
    found = [Case(f"all, {name}", draw) for name, draw in DATES.items()]
    for name, (draw, most) in FILTERS.items():
        found.append(Case(name, draw, most=most))
        found.append(Case(f"{name}, five years", both(draw, FIVE_YEARS), most=most))
        found.append(Case(f"{name}, far back", both(draw, FAR_BACK), most=most))
        found.append(Case(f"{name}, five years, far back", both(draw, FIVE_YEARS, FAR_BACK), most=most))
        found.append(Case(f"{name}, known_at", both(draw, fixed("known_at=2005")), most=most))
        if name in DEEP:
            found.append(Case(f"{name}, deep", draw, deep=True, most=most))
            found.append(Case(f"{name}, deep, latest first", both(draw, fixed("order=desc")), deep=True, most=most))
    return found


class Side(NamedTuple):
    """A service of a store, and a connection to the store as the service has them."""

    asking: HTTPConnection
    connection: Any
    plans: pages.Plans
    middle: Position


async def opened(stack: AsyncExitStack, store: Store, origin: str) -> Side:
    pool = await open_pool(store.url, 1, 600)
    stack.push_async_callback(pool.close)
    connection = await stack.enter_async_context(pool.acquire())
    row = await connection.fetchrow(pages.MIDDLE, bounds_of("1962-07-01")[0])
    asking = HTTPConnection(origin.removeprefix("http://"), timeout=60)
    return Side(asking, connection, pages.Plans(connection), (False, row[0], row[1], row[2]))


class Read(NamedTuple):
    """Milliseconds that a page took, how many events it has, and the blocks that PostgreSQL looked at for it."""

    ms: float
    rows: int
    blocks: int = 0


class Page(Struct):
    items: list[Raw]
    next: str | None = None


def answered(side: Side, address: str) -> tuple[float, int, bytes]:
    """Milliseconds until an answer is there, its status and its body."""
    began = time.perf_counter()
    side.asking.request("GET", address, headers={"Accept-Encoding": "identity"})
    answer = side.asking.getresponse()
    body = answer.read()
    return (time.perf_counter() - began) * 1000, answer.status, body


def page_in(address: str, status: int, body: bytes) -> Page:
    if status != 200:
        sys.exit(f"{address}: {status} {body[:500].decode()}")
    return msgspec.json.decode(body, type=Page)


def read_page(side: Side, query: parameters.Query, deep: bool) -> Read | None:
    """One page, None where it is refused as too broad."""
    cursor = Cursor(bound_of(query, PATH), BASE, list(side.middle))
    address = f"{PATH}?{urlencode(query | ({'cursor': [cursor_text(cursor)]} if deep else {}), doseq=True)}"
    took, status, body = answered(side, address)
    if status != 200 and b"selection-too-broad" in body:
        return None
    return Read(took, len(page_in(address, status, body).items))


def diff_ms(side: Side) -> float:
    """Milliseconds of the whole diff of a thousand changes, page after page."""
    address: str | None = f"/v1/diff?base_revision={BASE - 1}&head_revision={BASE}&limit={LIMIT_MAX}"
    took, changes = 0.0, 0
    while address is not None:
        more, status, body = answered(side, address)
        page = page_in(address, status, body)
        took, changes, address = took + more, changes + len(page.items), page.next
    if changes != CHANGED:
        sys.exit(f"the diff has {changes} changes, not {CHANGED}")
    return took


async def blocks_read(side: Side, query: parameters.Query, deep: bool) -> int:
    """The blocks that PostgreSQL looks at for one page, which no other load can change."""
    recorder = pages.Recorder(side.connection)
    await pages.read(recorder, query, side.middle if deep else None)
    plans = [(await side.plans.explain(*run))["Plan"] for run in recorder.runs]
    return sum(int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]) for plan in plans)


async def measure_case(case: Case, sides: list[Side]) -> list[Read | None]:
    """The medians of each store."""
    random = Random(case.name)
    queries = [parsed(case.draw(random)) for _ in range(PAGES)]
    read: list[list[Read | None]] = [[] for _ in sides]
    for number in range(ROUNDS + 1):
        for side, found in zip(sides, read, strict=True):
            once = [read_page(side, query, case.deep) for query in queries]
            found += once if number else []
    blocks = [[await blocks_read(side, query, case.deep) for query in queries[:BLOCKS_OF]] for side in sides]
    return [median_of(found, counted) for found, counted in zip(read, blocks, strict=True)]


def median_of(found: list[Read | None], blocks: list[int]) -> Read | None:
    there = [each for each in found if each is not None]
    if len(there) < len(found):
        return None
    ms, rows = (statistics.median(each[field] for each in there) for field in (0, 1))
    return Read(ms, round(rows), round(statistics.median(blocks)))


def parsed(text: str) -> parameters.Query:
    query: dict[str, list[str]] = {}
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        query.setdefault(name, []).append(value)
    parameters.check(query, LISTING)
    return query


async def measured(stores: list[Store], origins: list[str], names: list[str]) -> list[dict[str, Any]]:
    async with AsyncExitStack() as stack:
        sides = [await opened(stack, store, origin) for store, origin in zip(stores, origins, strict=True)]
        return await lines_of(sides, names)


async def lines_of(sides: list[Side], names: list[str]) -> list[dict[str, Any]]:
    lines = []
    for case in cases():
        if names and not any(name in case.name for name in names):
            continue
        lines.append(line_of(case.name, await measure_case(case, sides), case.most))
        print(text_of(lines[-1]), flush=True)
    if not names or any(name in "diff" for name in names):
        rounds = [[diff_ms(side) for side in sides] for _ in range(DIFFS + 1)][1:]
        medians = [Read(statistics.median(times), CHANGED) for times in zip(*rounds, strict=True)]
        lines.append(line_of(f"diff of {CHANGED:,} changes", medians, FLAT))
        print(text_of(lines[-1]), flush=True)
    return lines


def line_of(name: str, sides: Sequence[Read | None], most: float) -> dict[str, Any]:
    small, large = sides
    there = small is not None and large is not None
    ratio = large.ms / small.ms if small is not None and large is not None else None
    told = dict(zip(("small", "large"), ([each._asdict() if each else None for each in sides]), strict=True))
    alike = small is not None and large is not None and small.rows == large.rows
    return {"name": name, **told, "ratio": ratio, "most": most, "refused": not there, "alike": alike}


def text_of(line: dict[str, Any]) -> str:
    if line["refused"]:
        return f"{line['name']:45}  refused as too broad"
    small, large = line["small"], line["large"]
    verdict = ("yes" if line["ratio"] <= line["most"] else "NO") if line["alike"] else "-"
    figures = f"{small['ms']:10.2f}{large['ms']:10.2f}{line['ratio']:7.2f}  <= {line['most']} {verdict:3}"
    return f"{line['name']:45}{figures}{small['rows']:7}{large['rows']:7}{small['blocks']:10,}{large['blocks']:10,}"


NEARBY = """
SELECT count(DISTINCT (ctid::text::point)[0])::float8 / count(*) FROM (
    SELECT ctid FROM version WHERE t_lo >= $1 ORDER BY t_lo, event LIMIT 1000) nearby
"""
"""Blocks of the table for each of a thousand versions that follow each other by date."""


async def blocks_of(store: Store) -> float:
    connection = await connect(store.url)
    found: float = await connection.fetchval(NEARBY, bounds_of("1962-07-01")[0])
    await connection.close()
    return found


async def lay_by_date(store: Store) -> None:
    connection = await connect(store.url)
    await connection.execute("SET maintenance_work_mem = '1GB'")
    await connection.execute("CLUSTER version USING version_date")
    await connection.execute("VACUUM (ANALYZE) version")
    await connection.close()


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    # Both are made of as many copies, or events of one day would name as many actors in one as one in the other.
    copies = arguments.copies or -(-arguments.large // MADE_MAX)
    sizes = (arguments.small, arguments.large)
    folders = [arguments.stores / f"events-{size}-in-{copies}" for size in sizes]
    result: dict[str, Any] = {"small": arguments.small, "large": arguments.large, "copies": copies}
    with kept(sizes[0], folders[0], copies) as small, kept(sizes[1], folders[1], copies) as large:
        stores = [small, large]
        for order in ("as loaded", "by date") if arguments.order else ("as loaded",):
            if order == "by date":
                for store in stores:
                    asyncio.run(lay_by_date(store))
            blocks = [asyncio.run(blocks_of(store)) for store in stores]
            print(f"\nversions {order}: {blocks[0]:.2f} and {blocks[1]:.2f} blocks for each of a thousand by date")
            print(f"{'':45}{'p50 of a page, ms':>20}{'':17}{'events on it':>14}{'blocks read':>20}")
            sizes = f"{arguments.small:10,}{arguments.large:10,}"
            print(f"{'':45}{sizes}{'ratio':>7}{'':10}{'':14}{sizes}", flush=True)
            with service(**settings_for(small)) as of_small, service(**settings_for(large)) as of_large:
                result[order] = asyncio.run(measured(stores, [of_small.origin, of_large.origin], arguments.names))
            print(f"\n{summary_of(result[order])}", flush=True)
    return result


def settings_for(store: Store) -> dict[str, str]:
    return {"DATELINE_DATABASE_URL": store.url, "DATELINE_WORKERS": "1", "DATELINE_ANSWERS_BYTES_MAX": "0"}


def summary_of(lines: Sequence[Mapping[str, Any]]) -> str:
    """How many pages are alike in both stores, how many of these stay within their bound, and their median ratio."""
    ratios = [(line["ratio"], line["most"]) for line in lines if line["alike"]]
    if not ratios:
        return "no pages are alike in both"
    within = sum(ratio <= most for ratio, most in ratios)
    middle = statistics.median(ratio for ratio, _ in ratios)
    refused = sum(line["refused"] for line in lines)
    return (
        f"{len(lines)} cases, {refused} refused; of {len(ratios)} whose pages are alike in both stores "
        f"{within} are within their bound, the median ratio is {middle:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given = os.environ
    parser.add_argument("--small", type=int, default=int(given.get("SMALL", SMALL)))
    parser.add_argument("--large", type=int, default=int(given.get("LARGE", LARGE)))
    parser.add_argument("--copies", type=int, help="how many there are to be of each event that is made")
    parser.add_argument("--stores", type=Path, default=Path(given.get("STORES", "/tmp/dateline-stores")))
    parser.add_argument("--order", action="store_true", help="measure again with versions in the order of their dates")
    parser.add_argument("--json", type=Path, default=Path("growth.json"), help="file for the figures")
    parser.add_argument("--svg", type=Path, default=Path("growth.svg"), help="file for the plot")
    parser.add_argument("names", nargs="*", help="only cases whose name contains one of these")
    arguments = parser.parse_args()
    result = run(arguments)
    arguments.json.write_text(json.dumps(result, indent=1))
    arguments.svg.write_text(plots.growth(result))
    print(f"\nThe figures are in {arguments.json}, the plot in {arguments.svg}.")


if __name__ == "__main__":
    main()
