"""Every figure that the documents quote: `python -m benchmarks [NAME … [--option …]]`, `load` without a name.

Several names are measured one after the other; options go to the last. What each measures is told by
`python -m benchmarks NAME --help`.
"""

import runpy
import sys

NAMES = ("compared", "counts", "dates", "embeds", "growth", "lighthouse", "load", "pages", "ucdp")
USUAL = "load"


def main() -> None:
    """Runs the benchmarks named."""
    given = sys.argv[1:]
    names = []
    while given and not given[0].startswith("-"):
        names.append(given.pop(0))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        sys.exit(f"{unknown[0]} is no benchmark; there are {', '.join(NAMES)}")
    for name in names or [USUAL]:
        print(f"== {name}", flush=True)
        sys.argv[1:] = given if name == (names or [USUAL])[-1] else []
        runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    main()
