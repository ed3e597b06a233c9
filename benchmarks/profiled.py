"""Where the time of one request goes, function by function: asked of the service within this process.

    python -m benchmarks.profiled ADDRESS [--events 20000] [--store FOLDER] [--times 200] [--sort tottime]

`{n}` in the address is replaced by the number of the request, so that none is asked for twice: `limit=50&to=20{n}`.
The profile itself costs as much again as short functions do; compare what it says of each, not the sum.
"""

import argparse
import asyncio
import cProfile
import pstats
from pathlib import Path

from benchmarks.recorded import client
from benchmarks.stores import kept


async def profile(url: str, address: str, times: int) -> cProfile.Profile:
    found = cProfile.Profile()
    async with client(url) as asking:
        await asking.get(address.replace("{n}", "0"))
        for number in range(1, times + 1):
            found.enable()
            answer = await asking.get(address.replace("{n}", str(number)))
            found.disable()
            if answer.status_code != 200:
                raise SystemExit(f"{answer.status_code} {answer.text[:500]}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="path and query")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--store", type=Path, help="folder to keep the store in")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--sort", default="tottime")
    arguments = parser.parse_args()
    with kept(arguments.events, arguments.store) as store:
        found = asyncio.run(profile(store.url, arguments.address, arguments.times))
    pstats.Stats(found).sort_stats(arguments.sort).print_stats(40)


if __name__ == "__main__":
    main()
