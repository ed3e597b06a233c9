"""Every figure that the documents quote, measured one after the other: `python -m benchmarks [NAME …]`."""

import runpy
import sys

NAMES = ("dates", "pages", "counts", "ucdp")


def main() -> None:
    """Runs the benchmarks named, or all of them."""
    names = sys.argv[1:] or list(NAMES)
    sys.argv[1:] = []
    for name in names:
        if name not in NAMES:
            sys.exit(f"{name} is no benchmark; there are {', '.join(NAMES)}")
        print(f"== {name}", flush=True)
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")


if __name__ == "__main__":
    main()
